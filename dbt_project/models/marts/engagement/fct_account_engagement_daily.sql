-- One row per account and UTC day on which it or a post of its own was captured: how its audience engages.
with rated as (
    select * from {{ ref("int_engagement__accounts_rated") }}
    where snapshot_date in ({{ planned_dates("fct_account_engagement_daily") }})
),

attributes as (select * from {{ ref("int_engagement__attributes_dated") }}),

rivals as (select * from {{ ref("int_agreement__rivals_counted") }}),

listed as (
    select count(*) filter (where is_rival) as rival_names
    from {{ ref("int_agreement__brand_names_listed") }}
),

described as (
    select
        rated.*,
        attributes.tier,
        attributes.niche,
        attributes.country,
        case
            when rated.er_followers_median_30_posts = 0 then null
            when rated.snapshot_date_basis_posts = 0 then 'publication'
            when rated.snapshot_date_basis_posts = rated.er_followers_median_30_posts then 'snapshot_date'
            else 'mixed'
        end as denominator_basis,
        case
            when listed.rival_names = 0 or rated.named_posts_90d = 0 then null
            -- Posts with names, none of them a rival's: that is none, not unknown.
            else coalesce(rivals.rival_brands, 0)
        end as rival_brands_90d
    from rated
    inner join attributes
        on rated.platform = attributes.platform
        and rated.account_id = attributes.account_id
        and rated.snapshot_date = attributes.snapshot_date
    cross join listed
    left join rivals
        on rated.platform = rivals.platform
        and rated.account_id = rivals.account_id
        and rated.snapshot_date = rivals.snapshot_date
),

fct_account_engagement_daily as (
    select
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(followers as bigint) as followers,
        cast(tier as string) as tier,
        cast(niche as string) as niche,
        cast(country as string) as country,
        cast(posts_in_window as integer) as posts_in_window,
        {% for column, _, _ in engagement_rates() %}
            cast({{ column }} as double) as {{ column }},
            cast({{ column }}_posts as integer) as {{ column }}_posts,
        {% endfor %}
        cast(denominator_basis as string) as denominator_basis,
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
        cast(data_origin as string) as data_origin
    from described
)

select * from fct_account_engagement_daily
