-- One row per claim and platform (`*` = all): what the press says, what this brand's own data says, and the verdict.
{{ config(materialized="table") }}

with claims as (select * from {{ ref("claims") }}),

intervals as (select * from {{ ref("int_claim__intervals_estimated") }}),

lists as (select * from {{ ref("int_claim__lists_priced") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

platforms as (
    select distinct platform
    from {{ ref("dim_account") }}
    where last_seen_date is not null
),

-- Every claim has a row, of a warehouse without accounts as well.
asked as (
    select
        claims.*,
        case claims.scope when 'platform' then coalesce(platforms.platform, '*') else claims.scope end as platform
    from claims
    left join platforms on claims.scope = 'platform'
),

origins as (
    select
        claim,
        platform,
        max(data_origin) as data_origin
    from {{ ref("int_claim__units_gathered") }}
    group by claim, platform
),

measured as (
    select
        asked.*,
        coalesce(intervals.figure, lists.figure) as figure,
        coalesce(intervals.interval_low, lists.interval_low) as interval_low,
        coalesce(intervals.interval_high, lists.interval_high) as interval_high,
        coalesce(intervals.units, lists.units, 0) as units,
        coalesce(intervals.units_claimed, lists.units_claimed, 0) as units_claimed,
        coalesce(intervals.units_other, lists.units_other) as units_other,
        coalesce(origins.data_origin, lists.data_origin) as data_origin
    from asked
    left join intervals on asked.claim = intervals.claim and asked.platform = intervals.platform
    left join origins on asked.claim = origins.claim and asked.platform = origins.platform
    left join lists on asked.claim = lists.claim and asked.platform = lists.platform
),

sided as (
    select
        *,
        case
            when interval_low is null or interval_high is null then 'unknown'
            when
                coalesce(interval_low > claimed_low, true) and coalesce(interval_high < claimed_high, true)
                then 'claimed'
            when
                coalesce(interval_high <= claimed_low, false) or coalesce(interval_low >= claimed_high, false)
                then 'other'
            else 'both'
        end as interval_side
    from measured
),

fct_claim_check as (
    select
        cast(sided.claim as string) as claim,
        cast(sided.platform as string) as platform,
        cast(sided.claimed as string) as claimed,
        cast(sided.tested_as as string) as tested_as,
        cast(sided.claimed_low as double) as claimed_low,
        cast(sided.claimed_high as double) as claimed_high,
        cast(sided.figure as double) as observed,
        cast(sided.interval_low as double) as interval_low,
        cast(sided.interval_high as double) as interval_high,
        cast(sided.unit as string) as unit_type,
        cast(sided.units as bigint) as unit_count,
        cast(sided.units_claimed as bigint) as claimed_unit_count,
        cast(sided.units_other as bigint) as other_unit_count,
        cast(sided.min_units as bigint) as min_unit_count,
        cast(
            case
                when sided.interval_side in ('unknown', 'both') then 'not enough data'
                when sided.data_origin = 'simulated' then 'simulated'
                when sided.interval_side = 'claimed' then 'holds'
                else 'does not hold'
            end as string
        ) as verdict,
        cast(sided.interval_side as string) as interval_side,
        cast(
            case sided.interval_side
                when 'unknown' then sided.needs
                when 'both' then 'more ' || sided.unit || ': the interval lies on both sides of what is claimed'
            end as string
        ) as missing,
        cast(base.as_of_date as date) as as_of_date,
        cast(sided.data_origin as string) as data_origin
    from sided
    cross join base
)

select * from fct_claim_check
