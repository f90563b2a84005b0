-- One row per entry of a contest.
with landed as (select * from {{ source("raw", "contest_entries") }}),

stg_landing__contest_entries as (
    select *
    from landed
    {{ latest_delivery(["entry_id"]) }}
)

select * from stg_landing__contest_entries
