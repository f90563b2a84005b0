-- Rates beside those of peers, and the benchmarks of tiers; who is suspicious is no peer ($night).
create temp table bound as
with valid as (
    select p.platform, scheme, tier, min_followers as lowest, coalesce(max_followers, 9223372036854775807) as highest,
        s.platform = '*' as is_general
    from (select distinct platform from rated) p
    join build.meta.config_tier_schemes s on s.platform in (p.platform, '*')
        and $night >= s.valid_from and (s.valid_to is null or $night < s.valid_to)
)
select * from valid qualify is_general = bool_and(is_general) over (partition by platform, scheme);

create temp table account as
select r.*, case when r.followers is not null then coalesce(b.tier,
        case when r.followers < l.lowest then 'below' else 'unclassified' end) end as tier,
    s.account_id is not null as is_suspicious
from rated r
left join bound b on b.scheme = 'standard' and b.platform = r.platform
    and r.followers >= b.lowest and r.followers < b.highest
left join (select platform, min(lowest) as lowest from bound where scheme = 'standard' group by all) l
    on l.platform = r.platform
left join suspicious_account s on s.platform = r.platform and s.account_id = r.account_id;

-- Accounts of one tier, niche and country are compared in the same cell, the first of four that has 30 peers.
create temp table compared as
with kind as (
    select platform, tier, niche, country, count(*) filter (where has_rate and not is_suspicious) as n,
        count(er_followers_median_30) filter (where not is_suspicious) as er_n,
        count(like_rate_views_median_30) filter (where not is_suspicious) as like_n
    from account
    where tier not in ('below', 'unclassified')
    group by all
),
summed as (
    select *, sum(n) over by_niche as niche_n, sum(er_n) over by_niche as niche_er_n,
        sum(like_n) over by_niche as niche_like_n, sum(n) over by_country as country_n,
        sum(er_n) over by_country as country_er_n, sum(like_n) over by_country as country_like_n,
        sum(n) over by_tier as tier_n, sum(er_n) over by_tier as tier_er_n, sum(like_n) over by_tier as tier_like_n,
        case when niche is not null and country is not null and n >= 30 then 1
            when niche is not null and niche_n >= 30 then 2
            when niche is null and country is not null and country_n >= 30 then 3 when tier_n >= 30 then 4 end as cell
    from kind
    window by_niche as (partition by platform, tier, niche), by_country as (partition by platform, tier, country),
        by_tier as (partition by platform, tier)
)
select platform, tier, niche, country, cell, case when cell <= 2 then niche when cell > 2 then '*' end as in_niche,
    case when cell in (1, 3) then country when cell is not null then '*' end as in_country,
    case cell when 1 then n when 2 then niche_n when 3 then country_n when 4 then tier_n end::integer as in_n,
    case cell when 1 then er_n when 2 then niche_er_n when 3 then country_er_n when 4 then tier_er_n end as er_n,
    case cell when 1 then like_n when 2 then niche_like_n when 3 then country_like_n when 4 then tier_like_n
        end as like_n
from summed;

create temp table placed as
with rate as (
    select platform, account_id, tier, niche, country, is_suspicious, er_followers_median_30 as er,
        like_rate_views_median_30 as like_rate
    from account where has_rate
)
select platform, account_id,
    count(er) filter (where not is_suspicious) over (own order by er nulls last) as own_er,
    count(er) filter (where not is_suspicious) over (by_niche order by er nulls last) as niche_er,
    count(er) filter (where not is_suspicious) over (by_country order by er nulls last) as country_er,
    count(er) filter (where not is_suspicious) over (by_tier order by er nulls last) as tier_er,
    count(like_rate) filter (where not is_suspicious) over (own order by like_rate nulls last) as own_like,
    count(like_rate) filter (where not is_suspicious) over (by_niche order by like_rate nulls last) as niche_like,
    count(like_rate) filter (where not is_suspicious) over (by_country order by like_rate nulls last) as country_like,
    count(like_rate) filter (where not is_suspicious) over (by_tier order by like_rate nulls last) as tier_like
from rate
window own as (partition by platform, tier, niche, country), by_niche as (partition by platform, tier, niche),
    by_country as (partition by platform, tier, country), by_tier as (partition by platform, tier);

insert into marts.fct_account_engagement_daily by name
select a.platform, a.account_id, $night as snapshot_date, followers, a.tier, a.niche, a.country,
    coalesce(posts_in_window, 0) as posts_in_window,
    er_followers_mean_12, coalesce(er_followers_mean_12_posts, 0) as er_followers_mean_12_posts,
    er_followers_median_30, coalesce(er_followers_median_30_posts, 0) as er_followers_median_30_posts,
    er_views_median_30, coalesce(er_views_median_30_posts, 0) as er_views_median_30_posts,
    er_reach_median_30, coalesce(er_reach_median_30_posts, 0) as er_reach_median_30_posts,
    reach_rate_median_30, coalesce(reach_rate_median_30_posts, 0) as reach_rate_median_30_posts,
    like_rate_views_median_30, coalesce(like_rate_views_median_30_posts, 0) as like_rate_views_median_30_posts,
    case when coalesce(er_followers_median_30_posts, 0) = 0 then null
        when snapshot_date_basis_posts = 0 then 'publication'
        when snapshot_date_basis_posts = er_followers_median_30_posts then 'snapshot_date' else 'mixed' end
        as denominator_basis,
    coalesce(snapshot_date_basis_posts, 0) as snapshot_date_basis_posts, reach_coverage,
    er_sponsored, coalesce(er_sponsored_posts, 0) as er_sponsored_posts,
    er_organic, coalesce(er_organic_posts, 0) as er_organic_posts,
    sponsored_share_90d, coalesce(sponsored_share_90d_posts, 0) as sponsored_share_90d_posts,
    comments_per_week, coalesce(comments_per_week_posts, 0) as comments_per_week_posts,
    reply_rate, coalesce(reply_rate_posts, 0) as reply_rate_posts,
    comment_like_ratio, coalesce(comment_like_ratio_posts, 0) as comment_like_ratio_posts,
    'observed' as data_origin
from account a;

insert into marts.fct_account_benchmark_daily by name
select a.platform, a.account_id, $night as snapshot_date,
    case when exists (from bound b where b.scheme = 'standard' and b.platform = a.platform) then 'standard' end as scheme,
    a.tier, in_niche as benchmark_niche, in_country as benchmark_country, in_n as benchmark_n,
    case when er_followers_median_30 is not null and er_n >= 30 then
        (100 * case cell when 1 then own_er when 2 then niche_er when 3 then country_er else tier_er end)::double / er_n
        end as er_percentile,
    case when like_rate_views_median_30 is not null and like_n >= 30 then
        (100 * case cell when 1 then own_like when 2 then niche_like when 3 then country_like
            else tier_like end)::double
            / like_n end as like_rate_percentile,
    'observed' as data_origin
from account a
left join placed p using (platform, account_id)
left join compared c on a.platform = c.platform and a.tier = c.tier and a.niche is not distinct from c.niche
    and a.country is not distinct from c.country;

-- Tiers of several schemes have the same bounds, so a cell is measured once for all of them.
create temp table cell as
select a.platform, b.lowest, b.highest, case when grouping(niche) = 1 then '*' else niche end as niche,
    case when grouping(country) = 1 then '*' else country end as country,
    (count(*) filter (where not is_suspicious))::integer as n,
    (count(*) filter (where is_suspicious))::integer as n_suspicious,
    count(er_followers_mean_12) filter (where not is_suspicious) as er_followers_mean_12_n,
    quantile_cont(er_followers_mean_12, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (where not is_suspicious)
        as er_followers_mean_12_q,
    count(er_followers_median_30) filter (where not is_suspicious) as er_followers_median_30_n,
    quantile_cont(er_followers_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (where not is_suspicious)
        as er_followers_median_30_q,
    count(er_views_median_30) filter (where not is_suspicious) as er_views_median_30_n,
    quantile_cont(er_views_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (where not is_suspicious)
        as er_views_median_30_q,
    count(er_reach_median_30) filter (where not is_suspicious) as er_reach_median_30_n,
    quantile_cont(er_reach_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (where not is_suspicious)
        as er_reach_median_30_q,
    count(reach_rate_median_30) filter (where not is_suspicious) as reach_rate_median_30_n,
    quantile_cont(reach_rate_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (where not is_suspicious)
        as reach_rate_median_30_q,
    count(like_rate_views_median_30) filter (where not is_suspicious) as like_rate_views_median_30_n,
    quantile_cont(like_rate_views_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (where not is_suspicious)
        as like_rate_views_median_30_q
from account a
join (select distinct platform, lowest, highest from bound) b
    on a.platform = b.platform and a.followers >= b.lowest and a.followers < b.highest
where has_rate
group by a.platform, b.lowest, b.highest, cube(niche, country)
having (grouping(niche) = 1 or niche is not null) and (grouping(country) = 1 or country is not null);

insert into marts.fct_tier_benchmark_daily by name
with merged as (
    select b.scheme, b.tier, o.platform, o.lowest, o.highest, o.niche, o.country, o.n as n_own,
        case when o.n >= 30 then 'none' when o.niche <> '*' and o.country <> '*' and n.n >= 30 then 'niche'
            when t.n < 30 then 'too_few' else 'tier' end as merged_into
    from cell o
    join bound b using (platform, lowest, highest)
    join cell t on o.platform = t.platform and o.lowest = t.lowest and o.highest = t.highest
        and t.niche = '*' and t.country = '*'
    join cell n on o.platform = n.platform and o.lowest = n.lowest and o.highest = n.highest
        and o.niche = n.niche and n.country = '*'
)
select m.platform, m.scheme, m.tier, m.niche, m.country, $night as snapshot_date, m.merged_into,
    b.niche as basis_niche, b.country as basis_country, b.n, m.n_own, b.n_suspicious,
    er_followers_mean_12_n,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[1] end as er_followers_mean_12_p10,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[2] end as er_followers_mean_12_p25,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[3] end as er_followers_mean_12_p50,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[4] end as er_followers_mean_12_p75,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[5] end as er_followers_mean_12_p90,
    er_followers_median_30_n,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[1] end as er_followers_median_30_p10,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[2] end as er_followers_median_30_p25,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[3] end as er_followers_median_30_p50,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[4] end as er_followers_median_30_p75,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[5] end as er_followers_median_30_p90,
    er_views_median_30_n,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[1] end as er_views_median_30_p10,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[2] end as er_views_median_30_p25,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[3] end as er_views_median_30_p50,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[4] end as er_views_median_30_p75,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[5] end as er_views_median_30_p90,
    er_reach_median_30_n,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[1] end as er_reach_median_30_p10,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[2] end as er_reach_median_30_p25,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[3] end as er_reach_median_30_p50,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[4] end as er_reach_median_30_p75,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[5] end as er_reach_median_30_p90,
    reach_rate_median_30_n,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[1] end as reach_rate_median_30_p10,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[2] end as reach_rate_median_30_p25,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[3] end as reach_rate_median_30_p50,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[4] end as reach_rate_median_30_p75,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[5] end as reach_rate_median_30_p90,
    like_rate_views_median_30_n,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[1] end
        as like_rate_views_median_30_p10,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[2] end
        as like_rate_views_median_30_p25,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[3] end
        as like_rate_views_median_30_p50,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[4] end
        as like_rate_views_median_30_p75,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[5] end
        as like_rate_views_median_30_p90,
    'observed' as data_origin
from merged m
join cell b on m.platform = b.platform and m.lowest = b.lowest and m.highest = b.highest
    and b.niche = case when merged_into in ('none', 'niche') then m.niche else '*' end
    and b.country = case when merged_into = 'none' then m.country else '*' end;
