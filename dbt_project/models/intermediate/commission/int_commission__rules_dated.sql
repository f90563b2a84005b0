-- One row per commission rule and the days on which it holds, [first_day, end_day).
{{ config(materialized="view") }}

with rules as (select * from {{ ref("stg_landing__commission_rules") }}),

spans as (
    select
        *,
        lead(valid_from) over (partition by rule_id order by valid_from nulls last) as next_from
    from rules
),

-- Where two rows of a rule overlap the later one holds: an order never earns twice.
int_commission__rules_dated as (
    select
        rule_id,
        valid_from as first_day,
        kind,
        rate,
        currency,
        applies_to,
        first_x,
        least(coalesce(valid_to, date '9999-12-31'), coalesce(next_from, date '9999-12-31')) as end_day
    from spans
)

select * from int_commission__rules_dated
