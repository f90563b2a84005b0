-- One row per grouping, group and attribution model with spend or revenue: its sums to date, and when it paid back.
{{ config(materialized="view") }}

{% set sums = spend_columns() + [
    "spend_entries", "unrated_costs", "orders", "net_revenue_base", "product_cost_base", "unvalued_orders",
    "uncosted_orders",
] %}

with days as (select * from {{ ref("int_returns__group_days") }}),

so_far as (
    select
        *,
        coalesce(sum(spend_base) over along, 0) as spend_so_far,
        coalesce(sum(net_revenue_base) over along, 0) - coalesce(sum(product_cost_base) over along, 0) as profit_so_far,
        sum(unrated_costs + unvalued_orders + uncosted_orders) over along as unknown_so_far
    from days
    window
        along as (
            partition by grouped_by, group_id, model order by date rows between unbounded preceding and current row
        )
),

int_returns__group_totals as (
    select
        grouped_by,
        group_id,
        model,
        {% for sum in sums %}
            sum({{ sum }}) as {{ sum }},
        {% endfor %}
        max(last_order_date) as last_order_date,
        min(case when spend_entries > 0 then date end) as first_spend_date,
        min(case when unknown_so_far = 0 and spend_so_far > 0 and profit_so_far >= spend_so_far then date end)
            as payback_date,
        max(data_origin) as data_origin
    from so_far
    group by grouped_by, group_id, model
)

select * from int_returns__group_totals
