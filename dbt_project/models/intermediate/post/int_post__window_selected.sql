-- One row per planned day and post of its account's window that day: old enough, not too old, and captured lately.
{{ config(materialized="view") }}

{% set hour = 3600000000 %}

with days as (select * from {{ ref("int_post__days_observed") }}),

planned as (
    {{ planned_dates("int_account__engagement_rated") }}
),

left_out as (
    select
        coalesce(bool_or(value = 'pinned'), false) as is_pinned,
        coalesce(bool_or(value = 'collab'), false) as is_collab
    from {{ source("meta", "setting") }}
    where name = 'left_out_posts'
),

on_the_day as (
    select
        *,
        snapshot_date as as_of_date
    from days
    where snapshot_date in (select planned.snapshot_date from planned)
),

-- What was captured on the day itself needs no search for its last capture.
before_the_day as (
    select
        days.*,
        planned.snapshot_date as as_of_date
    from days
    inner join planned
        on days.snapshot_date between {{ add_days("planned.snapshot_date", -6) }}
        and {{ add_days("planned.snapshot_date", -1) }}
    left join on_the_day
        on days.platform = on_the_day.platform
        and days.post_id = on_the_day.post_id
        and planned.snapshot_date = on_the_day.as_of_date
    where on_the_day.post_id is null
    qualify
        row_number() over (
            partition by days.platform, days.post_id, planned.snapshot_date order by days.snapshot_date desc
        ) = 1
),

latest as (
    select * from on_the_day
    union all
    select * from before_the_day
),

-- A post is as old on the day as at its last capture, and the whole days since.
aged as (
    select
        latest.*,
        {{ micros_between("latest.published_at", "latest.captured_at") }}
        + {{ days_between("latest.snapshot_date", "latest.as_of_date") }} * 24 * {{ hour }} as age
    from latest
    cross join left_out
    where
        not (left_out.is_pinned and coalesce(latest.is_pinned, false))
        and not (left_out.is_collab and coalesce(latest.is_collab, false))
),

int_post__window_selected as (
    select
        platform,
        account_id,
        post_id,
        likes,
        comments,
        creator_replies,
        views,
        reach,
        data_origin,
        as_of_date,
        row_number() over (
            partition by platform, account_id, as_of_date order by published_at desc, post_id desc
        ) as place
    from aged
    where age between 72 * {{ hour }} and 90 * 24 * {{ hour }}
)

select * from int_post__window_selected
