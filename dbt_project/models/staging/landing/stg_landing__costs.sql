-- One row per cost. One below 0 is a credit note.
with landed as (select * from {{ source("raw", "costs") }}),

withdrawals as (
    select * from {{ ref("stg_landing__withdrawals") }}
    where feed = 'costs'
),

settled as (
    select *
    from landed
    {{ latest_delivery(["cost_id"]) }}
),

stg_landing__costs as (
    select settled.*
    from settled
    left join withdrawals on settled.cost_id = withdrawals.record_id
    where withdrawals.record_id is null
)

select * from stg_landing__costs
