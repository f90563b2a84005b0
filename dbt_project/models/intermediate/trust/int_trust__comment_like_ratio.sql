-- One row per account and planned day with comments per like and peers: likes or comments without people part the two.
{{ config(materialized="view") }}

with distances as (select * from {{ ref("int_trust__rate_distances_measured") }}),

int_trust__comment_like_ratio as (
    select
        platform,
        account_id,
        snapshot_date,
        window_start,
        cast(null as bigint) as followers_affected,
        abs(distance) as statistic,
        'comments at a share of likes of ' || comparison as fact
    from distances
    where metric = 'comment_like_ratio'
)

select * from int_trust__comment_like_ratio
