-- Both files of the night to Parquet and into two tables; of several captures of one day the last one counts ($night).
copy (
    select platform, account_id, replace(captured_at, 'Z', '')::timestamp as captured_at,
        followers::bigint as followers, following::bigint as following, posts::bigint as posts,
        likes_total::bigint as likes_total, views_total::bigint as views_total, handle, display_name, country, language,
        niche
    from read_csv('$accounts', all_varchar = true)
) to '$folder/accounts.parquet' (format parquet, compression zstd);

copy (
    select platform, post_id, account_id, replace(captured_at, 'Z', '')::timestamp as captured_at,
        replace(published_at, 'Z', '')::timestamp as published_at, content_type, likes::bigint as likes,
        comments::bigint as comments, views::bigint as views, is_sponsored::boolean as is_sponsored
    from read_csv('$posts', all_varchar = true)
) to '$folder/posts.parquet' (format parquet, compression zstd);

create table today_account as
with landed as (
    select *, case when followers is null then 'not_captured' end as followers_null_reason,
        case when following is null then 'not_captured' end as following_null_reason,
        case when posts is null then 'not_captured' end as posts_null_reason,
        case when views_total is null then 'not_captured' end as views_total_null_reason,
        'observed' as data_origin, $night as snapshot_date
    from read_parquet('$folder/accounts.parquet')
),
twice as (select platform, account_id from landed group by all having count(*) > 1)
select * from landed anti join twice using (platform, account_id)
union all
select * from landed semi join twice using (platform, account_id)
qualify row_number() over (partition by platform, account_id order by captured_at desc) = 1;

create table today_post as
with landed as (
    select platform, post_id, account_id, captured_at, published_at, content_type, likes, comments,
        null::bigint as creator_replies, null::bigint as shares, null::bigint as saves, views, null::bigint as reach,
        null::bigint as impressions, case when likes is null then 'not_captured' end as likes_null_reason,
        case when comments is null then 'not_captured' end as comments_null_reason,
        'unsupported' as creator_replies_null_reason, 'unsupported' as shares_null_reason,
        'unsupported' as saves_null_reason, case when views is null then 'not_captured' end as views_null_reason,
        'unsupported' as reach_null_reason, 'unsupported' as impressions_null_reason, is_sponsored,
        null::boolean as is_pinned, null::boolean as is_collab, null::varchar as hashtags, null::varchar as mentions,
        'observed' as data_origin, $night as snapshot_date
    from read_parquet('$folder/posts.parquet')
),
twice as (select platform, post_id from landed group by all having count(*) > 1)
select * from landed anti join twice using (platform, post_id)
union all
select * from landed semi join twice using (platform, post_id)
qualify row_number() over (partition by platform, post_id order by captured_at desc) = 1;
