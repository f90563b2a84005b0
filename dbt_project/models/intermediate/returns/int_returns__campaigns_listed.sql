-- One row per campaign that is landed, or that a collaboration or cost names, and `(always-on)` for what names none.
{{ config(materialized="view") }}

with campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

spend as (select * from {{ ref("int_spend__spend_dated") }}),

named as (
    select campaign_id
    from campaigns
    union
    select {{ campaign_or_always_on("campaign_id") }} as campaign_id
    from collaborations
    union
    select {{ campaign_or_always_on("campaign_id") }} as campaign_id
    from spend
),

int_returns__campaigns_listed as (
    select
        named.campaign_id,
        campaigns.brand,
        campaigns.name,
        campaigns.objective,
        campaigns.start_date,
        campaigns.end_date,
        campaigns.budget,
        campaigns.currency,
        campaigns.data_origin
    from named
    left join campaigns on named.campaign_id = campaigns.campaign_id
)

select * from int_returns__campaigns_listed
