-- One row per account, planned day and engagement rate: how far it lies from that of accounts of about the same size.
{{ config(materialized="view") }}

with rates as (
    select *
    from {{ ref("int_trust__rates_compared") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

peers as (
    select *
    from {{ ref("int_peer_stats") }}
    where n >= {{ fewest_accounts() }}
),

compared as (
    select
        rates.*,
        exp(peers.median) as usual,
        -- Peers that are all alike are few: a factor of 1.28 is the least that is called scatter.
        (rates.log_rate - peers.median) / greatest(1.4826 * peers.mad, 0.25) as distance
    from rates
    inner join peers
        on rates.platform = peers.platform
        and rates.snapshot_date = peers.snapshot_date
        and rates.metric = peers.metric
        and rates.cell = peers.cell
),

int_trust__rate_distances_measured as (
    select
        platform,
        account_id,
        snapshot_date,
        metric,
        distance,
        {{ add_days("snapshot_date", -engagement_window_days()) }} as window_start,
        {{ tenths_of_percent("rate") }} || ', where accounts of its size have ' || {{ tenths_of_percent("usual") }}
            as comparison
    from compared
)

select * from int_trust__rate_distances_measured
