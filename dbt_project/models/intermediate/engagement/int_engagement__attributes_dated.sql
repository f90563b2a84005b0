-- One row per account and UTC day on which it or a post was captured: its niche, country and tier as of that day.
with planned as (
    {{ planned_dates("int_engagement__attributes_dated") }}
),

rated as (
    select
        platform,
        account_id,
        snapshot_date,
        followers
    from {{ ref("int_engagement__accounts_rated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

days as (select * from {{ ref("int_snapshot__account_days_deduplicated") }}),

updates as (select * from {{ ref("stg_landing__accounts") }}),

schemes as (select * from {{ source("meta", "config_default_scheme") }}),

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

described as (
    select
        rated.platform,
        rated.account_id,
        rated.snapshot_date,
        {% for name in ["niche", "country"] %}
            -- `*` stands for all in a benchmark, so it is nobody's own.
            nullif(coalesce(given.{{ name }}, days.{{ name }}), '*') as {{ name }},
        {% endfor %}
        rated.followers
    from rated
    left join given
        on rated.platform = given.platform
        and rated.account_id = given.account_id
        and rated.snapshot_date = given.snapshot_date
    left join days
        on rated.platform = days.platform
        and rated.account_id = days.account_id
        and rated.snapshot_date = days.snapshot_date
),

{{ tiered_from("described") }},

-- A platform for which the default scheme has no tiers that day keeps its rows, without one.
int_engagement__attributes_dated as (
    select
        platform,
        account_id,
        snapshot_date,
        niche,
        country,
        scheme,
        tier
    from tiered
    union all
    select
        platform,
        account_id,
        snapshot_date,
        niche,
        country,
        cast(null as string) as scheme,
        cast(null as string) as tier
    from described
    where
        not exists (
            select 1
            from scheme_days
            where described.platform = scheme_days.platform and described.snapshot_date = scheme_days.snapshot_date
        )
)

select * from int_engagement__attributes_dated
