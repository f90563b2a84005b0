-- One row per tier scheme, tier at the time of the post, partner type and attribution model.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

tiers as (select * from {{ ref("int_returns__collaborations_tiered") }}),

schemes as (select * from {{ ref("dim_tier_scheme") }}),

roi as (
    select * from {{ ref("int_returns__groups") }}
    where grouped_by = 'tier'
),

keys as (
    select
        tiers.scheme,
        coalesce(tiers.tier, 'unknown') as tier,
        collaborations.partner_type
    from tiers
    inner join collaborations on tiers.collaboration_id = collaborations.collaboration_id
    union
    select
        scheme,
        'unallocated' as tier,
        'unallocated' as partner_type
    from schemes
),

fct_tier_roi as (
    select
        cast(keys.scheme as varchar) as scheme,
        cast(keys.tier as varchar) as tier,
        cast(keys.partner_type as varchar) as partner_type,
        cast(roi.model as varchar) as attribution_model,
        cast(roi.collaborations as bigint) as collaborations,
        {{ roi_columns() }}
    from roi
    inner join keys on roi.group_id = {{ tier_group("keys.scheme", "keys.tier", "keys.partner_type") }}
)

select * from fct_tier_roi
