-- One row per campaign that a mart names, as it is now; `(always-on)` is what has none, `(unattributed)` is nobody's.
{{ config(materialized="table") }}

with campaigns as (select * from {{ ref("int_agreement__campaigns_named") }}),

collaborations as (select * from {{ ref("dim_collaboration") }}),

spend as (
    select * from {{ ref("int_spend__spend_dated") }}
    where is_spend
),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

ids as (
    select campaign_id
    from campaigns
    union all
    select '(always-on)' as campaign_id
    union all
    select '(unattributed)' as campaign_id
),

-- A sum over agreements of which none says a number is unknown.
agreed as (
    select
        campaign_id,
        count(*) as collaborations,
        sum(posts_agreed) as posts_agreed,
        sum(posts_delivered) as posts_delivered,
        sum(posts_undisclosed) as posts_undisclosed,
        max(data_origin) as data_origin
    from collaborations
    where is_landed
    group by campaign_id
),

spent as (
    select
        coalesce(campaign_id, '(always-on)') as campaign_id,
        case when count(amount_base) = count(*) then sum(amount_base) end as spend_base,
        max(data_origin) as data_origin
    from spend
    group by coalesce(campaign_id, '(always-on)')
),

-- A budget counts at the rate of the day on which the campaign begins, or of the last day built before that.
budgets as (
    select
        campaigns.campaign_id,
        {%- set budget = "cast(campaigns.budget as decimal(22, 6))" %}
        {{ in_base(budget, rate_to_base("campaigns.currency", "rates.rate_to_base")) }} as budget_base
    from campaigns
    cross join base
    left join rates
        on campaigns.currency = rates.currency
        and least(campaigns.start_date, base.as_of_date) = rates.rate_day
),

dim_campaign as (
    select
        cast(ids.campaign_id as string) as campaign_id,
        cast(campaigns.name as string) as campaign_name,
        cast(coalesce(campaigns.brand, '(unknown)') as string) as brand,
        cast(coalesce(campaigns.is_landed, false) as boolean) as is_landed,
        cast(campaigns.objective as string) as objective,
        cast(campaigns.start_date as date) as start_date,
        cast(campaigns.end_date as date) as end_date,
        cast(campaigns.hashtags as string) as hashtags,
        cast(campaigns.attribution_window_days as bigint) as attribution_window_days,
        cast(campaigns.target_kpi as string) as target_kpi,
        cast(campaigns.target_value as decimal(20, 6)) as target_value,
        cast(campaigns.budget as decimal(20, 6)) as budget,
        cast(campaigns.currency as string) as currency,
        cast(base.currency as string) as base_currency,
        cast(budgets.budget_base as decimal(38, 6)) as budget_base,
        cast(spent.spend_base as decimal(38, 6)) as budget_used_base,
        cast(budgets.budget_base - spent.spend_base as decimal(38, 6)) as budget_left_base,
        cast(coalesce(agreed.collaborations, 0) as bigint) as collaborations,
        cast(agreed.posts_agreed as bigint) as posts_agreed,
        cast(agreed.posts_delivered as bigint) as posts_delivered,
        cast(agreed.posts_undisclosed as bigint) as posts_undisclosed,
        cast(base.as_of_date as date) as as_of_date,
        cast(
            coalesce(greatest(campaigns.data_origin, agreed.data_origin, spent.data_origin), 'observed') as string
        ) as data_origin
    from ids
    cross join base
    left join campaigns on ids.campaign_id = campaigns.campaign_id
    left join budgets on ids.campaign_id = budgets.campaign_id
    left join agreed on ids.campaign_id = agreed.campaign_id
    left join spent on ids.campaign_id = spent.campaign_id
)

select * from dim_campaign
