-- One row per account and planned day whose burst is an order's size: 1,000, 2,000, 2,500, 5,000 times a power of ten.
{{ config(materialized="view") }}

with windows as (
    select *
    from {{ ref("int_trust__windows_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
),

bursts as (
    select
        *,
        gain_3 / power(10, floor(log10(gain_3))) as mantissa
    from windows
    -- A count that is rounded more coarsely than that cannot tell a round gain from any other.
    where is_burst and gain_3 >= 950 and count_resolution * 100 <= gain_3
),

distances as (
    select
        *,
        least(
            abs(mantissa - 1) / 1, abs(mantissa - 2) / 2, abs(mantissa - 2.5) / 2.5, abs(mantissa - 5) / 5,
            abs(mantissa - 10) / 10
        ) as distance
    from bursts
),

int_trust__round_number_jump as (
    select
        platform,
        account_id,
        snapshot_date,
        1 - distance as statistic,
        {{ add_days("snapshot_date", "-days_3") }} as window_start,
        gain_3 as followers_affected,
        'the gain of ' || {{ counted("gain_3") }} || ' is the size of an order' as fact
    from distances
)

select * from int_trust__round_number_jump
