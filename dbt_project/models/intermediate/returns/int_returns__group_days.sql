-- One row per grouping, group, attribution model and day with spend or revenue: sums of what is known of both.
{{ config(materialized="table") }}

with spend as (
    select * from {{ ref("int_returns__group_spend") }}
    where is_spend
),

revenue as (select * from {{ ref("int_returns__group_revenue") }}),

-- A model of attribution does not change what was spent: each has all of it.
models as ({{ attribution_model_rows() }}),

spend_days as (
    select
        spend.grouped_by,
        spend.group_id,
        models.model,
        spend.cost_date,
        count(*) as spend_entries,
        count_if(spend.amount_base is null) as unrated_costs,
        sum(spend.amount_base) as spend_base,
        {% for cost_type in cost_types() %}
            sum(case when spend.cost_type = '{{ cost_type }}' then spend.amount_base end) as spend_{{ cost_type }}_base,
        {% endfor %}
        max(spend.data_origin) as data_origin
    from spend
    cross join models
    group by spend.grouped_by, spend.group_id, models.model, spend.cost_date
),

int_returns__group_days as (
    select
        coalesce(spend_days.grouped_by, revenue.grouped_by) as grouped_by,
        coalesce(spend_days.group_id, revenue.group_id) as group_id,
        coalesce(spend_days.model, revenue.model) as model,
        coalesce(spend_days.cost_date, revenue.event_date) as date,
        {% for spend in spend_columns() %}
            spend_days.{{ spend }},
        {% endfor %}
        coalesce(spend_days.spend_entries, 0) as spend_entries,
        coalesce(spend_days.unrated_costs, 0) as unrated_costs,
        coalesce(revenue.orders, 0) as orders,
        revenue.net_revenue_base,
        revenue.product_cost_base,
        coalesce(revenue.unvalued_orders, 0) as unvalued_orders,
        coalesce(revenue.uncosted_orders, 0) as uncosted_orders,
        revenue.last_order_date,
        greatest(spend_days.data_origin, revenue.data_origin) as data_origin
    from spend_days
    full outer join revenue
        on spend_days.grouped_by = revenue.grouped_by
        and spend_days.group_id = revenue.group_id
        and spend_days.model = revenue.model
        and spend_days.cost_date = revenue.event_date
)

select * from int_returns__group_days
