-- The night's posts beside what was last known of each ($night).
create temp table known_post as
select * from build.intermediate.int_snapshot__post_last_known_values
where snapshot_date = (select max(snapshot_date) from build.intermediate.int_snapshot__post_last_known_values);

create temp table redefined as
select t.platform, t.content_type, metric, max(valid_from) as since
from (select distinct platform, content_type from today_post) t
join build.seeds.metric_definitions d on t.platform = d.platform and d.valid_from <= $night
    and (d.content_type in ('*', t.content_type) or t.content_type is null)
group by all;

insert into marts.fct_post_daily by name
with since as (
    select platform, content_type,
        max(since) filter (where metric = 'likes') as likes_since,
        max(since) filter (where metric = 'comments') as comments_since,
        max(since) filter (where metric = 'creator_replies') as creator_replies_since,
        max(since) filter (where metric = 'shares') as shares_since,
        max(since) filter (where metric = 'saves') as saves_since,
        max(since) filter (where metric = 'views') as views_since,
        max(since) filter (where metric = 'reach') as reach_since,
        max(since) filter (where metric = 'impressions') as impressions_since
    from redefined group by all
),
beside as (
    -- What another account's post had counted is not compared, nor what is 35 days old, nor what was counted otherwise.
    select t.*, date_diff('microsecond', t.published_at, t.captured_at) as age,
        coalesce(k.account_id <> t.account_id, false) as has_changed_account,
        case when k.account_id = t.account_id and k.captured_at >= $night - 35 then k.captured_at end
            as captured_before,
        case when k.account_id = t.account_id
            and k.likes_known_at >= greatest($night - 35, coalesce(likes_since, $night - 35))
            then k.likes end as likes_before, k.likes_known_at,
        case when k.account_id = t.account_id
            and k.comments_known_at >= greatest($night - 35, coalesce(comments_since, $night - 35))
            then k.comments end as comments_before, k.comments_known_at,
        case when k.account_id = t.account_id
            and k.creator_replies_known_at >= greatest($night - 35, coalesce(creator_replies_since, $night - 35))
            then k.creator_replies end as creator_replies_before, k.creator_replies_known_at,
        case when k.account_id = t.account_id
            and k.shares_known_at >= greatest($night - 35, coalesce(shares_since, $night - 35))
            then k.shares end as shares_before, k.shares_known_at,
        case when k.account_id = t.account_id
            and k.saves_known_at >= greatest($night - 35, coalesce(saves_since, $night - 35))
            then k.saves end as saves_before, k.saves_known_at,
        case when k.account_id = t.account_id
            and k.views_known_at >= greatest($night - 35, coalesce(views_since, $night - 35))
            then k.views end as views_before, k.views_known_at,
        case when k.account_id = t.account_id
            and k.reach_known_at >= greatest($night - 35, coalesce(reach_since, $night - 35))
            then k.reach end as reach_before, k.reach_known_at,
        case when k.account_id = t.account_id
            and k.impressions_known_at >= greatest($night - 35, coalesce(impressions_since, $night - 35))
            then k.impressions end as impressions_before, k.impressions_known_at
    from today_post t
    left join known_post k using (platform, post_id)
    left join since s on t.platform = s.platform and t.content_type is not distinct from s.content_type
)
select platform, post_id, snapshot_date, account_id, captured_at, published_at, content_type,
    case when age >= 0 then age::double / 3600000000 end as hours_since_publication,
    date_diff('microsecond', captured_before, captured_at)::double / 3600000000 as gap_hours,
    likes, likes_null_reason,
    comments, comments_null_reason,
    creator_replies, creator_replies_null_reason,
    shares, shares_null_reason,
    saves, saves_null_reason,
    views, views_null_reason,
    reach, reach_null_reason,
    impressions, impressions_null_reason,
    ((likes - likes_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', likes_known_at, captured_at), 0) as likes_change_per_day,
    ((comments - comments_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', comments_known_at, captured_at), 0) as comments_change_per_day,
    ((creator_replies - creator_replies_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', creator_replies_known_at, captured_at), 0) as creator_replies_change_per_day,
    ((shares - shares_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', shares_known_at, captured_at), 0) as shares_change_per_day,
    ((saves - saves_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', saves_known_at, captured_at), 0) as saves_change_per_day,
    ((views - views_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', views_known_at, captured_at), 0) as views_change_per_day,
    ((reach - reach_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', reach_known_at, captured_at), 0) as reach_change_per_day,
    ((impressions - impressions_before)::decimal(38, 0) * 86400000000)::double
        / nullif(date_diff('microsecond', impressions_known_at, captured_at), 0) as impressions_change_per_day,
    case when age >= 3600000000 then (likes::decimal(38, 0) * 3600000000)::double / age end as likes_per_hour,
    case when age >= 3600000000 then (comments::decimal(38, 0) * 3600000000)::double / age end as comments_per_hour,
    case when age >= 3600000000 then (views::decimal(38, 0) * 3600000000)::double / age end as views_per_hour,
    is_sponsored, is_pinned, is_collab, hashtags, mentions, age < 0 as is_published_in_future, has_changed_account,
    least(likes - likes_before, comments - comments_before, shares - shares_before, saves - saves_before,
        views - views_before, reach - reach_before) < 0 as has_fallen,
    data_origin
from beside;
