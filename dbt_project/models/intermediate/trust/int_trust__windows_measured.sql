-- One row per account and UTC day with known followers: its growth of the last 3, 20 and 28 days, beside its own usual.
{% set min_base_changes = 7 %}

with summed as (select * from {{ ref("int_trust__windows_summed") }}),

-- From which growth on a rise is a burst, and rises and falls are a sawtooth: the config table alone says it.
cuts as (
    select
        max(cut) filter (where signal = 'burst') as burst,
        max(cut) filter (where signal = 'sawtooth') as sawtooth
    from {{ source("meta", "config_trust_signals") }}
),

beside_usual as (
    select
        *,
        followers - gain_3 as followers_before_3,
        excess_3 - base_median * days_3 as burst,
        -- Views beyond the account's own usual: what a viral post brings. Two days more than the followers', for
        -- the two counts are not brought up to date together.
        {{ above_zero("views_5 - base_views_per_day * views_days_5") }} as extra_views_5
    from summed
),

tested as (
    select
        *,
        case
            when base_changes >= {{ min_base_changes }}
                then (burst - step) / nullif(scatter * sqrt(days_3), 0)
        end as burst_z
    from beside_usual
),

int_trust__windows_measured as (
    select
        *,
        -- The smallest rise within a day that would be told from noise and rounding.
        greatest((select cuts.burst from cuts), step + {{ least_z() }} * scatter) as smallest_visible_burst,
        -- Share of the gain that neither the usual pace nor the extra views explain.
        1 - (
            greatest(base_median, 0) * days_3 * followers_before_3
            + extra_views_5 * {{ followers_per_view() }}
        ) / nullif(gain_3, 0) as unexplained_3,
        burst >= (select cuts.burst from cuts)
        and burst_z >= {{ least_z() }}
        and gain_3 >= {{ least_gain() }}
        and followers_before_3 >= {{ least_followers() }} as is_burst,
        -- Three rises and three falls, each beyond one step of the platform's rounding.
        least(up_28, down_28) >= (select cuts.sawtooth from cuts)
        and ups_28 >= 3
        and downs_28 >= 3
        and base_changes >= {{ min_base_changes }}
        and followers >= {{ least_followers() }} as is_sawtooth
    from tested
)

select * from int_trust__windows_measured
