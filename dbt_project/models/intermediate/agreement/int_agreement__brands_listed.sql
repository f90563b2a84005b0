-- One row per brand that any feed of agreements, money or customers names, or a shop, and one, `(unknown)`, for none.
{{ config(materialized="view") }}

with brands as (select * from {{ ref("stg_landing__brands") }}),

campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

costs as (select * from {{ ref("stg_landing__costs") }}),

customers as (select * from {{ ref("stg_landing__customer_accounts") }}),

mentions as (select * from {{ ref("stg_landing__mentions") }}),

shops as (select * from {{ source("meta", "config_shops") }}),

named as (
    {% for feed in ["brands", "campaigns", "collaborations", "costs", "customers", "mentions"] %}
        select
            brand,
            data_origin
        from {{ feed }}
        union all
    {% endfor %}
    select
        brand,
        'observed' as data_origin
    from shops
    union all
    select
        '(unknown)' as brand,
        'observed' as data_origin
),

origins as (
    select
        brand,
        max(data_origin) as data_origin
    from named
    where brand is not null
    group by brand
),

int_agreement__brands_listed as (
    select
        origins.brand,
        brands.name,
        brands.aliases,
        brands.hashtags,
        brands.own_accounts,
        brands.is_rival,
        origins.data_origin,
        brands.brand is not null as is_landed
    from origins
    left join brands on origins.brand = brands.brand
)

select * from int_agreement__brands_listed
