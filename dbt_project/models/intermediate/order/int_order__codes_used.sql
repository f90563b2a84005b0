-- One row per order, promo code on it and collaboration that owned the code on its day; a code of nobody has one row.
{{ config(materialized="table") }}

with orders as (
    select * from {{ ref("int_order__orders_valued") }}
    where promo_code is not null
),

shops as (select * from {{ source("meta", "config_shops") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

-- The days of an agreement are those of the shop's clocks.
placed as (
    select
        orders.shop,
        orders.order_id,
        orders.order_date,
        {{ words_of("orders.promo_code") }} as promo_code,
        shops.brand,
        case
            when coalesce(shops.time_zone, 'UTC') = 'UTC' then orders.order_date
            else {{ day_in_zone("orders.ordered_at", "shops.time_zone") }}
        end as order_day
    from orders
    left join shops on orders.shop = coalesce(shops.shop, '')
),

codes as (
    select
        periods.promo_code,
        periods.collaboration_id,
        periods.first_day,
        periods.last_day,
        collaborations.brand
    from {{ ref("int_agreement__code_ownership_periods") }} as periods
    left join collaborations on periods.collaboration_id = collaborations.collaboration_id
),

int_order__codes_used as (
    select distinct
        placed.shop,
        placed.order_id,
        placed.order_date,
        placed.promo_code,
        codes.collaboration_id
    from placed
    left join codes
        on placed.promo_code = codes.promo_code
        and placed.order_day >= codes.first_day
        and (codes.last_day is null or placed.order_day <= codes.last_day)
        -- A code belongs to its owner within its brand; a shop of no brand sells for all.
        and (placed.brand is null or placed.brand = codes.brand)
)

select * from int_order__codes_used
