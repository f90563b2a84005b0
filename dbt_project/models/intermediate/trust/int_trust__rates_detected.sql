-- One row per account, planned day and signal of engagement: a rate far from that of accounts of about the same size.
{{ config(materialized="view") }}

{% set min_peers = 30 %}

with rates as (
    select *
    from {{ ref("int_trust__rates_compared") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

peers as (
    select *
    from {{ ref("int_peer_stats") }}
    where n >= {{ min_peers }}
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

-- Bought followers do not engage; bought likes and comments engage beyond what followers and views could.
sides as (
    select
        *,
        case when distance < 0 then 'er_far_below_peers' else 'er_far_above_peers' end as signal
    from compared
    where metric = 'er_followers_median_30'
    union all
    select
        *,
        'comment_like_ratio' as signal
    from compared
    where metric = 'comment_like_ratio'
    union all
    select
        *,
        'likes_without_views' as signal
    from compared
    where metric = 'like_rate_views_median_30' and distance > 0
),

int_trust__rates_detected as (
    select
        platform,
        account_id,
        snapshot_date,
        signal,
        abs(distance) as statistic,
        {{ add_days("snapshot_date", -90) }} as window_start,
        snapshot_date as window_end,
        cast(null as bigint) as followers_affected,
        case metric
            when 'er_followers_median_30' then 'an engagement rate of '
            when 'comment_like_ratio' then 'comments at a share of likes of '
            else 'likes at a share of views of '
        end
        || {{ tenths_of_percent("rate") }} || ', where accounts of its size have '
        || {{ tenths_of_percent("usual") }} as fact
    from sides
)

select * from int_trust__rates_detected
