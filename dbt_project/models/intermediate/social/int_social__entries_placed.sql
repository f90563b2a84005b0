-- One row per contest entry: whether it counts in its contest, and what it is the first of.
{{ config(materialized="table") }}

with entries as (select * from {{ ref("stg_landing__contest_entries") }}),

contests as (select * from {{ ref("int_social__contests_listed") }}),

days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

posts as (
    select distinct
        platform,
        post_id
    from entries
    where post_id is not null
),

post_reach as (
    select
        days.platform,
        days.post_id,
        {{ value_at_last("days.reach", "days.snapshot_date") }} as reach
    from days
    inner join posts on days.platform = posts.platform and days.post_id = posts.post_id
    where days.reach is not null
    group by days.platform, days.post_id
),

placed as (
    select
        entries.entry_id,
        entries.campaign_id,
        contests.brand,
        contests.campaign_id is null as is_campaign_unknown,
        coalesce(entries.snapshot_date between contests.start_date and contests.end_date, false) as is_counted,
        entries.platform,
        entries.account_id,
        {{ account_key("entries.") }} as participant,
        entries.post_id,
        entries.entered_at,
        entries.snapshot_date as entry_date,
        contests.start_date,
        contests.end_date,
        entries.customer_id,
        -- Nobody brings himself along.
        coalesce(entries.referrer_account_id <> entries.account_id, false) as is_referred,
        coalesce(entries.reach, post_reach.reach) as reach,
        entries.data_origin
    from entries
    left join contests on entries.campaign_id = contests.campaign_id
    left join post_reach on entries.platform = post_reach.platform and entries.post_id = post_reach.post_id
),

int_social__entries_placed as (
    select
        *,
        is_counted and row_number() over (
            partition by is_counted, campaign_id, participant order by entered_at, entry_id
        ) = 1 as is_first_of_contest,
        is_counted and row_number() over (
            partition by is_counted, brand, participant order by entered_at, entry_id
        ) = 1 as is_first_of_brand
    from placed
)

select * from int_social__entries_placed
