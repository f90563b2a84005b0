-- One row per account, vendor, metric and day as of which the vendor reports it.
{{ config(materialized="table") }}

with reported as (select * from {{ ref("int_creator__vendor_metrics") }}),

fct_vendor_metric as (
    select
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(source as string) as source,
        cast(metric as string) as metric,
        cast(as_of_date as date) as as_of_date,
        cast(period_days as bigint) as period_days,
        cast(value as decimal(26, 8)) as value,
        cast(unit as string) as unit,
        cast(currency as string) as currency,
        cast(data_origin as string) as data_origin
    from reported
)

select * from fct_vendor_metric
