-- One row per campaign, attribution model and day from its first entry of spend or revenue to its last.
{{ config(materialized="table") }}

with entries as (
    select * from {{ ref("int_returns__group_days") }}
    where grouped_by = 'campaign'
),

campaigns as (
    select * from {{ ref("int_returns__groups") }}
    where grouped_by = 'campaign'
),

spans as (
    select
        group_id,
        model,
        min(date) as first_day,
        max(date) as last_day
    from entries
    group by group_id, model
),

calendar as (
    select
        group_id,
        model,
        {{ each_day("first_day", "last_day") }} as date
    from spans
),

-- A day without an entry has moved nothing: 0 is true. What an entry moved may still be unknown.
days as (
    select
        calendar.group_id,
        calendar.model,
        calendar.date,
        entries.data_origin,
        case when coalesce(entries.unrated_costs, 0) = 0 then coalesce(entries.spend_base, 0) end as spend_base,
        case when coalesce(entries.unvalued_orders, 0) = 0 then coalesce(entries.net_revenue_base, 0) end
            as net_revenue_base,
        case when coalesce(entries.uncosted_orders, 0) = 0 then coalesce(entries.product_cost_base, 0) end
            as product_cost_base,
        coalesce(entries.orders, 0) as orders
    from calendar
    left join entries
        on calendar.group_id = entries.group_id
        and calendar.model = entries.model
        and calendar.date = entries.date
),

-- A sum that has met an unknown stays unknown.
running as (
    select
        *,
        {% for name in ["spend_base", "net_revenue_base", "product_cost_base"] %}
            case when count({{ name }}) over along = count(*) over along then sum({{ name }}) over along end
                as cumulative_{{ name }},
        {% endfor %}
        max(data_origin) over along as origin_so_far
    from days
    window along as (partition by group_id, model order by date rows between unbounded preceding and current row)
),

fct_campaign_daily as (
    select
        cast(running.group_id as varchar) as campaign_id,
        cast(running.model as varchar) as attribution_model,
        cast(running.date as date) as activity_date,
        cast(campaigns.base_currency as varchar) as base_currency,
        cast(running.spend_base as decimal(38, 6)) as spend_base,
        cast(running.orders as decimal(38, 8)) as orders,
        cast(running.net_revenue_base as decimal(38, 6)) as net_revenue_base,
        cast(running.net_revenue_base - running.product_cost_base as decimal(38, 6)) as gross_profit_base,
        cast(running.cumulative_spend_base as decimal(38, 6)) as cumulative_spend_base,
        cast(running.cumulative_net_revenue_base as decimal(38, 6)) as cumulative_net_revenue_base,
        cast(running.cumulative_net_revenue_base - running.cumulative_product_cost_base as decimal(38, 6))
            as cumulative_gross_profit_base,
        {{ fraction(
            "running.cumulative_net_revenue_base - running.cumulative_spend_base", "running.cumulative_spend_base"
        ) }} as cumulative_roi_net,
        {{ fraction(
            "running.cumulative_net_revenue_base - running.cumulative_product_cost_base - running.cumulative_spend_base",
            "running.cumulative_spend_base",
        ) }} as cumulative_roi_profit,
        cast(coalesce(running.date = campaigns.payback_date, false) as boolean) as is_payback_date,
        cast(campaigns.as_of_date as date) as as_of_date,
        cast(running.origin_so_far as varchar) as data_origin
    from running
    inner join campaigns on running.group_id = campaigns.group_id and running.model = campaigns.model
)

select * from fct_campaign_daily
