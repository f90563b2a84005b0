-- One row per account, UTC day with a capture of its followers, and day on which some of them came: the last capture.
{{ config(materialized="view") }}

with captures as (
    select * from {{ ref("stg_landing__follower_arrivals") }}
    where snapshot_date in ({{ planned_dates("fct_follower_arrival") }})
),

-- A capture counts all that are there, so that a day of which all have left is in the later one no more.
last_captures as (
    select
        platform,
        account_id,
        snapshot_date,
        max(captured_at) as captured_at
    from captures
    group by platform, account_id, snapshot_date
),

int_snapshot__arrivals_deduplicated as (
    select captures.*
    from captures
    inner join last_captures
        on captures.platform = last_captures.platform
        and captures.account_id = last_captures.account_id
        and captures.captured_at = last_captures.captured_at
)

select * from int_snapshot__arrivals_deduplicated
