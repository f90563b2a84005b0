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
        coalesce(entries.data_origin, 'observed') as data_origin,
        coalesce(entries.unrated_costs, 0) as unrated_costs,
        coalesce(entries.unvalued_orders, 0) as unvalued_orders,
        coalesce(entries.uncosted_orders, 0) as uncosted_orders,
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

fct_campaign_daily as (
    select
        cast(days.group_id as string) as campaign_id,
        cast(days.model as string) as attribution_model,
        cast(days.date as date) as activity_date,
        cast(campaigns.base_currency as string) as base_currency,
        cast(days.spend_base as decimal(38, 6)) as spend_base,
        cast(days.orders as decimal(38, 8)) as orders,
        cast(days.net_revenue_base as decimal(38, 6)) as net_revenue_base,
        cast(days.net_revenue_base - days.product_cost_base as decimal(38, 6)) as gross_profit_base,
        cast(days.product_cost_base as decimal(38, 6)) as product_cost_base,
        cast(days.unrated_costs as bigint) as unrated_costs,
        cast(days.unvalued_orders as bigint) as unvalued_orders,
        cast(days.uncosted_orders as bigint) as uncosted_orders,
        cast(coalesce(days.date = campaigns.payback_date, false) as boolean) as is_payback_date,
        cast(campaigns.as_of_date as date) as as_of_date,
        cast(days.data_origin as string) as data_origin
    from days
    inner join campaigns on days.group_id = campaigns.group_id and days.model = campaigns.model
)

select * from fct_campaign_daily
