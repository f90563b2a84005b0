-- One row per live session: until when orders are placed in it, and what is wrong with its times.
{{ config(materialized="table") }}

with sessions as (select * from {{ ref("stg_landing__live_sessions") }}),

campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

timed as (
    select
        *,
        coalesce(ended_at < started_at, false) as is_reversed,
        case when ended_at >= started_at then ended_at end as known_end
    from sessions
),

-- One host cannot be live twice at once on a platform. A session without an end overlaps none: nobody knows it.
at_once as (
    select
        timed.live_session_id,
        count(*) as other_sessions,
        min(beside.live_session_id) as example
    from timed
    inner join timed as beside
        on timed.platform = beside.platform
        and timed.host_id = beside.host_id
        and timed.live_session_id <> beside.live_session_id
        and timed.started_at < beside.known_end
        and timed.known_end > beside.started_at
    group by timed.live_session_id
),

int_social__sessions_checked as (
    select
        timed.live_session_id,
        timed.platform,
        timed.host_id,
        timed.host_type,
        timed.account_id,
        timed.campaign_id,
        campaigns.brand,
        timed.campaign_id is not null and campaigns.campaign_id is null as is_campaign_unknown,
        timed.started_at,
        timed.known_end,
        -- Without an end that can be, a day is as long as anybody is taken to be live.
        coalesce(timed.known_end, {{ days_before("timed.started_at", -1) }}) as open_until,
        timed.is_reversed,
        -- The day built is over, so that a session of the day before would have ended.
        timed.ended_at is null and timed.snapshot_date < base.as_of_date as is_endless,
        coalesce(at_once.other_sessions, 0) as overlapping_sessions,
        at_once.example as overlapping_session_id,
        timed.peak_viewers,
        timed.unique_viewers,
        timed.snapshot_date as session_date,
        base.as_of_date,
        base.currency as base_currency,
        timed.data_origin
    from timed
    cross join base
    left join campaigns on timed.campaign_id = campaigns.campaign_id
    left join at_once on timed.live_session_id = at_once.live_session_id
)

select * from int_social__sessions_checked
