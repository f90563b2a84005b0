-- One row per day and currency.
with landed as (select * from {{ source("raw", "fx_rates") }}),

stg_landing__fx_rates as (
    select *
    from landed
    {{ latest_delivery(["rate_date", "currency"]) }}
)

select * from stg_landing__fx_rates
