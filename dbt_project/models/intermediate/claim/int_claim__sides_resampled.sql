-- One row per claim, platform, side and replicate (0 = all units as they are): the side's median, rate and relation.
{{ config(materialized="table") }}

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

drawn as (
    select
        numbered.cell,
        0 as replicate,
        numbered.x,
        numbered.y
    from numbered

    union all

    select
        numbered.cell,
        picked.replicate,
        numbered.x,
        numbered.y
    from (
        select
            places.cell,
            replicates.replicate,
            {{ draw_place("replicates.replicate", "places.nth", "places.cell", "places.units") }} as place
        from places
        cross join replicates
    ) as picked
    inner join numbered on picked.cell = numbered.cell and picked.place = numbered.place
),

summed as (
    select
        cell,
        replicate,
        median(x) as median_x,
        cast(sum(cast(x as decimal(38, 6))) as double) / nullif(cast(sum(cast(y as decimal(38, 6))) as double), 0)
            as rate
    from drawn
    group by cell, replicate
),

-- A rank is doubled, so that ties share a whole number; a logarithm is in ten-thousandths.
pairs as (
    select
        drawn.cell,
        drawn.replicate,
        case cells.statistic
            when 'slope' then cast(round(drawn.x * 10000) as bigint)
            else
                2 * rank() over (partition by drawn.cell, drawn.replicate order by drawn.x)
                + count(*) over (partition by drawn.cell, drawn.replicate, drawn.x)
        end as x,
        case cells.statistic
            when 'slope' then cast(round(drawn.y * 10000) as bigint)
            else
                2 * rank() over (partition by drawn.cell, drawn.replicate order by drawn.y)
                + count(*) over (partition by drawn.cell, drawn.replicate, drawn.y)
        end as y
    from drawn
    inner join cells on drawn.cell = cells.cell
    where cells.statistic in ('slope', 'rank_correlation')
),

moments as (
    select
        cell,
        replicate,
        cast(count(*) as double) as n,
        cast(sum(x) as double) as sum_x,
        cast(sum(y) as double) as sum_y,
        cast(sum(cast(x * x as decimal(38, 0))) as double) as sum_xx,
        cast(sum(cast(y * y as decimal(38, 0))) as double) as sum_yy,
        cast(sum(cast(x * y as decimal(38, 0))) as double) as sum_xy
    from pairs
    group by cell, replicate
),

related as (
    select
        cell,
        replicate,
        (n * sum_xy - sum_x * sum_y) / nullif(n * sum_xx - sum_x * sum_x, 0) as slope,
        (n * sum_xy - sum_x * sum_y)
        / nullif(sqrt(greatest(n * sum_xx - sum_x * sum_x, 0) * greatest(n * sum_yy - sum_y * sum_y, 0)), 0)
            as rank_correlation
    from moments
),

int_claim__sides_resampled as (
    select
        cells.claim,
        cells.platform,
        cells.side,
        cells.units,
        summed.replicate,
        summed.median_x,
        summed.rate,
        related.slope,
        related.rank_correlation
    from summed
    inner join cells on summed.cell = cells.cell
    left join related on summed.cell = related.cell and summed.replicate = related.replicate
)

select * from int_claim__sides_resampled
