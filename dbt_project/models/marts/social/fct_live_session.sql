-- One row per live session: who watched, and what was ordered in it and in the days after it.
{{ config(materialized="table") }}

with sessions as (select * from {{ ref("int_social__sessions_checked") }}),

session_orders as (select * from {{ ref("int_social__session_orders_matched") }}),

-- A shop that lands no orders at all has unknown sales, not none.
landed as (
    select count(*) > 0 as has_orders
    from {{ ref("int_order__orders_valued") }}
),

sold as (
    select
        live_session_id,
        coalesce(sum(order_count) filter (where placed = 'in session'), 0) as orders_in_session,
        coalesce(sum(order_count) filter (where placed = 'after'), 0) as orders_after,
        coalesce(sum(order_count) filter (where placed in ('before', 'later')), 0) as orders_outside,
        {{ sum_if_known("gmv_base", "placed = 'in session'") }} as gmv_in_session_base,
        {{ sum_if_known("gmv_base", "placed = 'after'") }} as gmv_after_base,
        {{ sum_if_known("refunded_base", "placed in ('in session', 'after')") }} as refunded_base,
        {{ sum_if_known("net_revenue_base", "placed in ('in session', 'after')") }} as net_revenue_base,
        max(data_origin) as data_origin
    from session_orders
    group by live_session_id
),

measured as (
    select
        sessions.*,
        {% for count in ["orders_in_session", "orders_after", "orders_outside"] %}
            case when landed.has_orders then coalesce(sold.{{ count }}, 0) end as {{ count }},
        {% endfor %}
        {% for amount in ["gmv_in_session_base", "gmv_after_base", "refunded_base", "net_revenue_base"] %}
            case when landed.has_orders and sold.live_session_id is null then 0 else sold.{{ amount }} end
                as {{ amount }},
        {% endfor %}
        greatest(sessions.data_origin, sold.data_origin) as origin_of_all
    from sessions
    cross join landed
    left join sold on sessions.live_session_id = sold.live_session_id
),

fct_live_session as (
    select
        cast(live_session_id as string) as live_session_id,
        cast(platform as string) as platform,
        cast(host_id as string) as host_id,
        cast(host_type as string) as host_type,
        cast(account_id as string) as account_id,
        cast(campaign_id as string) as campaign_id,
        cast(brand as string) as brand,
        cast(started_at as timestamp) as started_at,
        cast(known_end as timestamp) as ended_at,
        cast({{ micros_between("started_at", "known_end") }} as double) / 60000000 as duration_minutes,
        cast(known_end is not null as boolean) as is_ended,
        cast({{ days_before("open_until", -(live_window_days() | int)) }} >= {{ add_days("as_of_date", 1) }} as boolean)
            as is_window_open,
        cast(overlapping_sessions as bigint) as overlapping_sessions,
        cast(peak_viewers as bigint) as peak_viewers,
        cast(unique_viewers as bigint) as unique_viewers,
        cast(orders_in_session as bigint) as orders_in_session,
        cast(orders_after as bigint) as orders_after,
        cast(orders_outside as bigint) as orders_outside,
        cast(base_currency as string) as base_currency,
        cast(gmv_in_session_base as decimal(38, 6)) as gmv_in_session_base,
        cast(gmv_after_base as decimal(38, 6)) as gmv_after_base,
        cast(refunded_base as decimal(38, 6)) as refunded_base,
        cast(net_revenue_base as decimal(38, 6)) as net_revenue_base,
        cast({{ ratio("orders_in_session", "unique_viewers") }} as double) as conversion_rate,
        {{ per_unit("gmv_in_session_base", "unique_viewers") }} as sales_per_viewer_base,
        cast(as_of_date as date) as as_of_date,
        cast(origin_of_all as string) as data_origin
    from measured
)

select * from fct_live_session
