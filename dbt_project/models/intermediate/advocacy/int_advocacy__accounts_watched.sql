-- One row per listed account of which a post was captured: the last day on which that was so.
{{ config(materialized="table") }}

with listed as (
    select distinct
        platform,
        account_id
    from {{ ref("int_advocacy__accounts_listed") }}
),

days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

int_advocacy__accounts_watched as (
    select
        days.platform,
        days.account_id,
        max(days.snapshot_date) as last_watched_date
    from days
    inner join listed on days.platform = listed.platform and days.account_id = listed.account_id
    group by days.platform, days.account_id
)

select * from int_advocacy__accounts_watched
