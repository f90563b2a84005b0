-- One row per order, attribution model and collaboration: its credit, and the net revenue that the credit is worth.
{{ config(materialized="table") }}

with credited as (select * from {{ ref("int_attribution__revenue_credited") }}),

orders as (select * from {{ ref("int_order__orders_valued") }}),

order_codes as (select * from {{ ref("int_order__codes_matched") }}),

clicked as (select * from {{ ref("int_attribution__last_clicks_matched") }}),

leaked as (
    select distinct
        used.shop,
        used.order_id
    from {{ ref("int_order__codes_used") }} as used
    inner join {{ ref("int_attribution__code_days_measured") }} as code_days
        on used.promo_code = code_days.promo_code
        and used.order_date = code_days.order_date
        and code_days.is_leak
),

base as (select * from {{ ref("stg_meta__run_context") }}),

summed as (
    select
        shop,
        order_id,
        model,
        collaboration_id,
        max(credit) as credit,
        sum(credited_orders) as credited_orders,
        sum(case when event_type = 'order' then net_revenue_base end) as credited_order_revenue_base,
        sum(net_revenue_base) as credited_net_revenue_base,
        max(data_origin) as data_origin
    from credited
    group by shop, order_id, model, collaboration_id
),

-- Spoken codes are normal: an order with its owner's code and no click is a fact, not a fault.
codes as (
    select
        orders.shop,
        orders.order_id,
        clicked.order_id is null and orders.renewal_number = 0 as is_without_click,
        leaked.order_id is not null and orders.renewal_number = 0 as is_on_leak_day
    from order_codes
    inner join orders on {{ same_in_shop("order_codes", "orders", "order_id") }}
    left join clicked
        on {{ same_in_shop("order_codes", "clicked", "order_id") }}
        and order_codes.collaboration_id = clicked.collaboration_id
    left join leaked on {{ same_in_shop("orders", "leaked", "order_id") }}
),

fct_attribution as (
    select
        cast(summed.shop as string) as shop,
        cast(summed.order_id as string) as order_id,
        cast(summed.model as string) as attribution_model,
        cast(summed.collaboration_id as string) as collaboration_id,
        cast(orders.order_date as date) as activity_date,
        cast(orders.renewal_number as bigint) as renewal_number,
        cast(orders.promo_code as string) as promo_code,
        cast(orders.currency as string) as currency,
        cast(summed.credit as decimal(10, 8)) as credit,
        cast(summed.credited_orders as decimal(38, 8)) as credited_orders,
        cast(summed.credited_order_revenue_base as decimal(38, 6)) as credited_order_revenue_base,
        cast(summed.credited_net_revenue_base as decimal(38, 6)) as credited_net_revenue_base,
        cast(base.currency as string) as base_currency,
        cast(coalesce(codes.is_without_click, false) as boolean) as code_without_click,
        cast(coalesce(codes.is_on_leak_day, false) as boolean) as is_code_leak,
        cast(orders.issue as string) as issue,
        cast(greatest(summed.data_origin, orders.data_origin) as string) as data_origin
    from summed
    inner join orders on {{ same_in_shop("summed", "orders", "order_id") }}
    cross join base
    left join codes on {{ same_in_shop("summed", "codes", "order_id") }}
)

select * from fct_attribution
