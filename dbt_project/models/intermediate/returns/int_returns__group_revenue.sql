-- One row per grouping, group, attribution model and day with an order or refund that is credited to the group.
{{ config(materialized="view") }}

{#- What is known, and of how many orders it is not. -#}
{% set sums %}
    sum(credited_orders) as orders,
    sum(net_revenue_base) as net_revenue_base,
    sum(product_cost_base) as product_cost_base,
    {% for part, orders in [("net_revenue_base", "unvalued_orders"), ("product_cost_base", "uncosted_orders")] %}
        count_if(event_type = 'order' and {{ part }} is null)
        - count_if(event_type = 'cancellation' and {{ part }} is null) as {{ orders }},
    {% endfor %}
    max(case when event_type = 'order' then event_date end) as last_order_date,
    max(data_origin) as data_origin
{% endset %}

with credited as (select * from {{ ref("int_attribution__revenue_credited") }}),

members as (select * from {{ ref("int_returns__group_members") }}),

-- Credits of every model but one add up, so they are summed before the groups, of which tiers have one per scheme.
collaboration_days as (
    select
        collaboration_id,
        model,
        event_date,
        {{ sums }}
    from credited
    where model <> 'any_touch'
    group by collaboration_id, model, event_date
),

-- Under `any_touch` each collaboration has the whole order; in a group the order counts once.
seen_once as (
    select
        credited.*,
        members.grouped_by,
        members.group_id
    from credited
    inner join members on credited.collaboration_id = members.collaboration_id
    where credited.model = 'any_touch'
    qualify
        row_number() over (
            partition by
                members.grouped_by, members.group_id, credited.event_type, credited.shop, credited.event_id,
                credited.line_id
            order by credited.collaboration_id nulls last
        ) = 1
),

entries as (
    select
        collaboration_days.*,
        members.grouped_by,
        members.group_id
    from collaboration_days
    inner join members on collaboration_days.collaboration_id = members.collaboration_id
),

int_returns__group_revenue as (
    select
        grouped_by,
        group_id,
        model,
        event_date,
        sum(orders) as orders,
        sum(net_revenue_base) as net_revenue_base,
        sum(product_cost_base) as product_cost_base,
        sum(unvalued_orders) as unvalued_orders,
        sum(uncosted_orders) as uncosted_orders,
        max(last_order_date) as last_order_date,
        max(data_origin) as data_origin
    from entries
    group by grouped_by, group_id, model, event_date

    union all

    select
        grouped_by,
        group_id,
        model,
        event_date,
        {{ sums }}
    from seen_once
    group by grouped_by, group_id, model, event_date
)

select * from int_returns__group_revenue
