-- One row per post and UTC day on which it was seen for the first time in 7 days, or was no longer what it had been.
-- One model: followers at publication are looked up for the few changed rows alone, while these are at hand.
{% set seen_days = 7 %}
{% set before_days = 7 %}
{% set traits = [
    "account_id", "published_at", "is_early", "is_sponsored", "hashtags", "mentions", "data_origin",
] %}

-- Far fewer rows than captures, so what holds over 90 days is read from here.
with days as {{ read_again() }} (
    select
        *,
        {{ is_early() }} as is_early
    from {{ ref("int_snapshot__post_days_deduplicated") }}
),

captures as (select * from {{ ref("int_snapshot__followers_captured") }}),

planned as (
    {{ planned_dates("int_snapshot__post_traits_changed") }}
),

today as (
    select * from days
    where snapshot_date in (select planned.snapshot_date from planned)
),

-- Nearly every post was seen the day before, so the days before that are searched for the rest alone.
beside_the_day_before as (
    select
        today.platform,
        today.post_id,
        today.snapshot_date,
        {% for trait in traits %}
            today.{{ trait }},
        {% endfor %}
        days.post_id is not null as is_seen,
        days.post_id is not null
        {% for trait in traits %}
            and {{ is_same("today." ~ trait, "days." ~ trait) }}
        {% endfor %} as is_same
    from today
    left join days
        on today.platform = days.platform
        and today.post_id = days.post_id
        and {{ add_days("today.snapshot_date", -1) }} = days.snapshot_date
),

-- What was known by the newest checkpoint before the first planned day; after it the days themselves are read.
carried as (
    {{ newest_checkpoint(ref("int_snapshot__post_last_known_values")) }}
),

seen_earlier as (
    select
        platform,
        post_id,
        {% for trait in traits %}
            {{ is_early() ~ " as is_early" if trait == "is_early" else trait }},
        {% endfor %}
        last_seen_date as snapshot_date
    from carried
    union all
    select
        platform,
        post_id,
        {% for trait in traits %}
            {{ trait }},
        {% endfor %}
        snapshot_date
    from days
    where
        snapshot_date > {{ checkpoint_day() }}
        and snapshot_date >= (select {{ add_days("min(planned.snapshot_date)", -seen_days) }} from planned)
),

beside_an_earlier_day as (
    select
        rest.platform,
        rest.post_id,
        rest.snapshot_date,
        true
        {% for trait in traits %}
            and {{ is_same("rest." ~ trait, "seen_earlier." ~ trait) }}
        {% endfor %} as is_same
    from beside_the_day_before as rest
    inner join seen_earlier
        on rest.platform = seen_earlier.platform
        and rest.post_id = seen_earlier.post_id
        and seen_earlier.snapshot_date between
        {{ add_days("rest.snapshot_date", -seen_days) }} and {{ add_days("rest.snapshot_date", -2) }}
    where not rest.is_seen
    qualify
        row_number() over (
            partition by rest.platform, rest.post_id, rest.snapshot_date order by seen_earlier.snapshot_date desc
        ) = 1
),

changed as (
    select latest.*
    from beside_the_day_before as latest
    left join beside_an_earlier_day as earlier
        on latest.platform = earlier.platform
        and latest.post_id = earlier.post_id
        and latest.snapshot_date = earlier.snapshot_date
    where not coalesce(earlier.is_same, latest.is_same)
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -(engagement_window_days() + before_days)) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

followers as (
    select captures.*
    from captures
    inner join reach on captures.snapshot_date between reach.first_day and reach.last_day
),

-- The last capture at or before publication, at most 7 days before it. Posts too old for any rate need none.
at_publication as (
    select
        changed.platform,
        changed.post_id,
        changed.snapshot_date,
        {{ value_at_last("followers.followers", "followers.captured_at") }} as followers
    from changed
    inner join followers
        on changed.platform = followers.platform
        and changed.account_id = followers.account_id
        and {{ micros_between("followers.captured_at", "changed.published_at") }}
        between 0 and cast({{ before_days }} as bigint) * 86400000000
    where
        not changed.is_early
        and changed.published_at >= {{ add_days("changed.snapshot_date", -engagement_window_days()) }}
    group by changed.platform, changed.post_id, changed.snapshot_date
),

int_snapshot__post_traits_changed as (
    select
        changed.platform,
        changed.post_id,
        {% for trait in traits %}
            changed.{{ trait }},
        {% endfor %}
        at_publication.followers as followers_at_publication,
        changed.snapshot_date
    from changed
    left join at_publication
        on changed.platform = at_publication.platform
        and changed.post_id = at_publication.post_id
        and changed.snapshot_date = at_publication.snapshot_date
)

select * from int_snapshot__post_traits_changed
