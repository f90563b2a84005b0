-- One row per post, hashtag and UTC day on which the post, at most 7 days old, was first seen with it.
{% set fresh_days = 7 %}

with traits as (select * from {{ ref("int_snapshot__post_traits_changed") }}),

captures as (select * from {{ ref("int_snapshot__followers_captured") }}),

-- Of the default scheme alone: a hashtag has one row a day.
schemes as (select * from {{ source("meta", "config_default_scheme") }}),

planned as (
    {{ planned_dates("int_social__hashtags_added") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -fresh_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

-- A post of unknown or greater age is left out: the first crawl of an old post is no trend.
worded as (
    select
        traits.platform,
        traits.post_id,
        traits.account_id,
        traits.data_origin,
        traits.snapshot_date,
        {{ words_of("traits.hashtags") }} as word
    from traits
    inner join reach on traits.snapshot_date between reach.first_day and reach.last_day
    where
        not traits.is_early
        and traits.published_at >= {{ add_days("traits.snapshot_date", -fresh_days) }}
),

carried as (
    select distinct
        platform,
        post_id,
        account_id,
        data_origin,
        snapshot_date,
        {{ name_key("word") }} as hashtag
    from worded
    where {{ name_key("word") }} is not null
),

-- Other traits may change while the hashtag stays, and a hashtag may go and come back: neither makes the post new.
since as (
    select
        *,
        lag(snapshot_date) over (partition by platform, post_id, hashtag order by snapshot_date) as seen_before
    from carried
),

added as (
    select * from since
    where
        snapshot_date in (select planned.snapshot_date from planned)
        and coalesce({{ days_between("seen_before", "snapshot_date") }} > {{ fresh_days }}, true)
),

account_days as (
    select distinct
        platform,
        account_id,
        snapshot_date
    from added
),

days as (
    select
        account_days.platform,
        account_days.account_id,
        account_days.snapshot_date,
        {{ value_at_last("captures.followers", "captures.captured_at") }} as followers
    from account_days
    left join captures
        on account_days.platform = captures.platform
        and account_days.account_id = captures.account_id
        and {{ is_known_by("captures.snapshot_date", "account_days.snapshot_date") }}
    group by account_days.platform, account_days.account_id, account_days.snapshot_date
),

{{ tiered_from("days") }},

int_social__hashtags_added as (
    select
        added.platform,
        added.post_id,
        added.hashtag,
        added.account_id,
        tiered.tier,
        tiered.followers,
        added.data_origin,
        added.snapshot_date
    from added
    left join tiered
        on added.platform = tiered.platform
        and added.account_id = tiered.account_id
        and added.snapshot_date = tiered.snapshot_date
)

select * from int_social__hashtags_added
