-- One row per account, content type and first day.
with landed as (select * from {{ source("raw", "rate_cards") }}),

stg_landing__rate_cards as (
    select *
    from landed
    {{ latest_delivery(["platform", "account_id", "content_type", "valid_from"]) }}
)

select * from stg_landing__rate_cards
