-- One row per account and planned day on which posts published at most 90 days before name a rival brand.
{{ config(materialized="view") }}

{% set window_days = engagement_window_days() %}

with posts as (select * from {{ ref("int_agreement__brand_posts_named") }}),

planned as (
    {{ planned_dates("fct_account_engagement_daily") }}
),

int_agreement__rivals_counted as (
    select
        posts.platform,
        posts.account_id,
        planned.snapshot_date,
        count(distinct posts.brand) as rival_brands
    from posts
    inner join planned
        on posts.snapshot_date between {{ add_days("planned.snapshot_date", -window_days) }} and planned.snapshot_date
        and posts.published_on >= {{ add_days("planned.snapshot_date", -window_days) }}
    where posts.is_rival and not posts.is_early
    group by posts.platform, posts.account_id, planned.snapshot_date
)

select * from int_agreement__rivals_counted
