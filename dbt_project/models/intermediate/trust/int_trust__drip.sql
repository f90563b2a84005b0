-- One row per account and planned day with a drip: 20 days of growth too even to be organic, and faster than before.
{{ config(materialized="view") }}

with paces as (select * from {{ ref("int_trust__paces_compared") }}),

int_trust__drip as (
    select
        platform,
        account_id,
        snapshot_date,
        evenness as statistic,
        {{ add_days("snapshot_date", "-days_20") }} as window_start,
        gain_20 as followers_affected,
        {{ signed_count("gain_20") }} || ' followers in ' || {{ in_days("days_20") }} || ', its slowest 5 days at '
        || {{ percent("evenness") }} || ' of its fastest' as fact
    from paces
    where {{ is_slow_growth() }} and (unexplained_20 is null or unexplained_20 >= 0.5)
)

select * from int_trust__drip
