-- One row per line of a refund, and per cancellation: what it takes off its order's charged and net amounts.
-- One model: each is the difference of two running sums, so that all of an order's are exact together.
{{ config(materialized="table") }}

{% set own_rate = rate_to_base("events.currency", "rates.rate_to_base") %}
{% set along %}
    partition by shop, order_id
    order by happened_at nulls last, event_type desc nulls last, refund_id nulls last, refund_line_id nulls last
    rows between unbounded preceding and current row
{% endset %}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

states as (select * from {{ ref("stg_landing__order_states") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- What a refund says of its parts: its goods, else what tax and shipping leave of it. One that says nothing of them
-- is a share of all that was charged.
events as (
    select
        'refund' as event_type,
        shop,
        refund_id,
        refund_line_id,
        order_id,
        refunded_at as happened_at,
        amount,
        case
            when goods_amount is not null then goods_amount
            when amount >= 0 and coalesce(tax_amount, shipping_amount) is not null
                then greatest(amount - coalesce(tax_amount, 0) - coalesce(shipping_amount, 0), 0)
            when coalesce(tax_amount, shipping_amount) is not null
                then least(amount - coalesce(tax_amount, 0) - coalesce(shipping_amount, 0), 0)
        end as goods_amount,
        case
            when goods_amount is not null
                then abs(goods_amount + coalesce(tax_amount, 0) + coalesce(shipping_amount, 0) - amount) > 0.01
            else abs(coalesce(tax_amount, 0) + coalesce(shipping_amount, 0)) > abs(amount) + 0.01
        end as is_unequal,
        currency,
        data_origin
    from {{ ref("stg_landing__refunds") }}

    union all

    -- A cancellation gives back all that is left.
    select
        'cancellation' as event_type,
        shop,
        order_id as refund_id,
        '#1' as refund_line_id,
        order_id,
        cancelled_at as happened_at,
        charged_amount as amount,
        net_amount as goods_amount,
        false as is_unequal,
        currency,
        data_origin
    from orders
    where cancelled_at is not null
),

-- A refund in another currency than its order counts at the rates of the order's day, as all of the order does.
matched as (
    select
        events.*,
        orders.currency as order_currency,
        orders.order_count,
        orders.product_cost_base,
        orders.charged_amount,
        orders.net_amount,
        orders.fx_rate,
        -- A refund cannot take revenue away before there was any.
        greatest(cast(events.happened_at as date), orders.order_date) as applied_date,
        {% for amount in ["amount", "goods_amount"] %}
            case
                when events.currency = orders.currency then events.{{ amount }}
                else {{ exact_share("events." ~ amount, own_rate, "orders.fx_rate", 8) }}
            end as order_{{ amount }},
        {% endfor %}
        case
            when events.event_type = 'cancellation' then null
            when states.state in ('test', 'gone') then 'order withdrawn'
            when orders.order_id is null then 'order unknown'
            when orders.cancelled_at is not null then 'order cancelled'
            when events.happened_at < orders.ordered_at then 'before its order'
        end as flaw
    from events
    cross join base
    left join orders on {{ same_in_shop("events", "orders", "order_id") }}
    left join states on {{ same_in_shop("events", "states", "order_id") }}
    left join rates on events.currency = rates.currency and orders.order_date = rates.rate_day
),

-- What cannot be told in the order's currency takes nothing off; it is flagged below.
summed as (
    select
        *,
        coalesce(order_amount, 0) as amount_taken,
        sum(coalesce(order_amount, 0)) over ({{ along }}) as amount_so_far
    from matched
),

-- What an order gives back is capped at what was charged, in the order of its refunds.
capped as (
    select
        *,
        cast(least(greatest(amount_so_far, 0), charged_amount) as decimal(24, 6)) as capped_amount,
        cast(least(greatest(amount_so_far - amount_taken, 0), charged_amount) as decimal(24, 6)) as capped_before
    from summed
),

shares as (
    select
        *,
        case when order_goods_amount is null then capped_amount - capped_before else 0 end as shared_amount,
        sum(case when order_goods_amount is null then capped_amount - capped_before else 0 end) over ({{ along }})
            as shared_so_far
    from capped
),

goods as (
    select
        *,
        case
            when order_goods_amount is not null then order_goods_amount
            when charged_amount = 0 then 0
            else
                {{ exact_share("shared_so_far", "net_amount", "charged_amount") }}
                - {{ exact_share("shared_so_far - shared_amount", "net_amount", "charged_amount") }}
        end as goods_taken
    from shares
),

goods_summed as (
    select
        *,
        sum(goods_taken) over ({{ along }}) as goods_so_far
    from goods
),

-- Net falls by the goods, capped at the net that is left.
netted as (
    select
        *,
        cast(case when net_amount is not null then least(greatest(goods_so_far, 0), net_amount) end as decimal(24, 6))
            as net_taken,
        cast(
            case when net_amount is not null then least(greatest(goods_so_far - goods_taken, 0), net_amount) end
            as decimal(24, 6)
        ) as net_taken_before
    from goods_summed
),

int_order__refunds_applied as (
    select
        event_type,
        shop,
        refund_id,
        refund_line_id,
        order_id,
        happened_at,
        applied_date,
        amount,
        currency,
        order_currency,
        order_count,
        product_cost_base,
        capped_amount,
        capped_before,
        net_taken,
        net_taken_before,
        cast(net_taken - net_taken_before as decimal(24, 6)) as net_lowered,
        {{ in_base("net_taken", "fx_rate") }} - {{ in_base("net_taken_before", "fx_rate") }} as net_lowered_base,
        case
            when event_type = 'cancellation' then null
            when flaw is not null then flaw
            when order_amount is null then 'no rate to its order''s currency'
            when amount_so_far > charged_amount or goods_so_far > net_amount then 'more than its order'
            when amount_so_far < 0 then 'takes back more than was refunded'
        end as issue,
        is_unequal,
        data_origin
    from netted
)

select * from int_order__refunds_applied
