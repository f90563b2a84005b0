-- One row per order, per line of a refund and per cancellation: what it adds to net revenue, on its own date.
{{ config(materialized="view") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

refunds as (
    select * from {{ ref("int_order__refunds_applied") }}
    where order_currency is not null
),

int_order__revenue_dated as (
    select
        'order' as event_type,
        shop,
        order_id as event_id,
        '' as line_id,
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

    -- Money that goes back brings no order, and leaves the goods paid for; a cancelled order never sent them.
    select
        event_type,
        shop,
        refund_id as event_id,
        refund_line_id as line_id,
        order_id,
        applied_date as event_date,
        order_currency as currency,
        case when event_type = 'cancellation' then -order_count else 0 end as orders,
        -net_lowered as net_amount,
        -net_lowered_base as net_revenue_base,
        case when event_type = 'cancellation' then -product_cost_base else cast(0 as decimal(38, 6)) end
            as product_cost_base,
        data_origin
    from refunds
)

select * from int_order__revenue_dated
