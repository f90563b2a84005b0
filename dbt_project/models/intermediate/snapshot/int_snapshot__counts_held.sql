-- One row per account, capture and count that is held: too far from the last accepted count to be believed yet.
-- A day is told from the days before it, held ones among them, so a pass makes one day (`days_in_one_pass`) and reads
-- what it made of the days before. Few accounts are in doubt, and of these alone history is read.
-- One model: what is accepted, said again and barred is told from the same captures, which are read once a day.
{% set hour = 3600000000 %}
{% set least_held, least_share_held = 5, 0.02 %}

with planned as (
    {{ planned_dates("int_snapshot__counts_held") }}
),

captures as {{ read_again() }} (select * from {{ ref("int_snapshot__counts_captured") }}),

acknowledged as (
    select distinct
        subject,
        snapshot_date
    from {{ ref("stg_meta__acknowledged_checks") }}
    where expectation = 'share_of_accounts_held'
),

-- What this run has yet to make of later days is not there.
held_before as (
    select standing.*
    from {{ this }} as standing
    where standing.snapshot_date < (select min(planned.snapshot_date) from planned)
),

counted as {{ read_again() }} (
    {% for metric in counts_that_may_be_held() %}
        select
            platform,
            account_id,
            captured_at,
            snapshot_date,
            '{{ metric }}' as metric,
            {{ metric }} as captured_count
        from captures
        where {{ metric }} is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

today as {{ read_again() }} (
    select *
    from counted
    where snapshot_date in (select planned.snapshot_date from planned)
),

day_before as {{ read_again() }} (
    select *
    from counted
    where snapshot_date in (select {{ add_days("planned.snapshot_date", -1) }} from planned)
),

-- A count that lies near all of the day before, none of which is held, is accepted: nobody else's history is read.
in_doubt as {{ made_first() }} (
    select
        today.platform,
        today.account_id,
        today.metric,
        min(
            case
                when today.captured_count = 0 then {{ add_days("today.snapshot_date", -zero_days()) }}
                else {{ add_days("today.snapshot_date", -accepted_days()) }}
            end
        ) as first_day
    from today
    left join day_before
        on today.platform = day_before.platform
        and today.account_id = day_before.account_id
        and today.metric = day_before.metric
    left join held_before
        on day_before.platform = held_before.platform
        and day_before.account_id = held_before.account_id
        and day_before.metric = held_before.metric
        and day_before.captured_at = held_before.captured_at
    where
        day_before.account_id is null
        or held_before.account_id is not null
        or {{ are_far_apart("today.captured_count", "day_before.captured_count") }}
    group by today.platform, today.account_id, today.metric
),

-- As far back as anybody in doubt is read, and no further.
reach as (
    select
        min(in_doubt.first_day) as first_day,
        min(planned.snapshot_date) as first_planned
    from planned
    cross join in_doubt
),

history as (
    select
        counted.*,
        held_before.account_id is not null as is_held
    from counted
    inner join reach on counted.snapshot_date >= reach.first_day and counted.snapshot_date < reach.first_planned
    inner join in_doubt
        on counted.platform = in_doubt.platform
        and counted.account_id = in_doubt.account_id
        and counted.metric = in_doubt.metric
        and counted.snapshot_date >= in_doubt.first_day
    left join held_before
        on counted.platform = held_before.platform
        and counted.account_id = held_before.account_id
        and counted.metric = held_before.metric
        and counted.captured_at = held_before.captured_at
),

-- The last count that was accepted before the day, and the last one that was held.
known as (
    select
        platform,
        account_id,
        metric,
        max_by(captured_count, captured_at) filter (where not is_held and captured_count is not null) as accepted_count,
        max(captured_at) filter (where not is_held) as accepted_at,
        max(captured_at) filter (where is_held) as last_held_at
    from history
    group by platform, account_id, metric
),

implausible as (
    select
        today.platform,
        today.account_id,
        today.captured_at,
        today.metric,
        today.captured_count,
        known.accepted_count,
        known.accepted_at,
        known.last_held_at,
        today.snapshot_date
    from today
    inner join known
        on today.platform = known.platform
        and today.account_id = known.account_id
        and today.metric = known.metric
    where
        (today.captured_count = 0 and known.accepted_count >= 1000)
        or (
            {{ are_far_apart("today.captured_count", "known.accepted_count") }}
            and {{ micros_between("known.accepted_at", "today.captured_at") }} <= {{ accepted_days() * 24 * hour }}
        )
),

-- The held count since then that lies near this one, 20 hours before it or more: it says the same.
beside_held as (
    select
        implausible.*,
        held_before.barred_since,
        held_before.account_id is not null as is_said_again,
        acknowledged.subject is not null as is_acknowledged
    from implausible
    left join held_before
        on implausible.platform = held_before.platform
        and implausible.account_id = held_before.account_id
        and implausible.metric = held_before.metric
        and implausible.last_held_at = held_before.captured_at
        and implausible.accepted_at < held_before.captured_at
        and {{ micros_between("held_before.captured_at", "implausible.captured_at") }} >= {{ 20 * hour }}
        and {{ are_alike("implausible.captured_count", "held_before.captured_count") }}
    left join acknowledged
        on held_before.platform || ' ' || cast(held_before.barred_since as string) = acknowledged.subject
        and held_before.barred_since = acknowledged.snapshot_date
),

held as (
    select *
    from beside_held
    where not is_said_again or (barred_since is not null and not is_acknowledged)
),

-- Where many of a platform are held on a day the fault is ours, until a person says otherwise: none confirms another.
platforms_captured as (
    select
        platform,
        count(distinct account_id) as accounts
    from captures
    where snapshot_date in (select planned.snapshot_date from planned)
    group by platform
),

barred_platforms as (
    select
        held.platform,
        count(distinct held.account_id) as accounts_held
    from held
    inner join platforms_captured on held.platform = platforms_captured.platform
    group by held.platform
    having
        count(distinct held.account_id) >= {{ least_held }}
        and count(distinct held.account_id) > {{ least_share_held }} * max(platforms_captured.accounts)
),

int_snapshot__counts_held as (
    select
        held.platform,
        held.account_id,
        held.captured_at,
        held.metric,
        held.captured_count,
        held.accepted_count,
        held.accepted_at,
        held.snapshot_date,
        coalesce(
            held.barred_since, case when barred_platforms.platform is not null then held.snapshot_date end
        ) as barred_since
    from held
    left join barred_platforms on held.platform = barred_platforms.platform
)

select * from int_snapshot__counts_held
