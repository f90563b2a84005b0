-- One row per account and UTC day with known followers: how they grew since they were last known, at most 30 days back.
-- One model: a day and the thirty before it are read once, for followers, following and views alike.
{% set look_back_days = 30 %}

with days as (select * from {{ ref("int_snapshot__account_days_deduplicated") }}),

misreads as (select * from {{ ref("int_trust__misreads") }}),

definitions as (select * from {{ ref("metric_definitions") }}),

resolutions as (
    select
        platform,
        significant_digits
    from {{ ref("count_resolutions") }}
    where metric = 'followers'
),

planned as (
    {{ planned_dates("int_trust__growth_measured") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

-- Only what the look-back needs is read, and a count of 0 is no base to grow from.
observed as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.followers,
        days.following,
        days.data_origin,
        -- As of followers, a total of 0 is no base: it is what an outage writes.
        nullif(days.views_total, 0) as views_total
    from days
    inner join reach on days.snapshot_date between reach.first_day and reach.last_day
    where days.followers is not null
),

platform_days as (
    select distinct
        platform,
        snapshot_date
    from observed
),

-- The day on which a platform last redefined its count of views: nothing is measured across it.
breaks as (
    select
        platform_days.platform,
        platform_days.snapshot_date,
        max(definitions.valid_from) filter (where definitions.metric = 'views_total') as views_since,
        max(definitions.valid_from) filter (where definitions.metric = 'followers') as followers_since
    from platform_days
    left join definitions
        on platform_days.platform = definitions.platform
        and platform_days.snapshot_date >= definitions.valid_from
    group by platform_days.platform, platform_days.snapshot_date
),

today as (
    select observed.*
    from observed
    inner join planned on observed.snapshot_date = planned.snapshot_date
),

-- A hash aggregate, not a window: a night pays for its own rows and one look at the thirty days before them.
last_known as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        max(past.snapshot_date) as followers_known_on,
        {{ value_at_last("past.followers", "past.snapshot_date") }} as followers_before,
        {{ value_at_last("past.following", "past.snapshot_date") }} as following_before,
        max(past.snapshot_date) filter (where past.views_total is not null) as views_known_on,
        max_by(past.views_total, past.snapshot_date) filter (where past.views_total is not null) as views_before
    from today
    inner join observed as past
        on today.platform = past.platform
        and today.account_id = past.account_id
        and today.snapshot_date > past.snapshot_date
        and {{ add_days("today.snapshot_date", -look_back_days) }} <= past.snapshot_date
    -- A count that had proved a misread by the day is no base to grow from.
    left join misreads
        on past.platform = misreads.platform
        and past.account_id = misreads.account_id
        and past.snapshot_date = misreads.misread_date
        and today.snapshot_date >= misreads.snapshot_date
    where misreads.account_id is null
    group by today.platform, today.account_id, today.snapshot_date
),

measured as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        today.followers,
        today.following,
        today.views_total,
        today.data_origin,
        case
            when breaks.followers_since is null or last_known.followers_known_on >= breaks.followers_since
                then last_known.followers_before
        end as followers_before,
        {{ days_between("last_known.followers_known_on", "today.snapshot_date") }} as gap_days,
        today.following - last_known.following_before as following_gain,
        -- A total that fell lost deleted videos: how many views came meanwhile is unknown.
        case
            when
                (breaks.views_since is null or last_known.views_known_on >= breaks.views_since)
                and today.views_total >= last_known.views_before
                then today.views_total - last_known.views_before
        end as views_gain,
        {{ days_between("last_known.views_known_on", "today.snapshot_date") }} as views_gap_days,
        case
            when resolutions.significant_digits is null then 1
            else power(10, greatest(length(cast(today.followers as string)) - resolutions.significant_digits, 0))
        end as count_resolution
    from today
    inner join breaks on today.platform = breaks.platform and today.snapshot_date = breaks.snapshot_date
    left join last_known
        on today.platform = last_known.platform
        and today.account_id = last_known.account_id
        and today.snapshot_date = last_known.snapshot_date
    left join resolutions on today.platform = resolutions.platform
),

-- A count that stands still for everybody is not brought up to date: how many views came is unknown.
platforms_moved as (
    select
        platform,
        snapshot_date,
        max(views_gain) > 0 as are_views_moving
    from measured
    group by platform, snapshot_date
),

int_trust__growth_measured as (
    select
        measured.platform,
        measured.account_id,
        measured.snapshot_date,
        measured.followers,
        measured.following,
        measured.views_total,
        measured.data_origin,
        cast(measured.gap_days as integer) as gap_days,
        measured.followers - measured.followers_before as followers_gain,
        measured.following_gain,
        case when platforms_moved.are_views_moving then measured.views_gain end as views_gain,
        cast(measured.views_gap_days as integer) as views_gap_days,
        cast(measured.count_resolution as bigint) as count_resolution,
        {{ exact_ln("measured.followers / nullif(cast(measured.followers_before as double), 0)") }} as log_growth
    from measured
    inner join platforms_moved
        on measured.platform = platforms_moved.platform and measured.snapshot_date = platforms_moved.snapshot_date
)

select * from int_trust__growth_measured
