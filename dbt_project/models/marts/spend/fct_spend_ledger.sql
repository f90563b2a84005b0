-- One row per cost, and per commission earned or reversed.
{{ config(materialized="table") }}

with spend as (select * from {{ ref("int_spend__spend_dated") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

fct_spend_ledger as (
    select
        cast(spend.source as string) as source,
        cast(spend.cost_id as string) as cost_id,
        cast(
            case
                when spend.is_of_collaboration then spend.collaboration_id
                when spend.campaign_id is not null then '(campaign)'
                else '(overhead)'
            end as string
        ) as collaboration_id,
        cast({{ campaign_or_always_on("spend.campaign_id") }} as string) as campaign_id,
        cast(spend.brand as string) as brand,
        cast(
            case
                when spend.is_of_collaboration then 'collaboration'
                when spend.campaign_id is not null then 'campaign'
                else 'overhead'
            end as string
        ) as scope,
        cast(spend.cost_type as string) as cost_type,
        cast(spend.cost_date as date) as activity_date,
        cast(spend.amount as decimal(24, 6)) as amount,
        cast(spend.currency as string) as currency,
        cast(spend.fx_rate as decimal(18, 8)) as fx_rate,
        cast(spend.amount_base as decimal(38, 6)) as amount_base,
        cast(base.currency as string) as base_currency,
        cast(spend.is_spend as boolean) as is_spend,
        cast(spend.data_origin as string) as data_origin,
        cast(spend.source_file as string) as source_file,
        cast(spend.source_line as bigint) as source_line
    from spend
    cross join base
)

select * from fct_spend_ledger
