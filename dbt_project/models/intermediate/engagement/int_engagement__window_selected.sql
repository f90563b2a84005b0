-- One row per planned day and post of its account's window that day: old enough, not too old, and captured lately.
-- One model: captures of the day, of the days before and of the checkpoint are set against each other while at hand.
{{ config(materialized="view") }}

{% set hour = 3600000000 %}
{% set seen = [
    "captured_at", "published_at", "is_pinned", "is_collab", "likes", "comments", "creator_replies", "views", "reach",
    "data_origin",
] %}

with planned as (
    {{ planned_dates("int_engagement__accounts_rated") }}
),

left_out as (
    select
        coalesce(bool_or(value = 'pinned'), false) as is_pinned,
        coalesce(bool_or(value = 'collab'), false) as is_collab
    from {{ source("meta", "setting") }}
    where name = 'left_out_posts'
),

-- What was known by the newest checkpoint before the first planned day; after it the days themselves are read.
carried as (
    {{ newest_checkpoint(ref("int_snapshot__post_last_known_values")) }}
),

-- This and `days_since` read the days each for itself, with its own dates alone.
on_the_day as {{ read_again() }} (
    select
        platform,
        account_id,
        post_id,
        {% for column in seen %}
            {{ column }},
        {% endfor %}
        snapshot_date,
        snapshot_date as as_of_date
    from {{ ref("int_snapshot__post_days_deduplicated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

days_since as {{ read_again() }} (
    select
        platform,
        account_id,
        post_id,
        {% for column in seen %}
            {{ column }},
        {% endfor %}
        snapshot_date
    from {{ ref("int_snapshot__post_days_deduplicated") }}
    where
        snapshot_date > {{ checkpoint_day() }}
        and snapshot_date >= (select {{ add_days("min(planned.snapshot_date)", -6) }} from planned)
        and snapshot_date <= (select max(planned.snapshot_date) from planned)
),

seen_before as (
    select
        platform,
        account_id,
        post_id,
        {% for column in seen %}
            {% if column in post_counts() %}
                -- A count that was known earlier is no count of the last capture.
                case when {{ column }}_known_at = captured_at then {{ column }} end as {{ column }},
            {% else %}
                {{ column }},
            {% endif %}
        {% endfor %}
        last_seen_date as snapshot_date
    from carried
    where last_seen_date >= (select {{ add_days("min(planned.snapshot_date)", -6) }} from planned)
    union all
    select * from days_since
    where snapshot_date < (select max(planned.snapshot_date) from planned)
),

-- Nearly every post was seen again the day after, and then this capture is no day's last one. What is carried was not
-- seen again up to the checkpoint, so only the days since are looked at.
last_seen as (
    select seen_before.*
    from seen_before
    left join days_since as day_after
        on seen_before.platform = day_after.platform
        and seen_before.post_id = day_after.post_id
        and {{ add_days("seen_before.snapshot_date", 1) }} = day_after.snapshot_date
    where day_after.post_id is null
),

-- What was captured on the day itself needs no search for its last capture.
before_the_day as (
    select
        last_seen.*,
        planned.snapshot_date as as_of_date
    from last_seen
    inner join planned
        on last_seen.snapshot_date between {{ add_days("planned.snapshot_date", -6) }}
        and {{ add_days("planned.snapshot_date", -1) }}
    left join on_the_day
        on last_seen.platform = on_the_day.platform
        and last_seen.post_id = on_the_day.post_id
        and planned.snapshot_date = on_the_day.as_of_date
    where on_the_day.post_id is null
    qualify
        row_number() over (
            partition by last_seen.platform, last_seen.post_id, planned.snapshot_date
            order by last_seen.snapshot_date desc
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

int_engagement__window_selected as (
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
    where age between 72 * {{ hour }} and {{ engagement_window_days() }} * 24 * {{ hour }}
)

select * from int_engagement__window_selected
