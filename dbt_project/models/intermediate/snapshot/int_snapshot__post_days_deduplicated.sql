-- One row per post and UTC day with a capture: the last capture of that day, under the post's author as of that day.
with captures as (select * from {{ ref("stg_landing__post_snapshots") }}),

authors as (
    select
        *,
        lead(snapshot_date) over (partition by platform, post_id order by snapshot_date) as next_date
    from {{ ref("int_snapshot__post_authors") }}
),

-- The last capture is the day's value, nulls and all: an earlier count is not carried over a later failure to read it.
planned as (
    select
        captures.platform,
        captures.post_id,
        coalesce(authors.author_account_id, captures.account_id) as account_id,
        captures.account_id as shown_by,
        authors.co_authors,
        captures.captured_at,
        captures.content_type,
        {% for count in post_counts() %}
            captures.{{ count }},
            captures.{{ count }}_null_reason,
        {% endfor %}
        {% for trait in post_traits() %}
            {% if trait == "is_collab" %}
                case when authors.co_authors is not null then true else captures.is_collab end as is_collab,
            {% else %}
                captures.{{ trait }},
            {% endif %}
        {% endfor %}
        captures.batch_id,
        captures.source_file,
        captures.source_line,
        captures.snapshot_date
    from captures
    left join authors
        on captures.platform = authors.platform
        and captures.post_id = authors.post_id
        and captures.snapshot_date >= authors.snapshot_date
        and (authors.next_date is null or captures.snapshot_date < authors.next_date)
    where captures.snapshot_date in ({{ planned_dates("int_snapshot__post_days_deduplicated") }})
),

-- Of two accounts that show it at one instant the author's own capture speaks.
{{ first_of_each(
    "planned", ["platform", "post_id", "snapshot_date"],
    "captured_at desc nulls last, (shown_by = account_id) desc, shown_by asc",
) }}

select * from first_of_each
