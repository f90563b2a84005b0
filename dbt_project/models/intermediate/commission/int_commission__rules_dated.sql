-- One row per commission rule and the days on which it holds, [first_day, end_day).
{{ config(materialized="table") }}

with rules as (select * from {{ ref("stg_landing__commission_rules") }}),

deliveries as (select * from {{ ref("stg_landing__commission_rule_deliveries") }}),

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

compared as (
    select
        *,
        delivery_number = 1
        or kind is distinct from lag(kind) over along
        or rate is distinct from lag(rate) over along
        or currency is distinct from lag(currency) over along as is_change
    from deliveries
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
        case when delivery_number = 1 then valid_from else greatest(valid_from, delivered_on) end as first_day,
        delivery_number > 1 as is_rate_changed,
        lead(greatest(valid_from, delivered_on)) over (partition by rule_id, valid_from order by delivery_number)
            as next_from
    from compared
    where is_change
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
        least(spans.last_end, coalesce(rated.next_from, spans.last_end)) as end_day,
        rated.is_rate_changed
    from rated
    inner join spans on rated.rule_id = spans.rule_id and rated.valid_from = spans.valid_from
    where rated.first_day < least(spans.last_end, coalesce(rated.next_from, spans.last_end))
)

select * from int_commission__rules_dated
