-- One row per order with a promo code that somebody owned on its day.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

shops as (select * from {{ source("meta", "config_shops") }}),

-- The days of an agreement are those of the shop's clocks.
placed as (
    select
        orders.shop,
        orders.order_id,
        orders.promo_code,
        shops.brand,
        case
            when coalesce(shops.time_zone, 'UTC') = 'UTC' then orders.order_date
            else {{ day_in_zone("orders.ordered_at", "shops.time_zone") }}
        end as order_day
    from orders
    left join shops on orders.shop = coalesce(shops.shop, '')
    where orders.promo_code is not null
),

int_order__codes_matched as (
    select
        placed.shop,
        placed.order_id,
        count(*) as owners,
        -- A code that two own at once is credited and paid to neither.
        case when count(*) = 1 then max(codes.collaboration_id) end as collaboration_id
    from placed
    inner join codes
        on placed.promo_code = codes.promo_code
        and placed.order_day >= codes.first_day
        and (codes.last_day is null or placed.order_day <= codes.last_day)
    left join collaborations on codes.collaboration_id = collaborations.collaboration_id
    -- A code belongs to its owner within its brand; a shop of no brand sells for all.
    where placed.brand is null or placed.brand = collaborations.brand
    group by placed.shop, placed.order_id
)

select * from int_order__codes_matched
