-- One row per order that was placed, or per sum of `order_count` orders: also of one that was cancelled later.
with states as (select * from {{ ref("stg_landing__order_states") }}),

stg_landing__orders as (
    select *
    from states
    where state not in ('test', 'gone')
)

select * from stg_landing__orders
