-- One row per refund.
with landed as (select * from {{ source("raw", "refunds") }}),

stg_landing__refunds as (
    select *
    from landed
    {{ latest_delivery(["refund_id"]) }}
)

select * from stg_landing__refunds
