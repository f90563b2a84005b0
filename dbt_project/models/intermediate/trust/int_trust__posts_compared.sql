-- One row per account and planned day within a week of the posts of a rise: these beside those before them.
-- One model: made on the day, from the captures of its last week alone, while the few accounts with a rise are at hand:
-- nobody's posts are read back for months.

{#- As long as one burst goes on to rise in windows of 28 days, and two weeks more. -#}
{% set look_back_days = 42 %}
{#- Within a week of its publication it shows what a post finds. Later the posts before it, to compare it with, are
    fewer each day, for they are captured no more, and one would exceed them by chance. -#}
{% set days_after = 7 %}

with planned as (
    {{ planned_dates("int_trust__posts_compared") }}
),

in_order as (
    select
        planned.snapshot_date,
        rises.platform,
        rises.account_id,
        rises.snapshot_date as rise_date,
        rises.length,
        rises.window_start,
        row_number() over by_rise as place,
        lag(rises.snapshot_date) over by_rise as rise_before
    from {{ ref("int_trust__rises_raised") }} as rises
    inner join planned
        on rises.snapshot_date <= planned.snapshot_date
        and rises.snapshot_date >= {{ add_days("planned.snapshot_date", -look_back_days) }}
    window by_rise as (
        partition by rises.platform, rises.account_id, planned.snapshot_date order by rises.snapshot_date, rises.length
    )
),

numbered as (
    select
        *,
        count(*) filter (where {{ begins_event() }}) over (
            partition by platform, account_id, snapshot_date order by place rows unbounded preceding
        ) as event_number
    from in_order
),

events as (
    select
        platform,
        account_id,
        snapshot_date,
        min(rise_date) as first_rise,
        -- What is published after the last followers of a rise have come is no cause of it. A window goes on to rise
        -- while they are in it, one of weeks long after: the latest that begins within a week tells when they came.
        coalesce({{ add_days("max(window_start) filter (where length <= 7)", 1) }}, min(rise_date)) as posts_until,
        max(rise_date) as window_end
    from numbered
    group by platform, account_id, snapshot_date, event_number
),

-- The latest event of each.
rises as {{ made_first() }} (
    select *
    from events
    where {{ add_days("posts_until", days_after) }} >= snapshot_date
    qualify row_number() over (partition by platform, account_id, snapshot_date order by window_end desc) = 1
),

-- A post counts as at its last capture of the week.
posts as (
    select
        rises.platform,
        rises.account_id,
        rises.snapshot_date,
        rises.first_rise,
        rises.posts_until,
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
    group by
        rises.platform, rises.account_id, rises.snapshot_date, rises.first_rise, rises.posts_until, rises.window_end,
        posts.post_id
),

dated as (
    select
        *,
        -- A cause lies before what it causes, up to a week before the first rise.
        published_on between {{ add_days("first_rise", -7) }} and posts_until as is_of_event,
        published_on between {{ add_days("first_rise", -90) }} and {{ add_days("first_rise", -8) }} as is_before
    from posts
    where coalesce(most_engagements, most_comments, most_views) is not null
),

compared as (
    select
        platform,
        account_id,
        snapshot_date,
        window_end,
        count(*) filter (where is_of_event) as posts_of_event,
        count(*) filter (where is_before) as posts_before
        {% for count in ["engagements", "comments", "views"] %}
            ,
            max(most_{{ count }}) filter (where is_of_event) as highest_{{ count }},
            max(most_{{ count }}) filter (where is_before) as highest_{{ count }}_before,
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
    cast(posts_of_event as integer) as posts_of_event,
    cast(posts_before as integer) as posts_before,
    {% for count in ["engagements", "comments", "views"] %}
        {{ "or " if not loop.first }}coalesce(highest_{{ count }} > {{ element_at_place("usual_" ~ count, 1) }}, false)
    {% endfor %}
        as is_exceeded,
    coalesce(highest_engagements > highest_engagements_before, highest_comments > highest_comments_before, false)
    or coalesce(highest_views > highest_views_before, false) as is_above_all
from compared
