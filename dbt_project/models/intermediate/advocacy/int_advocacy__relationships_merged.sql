-- One row per customer of a shop, brand, account and unbroken stretch of days in one relationship.
{{ config(materialized="view") }}

{% set key = "shop, customer_id, brand, platform, account_id" %}

with dated as (select * from {{ ref("int_advocacy__relationships_dated") }}),

beside_the_last as (
    select
        *,
        coalesce(
            lag(relationship) over in_order = relationship and lag(valid_to) over in_order = valid_from, false
        ) as goes_on
    from dated
    window in_order as (partition by {{ key }} order by valid_from)
),

numbered as (
    select
        *,
        sum(case when goes_on then 0 else 1 end) over (
            partition by {{ key }} order by valid_from rows between unbounded preceding and current row
        ) as stretch
    from beside_the_last
),

int_advocacy__relationships_merged as (
    select
        {{ key }},
        relationship,
        min(valid_from) as valid_from,
        -- Only the last one of a stretch can still be open.
        case when count(valid_to) = count(*) then max(valid_to) end as valid_to,
        max(consented_at) as consented_at,
        max(as_of_date) as as_of_date,
        max(data_origin) as data_origin
    from numbered
    group by {{ key }}, relationship, stretch
)

select * from int_advocacy__relationships_merged
