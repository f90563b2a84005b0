-- One row per hashtag, planned day and tier of the accounts whose posts were first seen with it.
{{ config(materialized="view") }}

with added as (
    select * from {{ ref("int_social__hashtags_added") }}
    where tier is not null and snapshot_date in ({{ planned_dates("fct_hashtag_tier_daily") }})
),

int_social__hashtag_tiers_counted as (
    select
        platform,
        hashtag,
        snapshot_date,
        tier,
        count(*) as posts,
        count(distinct account_id) as accounts,
        min(followers) as smallest,
        max(data_origin) as data_origin
    from added
    group by platform, hashtag, snapshot_date, tier
)

select * from int_social__hashtag_tiers_counted
