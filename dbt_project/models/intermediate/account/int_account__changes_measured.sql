-- One row per account and planned day: its counts beside the last ones known before, at most 400 days back.
{{ config(materialized="view") }}

{% set counts = ["followers", "following", "posts", "views_total"] %}
{% set look_back_days = 400 %}

with days as (select * from {{ ref("int_account__days_observed") }}),

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

last_known as (
    select
        {% for count in counts %}
            {{ count }},
            {{ last_known(count, count) }} as {{ count }}_before,
            {{ last_known(count, "snapshot_date") }} as {{ count }}_known_on,
        {% endfor %}
        platform,
        account_id,
        snapshot_date
    from observed
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
