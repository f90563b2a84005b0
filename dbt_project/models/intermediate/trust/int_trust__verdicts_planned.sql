-- One row per account and planned day of the trust mart: its judgement, as it stands.
{{ config(materialized="view") }}

with judged as (select * from {{ ref("int_trust__accounts_judged") }}),

int_trust__verdicts_planned as (
    select
        *,
        case when verdict <> 'insufficient_data' then audience_score end as trust_score_shown,
        case when engagement_verdict <> 'insufficient_data' then engagement_score end as engagement_score_shown,
        cast(least(changes_28, 28) as double) / 28 as coverage
    from judged
    where snapshot_date in ({{ planned_dates("fct_follower_trust_daily") }})
)

select * from int_trust__verdicts_planned
