-- One row per platform, scheme, pair of neighbouring tiers and horizon in days: how many accounts moved up in time.
-- One model: it reads marts, as no intermediate model may.
{{ config(materialized="table") }}

with history as (select * from {{ ref("dim_account_tier_history") }}),

states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

accounts as (
    select *
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)
),

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

-- Most accounts never leave their first tier: one spell, without an end.
moved as {{ made_first() }} (
    select distinct
        platform,
        account_id,
        scheme
    from history
    where direction <> 'entry'
),

with_next as (
    select
        history.*,
        lead(history.direction) over (
            partition by history.platform, history.account_id, history.scheme order by history.valid_from
        ) as next_direction
    from history
    inner join moved
        on history.platform = moved.platform
        and history.account_id = moved.account_id
        and history.scheme = moved.scheme
),

-- One account, one vote: its first spell in the tier.
spells as (
    select *
    from with_next
    qualify row_number() over (partition by platform, account_id, scheme, tier order by valid_from) = 1
),

first_turns as (
    select
        spells.platform,
        spells.account_id,
        spells.scheme,
        spells.tier,
        ladder.to_tier,
        min(later.valid_from) as turned_on
    from spells
    inner join ladder on spells.scheme = ladder.scheme and spells.tier = ladder.from_tier
    inner join history as later
        on spells.platform = later.platform
        and spells.account_id = later.account_id
        and spells.scheme = later.scheme
        and ladder.to_tier = later.tier
        and later.direction = 'up'
        and spells.valid_from < later.valid_from
    group by spells.platform, spells.account_id, spells.scheme, spells.tier, ladder.to_tier
),

all_spells as (
    select
        platform,
        account_id,
        scheme,
        tier,
        valid_from,
        case when next_direction in ('up', 'down') then days_in_tier end as days_in_tier,
        data_origin
    from spells
    union all
    select
        history.platform,
        history.account_id,
        history.scheme,
        history.tier,
        history.valid_from,
        cast(null as integer) as days_in_tier,
        history.data_origin
    from history
    left join moved
        on history.platform = moved.platform
        and history.account_id = moved.account_id
        and history.scheme = moved.scheme
    where moved.platform is null
),

followed as (
    select
        spells.platform,
        spells.scheme,
        spells.tier as from_tier,
        ladder.to_tier,
        spells.days_in_tier,
        spells.data_origin,
        {{ days_between("spells.valid_from", "accounts.last_seen_date") }} as days_followed,
        {{ days_between("spells.valid_from", "first_turns.turned_on") }} as days_to_turn
    from all_spells as spells
    inner join ladder on spells.scheme = ladder.scheme and spells.tier = ladder.from_tier
    inner join accounts on spells.platform = accounts.platform and spells.account_id = accounts.account_id
    left join first_turns
        on spells.platform = first_turns.platform
        and spells.account_id = first_turns.account_id
        and spells.scheme = first_turns.scheme
        and spells.tier = first_turns.tier
        and ladder.to_tier = first_turns.to_tier
    where ladder.to_tier is not null
),

-- Few numbers of days tell of all accounts, so the horizons are set against these.
by_days as (
    select
        platform,
        scheme,
        from_tier,
        to_tier,
        days_followed,
        days_to_turn,
        count(*) as accounts
    from followed
    group by platform, scheme, from_tier, to_tier, days_followed, days_to_turn
),

in_time as (
    select
        by_days.platform,
        by_days.scheme,
        by_days.from_tier,
        by_days.to_tier,
        horizons.horizon_days,
        sum(case when by_days.days_followed >= horizons.horizon_days then by_days.accounts else 0 end) as accounts,
        sum(
            case
                when
                    by_days.days_followed >= horizons.horizon_days
                    and by_days.days_to_turn <= horizons.horizon_days
                    then by_days.accounts
                else 0
            end
        ) as turned
    from by_days
    cross join horizons
    group by by_days.platform, by_days.scheme, by_days.from_tier, by_days.to_tier, horizons.horizon_days
),

closed as (
    select
        platform,
        scheme,
        from_tier,
        to_tier,
        median(days_in_tier) as median_days_in_tier,
        count(days_in_tier) as closed_spells,
        max(data_origin) as data_origin
    from followed
    group by platform, scheme, from_tier, to_tier
),

counted as (
    select
        in_time.*,
        closed.median_days_in_tier,
        closed.closed_spells,
        closed.data_origin
    from in_time
    inner join closed
        on in_time.platform = closed.platform
        and in_time.scheme = closed.scheme
        and in_time.from_tier = closed.from_tier
        and in_time.to_tier = closed.to_tier
),

fct_tier_graduation as (
    select
        cast(platform as string) as platform,
        cast(scheme as string) as scheme,
        cast(from_tier as string) as from_tier,
        cast(to_tier as string) as to_tier,
        cast(horizon_days as integer) as horizon_days,
        cast(accounts as integer) as accounts,
        cast(turned as integer) as turned,
        cast({{ ratio("turned", "accounts") }} as double) as share_turned,
        cast(median_days_in_tier as double) as median_days_in_tier,
        cast(closed_spells as integer) as closed_spells,
        cast(data_origin as string) as data_origin
    from counted
)

select * from fct_tier_graduation
