-- One row per order that was placed, or per sum of `order_count` orders: also of one that was cancelled later.
with states as (select * from {{ ref("stg_landing__order_states") }}),

shops as (select * from {{ source("meta", "config_shops") }}),

-- An order's brand is its shop's, and dates of agreements are days by the shop's clocks.
stg_landing__orders as (
    select
        states.*,
        shops.brand,
        shops.currency as shop_currency,
        {{ agreement_day("states.ordered_at") }} as agreement_day
    from states
    left join shops on states.shop = coalesce(shops.shop, '')
    where states.state not in ('test', 'gone')
)

select * from stg_landing__orders
