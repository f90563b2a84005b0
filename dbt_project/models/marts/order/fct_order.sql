-- One row per order, or per sum of `order_count` orders: what it brought up to the last day built.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

refunds as (
    select * from {{ ref("int_order__refunds_applied") }}
    where order_currency is not null
),

order_codes as (select * from {{ ref("int_order__codes_matched") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

given_back as (
    select
        shop,
        order_id,
        sum(capped_amount - capped_before) as charged_amount,
        sum(net_lowered_base) as net_revenue_base,
        max(data_origin) as data_origin
    from refunds
    group by shop, order_id
),

-- An absent discount, tax or shipping is none, and an order without a refund gave nothing back: 0 is true.
fct_order as (
    select
        cast(orders.shop as string) as shop,
        cast(orders.order_id as string) as order_id,
        cast(orders.order_date as date) as activity_date,
        cast(orders.ordered_at as timestamp) as ordered_at,
        cast(coalesce(orders.brand, '(unknown)') as string) as brand,
        cast(orders.customer_id as string) as customer_id,
        cast(orders.is_new_customer as boolean) as is_new_customer,
        cast(case when orders.cancelled_at is null then 'paid' else 'cancelled' end as string) as status,
        cast(orders.cancelled_at as timestamp) as cancelled_at,
        cast(case when orders.cancelled_at is null then orders.order_count else 0 end as bigint) as order_count,
        cast(orders.renewal_number as bigint) as renewal_number,
        cast(orders.renewal_number > 0 as boolean) as is_renewal,
        cast(orders.subscription_id as string) as subscription_id,
        cast(orders.first_order_id as string) as first_order_id,
        cast(orders.country as string) as country,
        cast(orders.city as string) as city,
        cast(orders.promo_code as string) as promo_code,
        cast(order_codes.collaboration_id as string) as code_collaboration_id,
        cast(orders.live_session_id as string) as live_session_id,
        cast(orders.currency as string) as currency,
        cast(orders.fx_rate as decimal(18, 8)) as fx_rate,
        cast(base.currency as string) as base_currency,
        {% for part in ["gross", "discount", "tax", "shipping"] %}
            cast({{ in_base(
                "cast(coalesce(orders." ~ part ~ "_amount, 0) as decimal(22, 6))", "orders.fx_rate"
            ) }} as decimal(38, 6)) as {{ part }}_base,
        {% endfor %}
        -- Goods of a cancelled order were never sent.
        cast(
            case
                when orders.cancelled_at is null or orders.product_cost_base is null then orders.product_cost_base
                else 0
            end as decimal(38, 6)
        ) as product_cost_base,
        cast({{ in_base(
            "cast(coalesce(given_back.charged_amount, 0) as decimal(22, 6))", "orders.fx_rate"
        ) }} as decimal(38, 6)) as refunded_base,
        cast(
            case when orders.net_revenue_base is not null then coalesce(given_back.net_revenue_base, 0) end
            as decimal(38, 6)
        ) as refunded_net_base,
        cast(orders.net_revenue_base - coalesce(given_back.net_revenue_base, 0) as decimal(38, 6)) as net_revenue_base,
        cast(orders.issue as string) as issue,
        cast(greatest(orders.data_origin, given_back.data_origin) as string) as data_origin
    from orders
    cross join base
    left join given_back on {{ same_in_shop("orders", "given_back", "order_id") }}
    left join order_codes on {{ same_in_shop("orders", "order_codes", "order_id") }}
)

select * from fct_order
