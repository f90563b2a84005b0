-- One row per platform, UTC day and tier that is weighed against another: what one post costs, as known on that day.
{{ config(materialized="view") }}

with drawn as (select * from {{ ref("int_equivalence__equivalents_sampled") }}),

posts as (select * from {{ ref("int_pricing__posts_priced") }}),

bands as (select * from {{ ref("price_bands") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

tiers as (
    select
        platform,
        snapshot_date,
        from_tier as tier,
        median_followers_from as followers,
        concat_ws('|', platform, from_tier) as tier_key
    from drawn

    union

    select
        platform,
        snapshot_date,
        to_tier as tier,
        median_followers_to as followers,
        concat_ws('|', platform, to_tier) as tier_key
    from drawn
),

-- The band of the tier's typical account.
{{ banded_from("tiers", "tier_key") }},

observed as (
    select
        tiers.tier_key,
        tiers.snapshot_date,
        {{ per_post("sum(posts.price_base)", "count(*)") }} as mean_base,
        {{ price_quantile("posts.price_base", 0.5) }} as typical_base,
        -- A mean may lie outside the quartiles.
        least({{ price_quantile("posts.price_base", 0.25) }}, mean_base) as low_base,
        greatest({{ price_quantile("posts.price_base", 0.75) }}, mean_base) as high_base,
        count(*) as collaborations,
        max(posts.data_origin) as data_origin
    from tiers
    inner join posts
        on tiers.platform = posts.platform
        and tiers.tier = posts.tier
        and tiers.snapshot_date >= posts.valid_from
        and (posts.valid_to is null or tiers.snapshot_date < posts.valid_to)
    group by tiers.tier_key, tiers.snapshot_date
),

int_equivalence__prices_gathered as (
    select
        tiers.platform,
        tiers.snapshot_date,
        tiers.tier,
        observed.data_origin,
        case
            when observed.collaborations > 0 then 'observed' when banded.typical_base is not null then 'price band'
        end as price_basis,
        -- Many accounts cost their number times the mean; one typical account costs the median.
        coalesce(observed.mean_base, banded.typical_base) as mean_base,
        coalesce(observed.typical_base, banded.typical_base) as typical_base,
        coalesce(observed.low_base, banded.low_base) as low_base,
        case when observed.collaborations > 0 then observed.high_base else banded.high_base end as high_base,
        coalesce(observed.collaborations, 0) as collaborations
    from tiers
    left join observed on tiers.tier_key = observed.tier_key and tiers.snapshot_date = observed.snapshot_date
    left join banded on tiers.tier_key = banded.tier_key and tiers.snapshot_date = banded.snapshot_date
)

select * from int_equivalence__prices_gathered
