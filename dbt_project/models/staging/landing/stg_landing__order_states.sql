-- One row per order that was ever landed: its latest reading, and whether it stands, is cancelled or never was.
{{ config(materialized="table") }}

{% set says_cancelled = "(status = 'cancelled' or (status is null and cancelled_at is not null))" %}

with landed as (
    select
        *,
        coalesce(shop, '') as shop_name,
        coalesce({{ says_cancelled }}, false) as is_cancelled
    from {{ source("raw", "orders") }}
),

withdrawals as (
    select * from {{ ref("stg_landing__withdrawals") }}
    where feed = 'orders'
),

settled as (
    select *
    from landed
    {{ latest_delivery(["shop_name", "order_id"]) }}
),

last_paid as (
    select
        shop_name,
        order_id,
        max(arrival_order) as arrival_order
    from landed
    where not is_cancelled
    group by shop_name, order_id
),

-- A cancellation is of the day on which it was first said, however often it is said again.
first_said as (
    select
        landed.shop_name,
        landed.order_id,
        min(landed.as_of) as said_at
    from landed
    left join last_paid on landed.shop_name = last_paid.shop_name and landed.order_id = last_paid.order_id
    where landed.is_cancelled and (last_paid.arrival_order is null or landed.arrival_order > last_paid.arrival_order)
    group by landed.shop_name, landed.order_id
),

stg_landing__order_states as (
    select
        settled.shop_name as shop,
        settled.order_id,
        settled.customer_id,
        settled.ordered_at,
        case
            when settled.status = 'test' then 'test'
            when withdrawals.cause = 'gone' then 'gone'
            when settled.is_cancelled then 'cancelled'
            when withdrawals.cause = 'left_out' then 'left_out'
            else 'paid'
        end as state,
        case
            when settled.is_cancelled then coalesce(settled.cancelled_at, first_said.said_at)
            when withdrawals.cause = 'left_out' then withdrawals.withdrawn_at
        end as cancelled_at,
        withdrawals.file as withdrawn_by_file,
        -- A shop that exports order by order has no such column: a row is one order. Sums of orders say how many.
        coalesce(settled.order_count, 1) as order_count,
        settled.gross_amount,
        settled.discount_amount,
        settled.tax_amount,
        settled.shipping_amount,
        settled.product_cost,
        settled.currency,
        {{ normal_codes("settled.promo_code") }} as promo_code,
        settled.subscription_id,
        -- The contract of the feed: 0 is the first order, and a shop without subscriptions has no renewals.
        coalesce(settled.renewal_number, 0) as renewal_number,
        settled.country,
        settled.city,
        settled.live_session_id,
        settled.data_origin,
        settled.source_file,
        settled.source_line,
        settled.snapshot_date as order_date
    from settled
    left join withdrawals on settled.shop_name = withdrawals.shop and settled.order_id = withdrawals.record_id
    left join first_said on settled.shop_name = first_said.shop_name and settled.order_id = first_said.order_id
)

select * from stg_landing__order_states
