-- One row per account and planned day with a capture: evidence of the last 90 days, score and verdict, both sides.
-- One model: evidence is joined with the days once, for score, verdict and words alike.
{% set flag_days = 90 %}
{% set settled_days = 5 %}

with days as (
    select
        platform,
        account_id,
        snapshot_date,
        data_origin
    from {{ ref("int_snapshot__account_days_deduplicated") }}
    where snapshot_date in ({{ planned_dates("int_trust__accounts_evaluated") }})
),

coverage as (select * from {{ ref("int_trust__coverage_measured") }}),

signals as (select * from {{ ref("int_trust__signals_raised") }}),

misreads as (select * from {{ ref("int_trust__misreads") }}),

verdicts as (select * from {{ source("meta", "config_trust_verdicts") }}),

-- What a misread raised is no evidence from the day on which that is known. Two captures show what an earlier day
-- raised, and that part of a burst is gone again; that all of it is could be one misread.
signals_standing as {{ made_first() }} (
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
        signals.snapshot_date as raised_on,
        signals.snapshot_date < days.snapshot_date
        or (signals.signal = 'burst_then_loss' and signals.statistic < 1) as is_shown_twice
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
    where misreads.account_id is null
),

-- A burst that was lost these days is confirmed: nothing that was raised since it began needs to grow older.
bursts_confirmed as (
    select
        platform,
        account_id,
        snapshot_date,
        min(window_start) as burst_start
    from signals_standing
    where
        signal = 'burst_then_loss'
        and is_shown_twice
        and raised_on > {{ add_days("snapshot_date", -settled_days) }}
    group by platform, account_id, snapshot_date
),

-- Of a signal, its strongest day speaks; each counts once. Beside it stands what of it has settled: raised 5 days ago
-- or more, or confirmed by a loss.
evidence as (
    select
        standing.*,
        max(
            case
                when
                    standing.raised_on <= {{ add_days("standing.snapshot_date", -settled_days) }}
                    or (standing.is_shown_twice and standing.raised_on >= confirmed.burst_start)
                    then standing.points
            end
        ) over (
            partition by standing.platform, standing.account_id, standing.snapshot_date, standing.signal
        ) as points_settled
    from signals_standing as standing
    left join bursts_confirmed as confirmed
        on standing.platform = confirmed.platform
        and standing.account_id = confirmed.account_id
        and standing.snapshot_date = confirmed.snapshot_date
    qualify
        row_number() over (
            partition by standing.platform, standing.account_id, standing.snapshot_date, standing.signal
            order by standing.points desc nulls last, standing.raised_on desc nulls last
        ) = 1
),

weighed as (
    select
        platform,
        account_id,
        snapshot_date,
        {% for side in ["audience", "engagement"] %}
            sum(points) filter (where side = '{{ side }}') as {{ side }}_points,
            count(*) filter (where side = '{{ side }}') as {{ side }}_signals,
        {% endfor %}
        sum(points_settled) filter (where side = 'audience') as audience_points_settled,
        {{ joined("fact", "; ", "side, points desc, signal") }} as reasons,
        min(window_start) as evidence_start,
        max(window_end) as evidence_end
    from evidence
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
        coverage.has_views,
        coverage.can_evaluate_audience,
        coverage.can_evaluate_engagement,
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
