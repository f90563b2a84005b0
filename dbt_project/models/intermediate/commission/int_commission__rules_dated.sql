-- One row per commission rule and the days on which it holds, [first_day, end_day).
{{ config(materialized="table") }}

with rules as (select * from {{ ref("stg_landing__commission_rules") }}),

-- Where two rows of a rule overlap the later one holds: an order never earns twice.
spans as (
    select
        *,
        least(
            coalesce(valid_to, date '9999-12-31'),
            coalesce(lead(valid_from) over (partition by rule_id order by valid_from nulls last), date '9999-12-31')
        ) as last_end
    from rules
),

followed as (
    select
        *,
        lag(kind) over along as kind_before,
        lag(rate) over along as rate_before,
        lag(currency) over along as currency_before
    from {{ ref("stg_landing__commission_rule_deliveries") }}
    window along as (partition by rule_id, valid_from order by delivery_number)
),

-- Another rate under the same first day holds from the day of its delivery: what was earned before stays.
rated as (
    select
        rule_id,
        valid_from,
        kind,
        rate,
        currency,
        delivery_number > 1 as is_rate_changed,
        case when delivery_number = 1 then valid_from else greatest(valid_from, delivered_on) end as first_day,
        lead(greatest(valid_from, delivered_on)) over (partition by rule_id, valid_from order by delivery_number)
            as next_from
    from followed
    where
        delivery_number = 1
        or not {{ is_same("kind", "kind_before") }}
        or not {{ is_same("rate", "rate_before") }}
        or not {{ is_same("currency", "currency_before") }}
),

int_commission__rules_dated as (
    select
        rated.rule_id,
        rated.valid_from,
        rated.first_day,
        rated.kind,
        rated.rate,
        rated.currency,
        spans.applies_to,
        spans.first_x,
        spans.renewals_at,
        rated.is_rate_changed,
        least(spans.last_end, coalesce(rated.next_from, spans.last_end)) as end_day
    from rated
    inner join spans on rated.rule_id = spans.rule_id and rated.valid_from = spans.valid_from
    where rated.first_day < least(spans.last_end, coalesce(rated.next_from, spans.last_end))
)

select * from int_commission__rules_dated
