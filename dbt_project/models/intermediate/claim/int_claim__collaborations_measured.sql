-- One row per collaboration: what its account was on the day of its first post, what a post cost and what it brought.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

returns as (
    select *
    from {{ ref("fct_collaboration_roi") }}
    where attribution_model = 'linear'
),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

known as (
    select tiered.*
    from {{ ref("int_returns__collaborations_tiered") }} as tiered
    inner join default_scheme on tiered.scheme = default_scheme.scheme
),

int_claim__collaborations_measured as (
    select
        collaborations.collaboration_id,
        collaborations.campaign_id,
        collaborations.tier_platform as platform,
        collaborations.tier_account_id as account_id,
        collaborations.partner_type,
        known.tier,
        known.followers,
        returns.posts,
        returns.base_currency,
        returns.spend_base,
        returns.spend_fee_base,
        {{ ratio("returns.spend_base", "returns.posts") }} as spend_per_post,
        {{ ratio("returns.spend_fee_base", "returns.posts") }} as fee_per_post,
        {{ ratio("returns.orders", "returns.posts") }} as orders_per_post,
        greatest(returns.data_origin, coalesce(known.data_origin, returns.data_origin)) as data_origin
    from collaborations
    inner join returns on collaborations.collaboration_id = returns.collaboration_id
    left join known on collaborations.collaboration_id = known.collaboration_id
)

select * from int_claim__collaborations_measured
