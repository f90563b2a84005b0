-- One row per account and UTC day with a capture: how far its counts can be trusted, and what speaks against them.
with evaluated as (
    select * from {{ ref("int_trust__accounts_evaluated") }}
    where snapshot_date in ({{ planned_dates("fct_follower_trust_daily") }})
),

dates_withheld as (select * from {{ ref("int_trust__dates_withheld") }}),

suspicions_withheld as (select * from {{ ref("int_trust__suspicions_withheld") }}),

-- Where so many became suspicious at once that the fault is rather ours, nobody has a verdict that day, and whoever has
-- been suspicious since then has none.
said as (
    select
        evaluated.*,
        dates_withheld.platform is not null or suspicions_withheld.platform is not null as is_withheld
    from evaluated
    left join dates_withheld
        on evaluated.platform = dates_withheld.platform and evaluated.snapshot_date = dates_withheld.snapshot_date
    left join suspicions_withheld
        on evaluated.platform = suspicions_withheld.platform
        and evaluated.account_id = suspicions_withheld.account_id
        and evaluated.snapshot_date = suspicions_withheld.snapshot_date
),

shown as (
    select
        *,
        case when not is_withheld then verdict end as verdict_shown,
        case when verdict <> 'insufficient_data' and not is_withheld then audience_score end as trust_score_shown,
        case when engagement_verdict <> 'insufficient_data' then engagement_score end as engagement_score_shown,
        -- No event is none that is unexplained, where one would have been seen.
        case
            when events_400d = 0 and insufficient_reason is null then 0
            when coalesce(insufficient_reason, '') <> 'retention' then unexplained_followers
        end as unexplained_shown,
        case
            when events_400d = 0 and insufficient_reason is null then 0
            when coalesce(insufficient_reason, '') <> 'retention' then unexplained_followers_least
        end as unexplained_least,
        case
            when events_400d = 0 and insufficient_reason is null then 0
            when coalesce(insufficient_reason, '') <> 'retention' then unexplained_followers_most
        end as unexplained_most,
        case
            when insufficient_reason is not null then insufficient_reason
            when events_unknown > 0 then 'no_views_no_posts'
        end as coverage_reason,
        cast(least(changes_28, 28) as double) / 28 as coverage
    from said
),

fct_follower_trust_daily as (
    select
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(trust_score_shown as integer) as trust_score,
        cast(verdict_shown as string) as verdict,
        cast(case when is_withheld then 'withheld' end as string) as verdict_null_reason,
        cast(engagement_score_shown as integer) as engagement_score,
        cast(engagement_verdict as string) as engagement_verdict,
        cast(
            coalesce(verdict_shown = 'suspicious', false) or engagement_verdict = 'suspicious' as boolean
        ) as is_suspicious,
        cast(reasons as string) as reasons,
        cast(audience_signals as integer) as audience_signals,
        cast(engagement_signals as integer) as engagement_signals,
        cast(evidence_start as date) as evidence_window_start,
        cast(evidence_end as date) as evidence_window_end,
        cast(changes_28 as integer) as changes_known_28d,
        cast(coverage as double) as coverage,
        cast(has_views as boolean) as has_views,
        cast(smallest_visible_burst as double) as smallest_visible_burst,
        cast(round(followers * (exp(smallest_visible_burst) - 1)) as bigint) as smallest_visible_gain,
        cast(coverage_reason as string) as coverage_reason,
        cast(unexplained_shown as bigint) as unexplained_followers,
        cast({{ at_most_one(ratio("unexplained_shown", "followers")) }} as double) as unexplained_share,
        cast({{ at_most_one(ratio("unexplained_least", "followers")) }} as double) as unexplained_share_least,
        cast({{ at_most_one(ratio("unexplained_most", "followers")) }} as double) as unexplained_share_most,
        cast(data_origin as string) as data_origin
    from shown
)

select * from fct_follower_trust_daily
