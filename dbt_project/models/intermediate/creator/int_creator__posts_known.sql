-- One row per post and checkpoint day: all that was last known of it by the end of that day.
-- As for accounts, a checkpoint is written for the last day with a capture, up to the last planned one, and a run goes
-- on from those before its first planned day. On DuckDB only the first one holds all posts, each other one those that
-- were captured since: a night costs what it captured, not what was ever seen. Of a post its newest row counts.
-- One model: its steps are one merge of the last day, the days before it and the checkpoints, its own.
{% set traits = ["published_at", "content_type", "is_sponsored", "is_collab", "co_authors"] %}

with planned as (
    {{ planned_dates("int_creator__posts_known") }}
),

carried as (
    {% if is_incremental() %}
        {{ checkpoints_before(this) }}
    {% else %}
        select
            platform,
            post_id,
            account_id,
            {% for count in post_counts() %}
                {{ count }},
            {% endfor %}
            {% for trait in traits %}
                {{ trait }},
            {% endfor %}
            likes as followers_at_publication,
            captured_at,
            snapshot_date as first_seen_date,
            snapshot_date as last_seen_date,
            data_origin,
            snapshot_date
        from {{ ref("int_snapshot__post_days_deduplicated") }}
        where false
    {% endif %}
),

days as (
    select *
    from {{ ref("int_snapshot__post_days_deduplicated") }}
    where
        snapshot_date > {{ checkpoint_day() }}
        and snapshot_date <= (select max(planned.snapshot_date) from planned)
),

-- Looked up once, when a post is first seen or changes.
publications as (
    select
        platform,
        post_id,
        {{ value_at_last("followers_at_publication", "snapshot_date") }} as followers_at_publication
    from {{ ref("int_snapshot__post_traits_changed") }}
    where
        followers_at_publication is not null
        and snapshot_date > {{ checkpoint_day() }}
        and snapshot_date <= (select max(planned.snapshot_date) from planned)
    group by platform, post_id
),

checkpoint as (
    select max(snapshot_date) as snapshot_date
    from days
),

-- A post has one row on the last day, so only days before it, of which a usual night has none, are brought together.
last_day as (
    select *
    from days
    where snapshot_date = (select checkpoint.snapshot_date from checkpoint)
),

days_before as (
    select
        platform,
        post_id,
        {{ value_at_last("account_id", "snapshot_date") }} as account_id,
        {% for count in post_counts() %}
            max_by({{ count }}, snapshot_date) filter (where {{ count }} is not null) as {{ count }},
        {% endfor %}
        {% for trait in traits %}
            max_by({{ trait }}, snapshot_date) filter (where {{ trait }} is not null) as {{ trait }},
        {% endfor %}
        max(captured_at) as captured_at,
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date,
        {{ value_at_last("data_origin", "snapshot_date") }} as data_origin
    from days
    where snapshot_date < (select checkpoint.snapshot_date from checkpoint)
    group by platform, post_id
),

since as (
    select
        coalesce(last_day.platform, days_before.platform) as platform,
        coalesce(last_day.post_id, days_before.post_id) as post_id,
        {% for column in ["account_id"] + post_counts() + traits + ["captured_at", "data_origin"] %}
            coalesce(last_day.{{ column }}, days_before.{{ column }}) as {{ column }},
        {% endfor %}
        coalesce(days_before.first_seen_date, last_day.snapshot_date) as first_seen_date,
        coalesce(last_day.snapshot_date, days_before.last_seen_date) as last_seen_date
    from last_day
    full outer join days_before
        on last_day.platform = days_before.platform and last_day.post_id = days_before.post_id
),

{{ newest_of_each_post("known_before", "carried", "since") }},

-- Every capture since is later than what is carried, so what is known of both is that of the capture.
int_creator__posts_known as (
    select
        coalesce(since.platform, known_before.platform) as platform,
        coalesce(since.post_id, known_before.post_id) as post_id,
        coalesce(since.account_id, known_before.account_id) as account_id,
        {% for column in post_counts() + traits %}
            coalesce(since.{{ column }}, known_before.{{ column }}) as {{ column }},
        {% endfor %}
        coalesce(publications.followers_at_publication, known_before.followers_at_publication)
            as followers_at_publication,
        coalesce(since.captured_at, known_before.captured_at) as captured_at,
        coalesce(known_before.first_seen_date, since.first_seen_date) as first_seen_date,
        coalesce(since.last_seen_date, known_before.last_seen_date) as last_seen_date,
        coalesce(since.data_origin, known_before.data_origin) as data_origin,
        checkpoint.snapshot_date
    from since
    full outer join known_before
        on since.platform = known_before.platform and since.post_id = known_before.post_id
    left join publications on since.platform = publications.platform and since.post_id = publications.post_id
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

select * from int_creator__posts_known
