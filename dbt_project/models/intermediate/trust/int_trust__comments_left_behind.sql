-- One row per account and planned day whose comments per like are compared with its own of four weeks before.
{{ config(materialized="view") }}

with shifts as (select * from {{ ref("int_trust__rate_shifts_measured") }}),

int_trust__comments_left_behind as (
    select
        platform,
        account_id,
        snapshot_date,
        window_start,
        cast(null as bigint) as followers_affected,
        -shift as statistic,
        'comments went from ' || moved || ' of likes within ' || duration as fact
    from shifts
    where metric = 'comment_like_ratio'
)

select * from int_trust__comments_left_behind
