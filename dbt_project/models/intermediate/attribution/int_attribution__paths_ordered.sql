-- One row per order that begins something and touch that may have led to it, numbered along the path.
{{ config(materialized="table") }}

with orders as (
    select * from {{ ref("int_order__orders_valued") }}
    where renewal_number = 0
),

touches as (select * from {{ ref("int_attribution__touches_resolved") }}),

-- An order does not reset the path: a touch may lead to several orders.
kept as (
    select
        orders.shop,
        orders.order_id,
        orders.ordered_at,
        touches.touch_id,
        touches.touched_at,
        touches.collaboration_id,
        touches.is_direct
    from orders
    inner join touches
        on {{ same_in_shop("orders", "touches", "customer_id") }}
        and orders.ordered_at >= touches.touched_at
        and {{ days_before("orders.ordered_at", "touches.window_days") }} <= touches.touched_at
),

int_attribution__paths_ordered as (
    select
        shop,
        order_id,
        touch_id,
        touched_at,
        is_direct,
        coalesce(collaboration_id, '(unattributed)') as collaboration_id,
        row_number() over (partition by shop, order_id order by touched_at nulls last, touch_id nulls last) as place,
        count(*) over (partition by shop, order_id) as touches,
        max(touched_at) over (partition by shop, order_id) as last_touched_at
    from kept
)

select * from int_attribution__paths_ordered
