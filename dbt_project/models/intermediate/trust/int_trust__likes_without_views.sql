-- One row per account and planned day with more likes per view than its peers.
{{ config(materialized="view") }}

with distances as (select * from {{ ref("int_trust__rate_distances_measured") }}),

int_trust__likes_without_views as (
    select
        platform,
        account_id,
        snapshot_date,
        window_start,
        cast(null as bigint) as followers_affected,
        distance as statistic,
        'likes at a share of views of ' || comparison as fact
    from distances
    where metric = 'like_rate_views_median_30' and distance > 0
)

select * from int_trust__likes_without_views
