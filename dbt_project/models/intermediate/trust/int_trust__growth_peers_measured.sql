-- One row per platform, day, metric of growth and cell of peers: what all accounts of the cell do.

with growth as (
    select *
    from {{ ref("int_trust__growth_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__growth_peers_measured") }})
),

-- What everybody does that day: a purge, an outage or a fault of the scraper moves the middle account as well.
moves as (
    select
        platform,
        snapshot_date,
        'growth_per_day' as metric,
        '*' as cell,
        cast(log_growth as double) / nullif(gap_days, 0) as measure
    from growth
    where log_growth is not null and gap_days <= 7
),

-- Accounts with about as many views in all, by quarters of a power of ten: the neighbourhood of the expected count.
neighbours as (
    select
        platform,
        snapshot_date,
        'followers_of_neighbours' as metric,
        {{ views_neighbourhood("views_total") }} as cell,
        ln(cast(followers as double)) as measure
    from growth
    where followers >= 1000 and views_total >= 1000
),

peers as (
    select * from moves
    union all
    select * from neighbours
),

int_trust__growth_peers_measured as (
    select
        platform,
        snapshot_date,
        metric,
        cell,
        count(*) as n,
        cast(median(measure) as double) as median,
        cast({{ median_absolute_deviation("measure") }} as double) as mad
    from peers
    group by platform, snapshot_date, metric, cell
)

select * from int_trust__growth_peers_measured
