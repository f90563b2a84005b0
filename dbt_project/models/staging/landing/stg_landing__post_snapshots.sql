-- One row per post and capture instant, of the planned days.
with landed as (select * from {{ source("raw", "post_snapshots") }}),

stg_landing__post_snapshots as (
    select *
    from landed
    {{ latest_delivery(["platform", "post_id", "captured_at"]) }}
)

select * from stg_landing__post_snapshots
