-- One row per campaign.
with landed as (select * from {{ source("raw", "campaigns") }}),

stg_landing__campaigns as (
    select *
    from landed
    {{ latest_delivery(["campaign_id"]) }}
)

select * from stg_landing__campaigns
