-- One row per account and planned day: its counts beside the ones last known before, at most 400 days back.
{{ config(materialized="view") }}

{% set counts = ["followers", "following", "posts", "views_total"] %}
{% set look_back_days = 400 %}

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
            {% set known_on = "case when " ~ count ~ " is not null then snapshot_date end" %}
            {{ last_known_before(known_on) }} as {{ count }}_known_on,
        {% endfor %}
        platform,
        account_id,
        snapshot_date
    from observed
),

last_known as (
    select
        {% for count in counts %}
            known.{{ count }},
            coalesce(known.{{ count }}_before, carried.{{ count }}) as {{ count }}_before,
            coalesce(known.{{ count }}_known_on, carried.{{ count }}_known_on) as {{ count }}_known_on,
            defined.{{ count }}_since,
        {% endfor %}
        known.platform,
        known.account_id,
        known.snapshot_date
    from known
    inner join defined on known.platform = defined.platform and known.snapshot_date = defined.snapshot_date
    left join carried on known.platform = carried.platform and known.account_id = carried.account_id
),

int_snapshot__account_changes_measured as (
    select
        platform,
        account_id,
        {% for count in counts %}
            {{ count }},
            {{ unless_redefined(count, count ~ "_before") }} as {{ count }}_before,
            {{ gap_within(count, look_back_days) }} as {{ count }}_gap,
        {% endfor %}
        snapshot_date
    from last_known
)

select * from int_snapshot__account_changes_measured
