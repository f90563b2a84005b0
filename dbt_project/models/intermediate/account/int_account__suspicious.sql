-- One row per account and UTC day on which its followers or engagement look bought: none until trust is judged.
{{ config(materialized="view") }}

with days as (select * from {{ ref("int_account__days_observed") }}),

int_account__suspicious as (
    select
        platform,
        account_id,
        snapshot_date
    from days
    where false
)

select * from int_account__suspicious
