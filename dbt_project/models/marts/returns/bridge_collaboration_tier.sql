-- One row per collaboration, or word in the place of one, and tier scheme: the tier that its money is counted under.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

tiered as (select * from {{ ref("int_returns__collaborations_tiered") }}),

listed as (select * from {{ ref("dim_collaboration") }}),

tiers as (select * from {{ ref("dim_tier") }}),

scheme_names as (
    select distinct scheme
    from tiers
),

-- What is no landed collaboration has no tier, and is kept apart from those of which it is unknown.
told as (
    select
        collaborations.collaboration_id,
        tiered.scheme,
        collaborations.tier_platform as platform,
        collaborations.tier_account_id as account_id,
        coalesce(tiered.tier, 'unknown') as tier,
        tiered.followers,
        collaborations.tier_date,
        greatest(collaborations.data_origin, tiered.data_origin) as data_origin
    from tiered
    inner join collaborations on tiered.collaboration_id = collaborations.collaboration_id

    union all

    select
        listed.collaboration_id,
        scheme_names.scheme,
        '(all)' as platform,
        cast(null as string) as account_id,
        'unallocated' as tier,
        cast(null as bigint) as followers,
        cast(null as date) as tier_date,
        listed.data_origin
    from listed
    cross join scheme_names
    where not listed.is_landed
),

bridge_collaboration_tier as (
    select
        cast(told.collaboration_id as string) as collaboration_id,
        cast(told.scheme as string) as scheme,
        cast(told.tier as string) as tier,
        cast(tiers.tier_rank as integer) as tier_rank,
        cast(told.platform as string) as platform,
        cast(told.account_id as string) as account_id,
        cast(told.tier_date as date) as tier_date,
        cast(told.followers as bigint) as followers,
        cast(told.data_origin as string) as data_origin
    from told
    left join tiers
        on told.platform = tiers.platform and told.scheme = tiers.scheme and told.tier = tiers.tier
)

select * from bridge_collaboration_tier
