-- One row per commission earned by an order, and per reversal by a line of a refund, or by a cancellation, of it.
-- One model: a reversal is a difference of two shares of its own accrual.
{{ config(materialized="table") }}

with earned as (select * from {{ ref("int_commission__earners_resolved") }}),

orders as (select * from {{ ref("int_order__orders_valued") }}),

refunds as (select * from {{ ref("int_order__refunds_applied") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

rules as (select * from {{ ref("int_commission__rules_dated") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- The row of a rule is that of the order's own day; a renewal may keep that of its first order's day.
ruled as (
    select
        earned.*,
        versions.rule_id,
        case
            when earned.earned_by = 'renewal' and first_rules.renewals_at = 'first_order' then earned.first_order_day
            else orders.agreement_day
        end as rule_day
    from earned
    inner join orders on {{ same_in_shop("earned", "orders", "order_id") }}
    inner join versions
        on earned.collaboration_id = versions.collaboration_id
        and {{ is_within("earned.agreed_day", "versions") }}
    left join rules as first_rules
        on versions.rule_id = first_rules.rule_id
        and earned.first_order_day >= first_rules.first_day
        and earned.first_order_day < first_rules.end_day
),

-- A rule for a first order or for the first renewals ends there; a lifetime rule alone reaches a customer's other
-- orders.
applicable as (
    select
        orders.shop,
        orders.order_id,
        orders.order_date,
        orders.charged_amount,
        orders.net_amount,
        orders.data_origin,
        ruled.collaboration_id,
        ruled.earned_by,
        rules.rule_id,
        rules.kind,
        rules.rate,
        case when rules.kind = 'percent' then orders.currency else coalesce(rules.currency, orders.currency) end
            as currency,
        -- A rate of a percent rule is in per cent, of a fixed one an amount for each order.
        case
            when rules.kind = 'percent'
                then cast(round(orders.net_amount * rules.rate, 6) as decimal(34, 6)) * cast(0.01 as decimal(3, 2))
            else cast(rules.rate as decimal(18, 8)) * cast(orders.order_count as decimal(16, 0))
        end as exact_amount
    from ruled
    inner join orders on {{ same_in_shop("ruled", "orders", "order_id") }}
    inner join rules
        on ruled.rule_id = rules.rule_id
        and ruled.rule_day >= rules.first_day
        and ruled.rule_day < rules.end_day
    where
        orders.net_amount is not null
        and case rules.applies_to
            when 'lifetime' then true
            when 'all_renewals' then ruled.earned_by <> 'lifetime'
            when 'first_x' then ruled.earned_by <> 'lifetime' and orders.renewal_number <= coalesce(rules.first_x, 0)
            else ruled.earned_by <> 'lifetime' and orders.renewal_number = 0
        end
),

accruals as (
    select
        applicable.*,
        cast(round(applicable.exact_amount, 4) as decimal(24, 6)) as amount,
        {{ rate_to_base("applicable.currency", "rates.rate_to_base") }} as fx_rate
    from applicable
    cross join base
    left join rates on applicable.currency = rates.currency and applicable.order_date = rates.rate_day
),

-- As with net revenue, running shares whose differences are exact together.
reversals as (
    select
        accruals.*,
        refunds.event_type,
        refunds.refund_id,
        refunds.refund_line_id,
        refunds.applied_date,
        refunds.data_origin as refund_origin,
        case
            when refunds.event_type = 'cancellation' then accruals.amount
            else {{ exact_share("accruals.amount", "refunds.net_taken", "accruals.net_amount") }}
        end as amount_after,
        -- A free order may have earned a fixed commission, which nothing but its cancellation reverses.
        case
            when accruals.net_amount = 0 then 0
            else {{ exact_share("accruals.amount", "refunds.net_taken_before", "accruals.net_amount") }}
        end as amount_before
    from accruals
    inner join refunds on {{ same_in_shop("accruals", "refunds", "order_id") }}
    where refunds.net_taken is not null and (accruals.net_amount > 0 or refunds.event_type = 'cancellation')
),

int_commission__commissions_accrued as (
    select
        'accrual:' || {{ entry_name("shop", "order_id", "'#1'") }} as entry_id,
        'accrual' as entry_type,
        shop,
        order_id,
        cast(null as string) as refund_id,
        cast(null as string) as refund_line_id,
        collaboration_id,
        rule_id,
        earned_by,
        order_date as entry_date,
        net_amount as base_amount,
        kind,
        rate,
        amount,
        currency,
        fx_rate,
        {{ in_base("amount", "fx_rate") }} as amount_base,
        data_origin
    from accruals

    union all

    select
        case when event_type = 'refund' then 'reversal:' else 'cancellation:' end
        || {{ entry_name("shop", "refund_id", "refund_line_id") }} as entry_id,
        'reversal' as entry_type,
        shop,
        order_id,
        case when event_type = 'refund' then refund_id end as refund_id,
        case when event_type = 'refund' then refund_line_id end as refund_line_id,
        collaboration_id,
        rule_id,
        earned_by,
        applied_date as entry_date,
        net_amount as base_amount,
        kind,
        rate,
        amount_before - amount_after as amount,
        currency,
        fx_rate,
        {{ in_base("amount_before", "fx_rate") }} - {{ in_base("amount_after", "fx_rate") }} as amount_base,
        greatest(data_origin, refund_origin) as data_origin
    from reversals
)

select * from int_commission__commissions_accrued
