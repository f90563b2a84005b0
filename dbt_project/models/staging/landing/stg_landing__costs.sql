-- One row per cost.
with landed as (select * from {{ source("raw", "costs") }}),

stg_landing__costs as (
    select *
    from landed
    {{ latest_delivery(["cost_id"]) }}
)

select * from stg_landing__costs
