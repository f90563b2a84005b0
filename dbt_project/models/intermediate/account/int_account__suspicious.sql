-- One row per account and UTC day on which its followers or engagement look bought.
{{ config(materialized="view") }}

with judged as (select * from {{ ref("int_trust__accounts_judged") }}),

int_account__suspicious as (
    select
        platform,
        account_id,
        snapshot_date
    from judged
    where verdict = 'suspicious' or engagement_verdict = 'suspicious'
)

select * from int_account__suspicious
