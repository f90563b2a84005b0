-- One row per account, planned day and event that views leave unexplained, and of a sawtooth's rises likewise.
{{ config(materialized="view") }}

with events as (
    {{ events_that_weigh(ref("int_trust__events_evaluated")) }}
),

turns as (
    select *
    from {{ ref("int_trust__turns_measured") }}
    where snapshot_date in ({{ planned_dates("int_trust__signals_raised") }}) and is_sawtooth
),

weights as (
    {{ trust_weights(
        source("meta", "config_trust_weights"),
        ["followers_per_view_least", "followers_per_view_most", "times_own_followers_per_view"]
    ) }}
),

of_events as (
    select
        platform,
        account_id,
        snapshot_date,
        unexplained_share as statistic,
        event_start as window_start,
        event_end as window_end,
        first_flagged,
        cast(round(unexplained_share * gain) as bigint) as followers_affected,
        {{ signed_count("gain") }} || ' followers with ' || {{ counted("new_views") }} || ' new views, against '
        || {{ counted("base_views_per_day * views_days") }} || ' usual ones'
        -- Bought views come at a rate of following that the account never had.
        || case
            when
                extra_views > 0 and own_followers_per_view > 0
                and gain - usual_gain >= 10 * extra_views * own_followers_per_view
                then
                    ', a follower for every ' || {{ counted("extra_views / nullif(gain - usual_gain, 0)") }}
                    || ' of them beyond the usual, where it takes the account '
                    || {{ counted("1 / nullif(own_followers_per_view, 0)") }}
            else ''
        end as fact
    from events
    where share_beside_views is not null
),

-- What rises and falls in turns grows little in all: its rises alone are held against the views.
rises_in_turns as (
    select
        turns.platform,
        turns.account_id,
        turns.snapshot_date,
        turns.views_28,
        turns.base_views_per_day * turns.views_days_28 as usual_views,
        turns.up_28 * turns.followers as gain,
        ({{ above_zero("turns.views_28 - turns.base_views_per_day * turns.views_days_28") }})
        * {{ excused_per_view("turns.own_followers_per_view") }} as excused
    from turns
    cross join weights
),

of_turns as (
    select
        platform,
        account_id,
        snapshot_date,
        1 - excused / nullif(gain, 0) as statistic,
        {{ add_days("snapshot_date", -28) }} as window_start,
        snapshot_date as window_end,
        cast(null as date) as first_flagged,
        cast(round(gain - excused) as bigint) as followers_affected,
        {{ signed_count("gain") }} || ' followers in several rises of 28 days with '
        || {{ counted("views_28") }} || ' new views, against ' || {{ counted("usual_views") }} || ' usual ones' as fact
    from rises_in_turns
    where excused is not null
),

either as (
    select * from of_events
    union all
    select * from of_turns
),

-- Where an event begins on the first day of the turns, it speaks for both.
int_trust__growth_without_activity as (
    select *
    from either
    qualify
        row_number() over (
            partition by platform, account_id, snapshot_date, window_start order by first_flagged nulls last
        ) = 1
)

select * from int_trust__growth_without_activity
