-- One row per account and planned day of the trust mart: its judgement, as it stands.
{{ config(materialized="view") }}

with judged as (select * from {{ ref("int_trust__accounts_judged") }}),

int_trust__verdicts_planned as (
    select *
    from judged
    where snapshot_date in ({{ planned_dates("fct_follower_trust_daily") }})
)

select * from int_trust__verdicts_planned
