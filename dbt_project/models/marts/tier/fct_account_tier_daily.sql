-- One row per account, UTC day with a capture and scheme: the tier of that day's followers.
with tiers as (select * from {{ ref("int_account__tiers_assigned") }}),

fct_account_tier_daily as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(scheme as varchar) as scheme,
        cast(tier as varchar) as tier,
        cast(data_origin as varchar) as data_origin
    from tiers
)

select * from fct_account_tier_daily
