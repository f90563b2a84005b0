-- One row per account and UTC day with a capture: the last capture of that day, without the counts that are held.
with captures as (select * from {{ ref("stg_landing__account_snapshots") }}),

-- Several captures a day are normal. The last one is the day's value, nulls and all: an earlier count is not
-- carried over a later failure to read it.
planned as (
    select *
    from captures
    where snapshot_date in ({{ planned_dates("int_snapshot__account_days_deduplicated") }})
),

held as (
    select *
    from {{ ref("int_snapshot__counts_held") }}
    where snapshot_date in ({{ planned_dates("int_snapshot__account_days_deduplicated") }})
),

{{ first_of_each("planned", ["platform", "account_id", "snapshot_date"], "captured_at desc nulls last") }},

int_snapshot__account_days_deduplicated as (
    select
        first_of_each.platform,
        first_of_each.account_id,
        first_of_each.captured_at,
        {% for count in ["followers", "following", "posts", "likes_total", "views_total"] %}
            {% if count in counts_that_may_be_held() %}
                {% set held = "held_" ~ count %}
                case when {{ held }}.account_id is null then first_of_each.{{ count }} end as {{ count }},
                case
                    when {{ held }}.account_id is null then first_of_each.{{ count }}_null_reason else 'implausible'
                end as {{ count }}_null_reason,
                {{ held }}.captured_count as {{ count }}_held,
            {% else %}
                first_of_each.{{ count }},
                first_of_each.{{ count }}_null_reason,
            {% endif %}
        {% endfor %}
        {% for column in ["handle", "display_name", "country", "language", "niche"] %}
            first_of_each.{{ column }},
        {% endfor %}
        first_of_each.data_origin,
        first_of_each.batch_id,
        first_of_each.source_file,
        first_of_each.source_line,
        first_of_each.snapshot_date
    from first_of_each
    {% for count in counts_that_may_be_held() %}
        left join held as held_{{ count }}
            on first_of_each.platform = held_{{ count }}.platform
            and first_of_each.account_id = held_{{ count }}.account_id
            and first_of_each.captured_at = held_{{ count }}.captured_at
            and held_{{ count }}.metric = '{{ count }}'
    {% endfor %}
)

select * from int_snapshot__account_days_deduplicated
