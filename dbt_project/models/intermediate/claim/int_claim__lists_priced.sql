-- One row per platform on whose last day a list of the two lowest tiers can be priced against one of the highest.
{{ config(materialized="table") }}

with equivalence as (select * from {{ ref("fct_tier_equivalence") }}),

claims as (select * from {{ ref("claims") }}),

sides as (select * from {{ ref("int_claim__tier_sides") }}),

priced as (
    select
        equivalence.*,
        least(equivalence.from_account_count_followers, equivalence.price_from_collaborations) as units_claimed,
        least(equivalence.to_account_count_followers, equivalence.price_to_collaborations) as units_other
    from equivalence
    inner join sides as small
        on equivalence.platform = small.platform
        and equivalence.from_tier = small.tier
        and small.is_small
    inner join sides as highest
        on equivalence.platform = highest.platform
        and equivalence.to_tier = highest.tier
        and highest.standing = 'highest'
    where
        equivalence.price_from_basis = 'observed'
        and equivalence.price_to_basis = 'observed'
        and equivalence.price_from_base is not null
        and equivalence.price_to_base > 0
),

-- Of the two lists the cheaper one, as a brand would choose.
chosen as (
    select *
    from priced
    qualify
        row_number() over (
            partition by platform order by snapshot_date desc nulls last, price_from_base asc, from_tier asc nulls last
        ) = 1
),

ratios as (
    select
        chosen.platform,
        chosen.units_claimed,
        chosen.units_other,
        chosen.data_origin,
        least(chosen.units_claimed, chosen.units_other) >= claims.min_units as has_enough,
        claims.claim,
        {{ ratio("chosen.price_from_base", "chosen.price_to_base") }} as figure,
        {{ ratio("chosen.price_from_low_base", "chosen.price_to_high_base") }} as interval_low,
        {{ ratio("chosen.price_from_high_base", "chosen.price_to_low_base") }} as interval_high
    from chosen
    inner join claims on claims.claim = 'small_list_equals_mega'
),

int_claim__lists_priced as (
    select
        claim,
        platform,
        figure,
        units_claimed,
        units_other,
        data_origin,
        units_claimed + units_other as units,
        case when has_enough then interval_low end as interval_low,
        case when has_enough then interval_high end as interval_high
    from ratios
)

select * from int_claim__lists_priced
