-- One row per collaboration, campaign, brand, conserving attribution model and day: what it cost and what it returned.
{{ config(materialized="table") }}

with days as (select * from {{ ref("int_returns__days") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

fct_return_daily as (
    select
        cast(days.collaboration_id as string) as collaboration_id,
        cast(days.campaign_id as string) as campaign_id,
        cast(days.brand as string) as brand,
        cast(days.attribution_model as string) as attribution_model,
        cast(days.activity_date as date) as activity_date,
        cast(base.currency as string) as base_currency,
        {% for spend in spend_columns() %}
            cast(days.{{ spend }} as decimal(38, 6)) as {{ spend }},
        {% endfor %}
        cast(days.cost_entries as bigint) as cost_entries,
        cast(days.unrated_costs as bigint) as unrated_costs,
        cast(days.clicks as bigint) as clicks,
        cast(days.orders as decimal(38, 8)) as orders,
        cast(days.new_customer_orders as decimal(38, 8)) as new_customer_orders,
        cast(days.net_revenue_base as decimal(38, 6)) as net_revenue_base,
        cast(days.product_cost_base as decimal(38, 6)) as product_cost_base,
        cast(days.unvalued_orders as decimal(38, 8)) as unvalued_orders,
        cast(days.uncosted_orders as decimal(38, 8)) as uncosted_orders,
        cast(days.net_revenue_costed_base as decimal(38, 6)) as net_revenue_costed_base,
        cast(days.data_origin as string) as data_origin
    from days
    cross join base
)

select * from fct_return_daily
