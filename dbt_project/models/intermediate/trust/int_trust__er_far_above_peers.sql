-- One row per account and planned day with an engagement rate not below its peers': bought likes are beyond its size.
{{ config(materialized="view") }}

with distances as (select * from {{ ref("int_trust__rate_distances_measured") }}),

int_trust__er_far_above_peers as (
    select
        platform,
        account_id,
        snapshot_date,
        window_start,
        cast(null as bigint) as followers_affected,
        distance as statistic,
        'an engagement rate of ' || comparison as fact
    from distances
    where metric = 'er_followers_median_30' and distance >= 0
)

select * from int_trust__er_far_above_peers
