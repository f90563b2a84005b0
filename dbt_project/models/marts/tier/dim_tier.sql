-- One row per platform, tier scheme and tier that a mart may name: its rank, its label and its bounds of today.
-- One model: the words in the place of a tier are ranked after the tiers of the same scheme.
{{ config(materialized="table") }}

{#- Words that take the place of a tier: the label, and the rank, counted from the highest tier of the scheme on. -#}
{% set others = [("unclassified", "In no tier", 1), ("unknown", "Unknown", 2), ("unallocated", "Not allocated", 3)] %}

with schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- What is summed over platforms is of `(all)`.
platforms as (
    select platform
    from {{ source("meta", "config_platforms") }}
    union
    select platform
    from schemes
    where platform <> '*'
    union
    select '(all)' as platform
),

today as (
    select
        platforms.platform,
        base.as_of_date as snapshot_date
    from platforms
    cross join base
),

{{ tier_bounds_for("today") }},

-- A tier that is no longer drawn still stands in the marts of its days.
ever_drawn as (
    select
        platforms.platform,
        schemes.scheme,
        schemes.tier,
        {{ value_at_last("schemes.tier_rank", "schemes.valid_from") }} as tier_rank
    from platforms
    inner join schemes on schemes.platform in (platforms.platform, '*') or platforms.platform = '(all)'
    group by platforms.platform, schemes.scheme, schemes.tier
),

tiers as (
    select
        ever_drawn.platform,
        ever_drawn.scheme,
        ever_drawn.tier,
        coalesce(bounds.tier_rank, ever_drawn.tier_rank) as tier_rank,
        upper(substr(ever_drawn.tier, 1, 1)) || replace(substr(ever_drawn.tier, 2), '_', ' ') as label,
        bounds.min_followers,
        bounds.max_followers
    from ever_drawn
    left join bounds
        on ever_drawn.platform = bounds.platform
        and ever_drawn.scheme = bounds.scheme
        and ever_drawn.tier = bounds.tier
),

scheme_names as (
    select distinct scheme
    from schemes
),

-- A scheme that says nothing of a platform leaves the tier of its collaborations unknown.
spans as (
    select
        platforms.platform,
        scheme_names.scheme,
        coalesce(max(tiers.tier_rank), 0) as highest_rank,
        min(tiers.min_followers) as lowest
    from platforms
    cross join scheme_names
    left join tiers on platforms.platform = tiers.platform and scheme_names.scheme = tiers.scheme
    group by platforms.platform, scheme_names.scheme
),

-- Platforms of which too few days are kept to tell which tier is held.
short as (select * from {{ source("meta", "config_retention") }}),

named as (
    select * from tiers

    union all

    select
        spans.platform,
        spans.scheme,
        'insufficient_data' as tier,
        spans.highest_rank + 4 as tier_rank,
        'Not enough data' as label,
        cast(null as bigint) as min_followers,
        cast(null as bigint) as max_followers
    from spans
    inner join short on spans.platform = short.platform

    union all

    select
        platform,
        scheme,
        'below' as tier,
        0 as tier_rank,
        'Below the lowest tier' as label,
        case when lowest is not null then 0 end as min_followers,
        lowest as max_followers
    from spans

    {% for tier, label, above in others %}
        union all

        select
            platform,
            scheme,
            '{{ tier }}' as tier,
            highest_rank + {{ above }} as tier_rank,
            '{{ label }}' as label,
            cast(null as bigint) as min_followers,
            cast(null as bigint) as max_followers
        from spans
    {% endfor %}
),

dim_tier as (
    select
        cast(platform as string) as platform,
        cast(scheme as string) as scheme,
        cast(tier as string) as tier,
        cast(tier_rank as integer) as tier_rank,
        cast(label as string) as label,
        cast(min_followers as bigint) as min_followers,
        cast(max_followers as bigint) as max_followers
    from named
)

select * from dim_tier
