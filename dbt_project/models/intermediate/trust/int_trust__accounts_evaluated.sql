-- One row per account and planned day with a capture: evidence of the last 90 days, score and verdict, both sides.
-- One model: evidence is joined with the days once, for score, verdict and words alike.
{% set flag_days = 90 %}
{% set settled_days = 5 %}
{#- What a misread raised is undone within so many captures, and within a week. -#}
{% set misread_captures, misread_days = 3, 7 %}
-- Of two independent series together, however many of their signals are raised.
{% set most_of_an_event = 70 %}

with planned as (
    {{ planned_dates("int_trust__accounts_evaluated") }}
),

-- Whatever is evidence today was raised since then.
reach as (
    select {{ add_days("min(snapshot_date)", -flag_days) }} as first_day
    from planned
),

days as (
    select
        platform,
        account_id,
        snapshot_date,
        data_origin
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

coverage as (select * from {{ ref("int_trust__coverage_measured") }}),

verdicts as (select * from {{ source("meta", "config_trust_verdicts") }}),

signals as (
    select raised.*
    from {{ ref("int_trust__signals_raised") }} as raised
    inner join reach on raised.snapshot_date >= reach.first_day
),

events as (
    select
        *,
        captures_since >= {{ misread_captures }}
        or half_gained_on <= {{ add_days("snapshot_date", -misread_days) }} as has_stood
    from {{ ref("int_trust__events_evaluated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

misreads as (select * from {{ ref("int_trust__misreads") }}),

-- An event is weighed as the day itself evaluates it, whatever was thought of it before.
of_events as {{ made_first() }} (
    select
        signals.*,
        least(sum(signals.points) over by_event, {{ most_of_an_event }}) as points_of_event,
        max(
            case
                -- A count on its way back may be a misread that is not known yet.
                when not events.has_stood then 0
                when events.half_gained_on <= {{ add_days("days.snapshot_date", -settled_days) }} then 1
                when signals.signal = 'burst_then_loss' then 1
                else 0
            end
        ) over by_event as is_settled
    from days
    inner join signals
        on days.platform = signals.platform
        and days.account_id = signals.account_id
        and days.snapshot_date = signals.snapshot_date
    inner join events
        on signals.platform = events.platform
        and signals.account_id = events.account_id
        and signals.snapshot_date = events.snapshot_date
        and signals.window_start = events.event_start
    where signals.first_flagged is not null
    window by_event as (
        partition by signals.platform, signals.account_id, signals.snapshot_date, signals.window_start
    )
),

-- One event speaks: the heaviest, and of those that are settled the heaviest. `unexplained_followers` adds them up.
events_weighed as (
    select
        platform,
        account_id,
        snapshot_date,
        max(points_of_event) as points,
        max(case when is_settled = 1 then points_of_event end) as points_settled
    from of_events
    group by platform, account_id, snapshot_date
),

heaviest as (
    select
        platform,
        account_id,
        snapshot_date,
        window_start
    from of_events
    qualify
        row_number() over (
            partition by platform, account_id, snapshot_date order by points_of_event desc, window_start desc
        ) = 1
),

events_speaking as (
    select of_events.*
    from of_events
    inner join heaviest
        on of_events.platform = heaviest.platform
        and of_events.account_id = heaviest.account_id
        and of_events.snapshot_date = heaviest.snapshot_date
        and of_events.window_start = heaviest.window_start
),

-- Of every other signal, its strongest day speaks; each counts once. What a misread raised is no evidence from the day
-- on which that is known.
others_standing as {{ made_first() }} (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        signals.side,
        signals.signal,
        signals.points,
        signals.fact,
        signals.window_start,
        signals.window_end,
        signals.snapshot_date as raised_on
    from days
    inner join signals
        on days.platform = signals.platform
        and days.account_id = signals.account_id
        and days.snapshot_date >= signals.snapshot_date
        and {{ add_days("days.snapshot_date", -flag_days) }} <= signals.window_end
    left join misreads
        on signals.platform = misreads.platform
        and signals.account_id = misreads.account_id
        and signals.snapshot_date = misreads.misread_date
        and days.snapshot_date >= misreads.snapshot_date
    where misreads.account_id is null and signals.first_flagged is null
),

others as (
    select
        *,
        max(
            case when raised_on <= {{ add_days("snapshot_date", -settled_days) }} then points end
        ) over (
            partition by platform, account_id, snapshot_date, signal
        ) as points_settled
    from others_standing
    qualify
        row_number() over (
            partition by platform, account_id, snapshot_date, signal
            order by points desc nulls last, raised_on desc nulls last
        ) = 1
),

evidence as (
    select
        platform,
        account_id,
        snapshot_date,
        side,
        signal,
        points,
        points_settled,
        0 as is_of_event,
        fact,
        window_start,
        window_end
    from others
    union all
    select
        events_speaking.platform,
        events_speaking.account_id,
        events_speaking.snapshot_date,
        events_speaking.side,
        events_speaking.signal,
        events_speaking.points,
        cast(null as integer) as points_settled,
        1 as is_of_event,
        events_speaking.fact,
        events_speaking.window_start,
        events_speaking.window_end
    from events_speaking
),

weighed as (
    select
        evidence.platform,
        evidence.account_id,
        evidence.snapshot_date,
        {% for side in ["audience", "engagement"] %}
            coalesce(sum(evidence.points) filter (where evidence.side = '{{ side }}' and evidence.is_of_event = 0), 0)
            + least(
                coalesce(
                    sum(evidence.points) filter (where evidence.side = '{{ side }}' and evidence.is_of_event = 1), 0
                ),
                {{ most_of_an_event }}
            ) as {{ side }}_points,
            count(*) filter (where evidence.side = '{{ side }}') as {{ side }}_signals,
        {% endfor %}
        coalesce(sum(evidence.points_settled) filter (where evidence.side = 'audience'), 0)
        + coalesce(max(events_weighed.points_settled), 0) as audience_points_settled,
        {{
            joined(
                "evidence.fact",
                "; ",
                "evidence.side, evidence.points desc, evidence.signal, evidence.is_of_event desc",
            )
        }} as reasons,
        min(evidence.window_start) as evidence_start,
        max(evidence.window_end) as evidence_end
    from evidence
    left join events_weighed
        on evidence.platform = events_weighed.platform
        and evidence.account_id = events_weighed.account_id
        and evidence.snapshot_date = events_weighed.snapshot_date
    group by evidence.platform, evidence.account_id, evidence.snapshot_date
),

-- The number for people: events of 400 days, each as evaluated today. One that nobody can evaluate leaves it unknown.
unexplained as (
    select
        platform,
        account_id,
        snapshot_date,
        count(*) as events,
        sum(unexplained_followers_least) as unexplained_followers_least,
        sum(unexplained_followers_most) as unexplained_followers_most,
        case when count(unexplained_followers) = count(*) then sum(unexplained_followers) end as unexplained_followers,
        -- A rise that neither views nor posts could explain or leave unexplained.
        count(*) filter (
            where unexplained_share is null and is_exceeded is null
            and {{ evidence_weighs("snapshot_date", "event_end") }}
        ) as events_unknown
    from events
    group by platform, account_id, snapshot_date
),

covered as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.data_origin,
        weighed.reasons,
        weighed.evidence_start,
        weighed.evidence_end,
        coverage.changes_28,
        coverage.smallest_visible_burst,
        coverage.followers,
        coverage.insufficient_reason,
        coverage.has_views,
        unexplained.unexplained_followers,
        unexplained.unexplained_followers_least,
        unexplained.unexplained_followers_most,
        coverage.can_evaluate_audience,
        coverage.can_evaluate_engagement,
        coalesce(unexplained.events, 0) as events_400d,
        coalesce(unexplained.events_unknown, 0) as events_unknown,
        -- No evidence is no points; whether it could have been seen is the coverage's to say.
        coalesce(weighed.audience_signals, 0) as audience_signals,
        coalesce(weighed.engagement_signals, 0) as engagement_signals,
        100 - least(coalesce(weighed.audience_points, 0), 100) as audience_score_in_full,
        100 - least(coalesce(weighed.audience_points_settled, 0), 100) as audience_score_settled,
        100 - least(coalesce(weighed.engagement_points, 0), 100) as engagement_score
    from days
    inner join coverage
        on days.platform = coverage.platform
        and days.account_id = coverage.account_id
        and days.snapshot_date = coverage.snapshot_date
    left join weighed
        on days.platform = weighed.platform
        and days.account_id = weighed.account_id
        and days.snapshot_date = weighed.snapshot_date
    left join unexplained
        on days.platform = unexplained.platform
        and days.account_id = unexplained.account_id
        and days.snapshot_date = unexplained.snapshot_date
),

-- Nobody is suspicious before what convicts has settled; until then it is a watch.
convicted as (
    select
        covered.*,
        case
            when
                covered.audience_score_in_full < suspicious.max_score
                and covered.audience_score_settled >= suspicious.max_score
                then suspicious.max_score
            else covered.audience_score_in_full
        end as audience_score
    from covered
    left join verdicts as suspicious on suspicious.verdict = 'suspicious'
),

-- Evidence stays evidence when the account is not seen for a while; its absence is none while nothing could be seen.
evaluated as (
    select
        convicted.*,
        case
            when by_audience.verdict = 'suspicious' or convicted.can_evaluate_audience then by_audience.verdict
            else 'insufficient_data'
        end as verdict,
        case
            when by_engagement.verdict = 'suspicious' or convicted.can_evaluate_engagement then by_engagement.verdict
            else 'insufficient_data'
        end as engagement_verdict
    from convicted
    inner join verdicts as by_audience
        on convicted.audience_score >= by_audience.min_score and convicted.audience_score < by_audience.max_score
    inner join verdicts as by_engagement
        on convicted.engagement_score >= by_engagement.min_score
        and convicted.engagement_score < by_engagement.max_score
),

-- Whoever leaves suspicious accounts out reads this column: followers or engagement look bought.
int_trust__accounts_evaluated as (
    select
        *,
        'suspicious' in (verdict, engagement_verdict) as is_suspicious
    from evaluated
)

select * from int_trust__accounts_evaluated
