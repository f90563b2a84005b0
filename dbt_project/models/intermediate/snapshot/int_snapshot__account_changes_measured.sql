-- One row per account and planned day: its counts beside those last known, 12 hours to 400 days before.
-- One model: four counts, each with a day of its own on which it was last known, told from one reading of the days.
{{ config(materialized="view") }}

{% set counts = ["followers", "following", "posts", "views_total"] %}
{% set look_back_days = 400 %}
{% set least_apart = least_hours_apart() * 3600000000 %}

with definitions as (select * from {{ ref("metric_definitions") }}),

planned as (
    {{ planned_dates("fct_account_daily") }}
),

-- What was known of each account before the first planned day, where a checkpoint tells; then only the days after it
-- are read, and else those of the look-back.
carried as (
    {{ newest_checkpoint(ref("int_snapshot__account_last_known_values")) }}
),

observed as (
    select
        platform,
        account_id,
        captured_at,
        {% for count in counts %}
            {{ count }},
        {% endfor %}
        snapshot_date
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where
        snapshot_date > (
            select
                coalesce(
                    (select max(carried.snapshot_date) from carried),
                    {{ add_days("min(planned.snapshot_date)", -look_back_days - 1) }}
                )
            from planned
        )
        and snapshot_date <= (select max(planned.snapshot_date) from planned)
),

platform_days as (
    select distinct
        platform,
        snapshot_date
    from observed
    where snapshot_date in (select planned.snapshot_date from planned)
),

-- Since when a platform has defined a count as on a day. A change is measured within one definition alone.
defined as (
    select
        platform_days.platform,
        {% for count in counts %}
            max(definitions.valid_from) filter (where definitions.metric = '{{ count }}') as {{ count }}_since,
        {% endfor %}
        platform_days.snapshot_date
    from platform_days
    left join definitions
        on platform_days.platform = definitions.platform
        and platform_days.snapshot_date >= definitions.valid_from
    group by platform_days.platform, platform_days.snapshot_date
),

known as (
    select
        {% for count in counts %}
            {{ count }},
            {{ last_known_before(count) }} as {{ count }}_before,
            {% set known_at = "case when " ~ count ~ " is not null then captured_at end" %}
            {{ last_known_before(known_at) }} as {{ count }}_known_at,
        {% endfor %}
        platform,
        account_id,
        captured_at,
        snapshot_date
    from observed
),

last_known as (
    select
        {% for count in counts %}
            known.{{ count }},
            coalesce(known.{{ count }}_before, carried.{{ count }}) as {{ count }}_before,
            coalesce(known.{{ count }}_known_at, carried.{{ count }}_known_at) as {{ count }}_known_at,
            defined.{{ count }}_since,
        {% endfor %}
        known.platform,
        known.account_id,
        known.captured_at,
        known.snapshot_date
    from known
    inner join defined on known.platform = defined.platform and known.snapshot_date = defined.snapshot_date
    left join carried on known.platform = carried.platform and known.account_id = carried.account_id
),

-- Captures around midnight may lie an hour apart: of these few accounts, the day before that one is looked up.
close_by as {{ made_first() }} (
    select
        platform,
        account_id,
        captured_at,
        snapshot_date
    from last_known
    where
        false
        {% for count in counts %}
            or {{ micros_since_known(count) }} < {{ least_apart }}
        {% endfor %}
),

-- Where there are none, no day is read.
reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from close_by
),

days_before as (
    select
        days.platform,
        days.account_id,
        {% for count in counts %}
            days.{{ count }},
        {% endfor %}
        days.captured_at
    from {{ ref("int_snapshot__account_days_deduplicated") }} as days
    inner join reach on days.snapshot_date between reach.first_day and reach.last_day
),

known_earlier as (
    select
        close_by.platform,
        close_by.account_id,
        close_by.snapshot_date,
        {% for count in counts %}
            max_by(days_before.{{ count }}, days_before.captured_at) filter (
                where days_before.{{ count }} is not null
            ) as {{ count }}_before,
            max(days_before.captured_at) filter (where days_before.{{ count }} is not null) as {{ count }}_known_at,
        {% endfor %}
        close_by.captured_at
    from close_by
    inner join days_before
        on close_by.platform = days_before.platform
        and close_by.account_id = days_before.account_id
        and {{ micros_between("days_before.captured_at", "close_by.captured_at") }} >= {{ least_apart }}
    group by close_by.platform, close_by.account_id, close_by.snapshot_date, close_by.captured_at
),

far_enough as (
    select
        {% for count in counts %}
            last_known.{{ count }},
            last_known.{{ count }}_since,
            {{ known_in_time(count, "before") }} as {{ count }}_before,
            {{ known_in_time(count, "known_at") }} as {{ count }}_known_at,
        {% endfor %}
        last_known.platform,
        last_known.account_id,
        last_known.captured_at,
        last_known.snapshot_date
    from last_known
    left join known_earlier
        on last_known.platform = known_earlier.platform
        and last_known.account_id = known_earlier.account_id
        and last_known.snapshot_date = known_earlier.snapshot_date
),

int_snapshot__account_changes_measured as (
    select
        platform,
        account_id,
        {% for count in counts %}
            {{ count }},
            {{ unless_redefined(count, count ~ "_before") }} as {{ count }}_before,
            {{ within_days(count, days_since_known(count), look_back_days) }} as {{ count }}_gap,
            {{ within_days(count, micros_since_known(count), look_back_days) }} as {{ count }}_micros,
        {% endfor %}
        snapshot_date
    from far_enough
)

select * from int_snapshot__account_changes_measured
