-- One row per promo code and day with an order that begins something: its orders against the code's own usual.
{{ config(materialized="table") }}

{#- Five times the usual of the 28 days before, and at least five: with a Poisson usual of 0.5, 1 or 2 orders a day an
    honest day reaches 5, 10 or 15 with a chance of 2e-4, 1e-7 and 1e-8. Set 2026-11-24 on simulated codes alone, of
    which none but the leaked one was flagged; review with 90 days of real ones. -#}
{% set usual_days = 28 %}
{% set least_days = 7 %}
{% set times_usual = 5 %}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

order_codes as (
    select
        shop,
        order_id,
        promo_code,
        count(collaboration_id) as owners,
        case when count(collaboration_id) = 1 then max(collaboration_id) end as collaboration_id
    from {{ ref("int_order__codes_used") }}
    where collaboration_id is not null
    group by shop, order_id, promo_code
),

clicked as (select * from {{ ref("int_attribution__last_clicks_matched") }}),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

first_days as (
    select
        promo_code,
        min(first_day) as first_day
    from codes
    group by promo_code
),

used as (
    select
        order_codes.promo_code,
        orders.order_date,
        sum(orders.order_count) as orders,
        sum(orders.order_count) filter (where clicked.order_id is null) as orders_without_click,
        max(order_codes.owners) as owners,
        case
            when min(order_codes.collaboration_id) = max(order_codes.collaboration_id)
                then min(order_codes.collaboration_id)
        end as collaboration_id,
        max(orders.data_origin) as data_origin
    from orders
    inner join order_codes on {{ same_in_shop("orders", "order_codes", "order_id") }}
    left join clicked
        on {{ same_in_shop("orders", "clicked", "order_id") }}
        and order_codes.collaboration_id = clicked.collaboration_id
    where orders.renewal_number = 0
    group by order_codes.promo_code, orders.order_date
),

-- A day without an order is a day of the usual too.
days_before as (
    select
        used.promo_code,
        used.order_date,
        {{ each_day(
            "greatest(first_days.first_day, " ~ add_days("used.order_date", -usual_days) ~ ")",
            add_days("used.order_date", -1),
        ) }} as earlier_day
    from used
    inner join first_days on used.promo_code = first_days.promo_code
),

usual as (
    select
        days_before.promo_code,
        days_before.order_date,
        count(*) as days,
        median(coalesce(earlier.orders, 0)) as orders
    from days_before
    left join used as earlier
        on days_before.promo_code = earlier.promo_code and days_before.earlier_day = earlier.order_date
    group by days_before.promo_code, days_before.order_date
),

int_attribution__code_days_measured as (
    select
        used.promo_code,
        used.order_date,
        used.collaboration_id,
        used.owners,
        used.orders,
        coalesce(used.orders_without_click, 0) as orders_without_click,
        case when usual.days >= {{ least_days }} then usual.orders end as usual_orders,
        coalesce(usual.days >= {{ least_days }} and used.orders >= {{ times_usual }} * (usual.orders + 1), false)
            as is_leak,
        used.data_origin
    from used
    left join usual on used.promo_code = usual.promo_code and used.order_date = usual.order_date
)

select * from int_attribution__code_days_measured
