-- One row per UTC day from the first entry of spend or revenue to the last day built.
{{ config(materialized="table") }}

with spend as (select * from {{ ref("int_spend__spend_dated") }}),

revenue as (select * from {{ ref("int_order__revenue_dated") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

entries as (
    select cost_date as entry_date from spend
    union all
    select event_date as entry_date from revenue
),

span as (
    select
        coalesce(min(entries.entry_date), max(base.as_of_date)) as first_day,
        max(base.as_of_date) as last_day
    from base
    left join entries on base.as_of_date >= entries.entry_date
),

dim_date as (
    select {{ each_day("first_day", "last_day") }} as date_day
    from span
)

select * from dim_date
