-- One row per account and planned day on which part of a burst of the last 20 days is gone again.
{{ config(materialized="view") }}

with windows as (select * from {{ ref("int_trust__windows_measured") }}),

planned as (
    {{ planned_dates("int_trust__signals_raised") }}
),

bursts as (
    select
        *,
        {{ add_days("snapshot_date", "-days_3") }} as burst_start
    from windows
    where {{ is_burst() }}
),

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
    from windows as today
    inner join planned on today.snapshot_date = planned.snapshot_date
    inner join bursts
        on today.platform = bursts.platform
        and today.account_id = bursts.account_id
        and today.snapshot_date > bursts.snapshot_date
        and {{ add_days("today.snapshot_date", -20) }} <= bursts.snapshot_date
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

int_trust__burst_losses_detected as (
    select
        platform,
        account_id,
        snapshot_date,
        'burst_then_loss' as signal,
        least(share_lost, 1.0) as statistic,
        burst_start as window_start,
        snapshot_date as window_end,
        cast(round(lost) as bigint) as followers_affected,
        {{ percent("least(share_lost, 1.0)") }} || ' of the ' || {{ counted("highest - followers_before") }}
        || ' followers gained were lost within '
        || {{ in_days(days_between("burst_start", "snapshot_date")) }} as fact
    from losses
    where lost >= 2 * step * highest
)

select * from int_trust__burst_losses_detected
