-- One row per claim and platform with units: the figure, and its 95 % bootstrap interval where there are enough.
{{ config(materialized="table") }}

with sides as (select * from {{ ref("int_claim__sides_resampled") }}),

claims as (select * from {{ ref("claims") }}),

-- Where several sides stand against the first, only those with enough units do, if any has.
weighed as (
    select
        sides.*,
        sides.side = 'a'
        or sides.units >= claims.min_units
        or max(case when sides.side <> 'a' then sides.units end) over (
            partition by sides.claim, sides.platform, sides.replicate
        ) < claims.min_units as is_counted
    from sides
    inner join claims on sides.claim = claims.claim
),

figured as (
    select
        sides.claim,
        sides.platform,
        sides.replicate,
        sum(sides.units) as units,
        max(case when sides.side = 'a' then sides.units end) as units_claimed,
        sum(case when sides.side <> 'a' then sides.units end) as units_other,
        count_if(sides.units >= claims.min_units) as full_sides,
        max(sqrt(least(sides.units, {{ claim_draws() }}) / cast(sides.units as double))) as scale,
        {{ claim_statistic() }} as figure
    from weighed as sides
    inner join claims on sides.claim = claims.claim
    where sides.is_counted
    group by sides.claim, sides.platform, sides.replicate, claims.statistic
),

observed as (
    select *
    from figured
    where replicate = 0
),

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
        observed.full_sides,
        observed.figure + observed.scale * ({{ element_at_place("spreads.ends", 1) }} - observed.figure)
            as interval_low,
        observed.figure + observed.scale * ({{ element_at_place("spreads.ends", 2) }} - observed.figure)
            as interval_high
    from observed
    inner join claims on observed.claim = claims.claim
    left join spreads
        on observed.claim = spreads.claim
        and observed.platform = spreads.platform
        and observed.full_sides >= claims.min_sides
        and observed.units_claimed >= claims.min_units
)

select * from int_claim__intervals_estimated
