-- One row per account, signal and event, or stretch of days that the signal's evidence covers without a week's break.
-- One model: what was raised is put in stretches once, for what it was at first, what it is now, and its words.
-- A night goes on from the flags of those accounts of which something was raised or evaluated.
{{ config(materialized="renewed") }}

with {% if is_renewed() -%}
    renewed as (
        {{ accounts_with_flags_renewed() }}
    ),

    -- Of these a flag may depend on a day that is made anew, or on a misread: all that was raised on them is read.
    read_whole as (
        {{ accounts_with_flags_read_whole() }}
    ),

    standing as (
        {{ flags_standing() }}
    ),
{%- endif %}

signals as (
    select
        signals.platform,
        signals.account_id,
        signals.snapshot_date,
        signals.signal,
        signals.side,
        signals.statistic,
        signals.threshold,
        signals.points,
        signals.followers_affected,
        signals.window_start,
        signals.window_end,
        signals.fact,
        signals.data_origin,
        cast(null as string) as explanation,
        signals.first_flagged is not null as is_event,
        coalesce(signals.first_flagged, signals.snapshot_date) as flagged_on
    from {{ ref("int_trust__signals_raised") }} as signals
    {% if is_renewed() %}
        left join read_whole on signals.platform = read_whole.platform and signals.account_id = read_whole.account_id
        where signals.snapshot_date >= {{ first_day_of_evidence() }} or read_whole.account_id is not null
        union all
        select
            platform,
            account_id,
            coalesce(ended_on, last_evaluated) as snapshot_date,
            signal,
            side,
            statistic,
            threshold,
            points,
            followers_affected,
            window_start,
            window_end,
            cast(null as string) as fact,
            data_origin,
            explanation,
            is_event,
            first_flagged as flagged_on
        from standing
    {% endif %}
),

misreads as (
    select
        platform,
        account_id,
        misread_date,
        min(snapshot_date) as misread_on
    from {{ ref("int_trust__misreads") }}
    group by platform, account_id, misread_date
),

-- Each event as it was evaluated at first and at last, which may be after a signal of it has ended.
events as (
    select
        platform,
        account_id,
        event_start,
        max(snapshot_date) as last_evaluated,
        {{ value_at_first(at_most_one("unexplained_share"), "snapshot_date") }} as unexplained_then,
        {{ value_at_last(at_most_one("unexplained_share"), "snapshot_date") }} as unexplained_now
    from {{ ref("int_trust__events_evaluated") }}
    where {{ evidence_weighs("snapshot_date", "event_end") }}
    group by platform, account_id, event_start
),

-- What was raised on a misread count is a flag of its own, which ended when that was known.
raised as (
    select
        signals.*,
        misreads.misread_on
    from signals
    left join misreads
        on signals.platform = misreads.platform
        and signals.account_id = misreads.account_id
        and signals.flagged_on = misreads.misread_date
),

words as (select * from {{ source("meta", "config_trust_signals") }}),

reached as (
    select
        *,
        max(window_end) over (
            partition by platform, account_id, signal, is_event, misread_on
            order by window_start, snapshot_date
            rows between unbounded preceding and 1 preceding
        ) as covered_until,
        lag(window_start) over (
            partition by platform, account_id, signal, is_event, misread_on order by window_start, snapshot_date
        ) as start_before
    from raised
),

-- A day's evidence that follows the days before it is the same stretch: a sawtooth is seen every day it lasts. An event
-- is itself, however soon another follows.
stretches as (
    select
        *,
        count(*) filter (
            where
            covered_until is null
            or (not is_event and window_start > {{ add_days("covered_until", 7) }})
            or (is_event and window_start > start_before)
        ) over (
            partition by platform, account_id, signal, is_event, misread_on order by window_start, snapshot_date
        ) as stretch
    from reached
),

-- Of an event its latest judgement speaks, of any other stretch its strongest day.
speaking as (
    select
        platform,
        account_id,
        signal,
        stretch,
        side,
        statistic,
        threshold,
        points,
        followers_affected,
        fact,
        explanation,
        misread_on,
        data_origin,
        is_event,
        min(window_start) over stretch_days as window_start,
        max(window_end) over stretch_days as window_end,
        min(flagged_on) over stretch_days as first_flagged,
        max(snapshot_date) over stretch_days as last_raised,
        row_number() over (
            partition by platform, account_id, signal, is_event, misread_on, stretch
            order by
                case when not is_event then points end desc nulls last,
                snapshot_date desc nulls last
        ) as place
    from stretches
    window stretch_days as (partition by platform, account_id, signal, is_event, misread_on, stretch)
),

fct_follower_flag as (
    select
        cast(speaking.platform as string) as platform,
        cast(speaking.account_id as string) as account_id,
        cast(speaking.signal as string) as signal,
        cast(speaking.is_event as boolean) as is_event,
        cast(speaking.window_start as date) as window_start,
        cast(speaking.window_end as date) as window_end,
        cast(speaking.first_flagged as date) as first_flagged,
        cast(coalesce(events.last_evaluated, speaking.last_raised) as date) as last_evaluated,
        cast(case when events.last_evaluated > speaking.last_raised then speaking.last_raised end as date) as ended_on,
        cast(speaking.side as string) as side,
        cast(speaking.statistic as double) as statistic,
        cast(speaking.threshold as double) as threshold,
        cast(speaking.points as integer) as points,
        cast(speaking.followers_affected as bigint) as followers_affected,
        cast(events.unexplained_then as double) as unexplained_share_then,
        cast(events.unexplained_now as double) as unexplained_share_now,
        cast(
            coalesce(
                speaking.explanation,
                speaking.fact || '. Looks like ' || words.looks_like || '; could also be ' || words.could_also_be || '.'
            ) as string
        ) as explanation,
        cast(speaking.misread_on as date) as misread_on,
        cast(speaking.data_origin as string) as data_origin
    from speaking
    inner join words on speaking.signal = words.signal
    left join events
        on speaking.is_event
        and speaking.platform = events.platform
        and speaking.account_id = events.account_id
        and speaking.window_start = events.event_start
    where speaking.place = 1
    qualify
        row_number() over (
            partition by
                speaking.platform, speaking.account_id, speaking.signal, speaking.is_event, speaking.window_start
            order by speaking.misread_on nulls first
        ) = 1
)

select * from fct_follower_flag
