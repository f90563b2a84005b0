-- One row per order with a promo code that somebody owned on its day.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

int_order__codes_matched as (
    select
        orders.shop,
        orders.order_id,
        count(*) as owners,
        -- A code that two own at once is credited and paid to neither.
        case when count(*) = 1 then max(codes.collaboration_id) end as collaboration_id
    from orders
    inner join codes
        on orders.promo_code = codes.promo_code
        and orders.order_date >= codes.first_day
        and (codes.last_day is null or orders.order_date <= codes.last_day)
    group by orders.shop, orders.order_id
)

select * from int_order__codes_matched
