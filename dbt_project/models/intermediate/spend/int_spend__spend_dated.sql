-- One row per cost, per commission earned or reversed, and per day on which more or less is paid than had accrued.
{{ config(materialized="table") }}

with costs as (select * from {{ ref("int_spend__costs_rated") }}),

commissions as (select * from {{ ref("int_commission__commissions_accrued") }}),

commission_days as (select * from {{ ref("int_spend__commission_days") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

int_spend__spend_dated as (
    select
        'costs' as source,
        cost_id,
        collaboration_id,
        is_of_collaboration,
        campaign_id,
        brand,
        cost_type,
        cost_date,
        cast(amount as decimal(24, 6)) as amount,
        currency,
        fx_rate,
        is_spend,
        claimed_orders,
        data_origin,
        source_file,
        source_line,
        amount_base
    from costs

    union all

    select
        'commission_ledger' as source,
        commissions.entry_id as cost_id,
        commissions.collaboration_id,
        true as is_of_collaboration,
        collaborations.campaign_id,
        collaborations.brand,
        'commission' as cost_type,
        commissions.entry_date as cost_date,
        commissions.amount,
        commissions.currency,
        commissions.fx_rate,
        true as is_spend,
        cast(null as bigint) as claimed_orders,
        commissions.data_origin,
        cast(null as string) as source_file,
        cast(null as bigint) as source_line,
        commissions.amount_base
    from commissions
    inner join collaborations on commissions.collaboration_id = collaborations.collaboration_id

    union all

    -- Unknown from the day on which a payment has no rate: said once.
    select
        'commission_balance' as source,
        commission_days.collaboration_id || ':' || commission_days.entry_date as cost_id,
        commission_days.collaboration_id,
        true as is_of_collaboration,
        collaborations.campaign_id,
        collaborations.brand,
        'commission' as cost_type,
        commission_days.entry_date as cost_date,
        cast(round(commission_days.excess_base, 4) as decimal(24, 6)) as amount,
        base.currency,
        case when commission_days.excess_base is not null then cast(1 as decimal(18, 8)) end as fx_rate,
        true as is_spend,
        cast(null as bigint) as claimed_orders,
        commission_days.data_origin,
        cast(null as string) as source_file,
        cast(null as bigint) as source_line,
        cast(commission_days.excess_base as decimal(38, 6)) as amount_base
    from commission_days
    cross join base
    inner join collaborations on commission_days.collaboration_id = collaborations.collaboration_id
    where commission_days.excess_base <> 0 or commission_days.unrated_payments > 0
)

select * from int_spend__spend_dated
