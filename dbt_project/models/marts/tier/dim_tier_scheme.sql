-- One row per scheme, platform, tier and valid_from.
{{ config(materialized="table") }}

with schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

dim_tier_scheme as (
    select
        cast(scheme as string) as scheme,
        cast(platform as string) as platform,
        cast(tier as string) as tier,
        cast(tier_rank as integer) as tier_rank,
        cast(min_followers as bigint) as min_followers,
        cast(max_followers as bigint) as max_followers,
        cast(valid_from as date) as valid_from,
        cast(valid_to as date) as valid_to,
        cast(source_note as string) as source_note
    from schemes
)

select * from dim_tier_scheme
