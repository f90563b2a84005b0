-- One row per account with known followers: what one post of it costs, and by what that is known.
{{ config(materialized="table") }}

with priced as (select * from {{ ref("int_pricing__accounts_priced") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

dim_account_price as (
    select
        cast(priced.platform as string) as platform,
        cast(priced.account_id as string) as account_id,
        cast(priced.followers as bigint) as followers,
        cast(priced.followers_known_on as date) as followers_date,
        cast(priced.tier as string) as tier,
        cast(priced.price_base as decimal(38, 6)) as price_base,
        cast(priced.price_low_base as decimal(38, 6)) as price_low_base,
        cast(priced.price_high_base as decimal(38, 6)) as price_high_base,
        cast(priced.price_basis as string) as price_basis,
        cast(priced.price_source as string) as price_source,
        cast(base.currency as string) as base_currency,
        cast(priced.as_of_date as date) as as_of_date,
        cast(priced.data_origin as string) as data_origin
    from priced
    cross join base
)

select * from dim_account_price
