-- One row per account and capture that read its followers or its total of views.
with captures as (select * from {{ ref("stg_landing__account_snapshots") }}),

-- Kept beside the days: a capture need not be the last of its day to be the count that a later one is compared with.
int_snapshot__counts_captured as (
    select
        platform,
        account_id,
        captured_at,
        followers,
        views_total,
        snapshot_date
    from captures
    where
        (followers is not null or views_total is not null)
        and snapshot_date in ({{ planned_dates("int_snapshot__counts_captured") }})
)

select * from int_snapshot__counts_captured
