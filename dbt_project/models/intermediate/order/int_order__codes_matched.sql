-- One row per order with a promo code that somebody owned on its day.
{{ config(materialized="table") }}

with codes as (select * from {{ ref("int_order__codes_used") }}),

int_order__codes_matched as (
    select
        shop,
        order_id,
        count(distinct collaboration_id) as owners,
        -- What two own at once, by one code or by two, is credited to neither.
        case when count(distinct collaboration_id) = 1 then max(collaboration_id) end as collaboration_id
    from codes
    where collaboration_id is not null
    group by shop, order_id
)

select * from int_order__codes_matched
