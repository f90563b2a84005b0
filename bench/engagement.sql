-- The hand-written reference: what a person would write on DuckDB for one night ($night), without plan, layers or tests.
create table latest as
select *
from build.intermediate.int_snapshot__post_days_deduplicated
where snapshot_date between $night - 7 and $night
qualify row_number() over (partition by platform, post_id order by snapshot_date desc) = 1;

create table post as
with published as (
    select *, age + date_diff('day', snapshot_date, $night) * 86400000000 as age_now
    from (select *, date_diff('microsecond', published_at, captured_at) as age from latest)
    where published_at >= $night - 90 and published_at <= captured_at
),
based as (
    select p.*, case when p.published_at - f.captured_at <= interval 7 day then f.followers end as followers_then
    from published p
    asof left join build.intermediate.int_snapshot__followers_captured f
        on p.platform = f.platform and p.account_id = f.account_id and p.published_at >= f.captured_at
),
windowed as (
    select *, coalesce(snapshot_date >= $night - 6 and age_now between 72 * 3600000000 and 2160 * 3600000000
        and not coalesce(is_pinned, false) and not coalesce(is_collab, false), false) as in_window
    from based
),
placed as (
    select *, case when in_window then row_number() over (
        partition by platform, account_id, in_window order by published_at desc, post_id desc) end as place
    from windowed
)
select p.platform, p.account_id, p.post_id, place, is_sponsored, hashtags, mentions,
    case when in_window then likes end as likes, case when in_window then comments end as comments,
    case when in_window then creator_replies end as replies, case when in_window then reach end as reach,
    followers_then is not null as is_then, coalesce(followers_then, a.followers) as followers,
    case when in_window then views end as views,
    (likes + comments)::double / nullif(coalesce(followers_then, a.followers), 0) as er_followers_raw,
    case when in_window then er_followers_raw end as er_followers,
    case when in_window then (p.likes + p.comments)::double / nullif(p.views, 0) end as er_views,
    case when in_window then (p.likes + p.comments)::double / nullif(p.reach, 0) end as er_reach,
    case when in_window then p.reach::double / nullif(coalesce(followers_then, a.followers), 0) end as reach_rate,
    case when in_window then p.likes::double / nullif(p.views, 0) end as like_rate_views
from placed p
left join build.intermediate.int_snapshot__account_days_deduplicated a
    on p.platform = a.platform and p.account_id = a.account_id and a.snapshot_date = $night;

create table rival as
with word as (
    select platform, account_id, unnest(string_split(hashtags, '|')) as word from post where hashtags is not null
    union all
    select platform, account_id, unnest(string_split(mentions, '|')) from post where mentions is not null
)
select platform, account_id, count(distinct brand) as rivals
from (select distinct platform, account_id, ltrim(lower(trim(word)), '#@') as word from word)
join (
    select brand, lower(brand) as word from build.raw.brands where is_rival
    union select brand, lower(name) from build.raw.brands where is_rival
    union select brand, ltrim(hashtags, '#') from build.raw.brands where is_rival
) using (word)
group by all;

create table rated as
select platform, account_id, count(place)::integer as posts_in_window,
    sum(er_followers::decimal(38, 18)) filter (where place <= 12)::double
        / nullif(count(er_followers) filter (where place <= 12), 0) as er_followers_mean_12,
    count(er_followers) filter (where place <= 12)::integer as er_followers_mean_12_posts,
    median(er_followers) filter (where place <= 30) as er_followers_median_30,
    count(er_followers) filter (where place <= 30)::integer as er_followers_median_30_posts,
    median(er_views) filter (where place <= 30) as er_views_median_30,
    count(er_views) filter (where place <= 30)::integer as er_views_median_30_posts,
    median(er_reach) filter (where place <= 30) as er_reach_median_30,
    count(er_reach) filter (where place <= 30)::integer as er_reach_median_30_posts,
    median(reach_rate) filter (where place <= 30) as reach_rate_median_30,
    count(reach_rate) filter (where place <= 30)::integer as reach_rate_median_30_posts,
    median(like_rate_views) filter (where place <= 30) as like_rate_views_median_30,
    count(like_rate_views) filter (where place <= 30)::integer as like_rate_views_median_30_posts,
    count(er_followers) filter (where place <= 30 and not is_then)::integer as snapshot_date_basis_posts,
    count(reach) filter (where place <= 30)::double / nullif(least(count(place), 30), 0) as reach_coverage,
    median(er_followers) filter (where is_sponsored) as er_sponsored,
    count(er_followers) filter (where is_sponsored)::integer as er_sponsored_posts,
    median(er_followers) filter (where not is_sponsored) as er_organic,
    count(er_followers) filter (where not is_sponsored)::integer as er_organic_posts,
    count(*) filter (where is_sponsored)::double / nullif(count(is_sponsored), 0) as sponsored_share_90d,
    count(is_sponsored)::integer as sponsored_share_90d_posts,
    (sum(comments) * 7)::double / 90 as comments_per_week,
    count(comments)::integer as comments_per_week_posts,
    (sum(replies) filter (where comments is not null))::double
        / nullif(sum(comments) filter (where replies is not null), 0) as reply_rate,
    count(replies + comments)::integer as reply_rate_posts,
    (sum(comments) filter (where place <= 30 and likes is not null))::double
        / nullif(sum(likes) filter (where place <= 30 and comments is not null), 0) as comment_like_ratio,
    count(comments + likes) filter (where place <= 30)::integer as comment_like_ratio_posts,
    count(*) filter (where hashtags is not null or mentions is not null) as named
from post
group by platform, account_id;

create table bound as
select scheme, tier, min_followers as lowest, coalesce(max_followers, 9223372036854775807) as highest
from build.meta.config_tier_schemes
where platform in ('*', 'instagram');

create table account as
select a.platform, a.account_id, $night as snapshot_date, a.followers, b.tier,
    coalesce(g.niche, a.niche) as niche, coalesce(g.country, a.country) as country, r.* exclude (platform, account_id),
    coalesce(er_followers_mean_12, er_followers_median_30, er_views_median_30, er_reach_median_30,
        reach_rate_median_30, like_rate_views_median_30) is not null as has_rate,
    coalesce(v.rivals, 0) as rivals
from build.intermediate.int_snapshot__account_days_deduplicated a
left join rated r using (platform, account_id)
left join rival v using (platform, account_id)
left join (
    select platform, account_id, arg_max(niche, updated_at) as niche, arg_max(country, updated_at) as country
    from build.raw.accounts group by all
) g using (platform, account_id)
left join bound b on b.scheme = 'standard' and a.followers >= b.lowest and a.followers < b.highest
where a.snapshot_date = $night;

create table placed as
with ranked as (
    select *,
        count(case when has_rate then 1 end) over own as own_n,
        count(case when has_rate then 1 end) over by_niche as niche_n,
        count(case when has_rate then 1 end) over by_tier as tier_n,
        count(er_followers_median_30) over own as own_er_n,
        count(er_followers_median_30) over by_niche as niche_er_n,
        count(er_followers_median_30) over by_tier as tier_er_n,
        count(er_followers_median_30) over (own order by er_followers_median_30 nulls last) as own_er,
        count(er_followers_median_30) over (by_niche order by er_followers_median_30 nulls last) as niche_er,
        count(er_followers_median_30) over (by_tier order by er_followers_median_30 nulls last) as tier_er,
        count(like_rate_views_median_30) over own as own_like_n,
        count(like_rate_views_median_30) over by_niche as niche_like_n,
        count(like_rate_views_median_30) over by_tier as tier_like_n,
        count(like_rate_views_median_30) over (own order by like_rate_views_median_30 nulls last) as own_like,
        count(like_rate_views_median_30) over (by_niche order by like_rate_views_median_30 nulls last) as niche_like,
        count(like_rate_views_median_30) over (by_tier order by like_rate_views_median_30 nulls last) as tier_like
    from account
    window own as (partition by platform, tier, niche, country), by_niche as (partition by platform, tier, niche),
        by_tier as (partition by platform, tier)
),
celled as (
    select *, case when tier is null then null when own_n >= 30 then 1 when niche_n >= 30 then 2
        when tier_n >= 30 then 3 end as cell
    from ranked
)
select platform, account_id, snapshot_date, followers, case when followers is not null then coalesce(tier, 'below') end as tier,
    niche, country, * exclude (platform, account_id, snapshot_date, followers, tier, niche, country)
        replace (coalesce(posts_in_window, 0) as posts_in_window,
            coalesce(er_followers_mean_12_posts, 0) as er_followers_mean_12_posts,
            coalesce(er_followers_median_30_posts, 0) as er_followers_median_30_posts,
            coalesce(er_views_median_30_posts, 0) as er_views_median_30_posts,
            coalesce(er_reach_median_30_posts, 0) as er_reach_median_30_posts,
            coalesce(reach_rate_median_30_posts, 0) as reach_rate_median_30_posts,
            coalesce(like_rate_views_median_30_posts, 0) as like_rate_views_median_30_posts,
            coalesce(snapshot_date_basis_posts, 0) as snapshot_date_basis_posts,
            coalesce(er_sponsored_posts, 0) as er_sponsored_posts,
            coalesce(er_organic_posts, 0) as er_organic_posts,
            coalesce(sponsored_share_90d_posts, 0) as sponsored_share_90d_posts,
            coalesce(comments_per_week_posts, 0) as comments_per_week_posts,
            coalesce(reply_rate_posts, 0) as reply_rate_posts,
            coalesce(comment_like_ratio_posts, 0) as comment_like_ratio_posts),
    case when coalesce(er_followers_median_30_posts, 0) = 0 then null when snapshot_date_basis_posts = 0 then 'publication'
        when snapshot_date_basis_posts = er_followers_median_30_posts then 'snapshot_date' else 'mixed' end as denominator_basis,
    case when named > 0 then rivals::integer end as rival_brands_90d,
    case when cell <= 2 then niche when cell = 3 then '*' end as benchmark_niche,
    case when cell = 1 then country when cell >= 2 then '*' end as benchmark_country,
    case cell when 1 then own_n when 2 then niche_n when 3 then tier_n end::integer as benchmark_n,
    case when er_followers_median_30 is null then null
        when cell = 1 and own_er_n >= 30 then (100 * own_er)::double / own_er_n
        when cell = 2 and niche_er_n >= 30 then (100 * niche_er)::double / niche_er_n
        when cell = 3 and tier_er_n >= 30 then (100 * tier_er)::double / tier_er_n end as er_percentile,
    case when like_rate_views_median_30 is null then null
        when cell = 1 and own_like_n >= 30 then (100 * own_like)::double / own_like_n
        when cell = 2 and niche_like_n >= 30 then (100 * niche_like)::double / niche_like_n
        when cell = 3 and tier_like_n >= 30 then (100 * tier_like)::double / tier_like_n end as like_rate_percentile,
    'observed' as data_origin
from celled;

create table fct_account_engagement_daily as
select * exclude (benchmark_niche, benchmark_country, benchmark_n, er_percentile, like_rate_percentile) from placed;

create table fct_account_benchmark_daily as
select platform, account_id, snapshot_date, 'standard' as scheme, tier, benchmark_niche, benchmark_country, benchmark_n,
    er_percentile, like_rate_percentile, data_origin
from placed;

create table cell as
select a.platform, b.scheme, b.tier, case when grouping(niche) = 1 then '*' else niche end as niche,
    case when grouping(country) = 1 then '*' else country end as country, count(*) as n,
    count(er_followers_mean_12)::integer as er_followers_mean_12_n, quantile_cont(er_followers_mean_12, [0.1, 0.25, 0.5, 0.75, 0.9]) as er_followers_mean_12_q,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[1] end as er_followers_mean_12_p10,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[2] end as er_followers_mean_12_p25,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[3] end as er_followers_mean_12_p50,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[4] end as er_followers_mean_12_p75,
    case when er_followers_mean_12_n >= 30 then er_followers_mean_12_q[5] end as er_followers_mean_12_p90,
    count(er_followers_median_30)::integer as er_followers_median_30_n, quantile_cont(er_followers_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) as er_followers_median_30_q,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[1] end as er_followers_median_30_p10,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[2] end as er_followers_median_30_p25,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[3] end as er_followers_median_30_p50,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[4] end as er_followers_median_30_p75,
    case when er_followers_median_30_n >= 30 then er_followers_median_30_q[5] end as er_followers_median_30_p90,
    count(er_views_median_30)::integer as er_views_median_30_n, quantile_cont(er_views_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) as er_views_median_30_q,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[1] end as er_views_median_30_p10,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[2] end as er_views_median_30_p25,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[3] end as er_views_median_30_p50,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[4] end as er_views_median_30_p75,
    case when er_views_median_30_n >= 30 then er_views_median_30_q[5] end as er_views_median_30_p90,
    count(er_reach_median_30)::integer as er_reach_median_30_n, quantile_cont(er_reach_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) as er_reach_median_30_q,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[1] end as er_reach_median_30_p10,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[2] end as er_reach_median_30_p25,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[3] end as er_reach_median_30_p50,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[4] end as er_reach_median_30_p75,
    case when er_reach_median_30_n >= 30 then er_reach_median_30_q[5] end as er_reach_median_30_p90,
    count(reach_rate_median_30)::integer as reach_rate_median_30_n, quantile_cont(reach_rate_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) as reach_rate_median_30_q,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[1] end as reach_rate_median_30_p10,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[2] end as reach_rate_median_30_p25,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[3] end as reach_rate_median_30_p50,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[4] end as reach_rate_median_30_p75,
    case when reach_rate_median_30_n >= 30 then reach_rate_median_30_q[5] end as reach_rate_median_30_p90,
    count(like_rate_views_median_30)::integer as like_rate_views_median_30_n, quantile_cont(like_rate_views_median_30, [0.1, 0.25, 0.5, 0.75, 0.9]) as like_rate_views_median_30_q,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[1] end as like_rate_views_median_30_p10,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[2] end as like_rate_views_median_30_p25,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[3] end as like_rate_views_median_30_p50,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[4] end as like_rate_views_median_30_p75,
    case when like_rate_views_median_30_n >= 30 then like_rate_views_median_30_q[5] end as like_rate_views_median_30_p90
from account a
join bound b on a.followers >= b.lowest and a.followers < b.highest
where has_rate
group by grouping sets ((a.platform, b.scheme, b.tier), (a.platform, b.scheme, b.tier, niche),
    (a.platform, b.scheme, b.tier, country), (a.platform, b.scheme, b.tier, niche, country));

create table fct_tier_benchmark_daily as
with merged as (
    select o.*, case when o.n >= 30 then 'none' when o.niche <> '*' and o.country <> '*' and n.n >= 30 then 'niche'
        when t.n < 30 then 'too_few' else 'tier' end as merged_into
    from cell o
    join cell t on o.platform = t.platform and o.scheme = t.scheme and o.tier = t.tier and t.niche = '*' and t.country = '*'
    join cell n on o.platform = n.platform and o.scheme = n.scheme and o.tier = n.tier and o.niche = n.niche
        and n.country = '*'
)
select m.platform, m.scheme, m.tier, m.niche, m.country, $night as snapshot_date, m.merged_into,
    b.niche as basis_niche, b.country as basis_country, m.n::integer as n_own, 0 as n_suspicious, 'observed' as data_origin,
    b.n::integer as n, b.* exclude (platform, scheme, tier, niche, country, n)
from merged m
join cell b on m.platform = b.platform and m.scheme = b.scheme and m.tier = b.tier
    and b.niche = case when merged_into in ('none', 'niche') then m.niche else '*' end
    and b.country = case when merged_into = 'none' then m.country else '*' end;
