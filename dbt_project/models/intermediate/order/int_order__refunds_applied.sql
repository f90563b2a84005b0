-- One row per refund: what it takes off its order's charged and net amounts.
{{ config(materialized="table") }}

{% set own_rate = rate_to_base("refunds.currency", "rates.rate_to_base") %}

with refunds as (select * from {{ ref("stg_landing__refunds") }}),

orders as (select * from {{ ref("int_order__orders_valued") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- A refund in another currency than its order counts at the rates of the order's day, as all of the order does.
matched as (
    select
        refunds.refund_id,
        refunds.order_id,
        refunds.refunded_at,
        refunds.amount,
        refunds.currency,
        refunds.data_origin,
        orders.currency as order_currency,
        orders.charged_amount,
        orders.net_amount,
        orders.fx_rate,
        -- A refund cannot take revenue away before there was any.
        greatest(cast(refunds.refunded_at as date), orders.order_date) as applied_date,
        case
            when refunds.currency = orders.currency then refunds.amount
            else {{ exact_share("refunds.amount", own_rate, "orders.fx_rate", 8) }}
        end as order_amount,
        case
            when orders.order_id is null then 'order unknown'
            when refunds.refunded_at < orders.ordered_at then 'before its order'
        end as impossible
    from refunds
    cross join base
    left join orders on refunds.order_id = orders.order_id
    left join rates on refunds.currency = rates.currency and orders.order_date = rates.rate_day
),

summed as (
    select
        *,
        -- What cannot be told in the order's currency takes nothing off; it is flagged below.
        coalesce(order_amount, 0) as amount_taken,
        sum(coalesce(order_amount, 0)) over (
            partition by order_id
            order by refunded_at nulls last, refund_id nulls last
            rows between unbounded preceding and current row
        ) as amount_so_far
    from matched
),

-- What an order gives back is capped at what was charged, in the order of its refunds.
capped as (
    select
        *,
        cast(least(amount_so_far, charged_amount) as decimal(24, 4)) as capped_amount,
        cast(least(amount_so_far - amount_taken, charged_amount) as decimal(24, 4)) as capped_before
    from summed
),

-- Each refund is the difference of two running shares, so that all of them together are exact: an order that is given
-- back whole ends at 0, in both currencies.
shares as (
    select
        *,
        case when charged_amount = 0 then 0 else {{ exact_share("capped_amount", "net_amount", "charged_amount") }} end
            as net_taken,
        case when charged_amount = 0 then 0 else {{ exact_share("capped_before", "net_amount", "charged_amount") }} end
            as net_taken_before
    from capped
),

int_order__refunds_applied as (
    select
        refund_id,
        order_id,
        refunded_at,
        applied_date,
        amount,
        currency,
        order_currency,
        capped_amount,
        capped_before,
        cast(net_taken - net_taken_before as decimal(24, 4)) as net_lowered,
        {{ in_base("net_taken", "fx_rate") }} - {{ in_base("net_taken_before", "fx_rate") }} as net_lowered_base,
        coalesce(
            impossible,
            case
                when order_amount is null then 'no rate to its order''s currency'
                when amount_so_far > charged_amount then 'more than its order'
            end
        ) as issue,
        data_origin
    from shares
)

select * from int_order__refunds_applied
