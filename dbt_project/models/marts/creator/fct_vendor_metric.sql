-- One row per account, vendor, metric and day as of which the vendor reports it.
{{ config(materialized="table") }}

with reported as (select * from {{ ref("int_creator__vendor_metrics") }}),

fct_vendor_metric as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(source as varchar) as source,
        cast(metric as varchar) as metric,
        cast(as_of_date as date) as as_of_date,
        cast(period_days as bigint) as period_days,
        cast(value as decimal(26, 8)) as value,
        cast(unit as varchar) as unit,
        cast(currency as varchar) as currency,
        cast(data_origin as varchar) as data_origin
    from reported
)

select * from fct_vendor_metric
