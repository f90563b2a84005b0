-- One row per collaboration: what its account was on the day of its first post, what a post cost and what it brought.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_commerce__collaborations_checked") }}),

returns as (
    select *
    from {{ ref("fct_collaboration_roi") }}
    where model = 'linear'
),

account_days as (select * from {{ ref("fct_account_daily") }}),

-- The last count by then, at most seven days before.
known as (
    select
        collaborations.collaboration_id,
        max_by(account_days.tier, account_days.snapshot_date) as tier,
        max_by(account_days.followers, account_days.snapshot_date) as followers,
        max(account_days.data_origin) as data_origin
    from collaborations
    inner join account_days
        on collaborations.tier_platform = account_days.platform
        and collaborations.tier_account_id = account_days.account_id
        and account_days.snapshot_date
        between {{ add_days("collaborations.tier_date", -7) }} and collaborations.tier_date
    where account_days.followers is not null
    group by collaborations.collaboration_id
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
