-- One row per post and hashtag that it was ever seen with, on the first UTC day on which it was.
with traits as (select * from {{ ref("int_snapshot__post_traits_changed") }}),

planned as (
    {{ planned_dates("bridge_post_hashtag") }}
),

-- Far fewer posts than there are, so that what they had before is read for these alone.
changed as {{ made_first() }} (
    select distinct
        platform,
        post_id
    from traits
    where snapshot_date in (select planned.snapshot_date from planned) and hashtags is not null
),

worded as (
    select
        traits.platform,
        traits.post_id,
        traits.snapshot_date,
        traits.data_origin,
        {{ words_of("traits.hashtags") }} as word
    from traits
    inner join changed on traits.platform = changed.platform and traits.post_id = changed.post_id
    where
        traits.hashtags is not null
        and traits.snapshot_date <= (select max(planned.snapshot_date) from planned)
),

first_seen as (
    select
        platform,
        post_id,
        {{ name_key("word") }} as hashtag,
        min(snapshot_date) as snapshot_date,
        {{ value_at_first("data_origin", "snapshot_date") }} as data_origin
    from worded
    where {{ name_key("word") }} is not null
    group by platform, post_id, {{ name_key("word") }}
),

bridge_post_hashtag as (
    select
        cast(platform as string) as platform,
        cast(post_id as string) as post_id,
        cast(hashtag as string) as hashtag,
        cast(snapshot_date as date) as snapshot_date,
        cast(data_origin as string) as data_origin
    from first_seen
    where snapshot_date in (select planned.snapshot_date from planned)
)

select * from bridge_post_hashtag
