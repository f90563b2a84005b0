-- One row per account, vendor, metric and day as of which the vendor reports it, up to the last day built.
{{ config(materialized="view") }}

with base as (select * from {{ ref("stg_meta__run_context") }}),

reported as (select * from {{ ref("stg_landing__vendor_metrics") }}),

int_creator__vendor_metrics as (
    select
        reported.platform,
        reported.account_id,
        reported.source,
        reported.metric,
        reported.as_of_date,
        reported.period_days,
        reported.data_origin,
        -- A percentage is a fraction in the marts, as everywhere else. Six decimals and two more make eight.
        cast(reported.value as decimal(26, 8)) * case when reported.unit = 'percent' then 0.01 else 1 end as value,
        case when reported.unit = 'percent' then 'fraction' else reported.unit end as unit,
        case when reported.unit = 'money' then reported.currency end as currency
    from reported
    cross join base
    where reported.as_of_date <= base.as_of_date
)

select * from int_creator__vendor_metrics
