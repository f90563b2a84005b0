-- One row per account, planned day with a capture and event of the last 400 days: what is known of it by that day.
-- An event is rises whose windows overlap or touch; its key is the first one's start. Each day evaluates it anew.
-- One model: rises become events, and events what came after them, for few accounts while these are at hand.

{% set look_back_days = 440 %}
{% set event_days, days_of_losses, days_of_views, days_of_posts = 400, 20, 7, 7 %}
{#- Half as many followers again: what brought them stands out among all posts, and not among nine in ten. -#}
{% set large_gain = 0.4 %}

with planned as (
    {{ planned_dates("int_trust__events_evaluated") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

weights as (
    {{ trust_weights(
        source("meta", "config_trust_weights"),
        [
            "followers_per_view_least", "followers_per_view_most", "times_own_followers_per_view", "gain_in_full",
            "least_gain",
        ]
    ) }}
),

rises as (
    select rises.*
    from {{ ref("int_trust__rises_raised") }} as rises
    inner join reach on rises.snapshot_date between reach.first_day and reach.last_day
),

misreads as (
    select *
    from {{ ref("int_trust__misreads") }}
    where misread_date >= (select reach.first_day from reach)
),

days as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.followers,
        days.data_origin
    from {{ ref("int_snapshot__account_days_deduplicated") }} as days
    inner join planned on days.snapshot_date = planned.snapshot_date
),

known as {{ made_first() }} (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.followers as followers_today,
        rises.snapshot_date as rise_date,
        rises.length,
        rises.window_start,
        rises.gain,
        rises.followers,
        rises.followers_before,
        rises.excess,
        rises.pace,
        rises.base_views_per_day,
        rises.own_followers_per_view,
        rises.step,
        days.data_origin
    from days
    inner join rises
        on days.platform = rises.platform
        and days.account_id = rises.account_id
        and days.snapshot_date >= rises.snapshot_date
        and {{ add_days("days.snapshot_date", -event_days) }} <= rises.snapshot_date
    -- What a misread raised is no evidence from the day on which that is known.
    left join misreads
        on rises.platform = misreads.platform
        and rises.account_id = misreads.account_id
        and rises.snapshot_date = misreads.misread_date
        and days.snapshot_date >= misreads.snapshot_date
    where misreads.account_id is null
),

in_order as (
    select
        *,
        row_number() over by_rise as place,
        lag(rise_date) over by_rise as rise_before
    from known
    window by_rise as (partition by platform, account_id, snapshot_date order by rise_date, length)
),

numbered as (
    select
        *,
        count(*) filter (where {{ begins_event() }}) over (
            partition by platform, account_id, snapshot_date order by place rows unbounded preceding
        ) as event_number
    from in_order
),

beside_highest as (
    select
        *,
        first_value(window_start) over by_place as event_start,
        followers = max(followers) over of_event as is_highest,
        2 * followers >= max(followers) over of_event + first_value(followers_before) over by_place as is_half_gained,
        10 * followers >= 9 * max(followers) over of_event + first_value(followers_before) over by_place
            as is_mostly_gained
    from numbered
    window
        of_event as (partition by platform, account_id, snapshot_date, event_number),
        by_place as (partition by platform, account_id, snapshot_date, event_number order by place)
),

-- The base of an event, its pace and its views before are those of its first rise. What that one does not know may be
-- told by another that begins no later, never by one that has days of the event before it.
events as {{ made_first() }} (
    select
        platform,
        account_id,
        snapshot_date,
        event_number,
        min(event_start) as event_start,
        min(rise_date) as first_flagged,
        max(rise_date) as event_end,
        {{ value_at_first("followers_before", "place") }} as followers_before,
        {% for column in ["pace", "base_views_per_day", "own_followers_per_view"] %}
            {{ value_at_first("case when window_start <= event_start then " ~ column ~ " end", "place") }}
                as {{ column }},
        {% endfor %}
        max(followers) as highest,
        min_by(rise_date, place) filter (where is_highest and rise_date is not null) as highest_date,
        -- From here on it stands: what came later is the smaller part of it, and may be a misread of a day.
        min(rise_date) filter (where is_half_gained) as half_gained_on,
        min(rise_date) filter (where is_mostly_gained) as mostly_gained_on,
        -- The most of any of its rises, the longer ones too: so repeats add up.
        max(excess) as excess,
        coalesce(max(excess) filter (where length <= 7), 0) as excess_in_week,
        coalesce(max(excess) filter (where length <= 7) >= {{ large_gain }}, false) as is_large,
        max(gain) as largest_gain,
        max(followers_today) as followers_today,
        max(step) as step,
        max(data_origin) as data_origin
    from beside_highest
    group by platform, account_id, snapshot_date, event_number
),

-- What views came with it, for a week more, as the two counts are not brought up to date together; and what was lost.
-- Once nine tenths had come, fewer views in the weeks after take none of these back.
since as (
    select
        events.platform,
        events.account_id,
        events.snapshot_date,
        events.event_number,
        {% set of_views = "windows.snapshot_date <= " ~ add_days("events.mostly_gained_on", days_of_views) %}
        nullif({{ whole_sum("windows.views_gain", of_views) }}, 0) as new_views,
        {{ whole_sum("windows.views_days", of_views ~ " and windows.views_gain is not null") }} as views_days,
        {{ whole_sum(
            "windows.views_days",
            "windows.snapshot_date <= events.half_gained_on and windows.views_gain is not null"
        ) }} as views_days_to_half,
        {{ value_at_last("windows.followers", "windows.snapshot_date") }} as followers_after,
        count(*) filter (where windows.snapshot_date > events.highest_date) as days_after,
        count(*) filter (where windows.snapshot_date > events.half_gained_on) as captures_since,
        {{ exact_sum(
            "windows.peers_growth", "windows.snapshot_date > events.highest_date and windows.peers_growth < 0"
        ) }} as fall_of_peers
    from events
    inner join {{ ref("int_trust__windows_measured") }} as windows
        on events.platform = windows.platform
        and events.account_id = windows.account_id
        and events.event_start < windows.snapshot_date
        and events.snapshot_date >= windows.snapshot_date
        and {{ add_days("events.event_end", days_of_losses) }} >= windows.snapshot_date
    left join misreads
        on windows.platform = misreads.platform
        and windows.account_id = misreads.account_id
        and windows.snapshot_date = misreads.misread_date
        and events.snapshot_date >= misreads.snapshot_date
    where
        misreads.account_id is null
        and windows.snapshot_date between (select reach.first_day from reach) and (select reach.last_day from reach)
    group by events.platform, events.account_id, events.snapshot_date, events.event_number
),

-- A post that was once seen to find more than its like stays a possible cause, however long the event goes on. Posts of
-- rises within a week after it count as well: an event falls apart where some of its rises turn out misread.
posts as (
    select
        events.platform,
        events.account_id,
        events.snapshot_date,
        events.event_number,
        bool_or(
            case when events.is_large then compared.is_above_all else compared.is_exceeded end
        ) as is_exceeded
    from events
    inner join {{ ref("int_trust__posts_compared") }} as compared
        on events.platform = compared.platform
        and events.account_id = compared.account_id
        and compared.window_end between events.first_flagged
        and {{ add_days("events.event_end", days_of_posts) }}
        and events.snapshot_date >= compared.snapshot_date
    where compared.posts_of_event > 0 and compared.posts_before >= 5
    group by events.platform, events.account_id, events.snapshot_date, events.event_number
),

counted as (
    select
        events.*,
        since.new_views,
        since.views_days,
        coalesce(since.captures_since, 0) as captures_since,
        posts.is_exceeded,
        events.highest - events.followers_before as gain,
        least(
            coalesce({{ above_zero('events.pace') }}, 0)
            * {{ days_between("events.event_start", "events.highest_date") }}
            * events.followers_before,
            events.highest - events.followers_before
        ) as usual_gain,
        -- Views beyond the account's own usual: what a viral post brings. Unknown where few of the days are known on
        -- which the followers came.
        case
            when since.views_days_to_half * 2 >= {{ days_between("events.event_start", "events.half_gained_on") }}
                then {{ above_zero("since.new_views - events.base_views_per_day * since.views_days") }}
        end as extra_views,
        {{ excused_per_view("events.own_followers_per_view") }} as followers_per_view,
        weights.followers_per_view_most,
        least(
            coalesce(events.own_followers_per_view, weights.followers_per_view_least), weights.followers_per_view_most
        ) as own_followers_per_view_at_most,
        case
            when since.days_after > 0
                then
                    greatest(
                        events.highest - since.followers_after + coalesce(since.fall_of_peers, 0) * events.highest, 0
                    )
        end as lost,
        greatest(events.highest - coalesce(events.followers_today, since.followers_after, events.highest), 0)
            as lost_by_today,
        -- The size of a gain counts in full from some number of followers on.
        least(
            1, ln(2 * events.largest_gain / nullif(weights.least_gain, 0))
            / nullif(ln(2 * weights.gain_in_full / nullif(weights.least_gain, 0)), 0)
        ) as size_of_gain
    from events
    cross join weights
    left join since
        on events.platform = since.platform
        and events.account_id = since.account_id
        and events.snapshot_date = since.snapshot_date
        and events.event_number = since.event_number
    left join posts
        on events.platform = posts.platform
        and events.account_id = posts.account_id
        and events.snapshot_date = posts.snapshot_date
        and events.event_number = posts.event_number
),

unexplained as (
    select
        *,
        (gain - usual_gain - extra_views * followers_per_view) / cast(nullif(gain, 0) as double) as share_beside_views,
        case
            -- Without views the evidence is a cause that is absent: a post of the week that found more than its like.
            when extra_views is null and not is_exceeded then (gain - usual_gain) / cast(nullif(gain, 0) as double)
        end as share_beside_posts
    from counted
),

int_trust__events_evaluated as (
    select
        platform,
        account_id,
        snapshot_date,
        event_start,
        event_end,
        first_flagged,
        half_gained_on,
        cast(captures_since as integer) as captures_since,
        followers_before,
        gain,
        usual_gain,
        highest,
        step,
        excess * size_of_gain as size,
        excess_in_week * size_of_gain as size_in_week,
        excess_in_week >= 0.6 * excess as is_burst,
        is_large,
        new_views,
        views_days,
        base_views_per_day,
        extra_views,
        own_followers_per_view,
        followers_per_view,
        is_exceeded,
        lost,
        data_origin,
        share_beside_views,
        share_beside_posts,
        coalesce(share_beside_views, share_beside_posts) as unexplained_share,
        -- Followers that nothing explains, less those that are gone; and between what they lie: with views at the most
        -- that they ever bring, and at what they bring this account.
        cast(
            round(
                {{ above_zero("coalesce(share_beside_views, share_beside_posts) * gain - lost_by_today") }}
            ) as bigint
        ) as unexplained_followers,
        cast(
            round(
                coalesce(
                    {{ above_zero("gain - usual_gain - extra_views * followers_per_view_most - lost_by_today") }}, 0
                )
            ) as bigint
        ) as unexplained_followers_least,
        cast(
            round(
                greatest(
                    gain - usual_gain - coalesce(extra_views * own_followers_per_view_at_most, 0) - lost_by_today, 0
                )
            ) as bigint
        ) as unexplained_followers_most
    from unexplained
)

select * from int_trust__events_evaluated
