-- One row per planned day and post published at most 90 days before: its rates, where it is in the window.
{{ config(materialized="view") }}

{% set window_days = engagement_window_days() %}

with traits as (select * from {{ ref("int_snapshot__post_traits_changed") }}),

selected as (select * from {{ ref("int_engagement__window_selected") }}),

planned as (
    {{ planned_dates("int_engagement__accounts_rated") }}
),

days as (
    select * from {{ ref("int_snapshot__account_days_deduplicated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

traits_known as (
    select
        traits.*,
        planned.snapshot_date as as_of_date
    from traits
    inner join planned
        on traits.snapshot_date between {{ add_days("planned.snapshot_date", -window_days) }} and planned.snapshot_date
),

{{ first_of_each("traits_known", ["platform", "post_id", "as_of_date"], "snapshot_date desc nulls last") }},

published as (
    select *
    from first_of_each
    where not is_early and published_at >= {{ add_days("as_of_date", -window_days) }}
),

joined as (
    select
        published.platform,
        published.account_id,
        published.as_of_date as snapshot_date,
        published.is_sponsored,
        selected.place,
        selected.likes as likes_captured,
        selected.comments,
        selected.creator_replies,
        selected.views,
        selected.reach,
        days.followers as followers_today,
        published.hashtags is not null or published.mentions is not null as has_names,
        greatest(published.data_origin, selected.data_origin) as data_origin,
        published.followers_at_publication is not null as is_publication_basis,
        coalesce(published.followers_at_publication, days.followers) as followers
    from published
    left join selected
        on published.platform = selected.platform
        and published.post_id = selected.post_id
        and published.as_of_date = selected.as_of_date
    left join days
        on published.platform = days.platform
        and published.account_id = days.account_id
        and published.as_of_date = days.snapshot_date
),

-- Instagram shows hidden likes as one small number as well: twelve posts with exactly 3 likes and more comments are no
-- count. An account of some size, some posts, and nearly all of the window.
same_likes as (
    select
        platform,
        account_id,
        snapshot_date,
        {% for likes in [1, 2, 3] %}
            count(*) filter (where likes_captured = {{ likes }} and comments > likes_captured) as posts_of_{{ likes }},
        {% endfor %}
        count(*) as posts
    from joined
    where platform = 'instagram' and place is not null and followers_today >= 1000
    group by platform, account_id, snapshot_date
),

hidden as (
    select
        platform,
        account_id,
        snapshot_date,
        case
            {% for likes in [1, 2, 3] %}
                when posts_of_{{ likes }} * 5 >= posts * 4 then {{ likes }}
            {% endfor %}
        end as hidden_likes
    from same_likes
    where posts >= 5
),

captured as (
    select
        joined.*,
        case
            when joined.likes_captured = hidden.hidden_likes and joined.comments > joined.likes_captured then null
            else joined.likes_captured
        end as likes
    from joined
    left join hidden
        on joined.platform = hidden.platform
        and joined.account_id = hidden.account_id
        and joined.snapshot_date = hidden.snapshot_date
),

int_engagement__post_rates_measured as (
    select
        *,
        {{ ratio("likes + comments", "followers") }} as er_followers,
        {{ ratio("likes + comments", "views") }} as er_views,
        {{ ratio("likes + comments", "reach") }} as er_reach,
        {{ ratio("reach", "followers") }} as reach_rate,
        {{ ratio("likes", "views") }} as like_rate_views
    from captured
)

select * from int_engagement__post_rates_measured
