-- One row per account and planned day with a capture: how much of it could be seen, and whether that is enough.
{{ config(materialized="view") }}

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

windows as (
    select * from {{ ref("int_trust__windows_measured") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

turns as (
    select * from {{ ref("int_trust__turns_measured") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

weights as (
    {{ trust_weights(source("meta", "config_trust_weights"), ["least_followers", "least_gain"]) }}
),

peers as (
    select *
    from {{ ref("int_peer_stats") }}
    where n >= {{ fewest_accounts() }}
),

rates as (
    select * from {{ ref("int_trust__rates_compared") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

-- Platforms of which too few days are kept for any verdict.
short as (select * from {{ source("meta", "config_retention") }}),

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

explained as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.followers,
        windows.smallest_visible_burst,
        coalesce(windows.changes_28, 0) as changes_28,
        coalesce(windows.views_days_28, 0) > 0 and windows.views_28 is not null as has_views,
        short.platform is null and coalesce(rated.rates_compared, 0) >= 2 as can_evaluate_engagement,
        case
            when short.platform is not null then 'retention'
            when days.followers is null then 'followers_unknown'
            when days.followers < weights.least_followers then 'too_few_followers'
            when not coalesce(windows.is_usual_known, false) then 'short_history'
            when windows.changes_28 < 3 then 'few_captures'
            when turns.is_unsteady then 'unsteady_source'
            when windows.smallest_visible_burst > {{ hidden_burst }} then 'too_noisy'
        end as insufficient_reason,
        weights.least_gain
    from days
    cross join weights
    left join short on days.platform = short.platform
    left join windows
        on days.platform = windows.platform
        and days.account_id = windows.account_id
        and days.snapshot_date = windows.snapshot_date
    left join turns
        on days.platform = turns.platform
        and days.account_id = turns.account_id
        and days.snapshot_date = turns.snapshot_date
    left join rated
        on days.platform = rated.platform
        and days.account_id = rated.account_id
        and days.snapshot_date = rated.snapshot_date
),

int_trust__coverage_measured as (
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        changes_28,
        has_views,
        can_evaluate_engagement,
        insufficient_reason,
        insufficient_reason is null as can_evaluate_audience,
        -- Of a small account an order of the smallest size is more than its noise would hide.
        case
            when smallest_visible_burst is not null
                then greatest(smallest_visible_burst, ln(1 + least_gain / cast(nullif(followers, 0) as double)))
        end as smallest_visible_burst
    from explained
)

select * from int_trust__coverage_measured
