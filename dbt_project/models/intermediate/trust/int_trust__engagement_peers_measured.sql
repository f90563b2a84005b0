-- One row per platform, day, metric of engagement and cell of peers: what all accounts of the cell do.
with rates as (
    select *
    from {{ ref("int_trust__rates_compared") }}
    where snapshot_date in ({{ planned_dates("int_trust__engagement_peers_measured") }})
),

int_trust__engagement_peers_measured as (
    select
        platform,
        snapshot_date,
        metric,
        cell,
        count(*) as n,
        cast(median(log_rate) as double) as median,
        cast({{ median_absolute_deviation("log_rate") }} as double) as mad
    from rates
    group by platform, snapshot_date, metric, cell
)

select * from int_trust__engagement_peers_measured
