-- One row per linked post that was captured: its last known counts, and those by the 30th day after publication.
{{ config(materialized="table") }}

{% set counts = ["likes", "comments", "views", "reach", "impressions"] %}
{% set valued = ["likes", "comments", "shares", "saves", "views", "impressions"] %}

with days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

posts as (
    select distinct
        platform,
        post_id
    from {{ ref("stg_landing__collaboration_posts") }}
),

observed as (
    select days.*
    from days
    inner join posts on days.platform = posts.platform and days.post_id = posts.post_id
),

published as (
    select
        platform,
        post_id,
        {% for count in counts %}
            max_by({{ count }}, snapshot_date) filter (where {{ count }} is not null) as {{ count }},
        {% endfor %}
        {{ value_at_last("account_id", "snapshot_date") }} as account_id,
        max_by(content_type, snapshot_date) filter (where content_type is not null) as content_type,
        max_by(is_sponsored, snapshot_date) filter (where is_sponsored is not null) as is_sponsored,
        cast(max_by(published_at, snapshot_date) filter (where published_at is not null) as date) as published_date,
        max(data_origin) as data_origin
    from observed
    group by platform, post_id
),

-- The counts by the 30th day: the last known ones by then.
settled as (
    select
        observed.platform,
        observed.post_id,
        {% for count in valued %}
            max_by(observed.{{ count }}, observed.snapshot_date) filter (where observed.{{ count }} is not null)
                as {{ count }},
        {% endfor %}
        max(observed.snapshot_date) as settled_date
    from observed
    inner join published on observed.platform = published.platform and observed.post_id = published.post_id
    where observed.snapshot_date <= {{ add_days("published.published_date", emv_settled_days()) }}
    group by observed.platform, observed.post_id
),

int_returns__posts_counted as (
    select
        published.platform,
        published.post_id,
        published.account_id,
        published.content_type,
        published.published_date,
        published.is_sponsored,
        {% for count in counts %}
            published.{{ count }},
        {% endfor %}
        {% for count in valued %}
            settled.{{ count }} as settled_{{ count }},
        {% endfor %}
        settled.settled_date,
        published.data_origin
    from published
    left join settled on published.platform = settled.platform and published.post_id = settled.post_id
)

select * from int_returns__posts_counted
