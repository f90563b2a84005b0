-- What was last known of every account and post by the end of the night: the next one goes on from it ($night).
create table kept_account as
select coalesce(t.platform, k.platform) as platform, coalesce(t.account_id, k.account_id) as account_id,
    coalesce(t.followers, k.followers) as followers,
    case when t.followers is not null then t.captured_at else k.followers_known_at end as followers_known_at,
    coalesce(t.following, k.following) as following,
    case when t.following is not null then t.captured_at else k.following_known_at end as following_known_at,
    coalesce(t.posts, k.posts) as posts,
    case when t.posts is not null then t.captured_at else k.posts_known_at end as posts_known_at,
    coalesce(t.views_total, k.views_total) as views_total,
    case when t.views_total is not null then t.captured_at else k.views_total_known_at end as views_total_known_at,
    coalesce(t.data_origin, k.data_origin) as data_origin
from today_account t full join known k using (platform, account_id);

create table kept_post as
select coalesce(t.platform, k.platform) as platform, coalesce(t.post_id, k.post_id) as post_id,
    coalesce(t.account_id, k.account_id) as account_id, coalesce(t.captured_at, k.captured_at) as captured_at,
    coalesce(t.likes, k.likes) as likes,
    case when t.likes is not null then t.captured_at else k.likes_known_at end as likes_known_at,
    coalesce(t.comments, k.comments) as comments,
    case when t.comments is not null then t.captured_at else k.comments_known_at end as comments_known_at,
    coalesce(t.creator_replies, k.creator_replies) as creator_replies,
    case when t.creator_replies is not null then t.captured_at else k.creator_replies_known_at end
        as creator_replies_known_at,
    coalesce(t.shares, k.shares) as shares,
    case when t.shares is not null then t.captured_at else k.shares_known_at end as shares_known_at,
    coalesce(t.saves, k.saves) as saves,
    case when t.saves is not null then t.captured_at else k.saves_known_at end as saves_known_at,
    coalesce(t.views, k.views) as views,
    case when t.views is not null then t.captured_at else k.views_known_at end as views_known_at,
    coalesce(t.reach, k.reach) as reach,
    case when t.reach is not null then t.captured_at else k.reach_known_at end as reach_known_at,
    coalesce(t.impressions, k.impressions) as impressions,
    case when t.impressions is not null then t.captured_at else k.impressions_known_at end as impressions_known_at,
    case when t.post_id is not null then $night else k.last_seen_date end as last_seen_date
from today_post t full join known_post k using (platform, post_id, account_id)
where t.post_id is not null or k.last_seen_date >= $night - 35;
