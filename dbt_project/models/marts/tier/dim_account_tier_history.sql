-- One row per account, scheme and day on which the account began to hold a tier.
{{ config(materialized="table") }}

with turns as (select * from {{ ref("int_tier__turns_detected") }}),

spans as (
    select
        *,
        lead(snapshot_date) over (partition by platform, account_id, scheme order by snapshot_date) as valid_to
    from turns
),

dim_account_tier_history as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(scheme as varchar) as scheme,
        cast(snapshot_date as date) as valid_from,
        cast(tier as varchar) as tier,
        cast(valid_to as date) as valid_to,
        cast(previous_tier as varchar) as previous_tier,
        cast(direction as varchar) as direction,
        cast({{ days_between("snapshot_date", "valid_to") }} as integer) as days_in_tier,
        cast(data_origin as varchar) as data_origin
    from spans
)

select * from dim_account_tier_history
