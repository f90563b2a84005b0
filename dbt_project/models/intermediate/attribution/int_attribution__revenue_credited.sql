-- One row per order, refund line or cancellation, attribution model and collaboration: its part of the money.
{{ config(materialized="table") }}

with events as (select * from {{ ref("int_order__revenue_dated") }}),

credits as (select * from {{ ref("int_attribution__credits_assigned") }}),

parts as (
    select
        events.*,
        credits.model,
        credits.collaboration_id,
        credits.credit,
        credits.has_remainder,
        {{ in_base("events.net_revenue_base", "credits.credit") }} as revenue_part,
        {{ in_base("events.product_cost_base", "credits.credit") }} as cost_part
    from events
    inner join credits on {{ same_in_shop("events", "credits", "order_id") }}
),

-- As with credits, the last touch has what rounding left over. Under `any_touch` everybody has the whole.
int_attribution__revenue_credited as (
    select
        event_type,
        shop,
        event_id,
        line_id,
        order_id,
        event_date,
        currency,
        model,
        collaboration_id,
        credit,
        cast(credit * orders as decimal(38, 8)) as credited_orders,
        cast(
            case
                when has_remainder
                    then revenue_part + net_revenue_base - sum(revenue_part) over of_event
                else revenue_part
            end as decimal(38, 6)
        ) as net_revenue_base,
        cast(
            case
                when has_remainder
                    then cost_part + product_cost_base - sum(cost_part) over of_event
                else cost_part
            end as decimal(38, 6)
        ) as product_cost_base,
        data_origin
    from parts
    window of_event as (partition by event_type, shop, event_id, line_id, model)
)

select * from int_attribution__revenue_credited
