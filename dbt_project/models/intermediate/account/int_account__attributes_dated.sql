-- One row per account and planned day: niche and country as of that day.
{{ config(materialized="view") }}

with rated as (select * from {{ ref("int_account__engagement_rated") }}),

days as (select * from {{ ref("int_account__days_observed") }}),

updates as (select * from {{ ref("stg_landing__accounts") }}),

planned as (
    {{ planned_dates("int_account__peers_ranked") }}
),

-- What was given later is not known on the day.
given as (
    select
        updates.platform,
        updates.account_id,
        {% for name in ["niche", "country"] %}
            max_by(updates.{{ name }}, updates.updated_at) filter (where updates.{{ name }} is not null) as {{ name }},
        {% endfor %}
        planned.snapshot_date
    from updates
    inner join planned on updates.snapshot_date <= planned.snapshot_date
    group by updates.platform, updates.account_id, planned.snapshot_date
),

int_account__attributes_dated as (
    select
        rated.platform,
        rated.account_id,
        {% for name in ["niche", "country"] %}
            -- `*` stands for all in a benchmark, so it is nobody's own.
            nullif(coalesce(given.{{ name }}, days.{{ name }}), '*') as {{ name }},
        {% endfor %}
        rated.snapshot_date
    from rated
    left join given
        on rated.platform = given.platform
        and rated.account_id = given.account_id
        and rated.snapshot_date = given.snapshot_date
    left join days
        on rated.platform = days.platform
        and rated.account_id = days.account_id
        and rated.snapshot_date = days.snapshot_date
    where rated.snapshot_date in (select planned.snapshot_date from planned)
)

select * from int_account__attributes_dated
