-- One row per account and capture that read its followers.
with captures as (select * from {{ ref("stg_landing__account_snapshots") }}),

-- Kept beside the days: a post is compared with the last capture before it, which need not be the last of its day.
int_snapshot__followers_captured as (
    select
        platform,
        account_id,
        captured_at,
        followers,
        snapshot_date
    from captures
    where
        followers is not null
        and snapshot_date in ({{ planned_dates("int_snapshot__followers_captured") }})
)

select * from int_snapshot__followers_captured
