-- One row per commission rule and first day.
with landed as (select * from {{ source("raw", "commission_rules") }}),

stg_landing__commission_rules as (
    select *
    from landed
    {{ latest_delivery(["rule_id", "valid_from"]) }}
)

select * from stg_landing__commission_rules
