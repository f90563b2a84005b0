-- One row per order that begins something and collaboration on which its customer had clicked before: the last click.
{{ config(materialized="table") }}

{% set window_days = 30 %}
{% set cookie_days = "least(coalesce(collaborations.cookie_window_days, " ~ window_days ~ "), 3650)" %}

with orders as (
    select * from {{ ref("int_commerce__orders_valued") }}
    where renewal_number = 0
),

clicks as (select * from {{ ref("int_commerce__clicks_gathered") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

int_commerce__orders_clicked as (
    select
        orders.order_id,
        clicks.collaboration_id,
        max(clicks.clicked_at) as clicked_at,
        max_by(clicks.click_id, (clicks.clicked_at, clicks.click_id)) as click_id
    from orders
    inner join clicks on orders.customer_id = clicks.customer_id and orders.ordered_at >= clicks.clicked_at
    inner join collaborations
        on clicks.collaboration_id = collaborations.collaboration_id
        and {{ days_before("orders.ordered_at", cookie_days) }} <= clicks.clicked_at
    group by orders.order_id, clicks.collaboration_id
)

select * from int_commerce__orders_clicked
