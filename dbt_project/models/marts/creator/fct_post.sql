-- One row per post that was ever captured, or is linked to a collaboration: what is last known of it.
-- A night makes the rows of those posts anew of which something may have changed, and goes on from what stands of them.
-- One model: its steps are one merge of the last day, the days before it and what stands.
{{ config(materialized="renewed") }}
{% set traits = ["published_at", "content_type", "is_sponsored", "is_collab", "co_authors"] %}
{% set known_columns = ["account_id"] + post_counts() + traits %}

with linked as (select * from {{ ref("bridge_post_collaboration") }}),

{% if is_renewed() %}
    days_renewed as (
        select distinct snapshot_date
        from {{ ref("int_snapshot__post_days_deduplicated") }}
        where snapshot_date >= {{ first_day_of_posts() }}
    ),

    -- What stands of these may come from a day that is made anew: all their days are read.
    read_whole as (
        {{ posts_read_whole() }}
    ),

    standing as {{ read_again() }} (
        {{ posts_standing() }}
    ),

    -- Of these a link may have changed, whether or not a day has.
    linked_or_were as (
        select
            platform,
            post_id
        from linked
        union
        {{ posts_that_go() }}
    ),
{% endif %}

days as {{ read_again() }} (
    {{ rows_of_posts_renewed(ref("int_snapshot__post_days_deduplicated")) }}
),

-- Looked up once, when a post is first seen or changes.
publications as (
    select
        platform,
        post_id,
        {{ value_at_last("followers_at_publication", "snapshot_date") }} as followers_at_publication
    from (
        {{ rows_of_posts_renewed(ref("int_snapshot__post_traits_changed")) }}
    ) as changed
    where followers_at_publication is not null
    group by platform, post_id
),

last_date as (select max(snapshot_date) as snapshot_date from days),

-- A post has one row on the last day, so only days before it, of which a usual night has none, are brought together.
last_day as (
    select *
    from days
    where snapshot_date in (select last_date.snapshot_date from last_date)
),

days_before as (
    select
        platform,
        post_id,
        {{ value_at_last("account_id", "snapshot_date") }} as account_id,
        {% for column in post_counts() + traits %}
            max_by({{ column }}, snapshot_date) filter (where {{ column }} is not null) as {{ column }},
        {% endfor %}
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date,
        {{ value_at_last("data_origin", "snapshot_date") }} as data_origin
    from days
    where snapshot_date < (select last_date.snapshot_date from last_date)
    group by platform, post_id
),

captured as (
    select
        coalesce(last_day.platform, days_before.platform) as platform,
        coalesce(last_day.post_id, days_before.post_id) as post_id,
        {% for column in known_columns + ["data_origin"] %}
            coalesce(last_day.{{ column }}, days_before.{{ column }}) as {{ column }},
        {% endfor %}
        coalesce(days_before.first_seen_date, last_day.snapshot_date) as first_seen_date,
        coalesce(last_day.snapshot_date, days_before.last_seen_date) as last_seen_date
    from last_day
    full outer join days_before
        on last_day.platform = days_before.platform and last_day.post_id = days_before.post_id
),

known as (
    select
        captured.platform,
        captured.post_id,
        {% if is_renewed() %}
            {% for column in known_columns %}
                coalesce(captured.{{ column }}, standing.{{ column }}) as {{ column }},
            {% endfor %}
            coalesce(publications.followers_at_publication, standing.followers_at_publication)
                as followers_at_publication,
            coalesce(standing.first_seen_date, captured.first_seen_date) as first_seen_date,
        {% else %}
            {% for column in known_columns %}
                captured.{{ column }},
            {% endfor %}
            publications.followers_at_publication,
            captured.first_seen_date,
        {% endif %}
        captured.last_seen_date,
        captured.data_origin
    from captured
    left join publications on captured.platform = publications.platform and captured.post_id = publications.post_id
    {% if is_renewed() %}
        left join standing on captured.platform = standing.platform and captured.post_id = standing.post_id
        union all
        select
            standing.platform,
            standing.post_id,
            {% for column in known_columns %}
                standing.{{ column }},
            {% endfor %}
            standing.followers_at_publication,
            standing.first_seen_date,
            standing.last_seen_date,
            standing.data_origin
        from standing
        inner join linked_or_were
            on standing.platform = linked_or_were.platform and standing.post_id = linked_or_were.post_id
        left join days on standing.platform = days.platform and standing.post_id = days.post_id
        where days.post_id is null
    {% endif %}
),

-- A post of several collaborations names none of them here: bridge_post_collaboration has them all.
agreed as (
    select
        platform,
        post_id,
        count(*) as collaborations,
        case when count(*) = 1 then max(collaboration_id) end as collaboration_id,
        case when count(distinct campaign_id) = 1 then max(campaign_id) end as campaign_id,
        case when count(distinct brand) = 1 then max(brand) end as brand,
        max(data_origin) as data_origin
    from linked
    group by platform, post_id
),

joined as (
    select
        known.*,
        agreed.collaborations,
        agreed.collaboration_id,
        agreed.campaign_id,
        agreed.brand,
        known.likes + known.comments as engagements,
        known.post_id is not null as is_captured,
        coalesce(known.platform, agreed.platform) as post_platform,
        coalesce(known.post_id, agreed.post_id) as id_of_post,
        coalesce(known.data_origin, agreed.data_origin) as origin
    from known
    full outer join agreed on known.platform = agreed.platform and known.post_id = agreed.post_id
),

fct_post as (
    select
        cast(post_platform as string) as platform,
        cast(id_of_post as string) as post_id,
        cast(account_id as string) as account_id,
        cast(co_authors as string) as co_authors,
        cast(is_captured as boolean) as is_captured,
        cast(published_at as timestamp) as published_at,
        cast(published_at as date) as published_date,
        cast(content_type as string) as content_type,
        cast(is_sponsored as boolean) as is_sponsored,
        cast(is_collab as boolean) as is_collab,
        cast(first_seen_date as date) as first_seen_date,
        cast(last_seen_date as date) as last_seen_date,
        {% for count in post_counts() %}
            cast({{ count }} as bigint) as {{ count }},
        {% endfor %}
        cast(engagements as bigint) as engagements,
        cast(followers_at_publication as bigint) as followers_at_publication,
        cast({{ ratio("engagements", "followers_at_publication") }} as double) as er_followers,
        cast({{ ratio("engagements", "views") }} as double) as er_views,
        cast({{ ratio("engagements", "reach") }} as double) as er_reach,
        cast({{ ratio("reach", "followers_at_publication") }} as double) as reach_rate,
        cast({{ ratio("likes", "views") }} as double) as like_rate_views,
        cast(coalesce(collaborations, 0) as bigint) as collaborations,
        cast(collaboration_id as string) as collaboration_id,
        cast(campaign_id as string) as campaign_id,
        cast(brand as string) as brand,
        cast(origin as string) as data_origin
    from joined
)

select * from fct_post
