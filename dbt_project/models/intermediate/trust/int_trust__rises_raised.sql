-- One row per account, planned day and length of a rise: more followers in 3, 7, 14 or 28 days than its own usual.
-- One model: few accounts rise so, and the history of these alone is joined while they are at hand.

{% set look_back_days = 38 %}

with planned as (
    {{ planned_dates("int_trust__rises_raised") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

cuts as (
    select
        max(cut) filter (where signal = 'burst') as burst,
        max(cut) filter (where signal = 'drip') as drip
    from {{ source("meta", "config_trust_signals") }}
),

weights as (
    {{ trust_weights(source("meta", "config_trust_weights"), ["least_followers", "least_gain", "least_z"]) }}
),

today as {{ made_first() }} (
    select windows.*
    from {{ ref("int_trust__windows_measured") }} as windows
    inner join planned on windows.snapshot_date = planned.snapshot_date
    cross join cuts
    where
        windows.is_burst
        {% for length, cut in rise_cuts() %}
            or windows.excess_{{ length }} >= cuts.{{ cut }}
        {% endfor %}
),

within_3_days as (
    select
        platform,
        account_id,
        snapshot_date,
        3 as length,
        days_3 as days,
        gain_3 as gain,
        followers,
        followers - gain_3 as followers_before,
        burst as excess,
        base_median as pace,
        base_views_per_day,
        own_followers_per_view,
        step,
        data_origin
    from today
    where is_burst
),

longer as (
    {% for length, cut in rise_cuts() %}
        select
            platform,
            account_id,
            snapshot_date,
            {{ length }} as length,
            '{{ cut }}' as signal,
            days_{{ length }} as days,
            gain_{{ length }} as gain,
            excess_{{ length }} as growth,
            followers,
            step,
            data_origin
        from today
        -- Half of the days at least must be seen, and none of them twice.
        where days_{{ length }} * 2 >= {{ length }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

-- The latest window that ends before the rise begins. A gap may have left no row on that very day.
before as (
    select
        longer.platform,
        longer.account_id,
        longer.snapshot_date,
        longer.length,
        max(past.snapshot_date) as known_on
    from longer
    inner join {{ ref("int_trust__windows_measured") }} as past
        on longer.platform = past.platform
        and longer.account_id = past.account_id
        and past.snapshot_date <= {{ add_days("longer.snapshot_date", "-longer.days") }}
        and past.snapshot_date >= {{ add_days("longer.snapshot_date", "-longer.days - 10") }}
    where
        past.snapshot_date between (select reach.first_day from reach) and (select reach.last_day from reach)
        and past.is_usual_known
    group by longer.platform, longer.account_id, longer.snapshot_date, longer.length
),

-- The pace before is that of the slower fortnight, or of the middle day: one burst makes no pace.
beside_usual as (
    select
        longer.*,
        past.scatter_a_day,
        past.own_followers_per_view,
        greatest(
            past.middle_pace,
            least(
                past.excess_14 / cast(nullif(past.days_14, 0) as double),
                (past.excess_28 - past.excess_14) / cast(nullif(past.days_28 - past.days_14, 0) as double)
            ),
            0
        ) as pace,
        past.views_28 / cast(nullif(past.views_days_28, 0) as double) as base_views_per_day
    from longer
    inner join before
        on longer.platform = before.platform
        and longer.account_id = before.account_id
        and longer.snapshot_date = before.snapshot_date
        and longer.length = before.length
    inner join {{ ref("int_trust__windows_measured") }} as past
        on before.platform = past.platform
        and before.account_id = past.account_id
        and before.known_on = past.snapshot_date
    where past.snapshot_date between (select reach.first_day from reach) and (select reach.last_day from reach)
),

-- Faster than before by a half at least; scatter grows with the root of the days.
over_weeks as (
    select
        beside_usual.platform,
        beside_usual.account_id,
        beside_usual.snapshot_date,
        beside_usual.length,
        beside_usual.days,
        beside_usual.gain,
        beside_usual.followers,
        beside_usual.followers - beside_usual.gain as followers_before,
        beside_usual.growth - beside_usual.pace * beside_usual.days as excess,
        beside_usual.pace,
        beside_usual.base_views_per_day,
        beside_usual.own_followers_per_view,
        beside_usual.step,
        beside_usual.data_origin
    from beside_usual
    cross join cuts
    cross join weights
    where
        beside_usual.growth - beside_usual.pace * beside_usual.days
        >= case beside_usual.signal when 'burst' then cuts.burst else cuts.drip end
        and beside_usual.growth >= 1.5 * beside_usual.pace * beside_usual.days
        and beside_usual.growth - beside_usual.pace * beside_usual.days - beside_usual.step
        >= weights.least_z * beside_usual.scatter_a_day * sqrt(beside_usual.days)
        and beside_usual.gain >= weights.least_gain
        and beside_usual.followers - beside_usual.gain >= weights.least_followers
),

int_trust__rises_raised as (
    select * from within_3_days
    union all
    select * from over_weeks
)

select
    platform,
    account_id,
    snapshot_date,
    length,
    cast(days as integer) as days,
    {{ add_days("snapshot_date", "-days") }} as window_start,
    gain,
    followers,
    followers_before,
    cast(excess as double) as excess,
    pace,
    base_views_per_day,
    own_followers_per_view,
    step,
    data_origin
from int_trust__rises_raised
-- Of too few days nothing is raised that the days before would have cleared.
where platform not in (select short.platform from {{ source("meta", "config_retention") }} as short)
