-- One row per account and planned day whose followers rose and fell by a sawtooth's cut within 28 days: its turns.
-- One model: the days of few accounts are put in order once, for turns that last and for readings that do not.

{% set look_back_days = 28 %}
{#- A turn is more than one step of rounding, between two of which a count may hover, and than half a per cent. -#}
{% set least_turn = "greatest(1.2 * step, 0.005)" %}

with planned as (
    {{ planned_dates("int_trust__turns_measured") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

cuts as (
    select max(cut) filter (where signal = 'sawtooth') as sawtooth
    from {{ source("meta", "config_trust_signals") }}
),

weights as (
    {{ trust_weights(source("meta", "config_trust_weights"), ["least_followers"]) }}
),

misreads as (select * from {{ ref("int_trust__misreads") }}),

today as {{ made_first() }} (
    select
        windows.platform,
        windows.account_id,
        windows.snapshot_date,
        windows.followers,
        windows.views_28,
        windows.views_days_28,
        windows.base_views_per_day,
        windows.own_followers_per_view,
        windows.data_origin
    from {{ ref("int_trust__windows_measured") }} as windows
    inner join planned on windows.snapshot_date = planned.snapshot_date
    cross join cuts
    cross join weights
    where
        least(windows.up_28, windows.down_28) >= cuts.sawtooth
        and windows.is_usual_known
        and windows.followers >= weights.least_followers
),

moves as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        past.snapshot_date as row_date,
        cast(coalesce(past.moved, 0) as double) as moved,
        past.moved as moved_exactly,
        past.step
    from today
    inner join {{ ref("int_trust__windows_measured") }} as past
        on today.platform = past.platform
        and today.account_id = past.account_id
        and today.snapshot_date >= past.snapshot_date
        and {{ add_days("today.snapshot_date", -look_back_days) }} < past.snapshot_date
    left join misreads
        on past.platform = misreads.platform
        and past.account_id = misreads.account_id
        and past.snapshot_date = misreads.misread_date
        and today.snapshot_date >= misreads.snapshot_date
    where
        misreads.account_id is null
        and past.snapshot_date between (select reach.first_day from reach) and (select reach.last_day from reach)
),

beside as (
    select
        *,
        lag(moved) over by_day as moved_before,
        lead(moved) over by_day as moved_after
    from moves
    window by_day as (partition by platform, account_id, snapshot_date order by row_date)
),

-- A move that undoes the one before by a half and more, and is itself undone by the next, is a reading that flips: the
-- level does not last for two days. Of the last day nobody knows yet.
directed as (
    select
        *,
        moved <> 0
        and coalesce(-moved * moved_before >= 0.5 * moved * moved, false)
        and coalesce(-moved * moved_after >= 0.5 * moved * moved, true) as is_flip,
        case
            when moved = 0 then null
            when
                coalesce(-moved * moved_before >= 0.5 * moved * moved, false)
                and coalesce(-moved * moved_after >= 0.5 * moved * moved, true)
                then null
            when moved > 0 then 1
            else -1
        end as direction
    from beside
),

followed as (
    select
        *,
        {{ last_value_before("direction", "by_day") }} as direction_before
    from directed
    window by_day as (partition by platform, account_id, snapshot_date order by row_date)
),

numbered as (
    select
        *,
        count(*) filter (where direction <> direction_before) over (
            partition by platform, account_id, snapshot_date order by row_date rows unbounded preceding
        ) as turn
    from followed
),

-- From one turning point to the next.
teeth as (
    select
        platform,
        account_id,
        snapshot_date,
        turn,
        {{ exact_sum("moved_exactly", "not is_flip") }} as moved,
        max(step) as step,
        count(*) filter (where is_flip and abs(moved) > {{ least_turn }}) as flips
    from numbered
    group by platform, account_id, snapshot_date, turn
),

counted as (
    select
        platform,
        account_id,
        snapshot_date,
        {{ exact_sum("moved", "moved > " ~ least_turn) }} as up_28,
        {{ exact_sum("-moved", "-moved > " ~ least_turn) }} as down_28,
        count(*) filter (where moved > {{ least_turn }}) as ups_28,
        count(*) filter (where -moved > {{ least_turn }}) as downs_28,
        sum(flips) as flips_28
    from teeth
    group by platform, account_id, snapshot_date
)

select
    today.*,
    counted.up_28,
    counted.down_28,
    cast(counted.ups_28 as integer) as ups_28,
    cast(counted.downs_28 as integer) as downs_28,
    cast(counted.flips_28 as integer) as flips_28,
    -- Two rises and two falls that last.
    coalesce(
        least(counted.up_28, counted.down_28) >= cuts.sawtooth and counted.ups_28 >= 2 and counted.downs_28 >= 2, false
    ) as is_sawtooth,
    counted.flips_28 >= 5 as is_unsteady
from today
cross join cuts
inner join counted
    on today.platform = counted.platform
    and today.account_id = counted.account_id
    and today.snapshot_date = counted.snapshot_date
