-- One row per account, planned day and rate that moved away from the account's own of four weeks before.
{{ config(materialized="view") }}

{#- Who lies on the usual side of its peers is not searched for a move: a night joins the history of few. -#}
{% set least_distance = 0.5 %}

-- Read twice by name, not through one CTE: that would be made whole, all days of it, before a date filter is looked at.
with peers as (
    select *
    from {{ ref("int_peer_stats") }}
    where n >= {{ fewest_accounts() }}
),

planned as (
    {{ planned_dates("int_trust__signals_raised") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -35) }} as first_day,
        {{ add_days("max(snapshot_date)", -28) }} as last_day
    from planned
),

history as (
    select
        rates.platform,
        rates.account_id,
        rates.snapshot_date,
        rates.metric,
        rates.log_rate
    from {{ ref("int_trust__rates_compared") }} as rates
    inner join reach on rates.snapshot_date between reach.first_day and reach.last_day
),

today as {{ made_first() }} (
    select rates.*
    from {{ ref("int_trust__rates_compared") }} as rates
    inner join planned on rates.snapshot_date = planned.snapshot_date
    inner join peers
        on rates.platform = peers.platform
        and rates.snapshot_date = peers.snapshot_date
        and rates.metric = peers.metric
        and rates.cell = peers.cell
    where
        (
            rates.metric = 'like_rate_views_median_30'
            and rates.log_rate - peers.median >= {{ least_distance }} * 1.4826 * peers.mad
        )
        or (
            rates.metric = 'comment_like_ratio'
            and peers.median - rates.log_rate >= {{ least_distance }} * 1.4826 * peers.mad
        )
),

-- The latest rate that is at least four weeks old: by then most posts of the window are others.
before as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        today.metric,
        max(earlier.snapshot_date) as since,
        {{ value_at_last("earlier.log_rate", "earlier.snapshot_date") }} as log_rate_before
    from today
    inner join history as earlier
        on today.platform = earlier.platform
        and today.account_id = earlier.account_id
        and today.metric = earlier.metric
        and earlier.snapshot_date <= {{ add_days("today.snapshot_date", -28) }}
        and earlier.snapshot_date >= {{ add_days("today.snapshot_date", -35) }}
    group by today.platform, today.account_id, today.snapshot_date, today.metric
),

int_trust__rate_shifts_measured as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        today.metric,
        today.log_rate - before.log_rate_before as shift,
        before.since as window_start,
        {{ tenths_of_percent("exp(before.log_rate_before)") }}
        || ' to ' || {{ tenths_of_percent("today.rate") }} as moved,
        {{ in_days(days_between("before.since", "today.snapshot_date")) }} as duration
    from today
    inner join before
        on today.platform = before.platform
        and today.account_id = before.account_id
        and today.snapshot_date = before.snapshot_date
        and today.metric = before.metric
)

select * from int_trust__rate_shifts_measured
