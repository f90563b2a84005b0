-- One row per hashtag and planned day on which posts were first seen with it: how many, that day and in two weeks.
{{ config(materialized="view") }}

{% set week_days = 7 %}

with added as (select * from {{ ref("int_social__hashtags_added") }}),

traits as (select * from {{ ref("int_snapshot__post_traits_changed") }}),

planned as (
    {{ planned_dates("fct_hashtag_daily") }}
),

-- Two weeks that end on a planned day, and the week before them.
reach as (
    select
        {{ add_days("min(snapshot_date)", -(3 * week_days - 1)) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

hashtag_days as (
    select
        added.platform,
        added.hashtag,
        added.snapshot_date,
        count(*) as posts,
        count(distinct added.account_id) as accounts,
        max(added.data_origin) as data_origin
    from added
    inner join reach on added.snapshot_date between reach.first_day and reach.last_day
    group by added.platform, added.hashtag, added.snapshot_date
),

today as (
    select * from hashtag_days
    where snapshot_date in (select planned.snapshot_date from planned)
),

weeks as (
    select
        today.platform,
        today.hashtag,
        today.snapshot_date,
        sum(hashtag_days.posts) filter (
            where hashtag_days.snapshot_date > {{ add_days("today.snapshot_date", -week_days) }}
        ) as posts_7d,
        sum(hashtag_days.posts) filter (
            where hashtag_days.snapshot_date <= {{ add_days("today.snapshot_date", -week_days) }}
        ) as posts_previous_7d,
        max(hashtag_days.data_origin) as data_origin
    from today
    inner join hashtag_days
        on today.platform = hashtag_days.platform
        and today.hashtag = hashtag_days.hashtag
        and hashtag_days.snapshot_date between
        {{ add_days("today.snapshot_date", -(2 * week_days - 1)) }} and today.snapshot_date
    group by today.platform, today.hashtag, today.snapshot_date
),

-- A first crawl brings a week of posts at once, and before it nothing was seen: neither is a week to grow from.
captured as (
    select distinct
        traits.platform,
        traits.snapshot_date
    from traits
    inner join reach on traits.snapshot_date between reach.first_day and reach.last_day
),

compared as (
    select distinct
        today.platform,
        today.snapshot_date
    from today
    inner join captured
        on today.platform = captured.platform
        and captured.snapshot_date between
        {{ add_days("today.snapshot_date", -(3 * week_days - 1)) }} and
        {{ add_days("today.snapshot_date", -(2 * week_days)) }}
),

int_social__hashtags_counted as (
    select
        today.platform,
        today.hashtag,
        today.snapshot_date,
        today.posts,
        today.accounts,
        weeks.posts_7d,
        weeks.data_origin,
        case when compared.platform is not null then coalesce(weeks.posts_previous_7d, 0) end as posts_previous_7d
    from today
    inner join weeks
        on today.platform = weeks.platform
        and today.hashtag = weeks.hashtag
        and today.snapshot_date = weeks.snapshot_date
    left join compared on today.platform = compared.platform and today.snapshot_date = compared.snapshot_date
)

select * from int_social__hashtags_counted
