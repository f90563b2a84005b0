-- One row per post and collaboration that it is linked to.
{{ config(materialized="table") }}

with linked as (select * from {{ ref("int_returns__posts_valued") }}),

collaborations as (select * from {{ ref("dim_collaboration") }}),

known as (
    select
        linked.platform,
        linked.post_id,
        linked.collaboration_id,
        collaborations.campaign_id,
        collaborations.brand,
        linked.is_captured,
        greatest(linked.data_origin, collaborations.data_origin) as data_origin
    from linked
    left join collaborations on linked.collaboration_id = collaborations.collaboration_id
),

bridge_post_collaboration as (
    select
        cast(platform as string) as platform,
        cast(post_id as string) as post_id,
        cast(collaboration_id as string) as collaboration_id,
        cast(campaign_id as string) as campaign_id,
        cast(coalesce(brand, '(unknown)') as string) as brand,
        cast(count(*) over (partition by platform, post_id) as bigint) as collaborations,
        cast(is_captured as boolean) as is_captured,
        cast(data_origin as string) as data_origin
    from known
)

select * from bridge_post_collaboration
