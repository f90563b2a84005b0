-- One row per claim, platform, side, replicate (0 = all units as they are) and unit that is drawn in it.
{{ config(materialized="view") }}

with units as (select * from {{ ref("int_claim__units_gathered") }}),

claims as (select * from {{ ref("claims") }}),

counted as (
    select
        units.claim,
        units.platform,
        units.side,
        claims.statistic,
        claims.min_units,
        count(*) as units
    from units
    inner join claims on units.claim = claims.claim
    group by units.claim, units.platform, units.side, claims.statistic, claims.min_units
),

cells as (
    select
        *,
        row_number() over (order by claim, platform, side) as cell
    from counted
),

numbered as (
    select
        cells.cell,
        units.x,
        units.y,
        row_number() over (
            partition by units.claim, units.platform, units.side order by units.unit_id nulls last
        ) as place
    from units
    inner join cells on units.claim = cells.claim and units.platform = cells.platform and units.side = cells.side
),

replicates as (
    select {{ each_number(1, claim_replicates()) }} as replicate
),

-- Of more units than are drawn, as many as are drawn: the interval is scaled by the root of the shares after.
places as (
    select
        cell,
        units,
        {{ each_number(1, "least(units, " ~ claim_draws() ~ ")") }} as nth
    from cells
    where units >= min_units
),

picked as (
    select
        places.cell,
        replicates.replicate,
        {{ draw_place("replicates.replicate", "places.nth", "places.cell", "places.units") }} as place
    from places
    cross join replicates

    union all

    select
        cell,
        0 as replicate,
        place
    from numbered
),

int_claim__draws as (
    select
        cells.claim,
        cells.platform,
        cells.side,
        cells.statistic,
        cells.units,
        picked.replicate,
        numbered.x,
        numbered.y
    from picked
    inner join numbered on picked.cell = numbered.cell and picked.place = numbered.place
    inner join cells on picked.cell = cells.cell
)

select * from int_claim__draws
