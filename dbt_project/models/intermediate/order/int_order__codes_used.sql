-- One row per order, promo code on it and collaboration that owned the code on its day; a code of nobody has one row.
{{ config(materialized="table") }}

with orders as (
    select
        order_id,
        order_date,
        {{ words_of("promo_code") }} as promo_code
    from {{ ref("int_order__orders_valued") }}
    where promo_code is not null
),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

int_order__codes_used as (
    select distinct
        orders.order_id,
        orders.order_date,
        orders.promo_code,
        codes.collaboration_id
    from orders
    left join codes
        on orders.promo_code = codes.promo_code
        and orders.order_date >= codes.first_day
        and (codes.last_day is null or orders.order_date <= codes.last_day)
)

select * from int_order__codes_used
