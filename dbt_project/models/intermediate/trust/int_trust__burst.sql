-- One row per account and planned day with a burst: more followers within 3 days than its usual pace could bring.
{{ config(materialized="view") }}

with windows as (
    select *
    from {{ ref("int_trust__windows_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

int_trust__burst as (
    select
        platform,
        account_id,
        snapshot_date,
        burst as statistic,
        {{ add_days("snapshot_date", "-days_3") }} as window_start,
        gain_3 as followers_affected,
        {{ signed_count("gain_3") }} || ' followers in ' || {{ in_days("days_3") }}
        || case
            when base_median > 0
                then ', ' || {{ times_usual("gain_3 / nullif(base_median * days_3 * followers_before_3, 0)") }}
            else ', where it usually gains none'
        end as fact
    from windows
    -- A rise that views explain is no evidence; where views are unknown it is a weak one, as no other signal joins it.
    where is_burst and (unexplained_3 is null or unexplained_3 >= {{ least_unexplained() }})
)

select * from int_trust__burst
