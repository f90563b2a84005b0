-- The night's accounts: tiers under every scheme, counts beside what was last known, and who each account is ($night).
create temp table known as
select * from build.intermediate.int_snapshot__account_last_known_values
where snapshot_date = (select max(snapshot_date) from build.intermediate.int_snapshot__account_last_known_values);

-- A count is held where it differs by a factor of 5 from the one last known, unless one held before says the same.
create temp table held as
with counts as (
    select t.platform, t.account_id, t.captured_at, 'followers' as metric, t.followers as captured,
        k.followers as accepted, k.followers_known_at as accepted_at
    from today_account t join known k using (platform, account_id) where t.followers is not null
    union all
    select t.platform, t.account_id, t.captured_at, 'views_total', t.views_total, k.views_total, k.views_total_known_at
    from today_account t join known k using (platform, account_id) where t.views_total is not null
)
select platform, account_id, metric, captured from counts c
where greatest(captured, accepted) >= greatest(1000, 5 * least(captured, accepted))
    and accepted_at >= captured_at - (case when captured = 0 then 400 else 30 end) * interval 1 day
    and not exists (
        from build.intermediate.int_snapshot__counts_held h
        where h.platform = c.platform and h.account_id = c.account_id and h.metric = c.metric
            and h.captured_at > c.accepted_at and h.captured_at <= c.captured_at - interval 20 hour
            and least(h.captured_count, captured) > 0
            and greatest(h.captured_count, captured) <= 2 * least(h.captured_count, captured)
    );
alter table today_account add column followers_held bigint;
alter table today_account add column views_total_held bigint;
update today_account t set followers_held = followers, followers = null, followers_null_reason = 'implausible'
from held h where h.platform = t.platform and h.account_id = t.account_id and h.metric = 'followers';
update today_account t set views_total_held = views_total, views_total = null, views_total_null_reason = 'implausible'
from held h where h.platform = t.platform and h.account_id = t.account_id and h.metric = 'views_total';

create temp table tier_today as
with valid as (
    select p.platform, s.scheme, s.tier, s.min_followers, s.max_followers, s.platform = '*' as is_general
    from (select distinct platform from today_account) p
    join build.meta.config_tier_schemes s on s.platform in (p.platform, '*')
        and $night >= s.valid_from and (s.valid_to is null or $night < s.valid_to)
), bounds as (
    select * from valid qualify is_general = bool_and(is_general) over (partition by platform, scheme)
), schemes as (select platform, scheme, min(min_followers) as lowest from bounds group by all)
select t.platform, t.account_id, s.scheme,
    case when t.followers is null then null when b.tier is not null then b.tier
        when t.followers < s.lowest then 'below' else 'unclassified' end as tier
from today_account t join schemes s using (platform)
left join bounds b on b.platform = s.platform and b.scheme = s.scheme and t.followers >= b.min_followers
    and (b.max_followers is null or t.followers < b.max_followers);

insert into marts.fct_account_tier_daily by name
select platform, account_id, $night as snapshot_date, scheme, tier, 'observed' as data_origin from tier_today;

-- A change is measured within 400 days and one definition of the count.
create temp table since as
select platform, max(valid_from) filter (where metric = 'followers') as followers,
    max(valid_from) filter (where metric = 'following') as following,
    max(valid_from) filter (where metric = 'posts') as posts,
    max(valid_from) filter (where metric = 'views_total') as views_total
from build.seeds.metric_definitions where valid_from <= $night group by platform;

insert into marts.fct_account_daily by name
select t.platform, t.account_id, $night as snapshot_date, t.captured_at,
    t.followers, t.followers_null_reason, t.following, t.following_null_reason, t.posts, t.posts_null_reason,
    t.views_total, t.views_total_null_reason, t.followers_held, t.views_total_held,
    case when $night - k.followers_known_at::date <= 400 and k.followers_known_at >= coalesce(s.followers, '0001-01-01')
        then ((t.followers - k.followers)::decimal(38, 0) * 86400000000)::double
            / date_diff('microsecond', k.followers_known_at, t.captured_at) end as followers_change_per_day,
    case when $night - k.following_known_at::date <= 400 and k.following_known_at >= coalesce(s.following, '0001-01-01')
        then ((t.following - k.following)::decimal(38, 0) * 86400000000)::double
            / date_diff('microsecond', k.following_known_at, t.captured_at) end as following_change_per_day,
    case when $night - k.posts_known_at::date <= 400 and k.posts_known_at >= coalesce(s.posts, '0001-01-01')
        then ((t.posts - k.posts)::decimal(38, 0) * 86400000000)::double
            / date_diff('microsecond', k.posts_known_at, t.captured_at) end as posts_change_per_day,
    case when $night - k.views_total_known_at::date <= 400 and k.views_total_known_at >= coalesce(s.views_total, '0001-01-01')
        then ((t.views_total - k.views_total)::decimal(38, 0) * 86400000000)::double
            / date_diff('microsecond', k.views_total_known_at, t.captured_at) end as views_total_change_per_day,
    case when t.followers is not null and $night - k.followers_known_at::date <= 400
        and k.followers_known_at >= coalesce(s.followers, '0001-01-01')
        then ($night - k.followers_known_at::date)::integer end as gap_days,
    case when t.followers is not null and $night - k.followers_known_at::date <= 400
        and k.followers_known_at >= coalesce(s.followers, '0001-01-01')
        then date_diff('microsecond', k.followers_known_at, t.captured_at)::double / 3600000000 end as gap_hours,
    case when t.followers is null then null when t.platform <> 'youtube' then 1
        else power(10, greatest(length(t.followers::varchar) - 3, 0))::bigint end as count_resolution,
    d.tier, 'observed' as data_origin
from today_account t
left join known k using (platform, account_id)
left join since s using (platform)
left join tier_today d on d.platform = t.platform and d.account_id = t.account_id and d.scheme = 'standard';

create or replace table marts.dim_account as
select coalesce(t.platform, k.platform) as platform, coalesce(t.account_id, k.account_id) as account_id,
    null::varchar as creator_id, coalesce(t.handle, k.handle) as handle,
    coalesce(t.display_name, k.display_name) as display_name, coalesce(t.niche, k.niche) as niche,
    coalesce(t.country, k.country) as country, null::varchar as city, coalesce(t.language, k.language) as language,
    coalesce(k.first_seen_date, $night) as first_seen_date,
    case when t.platform is not null then $night else k.last_seen_date end as last_seen_date,
    coalesce(t.data_origin, k.data_origin) as data_origin
from today_account t full join known k using (platform, account_id);
