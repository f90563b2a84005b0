-- One row per platform, scheme, pair of neighbouring tiers and horizon in days: how many accounts turned up in time.
{{ config(materialized="table") }}

with history as (select * from {{ ref("dim_account_tier_history") }}),

accounts as (select * from {{ ref("dim_account") }}),

scheme_tiers as (select * from {{ ref("dim_tier_scheme") }}),

ladder as (
    select distinct
        scheme,
        tier as from_tier,
        lead(tier) over (partition by scheme, platform, valid_from order by tier_rank) as to_tier
    from scheme_tiers
),

horizons as (
    select 90 as horizon_days
    union all
    select 180 as horizon_days
    union all
    select 365 as horizon_days
),

with_next as (
    select
        *,
        lead(direction) over (partition by platform, account_id, scheme order by valid_from) as next_direction
    from history
),

-- One account, one vote: its first spell in the tier.
spells as (
    select *
    from with_next
    qualify row_number() over (partition by platform, account_id, scheme, tier order by valid_from) = 1
),

followed as (
    select
        spells.platform,
        spells.account_id,
        spells.scheme,
        spells.tier as from_tier,
        ladder.to_tier,
        case when spells.next_direction in ('up', 'down') then spells.days_in_tier end as days_in_tier,
        spells.data_origin,
        {{ days_between("spells.valid_from", "accounts.last_seen_date") }} as days_followed,
        min({{ days_between("spells.valid_from", "later.valid_from") }}) as days_to_turn
    from spells
    inner join ladder on spells.scheme = ladder.scheme and spells.tier = ladder.from_tier
    inner join accounts on spells.platform = accounts.platform and spells.account_id = accounts.account_id
    left join history as later
        on spells.platform = later.platform
        and spells.account_id = later.account_id
        and spells.scheme = later.scheme
        and ladder.to_tier = later.tier
        and later.direction = 'up'
        and spells.valid_from < later.valid_from
    where ladder.to_tier is not null
    group by all
),

counted as (
    select
        followed.platform,
        followed.scheme,
        followed.from_tier,
        followed.to_tier,
        horizons.horizon_days,
        count(*) filter (where followed.days_followed >= horizons.horizon_days) as accounts,
        count(*) filter (
            where followed.days_followed >= horizons.horizon_days and followed.days_to_turn <= horizons.horizon_days
        ) as turned,
        median(followed.days_in_tier) as median_days_in_tier,
        count(followed.days_in_tier) as closed_spells,
        max(followed.data_origin) as data_origin
    from followed
    cross join horizons
    group by followed.platform, followed.scheme, followed.from_tier, followed.to_tier, horizons.horizon_days
),

fct_tier_graduation as (
    select
        cast(platform as varchar) as platform,
        cast(scheme as varchar) as scheme,
        cast(from_tier as varchar) as from_tier,
        cast(to_tier as varchar) as to_tier,
        cast(horizon_days as integer) as horizon_days,
        cast(accounts as integer) as accounts,
        cast(turned as integer) as turned,
        cast({{ ratio("turned", "accounts") }} as double) as share_turned,
        cast(median_days_in_tier as double) as median_days_in_tier,
        cast(closed_spells as integer) as closed_spells,
        cast(data_origin as varchar) as data_origin
    from counted
)

select * from fct_tier_graduation
