-- One row per order that begins something and collaboration on which its customer had clicked before: the last click.
{{ config(materialized="table") }}

{% set window_days = 30 %}
{% set cookie_days = "least(coalesce(versions.cookie_window_days, " ~ window_days ~ "), 3650)" %}

with orders as (
    select * from {{ ref("int_order__orders_valued") }}
    where renewal_number = 0
),

touches as (select * from {{ ref("int_attribution__touches_resolved") }}),

link_clicks as (select * from {{ ref("stg_landing__link_clicks") }}),

links as (select * from {{ ref("int_agreement__link_ownership_periods") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

-- Those of a known customer on a known collaboration: of the touches, and of the tracked links.
clicks as (
    select
        shop,
        touch_id as click_id,
        customer_id,
        touched_at as clicked_at,
        agreement_day,
        collaboration_id
    from touches
    where touch_type = 'click' and collaboration_id is not null

    union all

    -- A visitor is a customer where the shop gives both the same id; any other visitor matches no order.
    select
        link_clicks.shop,
        link_clicks.click_id,
        link_clicks.visitor_id as customer_id,
        link_clicks.clicked_at,
        link_clicks.agreement_day,
        links.collaboration_id
    from link_clicks
    inner join links
        on link_clicks.link_id = links.link_id
        and link_clicks.agreement_day >= links.first_day
        and (links.next_start is null or link_clicks.agreement_day < links.next_start)
    where link_clicks.visitor_id is not null
),

int_attribution__last_clicks_matched as (
    select
        orders.shop,
        orders.order_id,
        clicks.collaboration_id,
        max(clicks.clicked_at) as clicked_at,
        {{ value_at_last("clicks.click_id", "(clicks.clicked_at, clicks.click_id)") }} as click_id,
        {{ value_at_last("clicks.agreement_day", "(clicks.clicked_at, clicks.click_id)") }} as agreement_day
    from orders
    inner join clicks
        on {{ same_in_shop("orders", "clicks", "customer_id") }}
        and orders.ordered_at >= clicks.clicked_at
    -- A click is looked up on its own day: its cookie lasts as long as was agreed then.
    inner join versions
        on clicks.collaboration_id = versions.collaboration_id
        and {{ is_within("clicks.agreement_day", "versions") }}
        and {{ days_before("orders.ordered_at", cookie_days) }} <= clicks.clicked_at
    group by orders.shop, orders.order_id, clicks.collaboration_id
)

select * from int_attribution__last_clicks_matched
