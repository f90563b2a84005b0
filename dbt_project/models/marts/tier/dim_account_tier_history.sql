-- One row per account, scheme and day on which the account began to hold a tier.
{{ config(materialized="table") }}

-- Platforms of which too few days are kept to tell which tier is held.
with short as (select * from {{ source("meta", "config_retention") }}),

accounts as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

newest as (select max(snapshot_date) as snapshot_date from accounts),

config_schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

schemes as (select distinct scheme from config_schemes),

changes as (
    select * from {{ ref("int_tier__changes_detected") }}
    where platform not in (select short.platform from short)
),

kept_shortly as (
    select
        accounts.platform,
        accounts.account_id,
        schemes.scheme,
        accounts.first_seen_date,
        accounts.data_origin
    from accounts
    inner join newest on accounts.snapshot_date = newest.snapshot_date
    inner join short on accounts.platform = short.platform
    cross join schemes
),

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
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(scheme as string) as scheme,
        cast(snapshot_date as date) as valid_from,
        cast(tier as string) as tier,
        cast(valid_to as date) as valid_to,
        cast(previous_tier as string) as previous_tier,
        cast(direction as string) as direction,
        cast({{ days_between("snapshot_date", "valid_to") }} as integer) as days_in_tier,
        cast(null as string) as insufficient_reason,
        cast(data_origin as string) as data_origin
    from spans
    union all
    select
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(scheme as string) as scheme,
        cast(first_seen_date as date) as valid_from,
        'insufficient_data' as tier,
        cast(null as date) as valid_to,
        cast(null as string) as previous_tier,
        'entry' as direction,
        cast(null as integer) as days_in_tier,
        'retention' as insufficient_reason,
        cast(data_origin as string) as data_origin
    from kept_shortly
)

select * from dim_account_tier_history
