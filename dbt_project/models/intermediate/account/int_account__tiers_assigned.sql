-- One row per account, planned day and scheme that is defined for the account's platform on that day.
{{ config(materialized="view") }}

with days as (
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        data_origin
    from {{ ref("int_account__days_observed") }}
    where snapshot_date in ({{ planned_dates("fct_account_tier_daily") }})
),

schemes as (select * from {{ ref("tier_schemes") }}),

{{ tiered_from("days") }},

int_account__tiers_assigned as (
    select
        platform,
        account_id,
        snapshot_date,
        scheme,
        data_origin,
        tier
    from tiered
)

select * from int_account__tiers_assigned
