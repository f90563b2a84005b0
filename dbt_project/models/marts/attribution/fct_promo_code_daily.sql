-- One row per promo code and day with an order that begins something: its volume against the code's own usual.
{{ config(materialized="table") }}

with code_days as (select * from {{ ref("int_attribution__code_days_measured") }}),

fct_promo_code_daily as (
    select
        cast(promo_code as string) as promo_code,
        cast(order_date as date) as activity_date,
        cast(collaboration_id as string) as collaboration_id,
        cast(owners as bigint) as owners,
        cast(orders as bigint) as orders,
        cast(orders_without_click as bigint) as orders_without_click,
        cast(usual_orders as double) as usual_orders,
        cast(is_leak as boolean) as is_leak,
        cast(data_origin as string) as data_origin
    from code_days
)

select * from fct_promo_code_daily
