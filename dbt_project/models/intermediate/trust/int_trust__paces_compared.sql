-- One row per account and planned day that grew for 20 days, or rose and fell in turns: its pace beside an earlier one.
-- One model: few accounts grow so, and the history of these alone is joined while they are at hand.
{{ config(materialized="view") }}

{% set least_days_part = 2 %}
{% set least_days_20 = 15 %}
{#- Anything slower is not looked at, so that a night joins the history of few accounts. -#}
{% set least_growth_20 = 0.09 %}
{% set growth_20 = "excess_part_0 + excess_part_1 + excess_part_2 + excess_part_3" %}

-- Read twice by name, not through one CTE: that would be made whole, all days of it, before a date filter is looked at.
with planned as (
    {{ planned_dates("int_trust__signals_raised") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -30) }} as first_day,
        {{ add_days("max(snapshot_date)", -20) }} as last_day
    from planned
),

-- Only the days of an earlier pace, and of them only what makes it.
history as (
    select
        windows.platform,
        windows.account_id,
        windows.snapshot_date,
        windows.excess_28,
        windows.days_28,
        windows.views_28,
        windows.views_days_28
    from {{ ref("int_trust__windows_measured") }} as windows
    inner join reach on windows.snapshot_date between reach.first_day and reach.last_day
    where windows.changes_28 >= 7
),

today as {{ made_first() }} (
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        gain_20,
        views_20,
        views_days_20,
        views_28,
        views_days_28,
        case when is_sawtooth then up_28 * followers end as gain_in_turns_28,
        {% for extreme, name in [("least", "slowest"), ("greatest", "fastest")] %}
            {{ extreme }}(
                {% for part in range(4) %}
                    excess_part_{{ part }} / cast(nullif(days_part_{{ part }}, 0) as double)
                    {{- "," if not loop.last }}
                {% endfor %}
            ) as {{ name }}_part,
        {% endfor %}
        {{ growth_20 }} as growth_20,
        days_part_0 + days_part_1 + days_part_2 + days_part_3 as days_20
    from {{ ref("int_trust__windows_measured") }}
    where
        snapshot_date in (select planned.snapshot_date from planned)
        and ({{ growth_20 }} >= {{ least_growth_20 }} or is_sawtooth)
        {% for part in range(4) %}
            and days_part_{{ part }} >= {{ least_days_part }}
        {% endfor %}
),

-- The latest window that ends before the 20 days begin. A gap may have left no row on that very day.
before as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        max_by(past.excess_28, past.snapshot_date) as excess_before,
        max_by(past.days_28, past.snapshot_date) as days_before,
        max_by(past.views_28, past.snapshot_date) filter (where past.views_days_28 > 0) as views_before,
        max_by(past.views_days_28, past.snapshot_date) filter (where past.views_days_28 > 0) as views_days_before
    from today
    inner join history as past
        on today.platform = past.platform
        and today.account_id = past.account_id
        and past.snapshot_date <= {{ add_days("today.snapshot_date", -20) }}
        and past.snapshot_date >= {{ add_days("today.snapshot_date", -30) }}
    group by today.platform, today.account_id, today.snapshot_date
),

paces as (
    select
        today.*,
        before.excess_before / cast(nullif(before.days_before, 0) as double) as pace_before,
        before.views_before / cast(nullif(before.views_days_before, 0) as double)
        * today.views_days_20 as views_expected_20,
        before.views_before / cast(nullif(before.views_days_before, 0) as double)
        * today.views_days_28 as views_expected_28
    from today
    inner join before
        on today.platform = before.platform
        and today.account_id = before.account_id
        and today.snapshot_date = before.snapshot_date
),

int_trust__paces_compared as (
    select
        platform,
        account_id,
        snapshot_date,
        gain_20,
        views_20,
        views_expected_20,
        gain_in_turns_28,
        views_28,
        views_expected_28,
        pace_before,
        days_20,
        growth_20,
        slowest_part / nullif(fastest_part, 0) as evenness,
        -- As for bursts: what neither the earlier pace nor the views beyond the earlier ones explain.
        1 - (
            greatest(pace_before, 0) * days_20 * followers
            + ({{ above_zero("views_20 - views_expected_20") }}) * {{ followers_per_view() }}
        ) / nullif(gain_20, 0) as unexplained_20,
        1 - ({{ above_zero("views_28 - views_expected_28") }}) * {{ followers_per_view() }}
        / nullif(gain_in_turns_28, 0) as unexplained_turns_28
    from paces
    where days_20 >= {{ least_days_20 }}
)

select * from int_trust__paces_compared
