-- One row per account, vendor, metric and day as of which the vendor reports it.
with landed as (select * from {{ source("raw", "vendor_metrics") }}),

stg_landing__vendor_metrics as (
    select *
    from landed
    {{ latest_delivery(["platform", "account_id", "source", "metric", "as_of_date"]) }}
)

select * from stg_landing__vendor_metrics
