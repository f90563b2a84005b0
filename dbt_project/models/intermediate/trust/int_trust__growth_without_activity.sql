-- One row per account and planned day on which followers grew without views: a burst, or 20 days of it, unexplained.
{{ config(materialized="view") }}

with windows as (
    select *
    from {{ ref("int_trust__windows_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

paces as (select * from {{ ref("int_trust__paces_compared") }}),

bursts as (
    select
        platform,
        account_id,
        snapshot_date,
        unexplained_3 as statistic,
        {{ add_days("snapshot_date", "-days_3") }} as window_start,
        cast(round(unexplained_3 * gain_3) as bigint) as followers_affected,
        {{ signed_count("gain_3") }} || ' followers with '
        || {{ counted("views_5") }} || ' new views, against '
        || {{ counted("base_views_per_day * views_days_5") }} || ' usual ones' as fact
    from windows
    where is_burst and unexplained_3 is not null
),

slow as (
    select
        platform,
        account_id,
        snapshot_date,
        unexplained_20 as statistic,
        {{ add_days("snapshot_date", "-days_20") }} as window_start,
        cast(round(unexplained_20 * gain_20) as bigint) as followers_affected,
        {{ signed_count("gain_20") }} || ' followers in ' || {{ in_days("days_20") }}
        || ' with ' || {{ counted("views_20") }} || ' new views, against '
        || {{ counted("views_expected_20") }} || ' at the earlier pace' as fact
    from paces
    where {{ is_slow_growth() }} and unexplained_20 is not null
),

-- What rises and falls in turns grows little in all: its rises alone are held against the views.
turns as (
    select
        platform,
        account_id,
        snapshot_date,
        unexplained_turns_28 as statistic,
        {{ add_days("snapshot_date", -28) }} as window_start,
        cast(round(unexplained_turns_28 * gain_in_turns_28) as bigint) as followers_affected,
        {{ signed_count("gain_in_turns_28") }} || ' followers in several rises of 28 days with '
        || {{ counted("views_28") }} || ' new views, against '
        || {{ counted("views_expected_28") }} || ' at the earlier pace' as fact
    from paces
    where unexplained_turns_28 is not null
),

any_pace as (
    select * from bursts
    union all
    select * from slow
    union all
    select * from turns
),

int_trust__growth_without_activity as (
    select
        platform,
        account_id,
        snapshot_date,
        statistic,
        window_start,
        followers_affected,
        fact
    from any_pace
    qualify
        row_number() over (
            partition by platform, account_id, snapshot_date
            order by statistic desc nulls last, window_start desc nulls last
        ) = 1
)

select * from int_trust__growth_without_activity
