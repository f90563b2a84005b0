-- One row per commission earned by an order, and per reversal of it by a refund.
{{ config(materialized="table") }}

with commissions as (select * from {{ ref("int_commission__commissions_accrued") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

fct_commission_ledger as (
    select
        cast(commissions.entry_id as string) as entry_id,
        cast(commissions.entry_type as string) as entry_type,
        cast(commissions.shop as string) as shop,
        cast(commissions.order_id as string) as order_id,
        cast(commissions.refund_id as string) as refund_id,
        cast(commissions.refund_line_id as string) as refund_line_id,
        cast(commissions.collaboration_id as string) as collaboration_id,
        cast(commissions.earned_by as string) as earned_by,
        cast(commissions.rule_id as string) as rule_id,
        cast(commissions.kind as string) as kind,
        cast(commissions.rate as decimal(18, 8)) as rate,
        cast(commissions.entry_date as date) as activity_date,
        cast(commissions.base_amount as decimal(22, 6)) as base_amount,
        cast(commissions.amount as decimal(24, 6)) as amount,
        cast(commissions.currency as string) as currency,
        cast(commissions.fx_rate as decimal(18, 8)) as fx_rate,
        cast(commissions.amount_base as decimal(38, 6)) as amount_base,
        cast(base.currency as string) as base_currency,
        cast(commissions.data_origin as string) as data_origin
    from commissions
    cross join base
)

select * from fct_commission_ledger
