-- One row per account, scheme and day on which the account began to hold a tier.
{{ config(materialized="table") }}

with turns as (select * from {{ ref("int_tier__changes_detected") }}),

-- Most accounts never leave their first tier, and one row needs no order.
moved as {{ made_first() }} (
    select distinct
        platform,
        account_id,
        scheme
    from turns
    where direction <> 'entry'
),

spans as (
    select
        turns.*,
        lead(turns.snapshot_date) over (
            partition by turns.platform, turns.account_id, turns.scheme order by turns.snapshot_date
        ) as valid_to
    from turns
    inner join moved
        on turns.platform = moved.platform and turns.account_id = moved.account_id and turns.scheme = moved.scheme
    union all
    select
        turns.*,
        cast(null as date) as valid_to
    from turns
    left join moved
        on turns.platform = moved.platform and turns.account_id = moved.account_id and turns.scheme = moved.scheme
    where moved.platform is null
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
