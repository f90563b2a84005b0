-- One row per collaboration and scheme: tier and followers of its account by the day that its tier is of.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

account_days as (
    select * from {{ ref("int_snapshot__account_days_deduplicated") }}
    where followers is not null
),

schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

-- A tier is that of the scheme that holds on the day of the count.
known as (
    select
        collaborations.collaboration_id,
        collaborations.tier_platform as platform,
        max(account_days.snapshot_date) as snapshot_date,
        {{ value_at_last("account_days.followers", "account_days.snapshot_date") }} as followers,
        max(account_days.data_origin) as data_origin
    from collaborations
    inner join account_days
        on collaborations.tier_platform = account_days.platform
        and collaborations.tier_account_id = account_days.account_id
        and {{ is_known_by("account_days.snapshot_date", "collaborations.tier_date") }}
    group by collaborations.collaboration_id, collaborations.tier_platform
),

{{ tiered_from("known") }},

scheme_names as (
    select distinct scheme
    from schemes
),

-- No tier where no count is known, or the scheme says nothing of the platform.
int_returns__collaborations_tiered as (
    select
        collaborations.collaboration_id,
        scheme_names.scheme,
        tiered.tier,
        known.followers,
        known.data_origin
    from collaborations
    cross join scheme_names
    left join known on collaborations.collaboration_id = known.collaboration_id
    left join tiered
        on collaborations.collaboration_id = tiered.collaboration_id and scheme_names.scheme = tiered.scheme
)

select * from int_returns__collaborations_tiered
