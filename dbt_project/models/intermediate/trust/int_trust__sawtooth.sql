-- One row per account and planned day whose followers went up and down again and again within 28 days.
{{ config(materialized="view") }}

with turns as (
    select *
    from {{ ref("int_trust__turns_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

int_trust__sawtooth as (
    select
        platform,
        account_id,
        snapshot_date,
        cast(least(up_28, down_28) as double) as statistic,
        {{ add_days("snapshot_date", -28) }} as window_start,
        cast(round(least(up_28, down_28) * followers) as bigint) as followers_affected,
        'followers up by ' || {{ percent("up_28") }} || ' and down by ' || {{ percent("down_28") }}
        || ' in all, in turns, within 28 days' as fact
    from turns
    where is_sawtooth
)

select * from int_trust__sawtooth
