-- The night's rates of accounts, of posts of 90 days ($night).
-- What is kept of every post of 90 days. Few posts change, so only their rows are put in order.
create temp table known_traits as
with kept as (
    select *, hash(platform, post_id) as key from build.intermediate.int_snapshot__post_traits_changed
    where snapshot_date between $night - 90 and $night - 1
),
twice as (select key from kept group by key having count(*) > 1),
latest as (
    from kept anti join twice using (key)
    union all
    (from kept semi join twice using (key)
    qualify row_number() over (partition by platform, post_id order by snapshot_date desc) = 1)
)
select platform, post_id, account_id, published_at, is_early, is_sponsored, hashtags, mentions,
    followers_at_publication
from latest;

create temp table post as
select t.post_id is not null as is_today, coalesce(t.platform, k.platform) as platform,
    coalesce(t.post_id, k.post_id) as post_id,
    case when is_today then t.account_id else k.account_id end as account_id,
    case when is_today then t.published_at else k.published_at end as published_at,
    case when is_today then coalesce(t.published_at > t.captured_at, false) else k.is_early end as is_early,
    case when is_today then t.is_sponsored else k.is_sponsored end as is_sponsored,
    is_today and (k.post_id is null or t.account_id <> k.account_id
        or t.published_at is distinct from k.published_at) as is_moved,
    is_moved or (is_today and ((t.published_at > t.captured_at) is distinct from k.is_early
        or t.is_sponsored is distinct from k.is_sponsored or t.hashtags is distinct from k.hashtags
        or t.mentions is distinct from k.mentions)) as is_new,
    t.hashtags, t.mentions, case when not is_moved then k.followers_at_publication end as followers_then,
    date_diff('microsecond', t.published_at, t.captured_at) as age,
    coalesce(t.is_pinned, false) or coalesce(t.is_collab, false) as is_left_out,
    t.likes, t.comments, t.creator_replies, t.views, t.reach
from today_post t full join known_traits k using (platform, post_id);

-- The night's own rows of what is kept: followers are those of the last capture in the 7 days before publication.
create temp table new_post as
with moved as (
    select platform, post_id, account_id, published_at from post
    where is_moved and not is_early and published_at >= $night - 90
),
captured as (
    select platform, account_id, captured_at, followers from build.intermediate.int_snapshot__followers_captured
    where snapshot_date >= (select min(published_at)::date - 7 from moved)
    union all
    select platform, account_id, captured_at, followers from today_account where followers is not null
),
based as (
    select m.platform, m.post_id, arg_max(c.followers, c.captured_at) as followers
    from captured c
    join moved m on c.platform = m.platform and c.account_id = m.account_id
        and c.captured_at <= m.published_at and c.captured_at >= m.published_at - interval 7 day
    group by all
)
select p.platform, p.post_id, p.account_id, p.published_at, p.is_early, p.is_sponsored, p.hashtags, p.mentions,
    'observed' as data_origin, case when is_moved then b.followers else followers_then end as followers_at_publication,
    $night as snapshot_date
from post p left join based b using (platform, post_id)
where is_new and published_at >= $night - 90;

-- Posts of the window: 3 to 90 days old at the end of the night, at their last capture in 7 days.
create temp table window_post as
with missed as (
    select p.* replace (date_diff('microsecond', p.published_at, s.captured_at)
            + ($night - s.last_seen_date) * 86400000000 as age,
        case when s.likes_known_at = s.captured_at then s.likes end as likes,
        case when s.comments_known_at = s.captured_at then s.comments end as comments,
        case when s.creator_replies_known_at = s.captured_at then s.creator_replies end as creator_replies,
        case when s.views_known_at = s.captured_at then s.views end as views,
        case when s.reach_known_at = s.captured_at then s.reach end as reach)
    from post p
    join build.intermediate.int_snapshot__post_last_known_values s
        on p.platform = s.platform and p.post_id = s.post_id and p.account_id = s.account_id
    anti join (
        select platform, post_id, snapshot_date from marts.fct_post_daily
        where snapshot_date between $night - 6 and $night - 1 and (is_pinned or is_collab)
    ) o on s.platform = o.platform and s.post_id = o.post_id and s.last_seen_date = o.snapshot_date
    where not p.is_today and s.last_seen_date between $night - 6 and $night - 1
        and s.snapshot_date = (select max(snapshot_date) from build.intermediate.int_snapshot__post_last_known_values)
),
placed as (
    select *, row_number() over (
        partition by platform, account_id order by published_at desc, post_id desc) as place
    from (
        select platform, account_id, post_id, published_at, is_early, is_sponsored, is_moved, followers_then,
            likes, comments, creator_replies, views, reach
        from (from post where is_today and not is_left_out union all from missed)
        where age between 72 * 3600000000 and 2160 * 3600000000
    )
),
based as (
    select p.* exclude (followers_then),
        case when is_moved then n.followers_at_publication else followers_then end as followers_then
    from placed p left join new_post n using (platform, post_id)
    where not p.is_early
)
select p.platform, p.account_id, place, is_sponsored, likes, comments, creator_replies, reach,
    followers_then is not null as is_then, (likes + comments)::double as reactions,
    reactions / nullif(coalesce(followers_then, a.followers), 0) as er_followers,
    reactions / nullif(p.views, 0) as er_views, reactions / nullif(p.reach, 0) as er_reach,
    reach::double / nullif(coalesce(followers_then, a.followers), 0) as reach_rate,
    likes::double / nullif(views, 0) as like_rate_views
from based p
left join today_account a using (platform, account_id);

create temp table rated as
with of_window as (
    select platform, account_id, count(*) as posts_in_window,
        sum(er_followers::decimal(38, 18)) filter (where place <= 12)::double
            / nullif(count(er_followers) filter (where place <= 12), 0) as er_followers_mean_12,
        count(er_followers) filter (where place <= 12) as er_followers_mean_12_posts,
        median(er_followers) filter (where place <= 30) as er_followers_median_30,
        count(er_followers) filter (where place <= 30) as er_followers_median_30_posts,
        median(er_views) filter (where place <= 30) as er_views_median_30,
        count(er_views) filter (where place <= 30) as er_views_median_30_posts,
        median(er_reach) filter (where place <= 30) as er_reach_median_30,
        count(er_reach) filter (where place <= 30) as er_reach_median_30_posts,
        median(reach_rate) filter (where place <= 30) as reach_rate_median_30,
        count(reach_rate) filter (where place <= 30) as reach_rate_median_30_posts,
        median(like_rate_views) filter (where place <= 30) as like_rate_views_median_30,
        count(like_rate_views) filter (where place <= 30) as like_rate_views_median_30_posts,
        count(er_followers) filter (where place <= 30 and not is_then) as snapshot_date_basis_posts,
        count(reach) filter (where place <= 30)::double / least(count(*), 30) as reach_coverage,
        median(er_followers) filter (where is_sponsored) as er_sponsored,
        count(er_followers) filter (where is_sponsored) as er_sponsored_posts,
        median(er_followers) filter (where not is_sponsored) as er_organic,
        count(er_followers) filter (where not is_sponsored) as er_organic_posts,
        (sum(comments) * 7)::double / 90 as comments_per_week, count(comments) as comments_per_week_posts,
        (sum(creator_replies) filter (where comments is not null))::double
            / nullif(sum(comments) filter (where creator_replies is not null), 0) as reply_rate,
        count(creator_replies + comments) as reply_rate_posts,
        (sum(comments) filter (where place <= 30 and likes is not null))::double
            / nullif(sum(likes) filter (where place <= 30 and comments is not null), 0) as comment_like_ratio,
        count(comments + likes) filter (where place <= 30) as comment_like_ratio_posts
    from window_post group by platform, account_id
),
of_90_days as (
    select platform, account_id, bool_or(is_today) as is_today,
        count(*) filter (where is_sponsored and not is_early and published_at >= $night - 90) as sponsored,
        count(is_sponsored) filter (where not is_early and published_at >= $night - 90) as sponsored_share_90d_posts
    from post group by platform, account_id
),
of_posts as (
    select * exclude (sponsored), sponsored::double / nullif(sponsored_share_90d_posts, 0) as sponsored_share_90d
    from of_90_days left join of_window using (platform, account_id)
)
select coalesce(a.platform, p.platform) as platform, coalesce(a.account_id, p.account_id) as account_id, a.followers,
    nullif(a.niche, '*') as niche, nullif(a.country, '*') as country, p.* exclude (platform, account_id, is_today)
from today_account a
full join of_posts p on a.platform = p.platform and a.account_id = p.account_id
where a.account_id is not null or p.is_today;

insert into marts.fct_account_engagement_daily by name
select r.platform, r.account_id, $night as snapshot_date, followers, t.tier, niche, country,
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
from rated r
left join tier_today t on r.platform = t.platform and r.account_id = t.account_id and t.scheme = 'standard';
