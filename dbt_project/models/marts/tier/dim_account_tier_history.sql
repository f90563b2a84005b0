-- One row per account, scheme and day on which the account began to hold a tier.
{{ config(materialized="table") }}

with changes as (select * from {{ ref("int_tier__changes_detected") }}),

-- Most accounts never leave their first tier, and one row needs no order.
moved as {{ made_first() }} (
    select distinct
        platform,
        account_id,
        scheme
    from changes
    where direction <> 'entry'
),

spans as (
    select
        changes.*,
        lead(changes.snapshot_date) over (
            partition by changes.platform, changes.account_id, changes.scheme order by changes.snapshot_date
        ) as valid_to
    from changes
    inner join moved
        on changes.platform = moved.platform and changes.account_id = moved.account_id and changes.scheme = moved.scheme
    union all
    select
        changes.*,
        cast(null as date) as valid_to
    from changes
    left join moved
        on changes.platform = moved.platform and changes.account_id = moved.account_id and changes.scheme = moved.scheme
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
