-- One row per campaign that is a contest, by its objective or because it has entries.
{{ config(materialized="view") }}

with campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

entries as (select * from {{ ref("stg_landing__contest_entries") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- Without a single entry of any contest nobody knows whether there were none or nobody sent them.
landed as (
    select count(*) > 0 as has_entries
    from entries
),

int_social__contests_listed as (
    select
        campaigns.campaign_id,
        campaigns.brand,
        campaigns.name,
        campaigns.start_date,
        campaigns.end_date,
        campaigns.data_origin,
        landed.has_entries,
        base.as_of_date,
        base.currency as base_currency,
        least(campaigns.end_date, base.as_of_date) as last_day,
        campaigns.end_date <= base.as_of_date as is_over
    from campaigns
    cross join base
    cross join landed
    where
        campaigns.objective = 'contest'
        or campaigns.campaign_id in (select entries.campaign_id from entries)
)

select * from int_social__contests_listed
