-- One row per account and UTC day with a capture: how far its counts can be trusted, and what speaks against them.
with evaluated as (
    select * from {{ ref("int_trust__accounts_evaluated") }}
    where snapshot_date in ({{ planned_dates("fct_follower_trust_daily") }})
),

shown as (
    select
        *,
        case when verdict <> 'insufficient_data' then audience_score end as trust_score_shown,
        case when engagement_verdict <> 'insufficient_data' then engagement_score end as engagement_score_shown,
        cast(least(changes_28, 28) as double) / 28 as coverage
    from evaluated
),

fct_follower_trust_daily as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(snapshot_date as date) as snapshot_date,
        cast(trust_score_shown as integer) as trust_score,
        cast(verdict as varchar) as verdict,
        cast(engagement_score_shown as integer) as engagement_score,
        cast(engagement_verdict as varchar) as engagement_verdict,
        cast(is_suspicious as boolean) as is_suspicious,
        cast(reasons as varchar) as reasons,
        cast(audience_signals as integer) as audience_signals,
        cast(engagement_signals as integer) as engagement_signals,
        cast(evidence_start as date) as evidence_window_start,
        cast(evidence_end as date) as evidence_window_end,
        cast(changes_28 as integer) as changes_known_28d,
        cast(coverage as double) as coverage,
        cast(has_views as boolean) as has_views,
        cast(smallest_visible_burst as double) as smallest_visible_burst,
        cast(data_origin as varchar) as data_origin
    from shown
)

select * from fct_follower_trust_daily
