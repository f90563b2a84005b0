-- One row per hashtag, UTC day on which posts were first seen with it, and tier of their accounts.
with hashtag_tiers as (select * from {{ ref("int_social__hashtag_tiers_counted") }}),

fct_hashtag_tier_daily as (
    select
        cast(platform as string) as platform,
        cast(hashtag as string) as hashtag,
        cast(snapshot_date as date) as snapshot_date,
        cast(tier as string) as tier,
        cast(posts as bigint) as posts,
        cast(accounts as bigint) as accounts,
        cast(smallest as bigint) as smallest_followers,
        cast(data_origin as string) as data_origin
    from hashtag_tiers
)

select * from fct_hashtag_tier_daily
