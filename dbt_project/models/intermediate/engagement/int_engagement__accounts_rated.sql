-- One row per account and UTC day on which it or a post of its own was captured: its rates, not yet beside its peers'.
with posts as (select * from {{ ref("int_engagement__post_rates_measured") }}),

post_days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

account_days as (select * from {{ ref("int_snapshot__account_days_deduplicated") }}),

planned as (
    {{ planned_dates("int_engagement__accounts_rated") }}
),

with_a_post as (
    select
        platform,
        account_id,
        snapshot_date,
        max(data_origin) as data_origin
    from post_days
    where snapshot_date in (select planned.snapshot_date from planned)
    group by platform, account_id, snapshot_date
),

observed as (
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        data_origin
    from account_days
    where snapshot_date in (select planned.snapshot_date from planned)
),

seen as (
    select
        observed.followers,
        coalesce(observed.platform, with_a_post.platform) as platform,
        coalesce(observed.account_id, with_a_post.account_id) as account_id,
        coalesce(observed.snapshot_date, with_a_post.snapshot_date) as snapshot_date,
        coalesce(observed.data_origin, with_a_post.data_origin) as data_origin
    from observed
    full outer join with_a_post
        on observed.platform = with_a_post.platform
        and observed.account_id = with_a_post.account_id
        and observed.snapshot_date = with_a_post.snapshot_date
),

rated as (
    select
        platform,
        account_id,
        snapshot_date,
        count(place) as posts_in_window,
        {% for column, rate, posts in engagement_rates() %}
            {% if "_mean_" in column %}
                {{ mean_of(rate, "place <= " ~ posts) }} as {{ column }},
            {% else %}
                median({{ rate }}) filter (where place <= {{ posts }}) as {{ column }},
            {% endif %}
            count({{ rate }}) filter (where place <= {{ posts }}) as {{ column }}_posts,
        {% endfor %}
        count(er_followers) filter (where place <= 30 and not is_publication_basis) as snapshot_date_basis_posts,
        count(reach) filter (where place <= 30) as reach_posts,
        median(er_followers) filter (where is_sponsored) as er_sponsored,
        count(er_followers) filter (where is_sponsored) as er_sponsored_posts,
        median(er_followers) filter (where not is_sponsored) as er_organic,
        count(er_followers) filter (where not is_sponsored) as er_organic_posts,
        count(*) filter (where is_sponsored) as sponsored_posts_90d,
        count(is_sponsored) as sponsored_share_90d_posts,
        sum(comments) as comments_of_window,
        count(comments) as comments_per_week_posts,
        sum(creator_replies) filter (where comments is not null) as replies,
        sum(comments) filter (where creator_replies is not null) as comments_with_replies,
        count(creator_replies + comments) as reply_rate_posts,
        sum(comments) filter (where place <= 30 and likes is not null) as comments_with_likes,
        sum(likes) filter (where place <= 30 and comments is not null) as likes_with_comments,
        count(comments + likes) filter (where place <= 30) as comment_like_ratio_posts,
        count(*) filter (where has_names) as named_posts_90d,
        max(data_origin) as data_origin
    from posts
    group by platform, account_id, snapshot_date
),

int_engagement__accounts_rated as (
    select
        seen.platform,
        seen.account_id,
        seen.snapshot_date,
        seen.followers,
        {% set counted = [
            "posts_in_window", "snapshot_date_basis_posts", "er_sponsored_posts", "er_organic_posts",
            "sponsored_share_90d_posts", "comments_per_week_posts", "reply_rate_posts", "comment_like_ratio_posts",
            "named_posts_90d",
        ] %}
        {% for column in counted %}
            -- An account without a post in the window has none: 0 is counted, not unknown.
            cast(coalesce(rated.{{ column }}, 0) as integer) as {{ column }},
        {% endfor %}
        {% for column, _, _ in engagement_rates() %}
            rated.{{ column }},
            cast(coalesce(rated.{{ column }}_posts, 0) as integer) as {{ column }}_posts,
        {% endfor %}
        {{ ratio("rated.reach_posts", "least(rated.posts_in_window, 30)") }} as reach_coverage,
        rated.er_sponsored,
        rated.er_organic,
        {{ ratio("rated.sponsored_posts_90d", "rated.sponsored_share_90d_posts") }} as sponsored_share_90d,
        cast(rated.comments_of_window * 7 as double) / {{ engagement_window_days() }} as comments_per_week,
        {{ ratio("rated.replies", "rated.comments_with_replies") }} as reply_rate,
        {{ ratio("rated.comments_with_likes", "rated.likes_with_comments") }} as comment_like_ratio,
        -- `simulated` stands after `observed`: one simulated part makes the row so.
        greatest(seen.data_origin, rated.data_origin) as data_origin
    from seen
    left join rated
        on seen.platform = rated.platform
        and seen.account_id = rated.account_id
        and seen.snapshot_date = rated.snapshot_date
)

select * from int_engagement__accounts_rated
