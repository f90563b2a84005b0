-- One row per account and UTC day on which it or a post of its own was captured: how its audience engages.
with compared as (select * from {{ ref("int_account__engagement_compared") }}),

fct_account_engagement_daily as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(followers as bigint) as followers,
        cast(tier as varchar) as tier,
        cast(niche as varchar) as niche,
        cast(country as varchar) as country,
        cast(posts_in_window as integer) as posts_in_window,
        {% for column, _, _ in engagement_rates() %}
            cast({{ column }} as double) as {{ column }},
            cast({{ column }}_posts as integer) as {{ column }}_posts,
        {% endfor %}
        cast(denominator_basis as varchar) as denominator_basis,
        cast(snapshot_date_basis_posts as integer) as snapshot_date_basis_posts,
        cast(reach_coverage as double) as reach_coverage,
        cast(er_sponsored as double) as er_sponsored,
        cast(er_sponsored_posts as integer) as er_sponsored_posts,
        cast(er_organic as double) as er_organic,
        cast(er_organic_posts as integer) as er_organic_posts,
        cast(sponsored_share_90d as double) as sponsored_share_90d,
        cast(sponsored_share_90d_posts as integer) as sponsored_share_90d_posts,
        cast(comments_per_week as double) as comments_per_week,
        cast(comments_per_week_posts as integer) as comments_per_week_posts,
        cast(reply_rate as double) as reply_rate,
        cast(reply_rate_posts as integer) as reply_rate_posts,
        cast(rival_brands_90d as integer) as rival_brands_90d,
        cast(comment_like_ratio as double) as comment_like_ratio,
        cast(comment_like_ratio_posts as integer) as comment_like_ratio_posts,
        cast(benchmark_niche as varchar) as benchmark_niche,
        cast(benchmark_country as varchar) as benchmark_country,
        cast(benchmark_n as integer) as benchmark_n,
        cast(er_percentile as double) as er_percentile,
        cast(like_rate_percentile as double) as like_rate_percentile,
        cast(data_origin as varchar) as data_origin
    from compared
)

select * from fct_account_engagement_daily
