-- One row per campaign, attribution model and day from its first entry of spend or revenue to its last.
{{ config(materialized="table") }}

with groups as (
    select
        collaboration_id,
        coalesce(campaign_id, '(none)') as group_id
    from {{ ref("int_commerce__collaborations_checked") }}
),

group_spend as (
    select
        *,
        coalesce(campaign_id, '(none)') as group_id
    from {{ ref("fct_spend_ledger") }}
),

{{ group_days() }},

{{ group_returns() }},

spans as (
    select
        group_id,
        model,
        min(date) as first_day,
        max(date) as last_day
    from group_days
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
        group_days.data_origin,
        case when coalesce(group_days.unrated_costs, 0) = 0 then coalesce(group_days.spend_base, 0) end as spend_base,
        case when coalesce(group_days.unvalued_orders, 0) = 0 then coalesce(group_days.net_revenue_base, 0) end
            as net_revenue_base,
        case when coalesce(group_days.uncosted_orders, 0) = 0 then coalesce(group_days.product_cost_base, 0) end
            as product_cost_base,
        coalesce(group_days.orders, 0) as orders
    from calendar
    left join group_days
        on calendar.group_id = group_days.group_id
        and calendar.model = group_days.model
        and calendar.date = group_days.date
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
        cast(running.model as varchar) as model,
        cast(running.date as date) as date,
        cast(base.currency as varchar) as base_currency,
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
        cast(coalesce(running.date = paybacks.payback_date, false) as boolean) as is_payback_date,
        cast(base.as_of_date as date) as as_of_date,
        cast(running.origin_so_far as varchar) as data_origin
    from running
    cross join base
    left join paybacks on running.group_id = paybacks.group_id and running.model = paybacks.model
)

select * from fct_campaign_daily
