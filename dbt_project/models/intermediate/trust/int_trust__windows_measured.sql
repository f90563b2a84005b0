-- One row per account and UTC day with known followers: its growth of the last days beside its own usual.
{#- A week of changes, or three weeks in which a few are known. -#}
{% set enough_changes, min_base_changes, min_base_days = 7, 3, 17 %}

with summed as (select * from {{ ref("int_trust__windows_summed") }}),

-- From which growth on a rise is a burst: the config table alone says it.
cuts as (
    select max(cut) filter (where signal = 'burst') as burst
    from {{ source("meta", "config_trust_signals") }}
),

weights as (
    {{ trust_weights(source("meta", "config_trust_weights"), ["least_followers", "least_gain", "least_z"]) }}
),

-- Few changes make a poor scatter: of a capture a week there are four.
beside_usual as (
    select
        *,
        excess_3 - base_median * days_3 as burst,
        base_changes >= {{ enough_changes }}
        or (base_changes >= {{ min_base_changes }} and base_days >= {{ min_base_days }}) as is_usual_known,
        case
            when base_changes < 14 then scatter * (1 + cast(2 as double) / nullif(base_changes, 0))
            else scatter
        end as scatter_a_day
    from summed
),

tested as (
    select
        *,
        case when is_usual_known then (burst - step) / nullif(scatter_a_day * sqrt(days_3), 0) end as burst_z
    from beside_usual
),

int_trust__windows_measured as (
    select
        tested.*,
        -- The smallest rise between two captures that would be told from noise and rounding.
        greatest(
            cuts.burst,
            tested.step + weights.least_z * tested.scatter_a_day
            * sqrt(greatest(cast(tested.base_days as double) / nullif(tested.base_changes, 0), 1))
        ) as smallest_visible_burst,
        -- What its views won it in the 28 days before, and one step of rounding more.
        (greatest(tested.base_gain, 0) + tested.count_resolution) / cast(nullif(tested.base_views, 0) as double)
            as own_followers_per_view,
        tested.burst >= cuts.burst
        and tested.burst_z >= weights.least_z
        and tested.gain_3 >= weights.least_gain
        and tested.followers - tested.gain_3 >= weights.least_followers as is_burst
    from tested
    cross join cuts
    cross join weights
)

select * from int_trust__windows_measured
