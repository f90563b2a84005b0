-- One row per account and UTC day with a capture: the day's last public counts, and how they moved.
with planned as (
    {{ planned_dates("fct_account_daily") }}
),

days as (
    select * from {{ ref("int_snapshot__account_days_deduplicated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

changes as (select * from {{ ref("int_snapshot__account_changes_measured") }}),

tiers as (
    select * from {{ ref("fct_account_tier_daily") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

resolutions as (
    select
        platform,
        significant_digits
    from {{ ref("count_resolutions") }}
    where metric = 'followers'
),

fct_account_daily as (
    select
        cast(days.platform as string) as platform,
        cast(days.account_id as string) as account_id,
        cast(days.snapshot_date as date) as snapshot_date,
        cast(days.captured_at as timestamp) as captured_at,
        cast(days.followers as bigint) as followers,
        cast(days.followers_null_reason as string) as followers_null_reason,
        cast(days.following as bigint) as following,
        cast(days.following_null_reason as string) as following_null_reason,
        cast(days.posts as bigint) as posts,
        cast(days.posts_null_reason as string) as posts_null_reason,
        cast(days.views_total as bigint) as views_total,
        cast(days.views_total_null_reason as string) as views_total_null_reason,
        cast(days.followers_held as bigint) as followers_held,
        cast(days.views_total_held as bigint) as views_total_held,
        {{ change_per_day("changes.followers") }} as followers_change_per_day,
        {{ change_per_day("changes.following") }} as following_change_per_day,
        {{ change_per_day("changes.posts") }} as posts_change_per_day,
        {{ change_per_day("changes.views_total") }} as views_total_change_per_day,
        cast(changes.followers_gap as integer) as gap_days,
        cast(changes.followers_micros as double) / 3600000000 as gap_hours,
        cast(
            case
                when days.followers is null then null
                when resolutions.significant_digits is null then 1
                -- Digits beyond the significant ones are floored away: 1,234,567 at three digits steps by 10,000.
                else power(10, greatest(length(cast(days.followers as string)) - resolutions.significant_digits, 0))
            end as bigint
        ) as count_resolution,
        cast(tiers.tier as string) as tier,
        cast(days.data_origin as string) as data_origin,
        cast(days.batch_id as string) as batch_id,
        cast(days.source_file as string) as source_file,
        cast(days.source_line as bigint) as source_line
    from days
    inner join changes
        on days.platform = changes.platform
        and days.account_id = changes.account_id
        and days.snapshot_date = changes.snapshot_date
    cross join default_scheme
    left join tiers
        on days.platform = tiers.platform
        and days.account_id = tiers.account_id
        and days.snapshot_date = tiers.snapshot_date
        and default_scheme.scheme = tiers.scheme
    left join resolutions on days.platform = resolutions.platform
)

select * from fct_account_daily
