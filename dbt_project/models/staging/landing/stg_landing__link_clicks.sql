-- One row per click on a tracked link.
with landed as (select * from {{ source("raw", "link_clicks") }}),

stg_landing__link_clicks as (
    select *
    from landed
    {{ latest_delivery(["click_id"]) }}
)

select * from stg_landing__link_clicks
