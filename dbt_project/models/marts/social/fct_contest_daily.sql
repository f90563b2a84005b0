-- One row per contest and UTC day of it up to the last day built.
{{ config(materialized="table") }}

with contests as (
    select * from {{ ref("int_social__contests_listed") }}
    where has_entries
),

entries as (
    select * from {{ ref("int_social__entries_placed") }}
    where is_counted
),

days as (
    select
        campaign_id,
        brand,
        data_origin,
        {{ each_day("start_date", "last_day") }} as entry_date
    from contests
),

counted as (
    select
        campaign_id,
        entry_date,
        count(*) as entries,
        count_if(is_first_of_contest) as first_entries,
        count_if(is_first_of_brand) as new_participants,
        max(data_origin) as data_origin
    from entries
    group by campaign_id, entry_date
),

-- A day of a contest without an entry is 0: entries are landed, and none is of that day.
filled as (
    select
        days.campaign_id,
        days.brand,
        days.entry_date,
        coalesce(counted.entries, 0) as entries,
        coalesce(counted.first_entries, 0) as first_entries,
        coalesce(counted.new_participants, 0) as new_participants,
        greatest(days.data_origin, counted.data_origin) as data_origin
    from days
    left join counted on days.campaign_id = counted.campaign_id and days.entry_date = counted.entry_date
),

fct_contest_daily as (
    select
        cast(campaign_id as string) as campaign_id,
        cast(entry_date as date) as activity_date,
        cast(brand as string) as brand,
        cast(entries as bigint) as entries,
        cast(first_entries as bigint) as first_entries,
        cast(new_participants as bigint) as new_participants,
        cast(data_origin as string) as data_origin
    from filled
)

select * from fct_contest_daily
