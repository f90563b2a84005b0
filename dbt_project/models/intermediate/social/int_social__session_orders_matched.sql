-- One row per order that leads back to a live session: when it was placed, and what it brought.
{{ config(materialized="table") }}

{% set window_days = live_window_days() %}

with orders as (select * from {{ ref("stg_landing__orders") }}),

valued as (select * from {{ ref("int_order__orders_valued") }}),

refunds as (select * from {{ ref("int_order__refunds_applied") }}),

sessions as (select * from {{ ref("int_social__sessions_checked") }}),

touches as (
    select * from {{ ref("stg_landing__touches") }}
    where touch_type = 'live' and live_session_id is not null
),

-- What the shop says comes first; else the last session that the customer was seen in. A renewal was sold before.
led_back as (
    select
        orders.shop,
        orders.order_id,
        orders.ordered_at,
        coalesce(orders.live_session_id, touches.live_session_id) as live_session_id,
        orders.live_session_id is not null as is_named
    from orders
    left join touches
        on {{ same_in_shop("orders", "touches", "customer_id") }}
        and orders.live_session_id is null
        and orders.renewal_number = 0
        and touches.touched_at between {{ days_before("orders.ordered_at", window_days) }} and orders.ordered_at
    where coalesce(orders.live_session_id, touches.live_session_id) is not null
    qualify
        row_number() over (
            partition by orders.shop, orders.order_id
            order by touches.touched_at desc nulls last, touches.touch_id desc nulls last
        ) = 1
),

given_back as (
    select
        refunds.shop,
        refunds.order_id,
        sum(
            {{ in_base("refunds.capped_amount", "valued.fx_rate") }}
            - {{ in_base("refunds.capped_before", "valued.fx_rate") }}
        ) as refunded_base,
        sum(refunds.net_lowered_base) as net_lowered_base,
        max(refunds.data_origin) as data_origin
    from refunds
    inner join valued on {{ same_in_shop("refunds", "valued", "order_id") }}
    group by refunds.shop, refunds.order_id
),

placed as (
    select
        led_back.shop,
        led_back.order_id,
        led_back.live_session_id,
        led_back.is_named,
        case
            when sessions.live_session_id is null then 'session unknown'
            when led_back.ordered_at < sessions.started_at then 'before'
            when led_back.ordered_at <= sessions.open_until then 'in session'
            when led_back.ordered_at <= {{ days_before("sessions.open_until", -(window_days | int)) }} then 'after'
            else 'later'
        end as placed,
        valued.order_date,
        valued.order_count,
        -- A charge below nothing cannot be; it is flagged with its order.
        case when valued.charged_amount >= 0 then {{ in_base("valued.charged_amount", "valued.fx_rate") }} end
            as gmv_base,
        case when given_back.order_id is null then 0 else given_back.refunded_base end as refunded_base,
        valued.net_revenue_base
        - case when given_back.order_id is null then 0 else given_back.net_lowered_base end as net_revenue_base,
        greatest(valued.data_origin, given_back.data_origin) as data_origin
    from led_back
    inner join valued on {{ same_in_shop("led_back", "valued", "order_id") }}
    left join sessions on led_back.live_session_id = sessions.live_session_id
    left join given_back on {{ same_in_shop("led_back", "given_back", "order_id") }}
),

-- Who saw a replay, or a session that is not landed, and ordered outside its times was not led by it; only what the
-- shop says itself is counted as outside.
int_social__session_orders_matched as (
    select * from placed
    where is_named or placed in ('in session', 'after')
)

select * from int_social__session_orders_matched
