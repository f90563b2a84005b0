-- One row per tier scheme, tier at the time of the post, partner type, platform, brand, campaign and attribution model.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

tiers as (select * from {{ ref("int_returns__collaborations_tiered") }}),

spend as (select * from {{ ref("int_spend__spend_dated") }}),

schemes as (select * from {{ ref("dim_tier_scheme") }}),

ranks as (select * from {{ ref("dim_tier") }}),

roi as (
    select * from {{ ref("int_returns__groups") }}
    where grouped_by = 'tier'
),

-- Costs of whole campaigns, and of nothing, are of no tier, no partner and no one platform.
keys as (
    select
        tiers.scheme,
        coalesce(tiers.tier, 'unknown') as tier,
        collaborations.partner_type,
        collaborations.tier_platform as platform,
        collaborations.brand,
        {{ campaign_or_always_on("collaborations.campaign_id") }} as campaign_id
    from tiers
    inner join collaborations on tiers.collaboration_id = collaborations.collaboration_id
    union
    select
        schemes.scheme,
        'unallocated' as tier,
        'unallocated' as partner_type,
        '(all)' as platform,
        coalesce(spend.brand, '(unknown)') as brand,
        {{ campaign_or_always_on("spend.campaign_id") }} as campaign_id
    from schemes
    cross join spend
    where not spend.is_of_collaboration
),

keyed as (
    select
        *,
        {{ tier_group("scheme", "tier", "partner_type", "platform", "brand", "campaign_id") }} as group_id
    from keys
),

fct_tier_roi as (
    select
        cast(keyed.scheme as string) as scheme,
        cast(keyed.tier as string) as tier,
        cast(ranks.tier_rank as integer) as tier_rank,
        cast(keyed.partner_type as string) as partner_type,
        cast(keyed.platform as string) as platform,
        cast(keyed.brand as string) as brand,
        cast(keyed.campaign_id as string) as campaign_id,
        cast(roi.model as string) as attribution_model,
        cast(roi.collaborations as bigint) as collaborations,
        {{ roi_columns() }}
    from roi
    inner join keyed on roi.group_id = keyed.group_id
    left join ranks
        on keyed.platform = ranks.platform and keyed.scheme = ranks.scheme and keyed.tier = ranks.tier
)

select * from fct_tier_roi
