-- One row per cost: what it is in base currency, and whether it is spend by itself.
{{ config(materialized="table") }}

with costs as (select * from {{ ref("stg_landing__costs") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

rules as (select * from {{ ref("int_commission__rules_dated") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- The day on which a collaboration's first rule began.
rule_starts as (
    select
        versions.collaboration_id,
        min(greatest(rules.first_day, coalesce(versions.first_day, rules.first_day))) as first_day
    from versions
    inner join rules
        on versions.rule_id = rules.rule_id
        and (versions.end_day is null or versions.end_day > rules.first_day)
        and (versions.first_day is null or versions.first_day < rules.end_day)
    group by versions.collaboration_id
),

int_spend__costs_rated as (
    select
        costs.cost_id,
        costs.collaboration_id,
        collaborations.collaboration_id is not null as is_of_collaboration,
        -- Where a cost and its collaboration name different campaigns the agreement decides.
        coalesce(collaborations.campaign_id, costs.campaign_id) as campaign_id,
        -- A cost of neither is of the brand that it names itself.
        coalesce(collaborations.brand, campaigns.brand, costs.brand) as brand,
        costs.cost_type,
        costs.cost_date,
        costs.amount,
        costs.currency,
        {{ rate_to_base("costs.currency", "rates.rate_to_base") }} as fx_rate,
        {{ in_base(
            "cast(costs.amount as decimal(22, 6))", rate_to_base("costs.currency", "rates.rate_to_base")
        ) }} as amount_base,
        -- What is paid from the first rule on goes against what accrued.
        costs.cost_type <> 'commission' or coalesce(costs.cost_date < rule_starts.first_day, true) as is_spend,
        {{ extra_integer("costs.extra", "orders") }} as claimed_orders,
        costs.data_origin,
        costs.source_file,
        costs.source_line
    from costs
    cross join base
    left join collaborations on costs.collaboration_id = collaborations.collaboration_id
    left join campaigns on coalesce(collaborations.campaign_id, costs.campaign_id) = campaigns.campaign_id
    left join rule_starts on costs.collaboration_id = rule_starts.collaboration_id
    left join rates on costs.currency = rates.currency and costs.cost_date = rates.rate_day
)

select * from int_spend__costs_rated
