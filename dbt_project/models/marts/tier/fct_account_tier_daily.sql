-- One row per account, UTC day with a capture and scheme: the tier of that day's followers.
with days as (
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        data_origin
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where snapshot_date in ({{ planned_dates("fct_account_tier_daily") }})
),

schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

{{ tiered_from("days") }},

fct_account_tier_daily as (
    select
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(scheme as string) as scheme,
        cast(tier as string) as tier,
        cast(data_origin as string) as data_origin
    from tiered
)

select * from fct_account_tier_daily
