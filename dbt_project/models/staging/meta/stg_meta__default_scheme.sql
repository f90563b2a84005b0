-- One row per platform, tier and valid_from of the default scheme.
with schemes as (select * from {{ ref("tier_schemes") }}),

settings as (select * from {{ source("meta", "setting") }}),

stg_meta__default_scheme as (
    select schemes.*
    from schemes
    inner join settings on settings.name = 'default_scheme' and schemes.scheme = settings.value
)

select * from stg_meta__default_scheme
