-- One row per order, or per sum of `order_count` orders.
with landed as (select * from {{ source("raw", "orders") }}),

settled as (
    select *
    from landed
    {{ latest_delivery(["order_id"]) }}
),

stg_landing__orders as (
    select
        order_id,
        customer_id,
        ordered_at,
        -- A shop that exports order by order has no such column: a row is one order. Sums of orders say how many.
        coalesce(order_count, 1) as order_count,
        gross_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        product_cost,
        currency,
        {{ normal_codes("promo_code") }} as promo_code,
        subscription_id,
        -- The contract of the feed: 0 is the first order, and a shop without subscriptions has no renewals.
        coalesce(renewal_number, 0) as renewal_number,
        country,
        city,
        live_session_id,
        data_origin,
        source_file,
        source_line,
        snapshot_date as order_date
    from settled
)

select * from stg_landing__orders
