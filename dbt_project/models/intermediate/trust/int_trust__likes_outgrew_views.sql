-- One row per account and planned day whose likes per view are compared with its own of four weeks before.
{{ config(materialized="view") }}

with shifts as (select * from {{ ref("int_trust__rate_shifts_measured") }}),

int_trust__likes_outgrew_views as (
    select
        platform,
        account_id,
        snapshot_date,
        window_start,
        cast(null as bigint) as followers_affected,
        shift as statistic,
        'likes went from ' || moved || ' of views within ' || duration as fact
    from shifts
    where metric = 'like_rate_views_median_30'
)

select * from int_trust__likes_outgrew_views
