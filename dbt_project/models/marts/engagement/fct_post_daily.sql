-- One row per post and UTC day with a capture: the day's last public counts, and how they moved.
{% set micros_per_hour = 3600000000 %}

with days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

changes as (select * from {{ ref("int_snapshot__post_changes_measured") }}),

aged as (
    select
        days.*,
        {{ micros_between("days.published_at", "days.captured_at") }} as age
    from days
),

fct_post_daily as (
    select
        cast(aged.platform as string) as platform,
        cast(aged.post_id as string) as post_id,
        cast(aged.snapshot_date as date) as snapshot_date,
        cast(aged.account_id as string) as account_id,
        cast(aged.co_authors as string) as co_authors,
        cast(aged.captured_at as timestamp) as captured_at,
        cast(aged.published_at as timestamp) as published_at,
        cast(aged.content_type as string) as content_type,
        case when aged.age >= 0 then cast(aged.age as double) / {{ micros_per_hour }} end as hours_since_publication,
        cast({{ micros_between("changes.captured_before", "aged.captured_at") }} as double) / {{ micros_per_hour }}
            as gap_hours,
        {% for count in post_counts() %}
            cast(aged.{{ count }} as bigint) as {{ count }},
            cast(aged.{{ count }}_null_reason as string) as {{ count }}_null_reason,
        {% endfor %}
        {% for count in post_counts() %}
            -- Multiplied first, as decimals, so that a whole day gives a whole number.
            cast(cast(changes.{{ count }}_change as decimal(38, 0)) * 24 * {{ micros_per_hour }} as double)
            / nullif(changes.{{ count }}_micros, 0) as {{ count }}_change_per_day,
        {% endfor %}
        {% for count in ["likes", "comments", "views"] %}
            case
                when aged.age >= {{ micros_per_hour }}
                    then
                        cast(cast(aged.{{ count }} as decimal(38, 0)) * {{ micros_per_hour }} as double)
                        / nullif(aged.age, 0)
            end as {{ count }}_per_hour,
        {% endfor %}
        cast(aged.is_sponsored as boolean) as is_sponsored,
        cast(aged.is_pinned as boolean) as is_pinned,
        cast(aged.is_collab as boolean) as is_collab,
        cast(aged.hashtags as string) as hashtags,
        cast(aged.mentions as string) as mentions,
        cast(aged.age < 0 as boolean) as is_published_in_future,
        cast(changes.has_changed_account as boolean) as has_changed_account,
        cast(
            least(
                {% for count in ["likes", "comments", "shares", "saves", "views", "reach"] %}
                    changes.{{ count }}_change{{ "," if not loop.last }}
                {% endfor %}
            ) < 0 as boolean
        ) as has_fallen,
        cast(aged.data_origin as string) as data_origin,
        cast(aged.batch_id as string) as batch_id,
        cast(aged.source_file as string) as source_file,
        cast(aged.source_line as bigint) as source_line
    from aged
    inner join changes
        on aged.platform = changes.platform
        and aged.post_id = changes.post_id
        and aged.snapshot_date = changes.snapshot_date
)

select * from fct_post_daily
