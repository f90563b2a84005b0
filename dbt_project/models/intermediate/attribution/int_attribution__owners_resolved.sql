-- One row per order that begins something and is somebody's: the owner of its code, else of the last click.
{{ config(materialized="table") }}

with orders as (
    select * from {{ ref("int_order__orders_valued") }}
    where renewal_number = 0
),

order_codes as (
    select * from {{ ref("int_order__codes_matched") }}
    where collaboration_id is not null
),

clicked as (select * from {{ ref("int_attribution__last_clicks_matched") }}),

last_clicks as (
    select *
    from clicked
    qualify
        row_number() over (
            partition by shop, order_id order by clicked_at desc nulls last, click_id desc nulls last
        ) = 1
),

-- A code is looked up on the order's day, a click on its own: the terms of that day hold.
int_attribution__owners_resolved as (
    select
        orders.shop,
        orders.order_id,
        coalesce(order_codes.collaboration_id, last_clicks.collaboration_id) as collaboration_id,
        case when order_codes.order_id is not null then 'code' else 'click' end as owned_by,
        case when order_codes.order_id is not null then orders.agreement_day else last_clicks.agreement_day end
            as agreed_day
    from orders
    left join order_codes on {{ same_in_shop("orders", "order_codes", "order_id") }}
    left join last_clicks on {{ same_in_shop("orders", "last_clicks", "order_id") }}
    where order_codes.order_id is not null or last_clicks.order_id is not null
)

select * from int_attribution__owners_resolved
