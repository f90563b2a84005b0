-- One row per account, day whose followers were misread, and day that proved it: nine tenths of the move were undone.
-- One model: an account's captures are put in order once, for moves that one, two and three of them show.
{% set look_back_days = 14 %}
{% set misread_days = 7 %}
{% set captures = 3 %}
{#- An even number, so that of captures that take turns like is compared with like. -#}
{% set captures_of_pace = 4 %}

with planned as (
    {{ planned_dates("int_trust__misreads") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        {{ add_days("min(snapshot_date)", -misread_days) }} as first_misread,
        max(snapshot_date) as last_day
    from planned
),

days as (
    select
        observed.platform,
        observed.account_id,
        observed.snapshot_date,
        observed.captured_at,
        observed.followers
    from {{ ref("int_snapshot__account_days_deduplicated") }} as observed
    inner join reach on observed.snapshot_date between reach.first_day and reach.last_day
    where observed.followers is not null
),

today as (
    select
        platform,
        account_id,
        followers,
        snapshot_date
    from days
    where snapshot_date in (select planned.snapshot_date from planned)
),

-- Who lies where it lay on the days before has undone nothing, so few accounts are put in order.
moved as {{ made_first() }} (
    select distinct
        today.platform,
        today.account_id
    from today
    inner join days
        on today.platform = days.platform
        and today.account_id = days.account_id
        and today.snapshot_date > days.snapshot_date
        and {{ add_days("today.snapshot_date", -misread_days) }} <= days.snapshot_date
    where
        days.snapshot_date >= (select reach.first_misread from reach)
        and {{ are_apart("days.followers", "today.followers") }}
),

in_order as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        {% for place in range(captures + 2 + captures_of_pace) %}
            lag(days.followers, {{ place }}) over by_day as followers_{{ place }},
            lag(days.captured_at, {{ place }}) over by_day as captured_at_{{ place }},
            lag(days.snapshot_date, {{ place }}) over by_day as date_{{ place }},
        {% endfor %}
        days.snapshot_date in (select planned.snapshot_date from planned) as is_planned
    from days
    inner join moved on days.platform = moved.platform and days.account_id = moved.account_id
    window by_day as (partition by days.platform, days.account_id order by days.snapshot_date)
),

-- At its own pace a count may have grown since its base. A pass may have read more than a day's own look-back.
paced as (
    select
        platform,
        account_id,
        snapshot_date
        {% for place in range(captures + 2) %}
            ,
            followers_{{ place }},
            captured_at_{{ place }},
            date_{{ place }}
        {% endfor %}
        {% for place in range(2, captures + 2) %}
            {% set earlier = place + captures_of_pace %}
            ,
            case
                when date_{{ earlier }} >= {{ add_days("snapshot_date", -look_back_days) }}
                    then
                        greatest(followers_{{ place }} - followers_{{ earlier }}, 0)
                        / nullif(cast({{ days_between("date_" ~ earlier, "date_" ~ place) }} as double), 0)
            end as pace_{{ place }}
        {% endfor %}
    from in_order
    where is_planned
),

-- So many captures ago the count left the one before, to which it is back today and was not meanwhile. A move over a
-- longer absence than a week says nothing about any one day.
undone as (
    {% for moved_at in range(1, captures + 1) %}
        select
            *,
            {{ moved_at }} as moved_at
        from paced
        where {{ is_undone(moved_at) }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

{% for misread in range(1, captures + 1) %}
    misread_{{ misread }} as (
        select distinct
            platform,
            account_id,
            date_{{ misread }} as misread_date,
            snapshot_date
        from undone
        where moved_at >= {{ misread }}
    ),

{% endfor %}
int_trust__misreads as (
    {% for misread in range(1, captures + 1) %}
        select * from misread_{{ misread }}
        {{ "union" if not loop.last }}
    {% endfor %}
)

select * from int_trust__misreads
