-- One row per account and planned day on which part of a burst of the last 20 days is gone again.
{{ config(materialized="view") }}

-- Read twice by name, not through one CTE: that would be made whole, all days of it, before a date filter is looked at.
with planned as (
    {{ planned_dates("int_trust__signals_raised") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -20) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

bursts as {{ made_first() }} (
    select
        windows.platform,
        windows.account_id,
        windows.snapshot_date,
        windows.followers,
        windows.followers_before_3,
        {{ add_days("windows.snapshot_date", "-windows.days_3") }} as burst_start
    from {{ ref("int_trust__windows_measured") }} as windows
    inner join reach on windows.snapshot_date between reach.first_day and reach.last_day
    where windows.is_burst
),

today as {{ made_first() }} (
    select
        windows.platform,
        windows.account_id,
        windows.snapshot_date,
        windows.followers,
        windows.step,
        windows.fall_of_peers_28
    from {{ ref("int_trust__windows_measured") }} as windows
    inner join planned on windows.snapshot_date = planned.snapshot_date
),

misreads as (select * from {{ ref("int_trust__misreads") }}),

-- Few accounts have a burst, so few rows are joined. Of a burst that several days saw, the highest count is its top.
falls as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        min(bursts.burst_start) as burst_start,
        min(bursts.followers_before_3) as followers_before,
        max(bursts.followers) as highest,
        max(today.followers) as followers,
        max(today.step) as step,
        min(today.fall_of_peers_28) as fall_of_peers
    from today
    inner join bursts
        on today.platform = bursts.platform
        and today.account_id = bursts.account_id
        and today.snapshot_date > bursts.snapshot_date
        and {{ add_days("today.snapshot_date", -20) }} <= bursts.snapshot_date
    -- What is gone because it never was is no loss.
    left join misreads
        on bursts.platform = misreads.platform
        and bursts.account_id = misreads.account_id
        and bursts.snapshot_date = misreads.misread_date
        and today.snapshot_date >= misreads.snapshot_date
    where misreads.account_id is null
    group by today.platform, today.account_id, today.snapshot_date
),

-- What everybody lost is not this account's loss.
losses as (
    select
        *,
        highest - followers + fall_of_peers * highest as lost,
        (highest - followers + fall_of_peers * highest)
        / cast(nullif(highest - followers_before, 0) as double) as share_lost
    from falls
    where followers < highest and highest > followers_before
),

int_trust__burst_then_loss as (
    select
        platform,
        account_id,
        snapshot_date,
        least(share_lost, 1.0) as statistic,
        burst_start as window_start,
        cast(round(lost) as bigint) as followers_affected,
        {{ percent("least(share_lost, 1.0)") }} || ' of the ' || {{ counted("highest - followers_before") }}
        || ' followers gained were lost within '
        || {{ in_days(days_between("burst_start", "snapshot_date")) }} as fact
    from losses
    where lost >= 2 * step * highest
)

select * from int_trust__burst_then_loss
