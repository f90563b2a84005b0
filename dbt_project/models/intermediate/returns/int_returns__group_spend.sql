-- One row per grouping, group and entry of spend that belongs to it.
{{ config(materialized="view") }}

with spend as (select * from {{ ref("int_spend__spend_dated") }}),

members as (select * from {{ ref("int_returns__group_members") }}),

schemes as (
    select distinct scheme
    from {{ source("meta", "config_tier_schemes") }}
),

-- Costs of a whole campaign, or of a collaboration that is not landed, belong to no tier.
int_returns__group_spend as (
    select
        members.grouped_by,
        members.group_id,
        spend.cost_date,
        spend.cost_type,
        spend.amount_base,
        spend.is_spend,
        spend.data_origin
    from spend
    inner join members on spend.collaboration_id = members.collaboration_id
    where members.grouped_by in ('collaboration', 'tier')

    union all

    select
        'campaign' as grouped_by,
        {{ campaign_or_always_on("campaign_id") }} as group_id,
        cost_date,
        cost_type,
        amount_base,
        is_spend,
        data_origin
    from spend

    union all

    select
        'tier' as grouped_by,
        {{ tier_group(
            "schemes.scheme", "'unallocated'", "'unallocated'", "'(all)'", "coalesce(spend.brand, '(unknown)')",
            campaign_or_always_on("spend.campaign_id"),
        ) }} as group_id,
        spend.cost_date,
        spend.cost_type,
        spend.amount_base,
        spend.is_spend,
        spend.data_origin
    from spend
    cross join schemes
    where not spend.is_of_collaboration
)

select * from int_returns__group_spend
