-- One row per creator, collaboration and month: commission earned, reversed, paid and clawed back, and what is owed.
{{ config(materialized="table") }}

with months as (select * from {{ ref("int_spend__payout_months") }}),

creators as (select * from {{ ref("int_agreement__creators_named") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

fct_payout_statement as (
    select
        cast(creators.creator_id as string) as creator_id,
        cast(months.collaboration_id as string) as collaboration_id,
        cast(months.month as date) as month,
        cast(base.currency as string) as base_currency,
        cast(months.accrued_base as decimal(38, 6)) as accrued_base,
        cast(months.reversed_base as decimal(38, 6)) as reversed_base,
        cast(months.paid_base as decimal(38, 6)) as paid_base,
        cast(months.clawed_back_base as decimal(38, 6)) as clawed_back_base,
        cast(months.balance_base as decimal(38, 6)) as balance_base,
        cast(months.data_origin as string) as data_origin
    from months
    cross join base
    inner join creators on months.collaboration_id = creators.collaboration_id
)

select * from fct_payout_statement
