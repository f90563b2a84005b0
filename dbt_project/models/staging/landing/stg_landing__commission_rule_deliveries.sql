-- One row per commission rule, first day and delivery of it, numbered from the first.
with landed as (select * from {{ source("raw", "commission_rules") }}),

stg_landing__commission_rule_deliveries as (
    select
        rule_id,
        valid_from,
        kind,
        rate,
        currency,
        cast(as_of as date) as delivered_on,
        row_number() over (
            partition by rule_id, valid_from
            order by {{ delivery_order(["source_line"]) }}
        ) as delivery_number
    from landed
)

select * from stg_landing__commission_rule_deliveries
