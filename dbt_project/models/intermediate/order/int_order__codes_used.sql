-- One row per order, promo code on it and collaboration that owned the code on its day; a code of nobody has one row.
{{ config(materialized="table") }}

with orders as (
    select * from {{ ref("int_order__orders_valued") }}
    where promo_code is not null
),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

placed as (
    select
        shop,
        order_id,
        order_date,
        agreement_day,
        brand,
        {{ words_of("promo_code") }} as promo_code
    from orders
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
        and placed.agreement_day >= codes.first_day
        and (codes.last_day is null or placed.agreement_day <= codes.last_day)
        -- A code belongs to its owner within its brand; a shop of no brand sells for all.
        and (placed.brand is null or placed.brand = codes.brand)
)

select * from int_order__codes_used
