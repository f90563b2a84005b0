-- One row per account and planned day within two weeks of a rise: the posts of its week beside those before them.
-- Made on the day, from the captures of its last week alone: nobody's posts are read back for months.

{% set look_back_days = 14 %}

with planned as (
    {{ planned_dates("int_trust__posts_compared") }}
),

rises as {{ made_first() }} (
    select
        planned.snapshot_date,
        rises.platform,
        rises.account_id,
        max(rises.snapshot_date) as window_end
    from {{ ref("int_trust__rises_raised") }} as rises
    inner join planned
        on rises.snapshot_date <= planned.snapshot_date
        and rises.snapshot_date >= {{ add_days("planned.snapshot_date", -look_back_days) }}
    group by planned.snapshot_date, rises.platform, rises.account_id
),

-- A post counts as at its last capture of the week.
posts as (
    select
        rises.platform,
        rises.account_id,
        rises.snapshot_date,
        rises.window_end,
        posts.post_id,
        max(cast(posts.published_at as date)) as published_on,
        max(posts.likes + posts.comments) as most_engagements,
        max(posts.comments) as most_comments,
        max(posts.views) as most_views
    from rises
    inner join {{ ref("int_snapshot__post_days_deduplicated") }} as posts
        on rises.platform = posts.platform
        and rises.account_id = posts.account_id
        and posts.snapshot_date between {{ add_days("rises.snapshot_date", -6) }} and rises.snapshot_date
    where
        posts.snapshot_date between (select {{ add_days("min(planned.snapshot_date)", -6) }} from planned)
        and (select max(planned.snapshot_date) from planned)
    group by rises.platform, rises.account_id, rises.snapshot_date, rises.window_end, posts.post_id
),

dated as (
    select
        *,
        published_on between {{ add_days("window_end", -7) }} and window_end as is_of_the_week,
        published_on between {{ add_days("window_end", -90) }} and {{ add_days("window_end", -8) }} as is_before
    from posts
    where coalesce(most_engagements, most_comments, most_views) is not null
),

compared as (
    select
        platform,
        account_id,
        snapshot_date,
        window_end,
        count(*) filter (where is_of_the_week) as posts_of_week,
        count(*) filter (where is_before) as posts_before
        {% for count in ["engagements", "comments", "views"] %}
            ,
            max(most_{{ count }}) filter (where is_of_the_week) as highest_{{ count }},
            {{ quantiles("most_" ~ count, [0.9]) }} filter (where is_before) as usual_{{ count }}
        {% endfor %}
    from dated
    group by platform, account_id, snapshot_date, window_end
)

select
    platform,
    account_id,
    snapshot_date,
    window_end,
    cast(posts_of_week as integer) as posts_of_week,
    cast(posts_before as integer) as posts_before,
    {% for count in ["engagements", "comments", "views"] %}
        {{ "or " if not loop.first }}coalesce(highest_{{ count }} > {{ element_at_place("usual_" ~ count, 1) }}, false)
    {% endfor %}
        as is_exceeded
from compared
