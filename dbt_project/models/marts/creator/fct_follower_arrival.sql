-- One row per account, UTC day with a capture of its followers, and day on which some of them came.
with arrivals as (
    select * from {{ ref("int_snapshot__arrivals_deduplicated") }}
    where snapshot_date in ({{ planned_dates("fct_follower_arrival") }})
),

fct_follower_arrival as (
    select
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(arrival_date as date) as arrival_date,
        cast(followers as bigint) as surviving_followers,
        cast(data_origin as string) as data_origin
    from arrivals
)

select * from fct_follower_arrival
