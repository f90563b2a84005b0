-- One row per contest, a campaign: who took part, up to the last day built, and at what cost.
{{ config(materialized="table") }}

with contests as (select * from {{ ref("int_social__contests_listed") }}),

entries as (select * from {{ ref("int_social__entries_placed") }}),

spend as (
    select
        campaign_id,
        case when count(amount_base) = count(*) then sum(amount_base) end as spend_base,
        max(data_origin) as data_origin
    from {{ ref("fct_spend_ledger") }}
    where is_spend
    group by campaign_id
),

counted as (
    select
        campaign_id,
        count_if(is_counted) as entries,
        count_if(not is_counted) as entries_outside_dates,
        count(distinct case when is_counted then participant end) as participants,
        count_if(is_first_of_brand) as new_participants,
        count(distinct case when is_counted and is_referred then participant end) as referred_participants,
        count(distinct case when is_counted and customer_id is not null then participant end) as customers,
        count_if(is_counted and reach is not null) as entries_with_reach,
        max(data_origin) as data_origin
    from entries
    where not is_campaign_unknown
    group by campaign_id
),

-- A post that several entries name reaches its audience once.
reached as (
    select
        campaign_id,
        max(reach) as reach
    from entries
    where is_counted
    group by campaign_id, platform, coalesce('post ' || post_id, 'entry ' || entry_id)
),

reach_totals as (
    select
        campaign_id,
        sum(reach) as reach
    from reached
    group by campaign_id
),

measured as (
    select
        contests.*,
        {% for count in [
            "entries", "entries_outside_dates", "participants", "new_participants", "referred_participants", "customers",
            "entries_with_reach",
        ] %}
            case when contests.has_entries then coalesce(counted.{{ count }}, 0) end as {{ count }},
        {% endfor %}
        reach_totals.reach,
        spend.spend_base,
        {{ days_between("contests.start_date", "contests.last_day") }} + 1 as days_elapsed,
        greatest(contests.data_origin, counted.data_origin, spend.data_origin) as origin_of_all
    from contests
    left join counted on contests.campaign_id = counted.campaign_id
    left join reach_totals on contests.campaign_id = reach_totals.campaign_id
    left join spend on contests.campaign_id = spend.campaign_id
),

fct_contest as (
    select
        cast(campaign_id as string) as campaign_id,
        cast(brand as string) as brand,
        cast(name as string) as campaign_name,
        cast(start_date as date) as start_date,
        cast(end_date as date) as end_date,
        cast(is_over as boolean) as is_over,
        cast(greatest(days_elapsed, 0) as integer) as days_elapsed,
        cast(entries as bigint) as entries,
        cast(entries_outside_dates as bigint) as entries_outside_dates,
        cast(participants as bigint) as participants,
        cast(new_participants as bigint) as new_participants,
        cast({{ ratio("new_participants", "greatest(days_elapsed, 0)") }} as double) as new_participants_per_day,
        cast(referred_participants as bigint) as referred_participants,
        cast(customers as bigint) as customers,
        cast(reach as bigint) as reach,
        cast(entries_with_reach as bigint) as entries_with_reach,
        cast(base_currency as string) as base_currency,
        cast(spend_base as decimal(38, 6)) as spend_base,
        {{ per_unit("spend_base", "participants") }} as cost_per_participant_base,
        cast(as_of_date as date) as as_of_date,
        cast(origin_of_all as string) as data_origin
    from measured
)

select * from fct_contest
