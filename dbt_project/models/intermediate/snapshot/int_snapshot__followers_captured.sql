-- One row per account and capture that read its followers and is not held.
{{ config(materialized="view") }}

with captures as (select * from {{ ref("int_snapshot__counts_captured") }}),

held as (select * from {{ ref("int_snapshot__counts_held") }}),

int_snapshot__followers_captured as (
    select
        captures.platform,
        captures.account_id,
        captures.captured_at,
        captures.followers,
        captures.snapshot_date
    from captures
    left join held
        on captures.platform = held.platform
        and captures.account_id = held.account_id
        and captures.captured_at = held.captured_at
        and captures.snapshot_date = held.snapshot_date
        and held.metric = 'followers'
    where captures.followers is not null and held.account_id is null
)

select * from int_snapshot__followers_captured
