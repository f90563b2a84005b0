-- One row per account and planned day that followed many and unfollowed as many within 28 days.
{{ config(materialized="view") }}

with windows as (
    select *
    from {{ ref("int_trust__windows_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

int_trust__following_swings as (
    select
        platform,
        account_id,
        snapshot_date,
        least(following_up_28, following_down_28) / cast(nullif(followers, 0) as double) as statistic,
        {{ add_days("snapshot_date", -28) }} as window_start,
        cast(least(following_up_28, following_down_28) as bigint) as followers_affected,
        'followed ' || {{ counted("following_up_28") }} || ' accounts and unfollowed '
        || {{ counted("following_down_28") }} || ' within 28 days' as fact
    from windows
    where following_up_28 > 0 and following_down_28 > 0
)

select * from int_trust__following_swings
