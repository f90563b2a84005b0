-- One row per account ever seen and checkpoint day: all that was last known of it by the end of that day.
-- A checkpoint is written for the last day with a capture, up to the last planned one. A run goes on from the newest
-- checkpoint before its first planned day, so a night reads its own rows and one row per account, whatever history
-- holds. A day that changed plans all later days of this model, so that no checkpoint outlives what it was made from.
{% set counts = ["followers", "following", "posts", "views_total"] %}
{% set names = ["handle", "display_name"] %}
{% set attributes = names + ["niche", "country", "language"] %}

with planned as (
    {{ planned_dates("int_snapshot__account_last_known_values") }}
),

carried as (
    {% if is_incremental() %}
        {{ newest_checkpoint(this) }}
    {% else %}
        select
            platform,
            account_id,
            {% for count in counts %}
                {{ count }},
                captured_at as {{ count }}_known_at,
            {% endfor %}
            {% for attribute in attributes %}
                {{ attribute }},
            {% endfor %}
            {% for name in names %}
                snapshot_date as {{ name }}_known_on,
            {% endfor %}
            data_origin,
            snapshot_date as first_seen_date,
            snapshot_date as last_seen_date,
            snapshot_date
        from {{ ref("int_snapshot__account_days_deduplicated") }}
        where false
    {% endif %}
),

days as (
    select *
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where
        snapshot_date > {{ checkpoint_day() }}
        and snapshot_date <= (select max(planned.snapshot_date) from planned)
),

checkpoint as (
    select max(snapshot_date) as snapshot_date
    from days
),

since as (
    select
        platform,
        account_id,
        {% for count in counts %}
            max_by({{ count }}, snapshot_date) filter (where {{ count }} is not null) as {{ count }},
            max(captured_at) filter (where {{ count }} is not null) as {{ count }}_known_at,
        {% endfor %}
        {% for attribute in attributes %}
            max_by({{ attribute }}, snapshot_date) filter (where {{ attribute }} is not null) as {{ attribute }},
        {% endfor %}
        {% for name in names %}
            max(snapshot_date) filter (where {{ name }} is not null) as {{ name }}_known_on,
        {% endfor %}
        {{ value_at_last("data_origin", "snapshot_date") }} as data_origin,
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date
    from days
    group by platform, account_id
),

-- Every capture since is later than what is carried, so what is known of both is that of the capture.
int_snapshot__account_last_known_values as (
    select
        coalesce(since.platform, carried.platform) as platform,
        coalesce(since.account_id, carried.account_id) as account_id,
        {% for count in counts %}
            coalesce(since.{{ count }}, carried.{{ count }}) as {{ count }},
            coalesce(since.{{ count }}_known_at, carried.{{ count }}_known_at) as {{ count }}_known_at,
        {% endfor %}
        {% for attribute in attributes %}
            coalesce(since.{{ attribute }}, carried.{{ attribute }}) as {{ attribute }},
        {% endfor %}
        {% for name in names %}
            coalesce(since.{{ name }}_known_on, carried.{{ name }}_known_on) as {{ name }}_known_on,
        {% endfor %}
        coalesce(since.data_origin, carried.data_origin) as data_origin,
        coalesce(carried.first_seen_date, since.first_seen_date) as first_seen_date,
        coalesce(since.last_seen_date, carried.last_seen_date) as last_seen_date,
        checkpoint.snapshot_date
    from since
    full outer join carried on since.platform = carried.platform and since.account_id = carried.account_id
    inner join checkpoint on checkpoint.snapshot_date is not null
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

select * from int_snapshot__account_last_known_values
