-- One row per account ever seen and checkpoint day: its rates, rank, verdicts and growth as last known by that day.
-- As for counts, a checkpoint is written for the last day with a capture, up to the last planned one, and a run goes on
-- from the newest checkpoint before its first planned day: a night reads its own rows and one row per account.
-- One model: each daily mart adds a few columns to the same merge with the checkpoint, its own.
{#- What is kept of each daily mart, where it says something. -#}
{% set is_known = "is not null" %}
{% set is_said = "<> 'insufficient_data'" %}
{% set kept = {
    "engagement": {
        "er_followers_median_30": is_known, "er_views_median_30": is_known, "reach_rate_median_30": is_known,
    },
    "benchmark": {"er_percentile": is_known},
    "trust": {"trust_score": is_known, "verdict": is_said, "engagement_verdict": is_said},
    "growth": {"followers_growth_7d": is_known, "followers_growth_28d": is_known},
} %}
{#- How far before a day the followers of some days before are looked up: 3 days more, for a day without a capture. -#}
{% set slack_days = 3 %}

with planned as (
    {{ planned_dates("int_creator__accounts_known") }}
),

carried as (
    {% if is_incremental() %}
        {{ newest_checkpoint(this) }}
    {% else %}
        select
            platform,
            account_id,
            {% for columns in kept.values() %}
                {% for column in columns %}
                    {% if column in ("verdict", "engagement_verdict") %}
                        account_id as {{ column }},
                    {% elif column == "trust_score" %}
                        cast(null as integer) as {{ column }},
                    {% else %}
                        cast(null as double) as {{ column }},
                    {% endif %}
                    snapshot_date as {{ column }}_date,
                {% endfor %}
            {% endfor %}
            snapshot_date
        from {{ ref("int_snapshot__account_days_deduplicated") }}
        where false
    {% endif %}
),

reach as (
    select
        {{ checkpoint_day() }} as after_day,
        max(planned.snapshot_date) as last_day
    from planned
),

account_days as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.followers
    from {{ ref("int_snapshot__account_days_deduplicated") }} as days
    inner join reach on days.snapshot_date > reach.after_day and days.snapshot_date <= reach.last_day
),

{% for part, mart in {
    "engagement": "fct_account_engagement_daily", "benchmark": "fct_account_benchmark_daily",
    "trust": "fct_follower_trust_daily",
}.items() %}
    {{ part }}_days as (
        select days.*
        from {{ ref(mart) }} as days
        inner join reach on days.snapshot_date > reach.after_day and days.snapshot_date <= reach.last_day
    ),
{% endfor %}

-- The last day on which followers are known; their growth is told up to it.
counted as (
    select
        platform,
        account_id,
        max(snapshot_date) as snapshot_date,
        {{ value_at_last("followers", "snapshot_date") }} as followers
    from account_days
    where followers is not null
    group by platform, account_id
),

{% for days in [7, 28] %}
    before_{{ days }} as (
        select
            counted.platform,
            counted.account_id,
            {{ value_at_last("earlier.followers", "earlier.snapshot_date") }} as followers
        from counted
        inner join {{ ref("int_snapshot__account_days_deduplicated") }} as earlier
            on counted.platform = earlier.platform
            and counted.account_id = earlier.account_id
            and earlier.snapshot_date between
            {{ add_days("counted.snapshot_date", -(days + slack_days)) }}
            and {{ add_days("counted.snapshot_date", -days) }}
        where earlier.followers is not null
        group by counted.platform, counted.account_id
    ),
{% endfor %}

growth_days as (
    select
        counted.platform,
        counted.account_id,
        {% for days in [7, 28] %}
            {{ ratio("counted.followers - before_" ~ days ~ ".followers", "before_" ~ days ~ ".followers") }}
                as followers_growth_{{ days }}d,
        {% endfor %}
        counted.snapshot_date
    from counted
    left join before_7 on counted.platform = before_7.platform and counted.account_id = before_7.account_id
    left join before_28 on counted.platform = before_28.platform and counted.account_id = before_28.account_id
),

{% for part, columns in kept.items() %}
    {{ part }}_since as (
        select
            platform,
            {% for column, condition in columns.items() %}
                max_by({{ column }}, snapshot_date) filter (
                    where {{ column }} {{ condition }} and {{ column }} is not null
                ) as {{ column }},
                max(snapshot_date) filter (where {{ column }} {{ condition }}) as {{ column }}_date,
            {% endfor %}
            account_id
        from {{ part }}_days
        group by platform, account_id
    ),
{% endfor %}

ids as (
    {% for part in kept %}
        select
            platform,
            account_id
        from {{ part }}_since
        union
    {% endfor %}
    select
        platform,
        account_id
    from carried
),

-- A night on which posts alone were captured is a checkpoint as well.
captured as (
    select snapshot_date
    from account_days
    union all
    select snapshot_date
    from engagement_days
),

checkpoint as (
    select max(snapshot_date) as snapshot_date
    from captured
),

-- Growth is told of the last known followers alone: a later count without one before it has none.
int_creator__accounts_known as (
    select
        ids.platform,
        ids.account_id,
        {% for column in kept["growth"] %}
            {% for name in [column, column ~ "_date"] %}
                case when growth_since.account_id is not null then growth_since.{{ name }} else carried.{{ name }} end
                    as {{ name }},
            {% endfor %}
        {% endfor %}
        {% for part, columns in kept.items() if part != "growth" %}
            {% for column in columns %}
                coalesce({{ part }}_since.{{ column }}, carried.{{ column }}) as {{ column }},
                coalesce({{ part }}_since.{{ column }}_date, carried.{{ column }}_date) as {{ column }}_date,
            {% endfor %}
        {% endfor %}
        checkpoint.snapshot_date
    from ids
    inner join checkpoint on checkpoint.snapshot_date is not null
    {% for part in kept %}
        left join {{ part }}_since
            on ids.platform = {{ part }}_since.platform and ids.account_id = {{ part }}_since.account_id
    {% endfor %}
    left join carried on ids.platform = carried.platform and ids.account_id = carried.account_id
    {% if is_incremental() %}
        -- One that stands there and is not planned is as good.
        where
            checkpoint.snapshot_date not in (
                select standing.snapshot_date
                from {{ this }} as standing
                where standing.snapshot_date not in (select planned.snapshot_date from planned)
            )
    {% endif %}
)

select * from int_creator__accounts_known
