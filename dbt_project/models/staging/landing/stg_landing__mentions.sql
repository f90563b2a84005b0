-- One row per mention.
with landed as (select * from {{ source("raw", "mentions") }}),

stg_landing__mentions as (
    select *
    from landed
    {{ latest_delivery(["mention_id"]) }}
)

select * from stg_landing__mentions
