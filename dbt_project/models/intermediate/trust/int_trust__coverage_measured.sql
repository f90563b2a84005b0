-- One row per account and planned day with a capture: how much of it could be seen, and whether that is enough.
{{ config(materialized="view") }}

{% set min_changes = 7 %}
{% set hidden_burst = 0.18 %}

with planned as (
    {{ planned_dates("int_trust__accounts_evaluated") }}
),

days as (
    select
        platform,
        account_id,
        snapshot_date,
        followers
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

windows as (select * from {{ ref("int_trust__windows_measured") }}),

peers as (
    select *
    from {{ ref("int_peer_stats") }}
    where n >= {{ fewest_accounts() }}
),

rates as (
    select * from {{ ref("int_trust__rates_compared") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

-- Rates that have peers to be compared with; one alone convicts nobody and clears nobody.
rated as (
    select
        rates.platform,
        rates.account_id,
        rates.snapshot_date,
        count(*) as rates_compared
    from rates
    inner join peers
        on rates.platform = peers.platform
        and rates.snapshot_date = peers.snapshot_date
        and rates.metric = peers.metric
        and rates.cell = peers.cell
    group by rates.platform, rates.account_id, rates.snapshot_date
),

int_trust__coverage_measured as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        coalesce(windows.changes_28, 0) as changes_28,
        windows.smallest_visible_burst,
        coalesce(windows.views_days_28, 0) > 0 as has_views,
        coalesce(
            days.followers >= {{ least_followers() }}
            and windows.changes_28 >= {{ min_changes }}
            and windows.base_changes >= {{ min_changes }}
            and windows.smallest_visible_burst <= {{ hidden_burst }},
            false
        ) as can_evaluate_audience,
        coalesce(rated.rates_compared, 0) >= 2 as can_evaluate_engagement
    from days
    left join windows
        on days.platform = windows.platform
        and days.account_id = windows.account_id
        and days.snapshot_date = windows.snapshot_date
    left join rated
        on days.platform = rated.platform
        and days.account_id = rated.account_id
        and days.snapshot_date = rated.snapshot_date
)

select * from int_trust__coverage_measured
