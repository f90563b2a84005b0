-- One row per post that was ever captured, or is linked to a collaboration: what is last known of it.
-- A night makes the rows of those posts anew of which something may have changed.
{{ config(materialized="renewed") }}

with states as (select * from {{ ref("int_creator__posts_known") }}),

linked as (select * from {{ ref("bridge_post_collaboration") }}),

{% if is_renewed() %}
    renewed as (
        {{ posts_renewed() }}
    ),
{% endif %}

{{ newest_of_each_post("known", "states", "renewed" if is_renewed() else none) }},

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
