-- One row per post, account that shows it and author that is named with it, on the UTC day of the first such capture.
-- A night adds new posts alone: who shows a post is known without reading all of its captures.
with captures as (select * from {{ ref("stg_landing__post_snapshots") }}),

planned as (
    {{ planned_dates("int_snapshot__post_showings") }}
),

shown as (
    select
        platform,
        post_id,
        account_id,
        -- Part of the key, so empty where none is named.
        coalesce(author_account_id, '') as author_account_id,
        min(captured_at) as captured_at,
        max(data_origin) as data_origin,
        min(snapshot_date) as snapshot_date
    from captures
    where snapshot_date in (select planned.snapshot_date from planned)
    group by platform, post_id, account_id, coalesce(author_account_id, '')
),

-- What this run has yet to make is not there.
standing_rows as (
    select standing.*
    from {{ this }} as standing
    where standing.snapshot_date not in (select planned.snapshot_date from planned)
),

int_snapshot__post_showings as (
    select shown.*
    from shown
    left join standing_rows
        on shown.platform = standing_rows.platform
        and shown.post_id = standing_rows.post_id
        and shown.account_id = standing_rows.account_id
        and shown.author_account_id = standing_rows.author_account_id
        and shown.snapshot_date > standing_rows.snapshot_date
    where standing_rows.post_id is null
)

select * from int_snapshot__post_showings
