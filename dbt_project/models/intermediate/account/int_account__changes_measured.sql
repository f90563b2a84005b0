-- One row per account and planned day: its counts beside the last ones known before, at most 400 days back.
{{ config(materialized="view") }}

{% set counts = ["followers", "following", "posts", "views_total"] %}
{% set look_back_days = 400 %}

with days as (select * from {{ ref("int_account__days_observed") }}),

definitions as (select * from {{ ref("metric_definitions") }}),

planned as (
    {{ planned_dates("fct_account_daily") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

-- Only dates and counts of the look-back are read; everything else comes from the planned days alone.
observed as (
    select
        days.platform,
        days.account_id,
        {% for count in counts %}
            days.{{ count }},
        {% endfor %}
        days.snapshot_date
    from days
    inner join reach on days.snapshot_date between reach.first_day and reach.last_day
),

platform_days as (
    select distinct
        platform,
        snapshot_date
    from observed
),

-- How often a platform had redefined a count by a day. A change is measured within one definition alone.
eras as (
    select
        platform_days.platform,
        {% for count in counts %}
            count(*) filter (where definitions.metric = '{{ count }}') as {{ count }}_era,
        {% endfor %}
        platform_days.snapshot_date
    from platform_days
    left join definitions
        on platform_days.platform = definitions.platform
        and platform_days.snapshot_date >= definitions.valid_from
    group by platform_days.platform, platform_days.snapshot_date
),

last_known as (
    select
        {% for count in counts %}
            observed.{{ count }},
            {{ last_known(count, count) }} as {{ count }}_before,
            {{ last_known(count, "snapshot_date") }} as {{ count }}_known_on,
        {% endfor %}
        observed.platform,
        observed.account_id,
        observed.snapshot_date
    from observed
    inner join eras on observed.platform = eras.platform and observed.snapshot_date = eras.snapshot_date
),

int_account__changes_measured as (
    select
        platform,
        account_id,
        {% for count in counts %}
            {{ count }},
            {{ count }}_before,
            case
                when {{ days_between(count ~ "_known_on", "snapshot_date") }} <= {{ look_back_days }}
                    then {{ days_between(count ~ "_known_on", "snapshot_date") }}
            end as {{ count }}_gap,
        {% endfor %}
        snapshot_date
    from last_known
    where snapshot_date in (select planned.snapshot_date from planned)
)

select * from int_account__changes_measured
