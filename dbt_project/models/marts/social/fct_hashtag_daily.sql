-- One row per hashtag and UTC day on which posts were first seen with it.
with hashtags as (select * from {{ ref("int_social__hashtags_counted") }}),

hashtag_tiers as (select * from {{ ref("fct_hashtag_tier_daily") }}),

tracked as (select * from {{ ref("int_social__hashtags_tracked") }}),

-- Of two tiers with as many accounts the smaller is named.
spread as (
    select
        platform,
        hashtag,
        snapshot_date,
        sum(accounts) as accounts_with_tier,
        count(*) as tiers,
        {{ value_at_last("tier", "(accounts, -smallest_followers)") }} as largest_tier,
        max(accounts) as accounts_of_largest
    from hashtag_tiers
    group by platform, hashtag, snapshot_date
),

fct_hashtag_daily as (
    select
        cast(hashtags.platform as string) as platform,
        cast(hashtags.hashtag as string) as hashtag,
        cast(hashtags.snapshot_date as date) as snapshot_date,
        cast(tracked.hashtag is not null as boolean) as is_tracked,
        cast(hashtags.posts as bigint) as posts,
        cast(hashtags.accounts as bigint) as accounts,
        cast(coalesce(spread.accounts_with_tier, 0) as bigint) as accounts_with_tier,
        cast(spread.tiers as bigint) as tiers,
        cast(spread.largest_tier as string) as largest_tier,
        cast({{ ratio("spread.accounts_of_largest", "spread.accounts_with_tier") }} as double) as largest_tier_share,
        cast(hashtags.posts_7d as bigint) as posts_7d,
        cast(hashtags.posts_previous_7d as bigint) as posts_previous_7d,
        cast(
            {{ ratio("(hashtags.posts_7d - hashtags.posts_previous_7d)", "hashtags.posts_previous_7d") }} as double
        ) as growth_7d,
        cast(hashtags.data_origin as string) as data_origin
    from hashtags
    left join spread
        on hashtags.platform = spread.platform
        and hashtags.hashtag = spread.hashtag
        and hashtags.snapshot_date = spread.snapshot_date
    left join tracked on hashtags.hashtag = tracked.hashtag
)

select * from fct_hashtag_daily
