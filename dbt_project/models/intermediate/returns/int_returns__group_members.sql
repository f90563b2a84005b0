-- One row per grouping (`grouped_by`), group and collaboration in it.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

tiers as (select * from {{ ref("int_returns__collaborations_tiered") }}),

int_returns__group_members as (
    select
        'collaboration' as grouped_by,
        collaboration_id as group_id,
        collaboration_id
    from collaborations

    union all

    select
        'campaign' as grouped_by,
        {{ campaign_or_always_on("campaign_id") }} as group_id,
        collaboration_id
    from collaborations

    union all

    -- A tier is one of each scheme, partner type, platform, brand and campaign.
    select
        'tier' as grouped_by,
        {{ tier_group(
            "tiers.scheme", "coalesce(tiers.tier, 'unknown')", "collaborations.partner_type",
            "collaborations.tier_platform", "collaborations.brand", campaign_or_always_on("collaborations.campaign_id"),
        ) }} as group_id,
        collaborations.collaboration_id
    from collaborations
    inner join tiers on collaborations.collaboration_id = tiers.collaboration_id
)

select * from int_returns__group_members
