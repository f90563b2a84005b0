-- One row per cost, and per commission earned or reversed: what was spent, when, and for what.
{{ config(materialized="table") }}

with costs as (select * from {{ ref("stg_landing__costs") }}),

commissions as (select * from {{ ref("int_commission__commissions_accrued") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

rule_starts as (
    select
        rule_id,
        min(first_day) as first_day
    from {{ ref("int_commission__rules_dated") }}
    group by rule_id
),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

paid as (
    select
        'costs' as source,
        costs.cost_id,
        costs.collaboration_id,
        collaborations.collaboration_id is not null as is_of_collaboration,
        -- Where a cost and its collaboration name different campaigns the agreement decides.
        coalesce(collaborations.campaign_id, costs.campaign_id) as campaign_id,
        costs.cost_type,
        costs.cost_date,
        costs.amount,
        costs.currency,
        {{ rate_to_base("costs.currency", "rates.rate_to_base") }} as fx_rate,
        -- A commission that is paid where a rule had accrued it is not spent a second time.
        costs.cost_type <> 'commission' or coalesce(costs.cost_date < rule_starts.first_day, true) as is_spend,
        {{ extra_integer("costs.extra", "orders") }} as claimed_orders,
        costs.data_origin,
        costs.source_file,
        costs.source_line
    from costs
    cross join base
    left join collaborations on costs.collaboration_id = collaborations.collaboration_id
    left join rule_starts on collaborations.rule_id = rule_starts.rule_id
    left join rates on costs.currency = rates.currency and costs.cost_date = rates.rate_day
),

int_spend__spend_dated as (
    select
        *,
        {{ in_base("cast(amount as decimal(24, 6))", "fx_rate") }} as amount_base
    from paid

    union all

    select
        'commission_ledger' as source,
        commissions.entry_id as cost_id,
        commissions.collaboration_id,
        true as is_of_collaboration,
        collaborations.campaign_id,
        'commission' as cost_type,
        commissions.entry_date as cost_date,
        commissions.amount,
        commissions.currency,
        commissions.fx_rate,
        true as is_spend,
        cast(null as bigint) as claimed_orders,
        commissions.data_origin,
        cast(null as varchar) as source_file,
        cast(null as bigint) as source_line,
        commissions.amount_base
    from commissions
    inner join collaborations on commissions.collaboration_id = collaborations.collaboration_id
)

select * from int_spend__spend_dated
