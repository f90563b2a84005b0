-- Who holds which tier since when, and how many move up ($night). No cut-offs change on this night.
create temp table seen as
select platform, account_id, snapshot_date, followers from marts.fct_account_daily
where snapshot_date between $night - 28 and $night and followers is not null;

-- Whom a day could move: across a cut-off within 28 days, or seen on few of the last 11, when a run may begin or end.
create temp table restless as
with cut_off as (
    select min_followers as followers from build.meta.config_tier_schemes
    union select max_followers from build.meta.config_tier_schemes
)
select platform, account_id,
    exists (select 1 from cut_off where followers > fewest and followers <= most) as is_moving
from (
    select platform, account_id, min(followers) as fewest, max(followers) as most,
        count(*) filter (where snapshot_date >= $night - 10) as days
    from seen group by platform, account_id having max(snapshot_date) = $night
)
where days < 8 or is_moving;

-- Who stays between two cut-offs has the same runs under every scheme.
create temp table staying as
with stepped as (
    select s.*, lag(snapshot_date) over by_day as before
    from seen s join restless using (platform, account_id) where not is_moving
    window by_day as (partition by platform, account_id order by snapshot_date)
),
last_run as (
    select platform, account_id, count(*) as days_seen,
        coalesce(max(snapshot_date) filter (where snapshot_date - before > 4), min(snapshot_date)) as began_on
    from stepped group by all
)
select s.platform, s.account_id, any_value(days_seen) = 1 as is_first, count(*) = 7 as is_settled
from seen s join last_run r on s.platform = r.platform and s.account_id = r.account_id
    and s.snapshot_date >= r.began_on
group by all;

create temp table began as
with valid as (
    select p.platform, scheme, tier, min_followers as lowest, coalesce(max_followers, 9223372036854775807) as highest,
        s.platform = '*' as is_general
    from (select distinct platform from today_account) p
    join build.meta.config_tier_schemes s on s.platform in (p.platform, '*')
        and $night >= s.valid_from and (s.valid_to is null or $night < s.valid_to)
),
bound as (
    select * from valid qualify is_general = bool_and(is_general) over (partition by platform, scheme)
),
to_tier as (
    select s.*, null as is_first, null as is_settled from seen s
    semi join restless r on s.platform = r.platform and s.account_id = r.account_id and r.is_moving
    union all by name
    select t.platform, t.account_id, $night as snapshot_date, t.followers, is_first, is_settled
    from today_account t join staying using (platform, account_id) where is_first or is_settled
),
tiered as (
    select s.*, f.scheme, coalesce(tier, case when followers < f.lowest then 'below' else 'unclassified' end) as tier
    from to_tier s
    join (select platform, scheme, min(lowest) as lowest from bound group by all) f using (platform)
    left join bound b on s.platform = b.platform and f.scheme = b.scheme
        and s.followers >= b.lowest and s.followers < b.highest
),
stepped as (
    select *, lag(snapshot_date) over by_day as before, lag(tier) over by_day as tier_before
    from tiered where is_first is null
    window by_day as (partition by platform, account_id, scheme order by snapshot_date)
),
in_runs as (
    select *, count(*) filter (where before is null or tier <> tier_before or snapshot_date - before > 4)
        over (partition by platform, account_id, scheme order by snapshot_date) as run
    from stepped
)
select platform, account_id, scheme, snapshot_date, tier, followers, before is null as is_first, days = 7 as is_settled
from (
    select *, count(*) over (partition by platform, account_id, scheme, run) as days
    from in_runs
)
where snapshot_date = $night and (before is null or days = 7)
union all
select platform, account_id, scheme, snapshot_date, tier, followers, is_first, is_settled
from tiered where is_first is not null;

-- A first day is an entry; a settled run of another tier than the one held is a turn.
create temp table turn as
with held as (
    select platform, account_id, scheme, tier from marts.dim_account_tier_history where valid_to is null
),
last_in_tier as (
    select platform, account_id, scheme, r.tier, arg_max(r.followers, r.snapshot_date) as followers
    from build.intermediate.int_tier__streaks_detected r
    semi join began b on r.platform = b.platform and r.account_id = b.account_id and r.scheme = b.scheme
    group by all
)
select b.*, h.tier as previous_tier,
    case when h.tier is null then 'entry' when b.followers > l.followers then 'up' else 'down' end as direction
from began b
left join held h using (platform, account_id, scheme)
left join last_in_tier l on b.platform = l.platform and b.account_id = l.account_id and b.scheme = l.scheme
    and h.tier = l.tier
where h.tier is null or (b.is_settled and h.tier <> b.tier);

update marts.dim_account_tier_history h
set valid_to = $night, days_in_tier = $night - h.valid_from
from turn t
where h.valid_to is null and h.platform = t.platform and h.account_id = t.account_id and h.scheme = t.scheme;

insert into marts.dim_account_tier_history by name
select platform, account_id, scheme, $night as valid_from, tier, previous_tier, direction, 'observed' as data_origin
from turn;

create or replace table marts.fct_tier_graduation as
with ladder as (
    select distinct scheme, tier as from_tier,
        lead(tier) over (partition by scheme, platform, valid_from order by tier_rank) as to_tier
    from marts.dim_tier_scheme
),
spell as (
    select *, lead(direction) over (partition by platform, account_id, scheme order by valid_from) as next_direction
    from marts.dim_account_tier_history
    qualify row_number() over (partition by platform, account_id, scheme, tier order by valid_from) = 1
),
up as (
    select platform, account_id, scheme, tier, valid_from from marts.dim_account_tier_history where direction = 'up'
),
followed as (
    select s.platform, s.scheme, s.tier as from_tier, l.to_tier, s.account_id, s.data_origin,
        case when s.next_direction in ('up', 'down') then s.days_in_tier end as days_in_tier,
        a.last_seen_date - s.valid_from as days_followed,
        min(u.valid_from - s.valid_from) as days_to_turn
    from spell s
    join ladder l on s.scheme = l.scheme and s.tier = l.from_tier and l.to_tier is not null
    join marts.dim_account a using (platform, account_id)
    left join up u on s.platform = u.platform and s.account_id = u.account_id and s.scheme = u.scheme
        and l.to_tier = u.tier and s.valid_from < u.valid_from
    group by all
)
select platform, scheme, from_tier, to_tier, horizon_days::integer as horizon_days,
    count(*) filter (where days_followed >= horizon_days)::integer as accounts,
    count(*) filter (where days_followed >= horizon_days and days_to_turn <= horizon_days)::integer as turned,
    turned::double / nullif(accounts, 0) as share_turned, median(days_in_tier)::double as median_days_in_tier,
    count(days_in_tier)::integer as closed_spells, max(data_origin) as data_origin
from followed cross join (values (90), (180), (365)) as h (horizon_days)
group by platform, scheme, from_tier, to_tier, horizon_days;
