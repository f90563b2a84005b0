-- One row per claim and platform with units: the figure, and its 95 % bootstrap interval where there are enough.
{{ config(materialized="table") }}

with sides as (select * from {{ ref("int_claim__sides_resampled") }}),

claims as (select * from {{ ref("claims") }}),

figured as (
    select
        sides.claim,
        sides.platform,
        sides.replicate,
        sum(sides.units) as units,
        max(case when sides.side = 'a' then sides.units end) as units_claimed,
        sum(case when sides.side <> 'a' then sides.units end) as units_other,
        count(*) as sides,
        min(sides.units) as fewest_units,
        max(sqrt(least(sides.units, {{ claim_draws() }}) / cast(nullif(sides.units, 0) as double))) as scale,
        {{ claim_statistic() }} as figure
    from sides
    inner join claims on sides.claim = claims.claim
    group by sides.claim, sides.platform, sides.replicate, claims.statistic
),

observed as (
    select *
    from figured
    where replicate = 0
),

-- A band with a handful of accounts could be the highest of all, so every side that there is needs enough units.
-- A replicate without a figure (a side of zeros) leaves the interval unknown.
spreads as (
    select
        claim,
        platform,
        {{ quantiles("figure", [0.025, 0.975]) }} as ends
    from figured
    where replicate > 0
    group by claim, platform
    having count(figure) = {{ claim_replicates() }}
),

int_claim__intervals_estimated as (
    select
        observed.claim,
        observed.platform,
        observed.figure,
        observed.units,
        observed.units_claimed,
        observed.units_other,
        observed.figure + observed.scale * ({{ element_at_place("spreads.ends", 1) }} - observed.figure)
            as interval_low,
        observed.figure + observed.scale * ({{ element_at_place("spreads.ends", 2) }} - observed.figure)
            as interval_high
    from observed
    inner join claims on observed.claim = claims.claim
    left join spreads
        on observed.claim = spreads.claim
        and observed.platform = spreads.platform
        and observed.sides >= claims.min_sides
        and observed.fewest_units >= claims.min_units
)

select * from int_claim__intervals_estimated
