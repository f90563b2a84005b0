-- One row per account, planned day, signal and window that is raised on it, with the points that its strength weighs.
-- A signal of an event is raised anew on each day on which the event still weighs; any other on the day that shows it.
-- A signal is a row of config table `trust_signals`, a model of its name, and a name in this list.
{% set signals = [
    "burst", "drip", "growth_without_activity", "growth_without_posts", "burst_then_loss", "sawtooth", "following_swings", "round_number_jump",
    "more_followers_than_neighbours", "er_far_below_peers", "er_far_above_peers", "comment_like_ratio",
    "likes_without_views", "likes_outgrew_views", "comments_left_behind",
] %}

{% set of_events = ["burst", "drip", "growth_without_activity", "growth_without_posts", "burst_then_loss"] %}

with weights as (select * from {{ source("meta", "config_trust_signals") }}),

days as (
    select
        platform,
        account_id,
        snapshot_date,
        data_origin
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where
        snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
        -- Of too few days nothing is raised that the days before would have cleared.
        and platform not in (select short.platform from {{ source("meta", "config_retention") }} as short)
),

detected as (
    {% for signal in signals %}
        select
            platform,
            account_id,
            snapshot_date,
            '{{ signal }}' as signal,
            statistic,
            window_start,
            {% if signal in of_events %}
                window_end,
                first_flagged,
            {% else %}
                snapshot_date as window_end,
                cast(null as date) as first_flagged,
            {% endif %}
            followers_affected,
            fact
        from {{ ref("int_trust__" ~ signal) }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

int_trust__signals_raised as (
    select
        detected.platform,
        detected.account_id,
        detected.snapshot_date,
        detected.signal,
        weights.side,
        cast(detected.statistic as double) as statistic,
        cast(weights.cut as double) as threshold,
        cast(detected.window_start as date) as window_start,
        cast(detected.window_end as date) as window_end,
        cast(detected.first_flagged as date) as first_flagged,
        cast(detected.followers_affected as bigint) as followers_affected,
        detected.fact,
        cast(
            round(
                weights.points_at_cut
                + (weights.points_in_full - weights.points_at_cut)
                * least((detected.statistic - weights.cut) / nullif(weights.in_full - weights.cut, 0), 1.0)
            ) as integer
        ) as points,
        days.data_origin
    from detected
    inner join weights on detected.signal = weights.signal and detected.statistic >= weights.cut
    inner join days
        on detected.platform = days.platform
        and detected.account_id = days.account_id
        and detected.snapshot_date = days.snapshot_date
)

select * from int_trust__signals_raised
