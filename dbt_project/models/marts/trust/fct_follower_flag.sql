-- One row per account, signal and stretch of days that the signal's evidence covers without a break of a week.
{{ config(materialized="table") }}

with signals as (select * from {{ ref("int_trust__signals_raised") }}),

misreads as (
    select
        platform,
        account_id,
        misread_date,
        min(snapshot_date) as misread_on
    from {{ ref("int_trust__misreads") }}
    group by platform, account_id, misread_date
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
        and signals.snapshot_date = misreads.misread_date
),

words as (select * from {{ source("meta", "config_trust_signals") }}),

reached as (
    select
        *,
        max(window_end) over (
            partition by platform, account_id, signal, misread_on
            order by window_start, snapshot_date
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from raised
),

-- A day's evidence that follows the days before it is the same stretch: a sawtooth is seen every day it lasts.
stretches as (
    select
        *,
        count(*) filter (where covered_until is null or window_start > {{ add_days("covered_until", 7) }}) over (
            partition by platform, account_id, signal, misread_on order by window_start, snapshot_date
        ) as stretch
    from reached
),

strongest as (
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
        misread_on,
        data_origin,
        min(window_start) over stretch_days as window_start,
        max(window_end) over stretch_days as window_end,
        min(snapshot_date) over stretch_days as first_raised_date,
        row_number() over (
            partition by platform, account_id, signal, misread_on, stretch
            order by points desc nulls last, snapshot_date desc nulls last
        ) as place
    from stretches
    window stretch_days as (partition by platform, account_id, signal, misread_on, stretch)
),

fct_follower_flag as (
    select
        cast(strongest.platform as varchar) as platform,
        cast(strongest.account_id as varchar) as account_id,
        cast(strongest.signal as varchar) as signal,
        cast(strongest.window_start as date) as window_start,
        cast(strongest.window_end as date) as window_end,
        cast(strongest.first_raised_date as date) as first_raised_date,
        cast(strongest.side as varchar) as side,
        cast(strongest.statistic as double) as statistic,
        cast(strongest.threshold as double) as threshold,
        cast(strongest.points as integer) as points,
        cast(strongest.followers_affected as bigint) as followers_affected,
        cast(
            strongest.fact || '. Looks like ' || words.looks_like || '; could also be ' || words.could_also_be || '.'
            as varchar
        ) as explanation,
        cast(strongest.misread_on as date) as misread_on,
        cast(strongest.data_origin as varchar) as data_origin
    from strongest
    inner join words on strongest.signal = words.signal
    where strongest.place = 1
    qualify
        row_number() over (
            partition by strongest.platform, strongest.account_id, strongest.signal, strongest.window_start
            order by strongest.misread_on nulls first
        ) = 1
)

select * from fct_follower_flag
