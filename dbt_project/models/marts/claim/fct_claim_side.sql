-- One row per claim, platform (`*` = all) and side of the comparison: who stands there, how many, and their own figure.
{{ config(materialized="table") }}

with sides as (select * from {{ ref("int_claim__sides_resampled") }}),

claims as (select * from {{ ref("claims") }}),

names as (
    select
        claim,
        platform,
        side,
        min(side_name) as side_name,
        max(data_origin) as data_origin
    from {{ ref("int_claim__units_gathered") }}
    group by claim, platform, side
),

fct_claim_side as (
    select
        cast(sides.claim as string) as claim,
        cast(sides.platform as string) as platform,
        cast(sides.side as string) as side,
        cast(names.side_name as string) as side_name,
        cast(sides.units as bigint) as unit_count,
        cast(
            case
                when claims.statistic in ('median', 'median_ratio') then sides.median_x
                when claims.statistic = 'slope' then sides.slope
                when claims.statistic = 'rank_correlation' then sides.rank_correlation
                else sides.rate
            end as double
        ) as observed,
        cast(names.data_origin as string) as data_origin
    from sides
    inner join claims on sides.claim = claims.claim
    inner join names
        on sides.claim = names.claim and sides.platform = names.platform and sides.side = names.side
    where sides.replicate = 0
)

select * from fct_claim_side
