-- One row per live session.
with landed as (select * from {{ source("raw", "live_sessions") }}),

stg_landing__live_sessions as (
    select *
    from landed
    {{ latest_delivery(["live_session_id"]) }}
)

select * from stg_landing__live_sessions
