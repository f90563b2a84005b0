-- One row per order and per refund: what it adds to net revenue, on its own date.
{{ config(materialized="view") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

refunds as (
    select * from {{ ref("int_order__refunds_applied") }}
    where order_currency is not null
),

int_order__revenue_dated as (
    select
        'order' as event_type,
        order_id as event_id,
        order_id,
        order_date as event_date,
        currency,
        order_count as orders,
        net_amount,
        net_revenue_base,
        product_cost_base,
        data_origin
    from orders

    union all

    -- Money that goes back brings no order, and leaves the goods paid for.
    select
        'refund' as event_type,
        refund_id as event_id,
        order_id,
        applied_date as event_date,
        order_currency as currency,
        0 as orders,
        -net_lowered as net_amount,
        -net_lowered_base as net_revenue_base,
        cast(0 as decimal(38, 6)) as product_cost_base,
        data_origin
    from refunds
)

select * from int_order__revenue_dated
