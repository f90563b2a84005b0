-- One row per order: what was charged, what is left of it net, and both in base currency.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("stg_landing__orders") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- An absent discount, tax or shipping is none: the gross amount is all that is known to have been asked for.
charged as (
    select
        *,
        cast(gross_amount - coalesce(discount_amount, 0) as decimal(22, 6)) as charged_amount,
        cast(coalesce(tax_amount, 0) + coalesce(shipping_amount, 0) as decimal(22, 6)) as passed_on_amount
    from orders
),

rated as (
    select
        charged.*,
        -- A cancellation that is dated later than the last day built has not come yet.
        case when cast(charged.cancelled_at as date) <= base.as_of_date then charged.cancelled_at end as reversed_at,
        {{ rate_to_base("charged.currency", "rates.rate_to_base") }} as fx_rate,
        case
            when charged.charged_amount < 0 then 'discount above gross'
            when charged.passed_on_amount > charged.charged_amount then 'tax and shipping above charged'
        end as impossible
    from charged
    cross join base
    left join rates on charged.currency = rates.currency and charged.order_date = rates.rate_day
),

-- Of two orders that both claim to begin a subscription the earlier one does.
beginnings as (
    select
        shop,
        subscription_id,
        {{ value_at_first("order_id", "(ordered_at, order_id)") }} as order_id
    from orders
    where renewal_number = 0 and subscription_id is not null
    group by shop, subscription_id
),

-- An order that was cancelled has won nobody.
first_orders as (
    select
        shop,
        customer_id,
        {{ value_at_first("order_id", "(ordered_at, order_id)") }} as order_id
    from rated
    where reversed_at is null
    group by shop, customer_id
),

netted as (
    select
        rated.*,
        first_orders.order_id is not null and rated.renewal_number = 0 as is_new_customer,
        case when rated.impossible is null then rated.charged_amount - rated.passed_on_amount end as net_amount,
        case when rated.renewal_number = 0 then rated.order_id else beginnings.order_id end as first_order_id
    from rated
    left join beginnings on {{ same_in_shop("rated", "beginnings", "subscription_id") }}
    left join first_orders on {{ same_in_shop("rated", "first_orders", "order_id") }}
),

int_order__orders_valued as (
    select
        shop,
        order_id,
        customer_id,
        ordered_at,
        order_date,
        agreement_day,
        brand,
        shop_currency,
        reversed_at as cancelled_at,
        order_count,
        is_new_customer,
        renewal_number,
        subscription_id,
        first_order_id,
        promo_code,
        live_session_id,
        country,
        city,
        currency,
        gross_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        charged_amount,
        cast(net_amount as decimal(22, 6)) as net_amount,
        fx_rate,
        {{ in_base("cast(net_amount as decimal(22, 6))", "fx_rate") }} as net_revenue_base,
        {{ in_base("product_cost", "fx_rate") }} as product_cost_base,
        coalesce(impossible, case when fx_rate is null then 'no rate' end) as issue,
        data_origin
    from netted
)

select * from int_order__orders_valued
