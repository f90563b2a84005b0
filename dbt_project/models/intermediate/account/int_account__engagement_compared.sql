-- One row per account and planned day: its rates beside its peers', and the rivals that its posts name.
{{ config(materialized="view") }}

with rated as (
    select * from {{ ref("int_account__engagement_rated") }}
    where snapshot_date in ({{ planned_dates("fct_account_engagement_daily") }})
),

peers as (select * from {{ ref("int_account__peers_ranked") }}),

rivals as (select * from {{ ref("int_brand__rivals_counted") }}),

listed as (
    select count(*) filter (where is_rival) as rival_names
    from {{ ref("int_brand__names_listed") }}
),

int_account__engagement_compared as (
    select
        rated.*,
        peers.tier,
        peers.niche,
        peers.country,
        peers.benchmark_niche,
        peers.benchmark_country,
        peers.benchmark_n,
        peers.er_percentile,
        peers.like_rate_percentile,
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
    inner join peers
        on rated.platform = peers.platform
        and rated.account_id = peers.account_id
        and rated.snapshot_date = peers.snapshot_date
    cross join listed
    left join rivals
        on rated.platform = rivals.platform
        and rated.account_id = rivals.account_id
        and rated.snapshot_date = rivals.snapshot_date
)

select * from int_account__engagement_compared
