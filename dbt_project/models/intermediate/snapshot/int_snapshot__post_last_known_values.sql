-- One row per post, its account and checkpoint day: what was last known of it in the 35 days up to the end of that day.
-- A count may have been known before the last capture; all else is what that capture said.
-- As for accounts, a checkpoint is written for the last day with a capture, up to the last planned one, and a run goes
-- on from the newest checkpoint before its first planned day: a night reads its own rows and not 35 days of posts.
-- One model: its steps are one merge of the last day, the days before it and the checkpoint, its own.
{% set look_back_days = 35 %}

with planned as (
    {{ planned_dates("int_snapshot__post_last_known_values") }}
),

carried as (
    {% if is_incremental() %}
        {{ newest_checkpoint(this) }}
    {% else %}
        select
            platform,
            post_id,
            account_id,
            captured_at,
            {% for count in post_counts() %}
                {{ count }},
                captured_at as {{ count }}_known_at,
            {% endfor %}
            {% for trait in post_traits() %}
                {{ trait }},
            {% endfor %}
            snapshot_date as last_seen_date,
            snapshot_date
        from {{ ref("int_snapshot__post_days_deduplicated") }}
        where false
    {% endif %}
),

checkpoint as (
    select max(snapshot_date) as snapshot_date
    from {{ ref("int_snapshot__post_days_deduplicated") }}
    where
        snapshot_date > {{ checkpoint_day() }}
        and snapshot_date <= (select max(planned.snapshot_date) from planned)
),

days as (
    select observed.*
    from {{ ref("int_snapshot__post_days_deduplicated") }} as observed
    cross join checkpoint
    where
        observed.snapshot_date > {{ checkpoint_day() }}
        and observed.snapshot_date >= {{ add_days("checkpoint.snapshot_date", -look_back_days) }}
        and observed.snapshot_date <= checkpoint.snapshot_date
),

-- A post has one row on the last day, so only days before it, of which a usual night has none, are brought together.
last_day as (
    select
        platform,
        post_id,
        account_id,
        captured_at,
        {% for count in post_counts() %}
            {{ count }},
            case when {{ count }} is not null then captured_at end as {{ count }}_known_at,
        {% endfor %}
        {% for trait in post_traits() %}
            {{ trait }},
        {% endfor %}
        snapshot_date as last_seen_date
    from days
    where snapshot_date = (select checkpoint.snapshot_date from checkpoint)
),

known_before as (
    select
        platform,
        post_id,
        account_id,
        {{ value_at_last("captured_at", "snapshot_date") }} as captured_at,
        {% for count in post_counts() %}
            max_by({{ count }}, snapshot_date) filter (where {{ count }} is not null) as {{ count }},
            max_by(captured_at, snapshot_date) filter (
                where {{ count }} is not null and captured_at is not null
            ) as {{ count }}_known_at,
        {% endfor %}
        max(snapshot_date) as last_seen_date
    from days
    where snapshot_date < (select checkpoint.snapshot_date from checkpoint)
    group by platform, post_id, account_id
),

days_before as (
    select
        known_before.platform,
        known_before.post_id,
        known_before.account_id,
        known_before.captured_at,
        {% for count in post_counts() %}
            known_before.{{ count }},
            known_before.{{ count }}_known_at,
        {% endfor %}
        {% for trait in post_traits() %}
            days.{{ trait }},
        {% endfor %}
        known_before.last_seen_date
    from known_before
    inner join days
        on known_before.platform = days.platform
        and known_before.post_id = days.post_id
        and known_before.account_id = days.account_id
        and known_before.last_seen_date = days.snapshot_date
),

before as (
    {{ states_of_both("days_before", "carried") }}
),

states as (
    {{ states_of_both("last_day", "before") }}
),

int_snapshot__post_last_known_values as (
    select
        states.platform,
        states.post_id,
        states.account_id,
        states.captured_at,
        {% for count in post_counts() %}
            {% set is_near = count ~ "_known_at >= " ~ add_days("checkpoint.snapshot_date", -look_back_days) %}
            case when states.{{ is_near }} then states.{{ count }} end as {{ count }},
            case when states.{{ is_near }} then states.{{ count }}_known_at end as {{ count }}_known_at,
        {% endfor %}
        {% for trait in post_traits() %}
            states.{{ trait }},
        {% endfor %}
        states.last_seen_date,
        checkpoint.snapshot_date
    from states
    inner join checkpoint
        on states.last_seen_date >= {{ add_days("checkpoint.snapshot_date", -look_back_days) }}
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

select * from int_snapshot__post_last_known_values
