-- One row per tier scheme, tier at the time of the post, partner type and attribution model.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_commerce__collaborations_checked") }}),

tiers as (select * from {{ ref("fct_account_tier_daily") }}),

schemes as (
    select distinct scheme
    from {{ ref("dim_tier_scheme") }}
),

-- The last day with a capture by then, at most seven days before.
known_tiers as (
    select
        collaborations.collaboration_id,
        tiers.scheme,
        max_by(tiers.tier, tiers.snapshot_date) as tier
    from collaborations
    inner join tiers
        on collaborations.tier_platform = tiers.platform
        and collaborations.tier_account_id = tiers.account_id
        and tiers.snapshot_date between {{ add_days("collaborations.tier_date", -7) }} and collaborations.tier_date
    group by collaborations.collaboration_id, tiers.scheme
),

tiered as (
    select
        schemes.scheme,
        collaborations.partner_type,
        collaborations.collaboration_id,
        coalesce(known_tiers.tier, 'unknown') as tier
    from collaborations
    cross join schemes
    left join known_tiers
        on collaborations.collaboration_id = known_tiers.collaboration_id and schemes.scheme = known_tiers.scheme
),

groups as (
    select
        collaboration_id,
        concat_ws('|', scheme, tier, partner_type) as group_id
    from tiered
),

-- Costs of a whole campaign belong to no tier.
group_spend as (
    select
        ledger.*,
        concat_ws(
            '|', schemes.scheme, coalesce(tiered.tier, 'unallocated'), coalesce(tiered.partner_type, 'unallocated')
        ) as group_id
    from {{ ref("fct_spend_ledger") }} as ledger
    cross join schemes
    left join tiered on ledger.collaboration_id = tiered.collaboration_id and schemes.scheme = tiered.scheme
),

keys as (
    select distinct
        scheme,
        tier,
        partner_type
    from tiered
    union all
    select
        scheme,
        'unallocated' as tier,
        'unallocated' as partner_type
    from schemes
),

{{ roi_steps() }},

fct_tier_roi as (
    select
        cast(keys.scheme as varchar) as scheme,
        cast(keys.tier as varchar) as tier,
        cast(keys.partner_type as varchar) as partner_type,
        cast(roi.model as varchar) as model,
        cast(coalesce(agreement_totals.collaborations, 0) as bigint) as collaborations,
        {{ roi_columns() }}
    from roi
    inner join keys on roi.group_id = concat_ws('|', keys.scheme, keys.tier, keys.partner_type)
    left join agreement_totals on roi.group_id = agreement_totals.group_id
)

select * from fct_tier_roi
