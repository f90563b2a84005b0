-- One row per mention and UTC day on which a delivery has it.
with landed as (select * from {{ source("raw", "mentions") }}),

-- Settled within a day, so that a night reads its own days alone. A mention that two deliveries put on different days
-- stands on both, whichever came first; int_social__records_flagged names it.
stg_landing__mentions as (
    select *
    from landed
    {{ latest_delivery(["mention_id", "snapshot_date"]) }}
)

select * from stg_landing__mentions
