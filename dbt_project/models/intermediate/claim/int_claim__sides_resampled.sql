-- One row per claim, platform, side and replicate (0 = all units as they are): the side's median, rate and relation.
{{ config(materialized="table") }}

{% set side = "claim, platform, side, units, replicate" %}

with drawn as (select * from {{ ref("int_claim__draws") }}),

summed as (
    select
        {{ side }},
        median(x) as median_x,
        cast(sum(cast(x as decimal(38, 6))) as double) / nullif(cast(sum(cast(y as decimal(38, 6))) as double), 0)
            as rate
    from drawn
    group by {{ side }}
),

-- A rank is doubled, so that ties share a whole number; a logarithm is in ten-thousandths.
pairs as (
    select
        {{ side }},
        case statistic
            when 'slope' then cast(round(x * 10000) as bigint)
            else
                2 * rank() over (partition by {{ side }} order by x)
                + count(*) over (partition by {{ side }}, x)
        end as x,
        case statistic
            when 'slope' then cast(round(y * 10000) as bigint)
            else
                2 * rank() over (partition by {{ side }} order by y)
                + count(*) over (partition by {{ side }}, y)
        end as y
    from drawn
    where statistic in ('slope', 'rank_correlation')
),

moments as (
    select
        {{ side }},
        cast(count(*) as double) as n,
        cast(sum(x) as double) as sum_x,
        cast(sum(y) as double) as sum_y,
        cast(sum(cast(x * x as decimal(38, 0))) as double) as sum_xx,
        cast(sum(cast(y * y as decimal(38, 0))) as double) as sum_yy,
        cast(sum(cast(x * y as decimal(38, 0))) as double) as sum_xy
    from pairs
    group by {{ side }}
),

related as (
    select
        {{ side }},
        (n * sum_xy - sum_x * sum_y) / nullif(n * sum_xx - sum_x * sum_x, 0) as slope,
        (n * sum_xy - sum_x * sum_y)
        / nullif(sqrt(greatest(n * sum_xx - sum_x * sum_x, 0) * greatest(n * sum_yy - sum_y * sum_y, 0)), 0)
            as rank_correlation
    from moments
),

int_claim__sides_resampled as (
    select
        summed.claim,
        summed.platform,
        summed.side,
        summed.units,
        summed.replicate,
        summed.median_x,
        summed.rate,
        related.slope,
        related.rank_correlation
    from summed
    left join related
        on summed.claim = related.claim
        and summed.platform = related.platform
        and summed.side = related.side
        and summed.replicate = related.replicate
)

select * from int_claim__sides_resampled
