-- One row per warehouse: its base currency, and the last day that is built.
{{ config(materialized="view") }}

with settings as (select * from {{ ref("stg_meta__settings") }}),

runs as (select * from {{ ref("stg_meta__runs") }}),

int_commerce__base_currency_fixed as (
    select
        settings.value as currency,
        runs.cap as as_of_date
    from settings
    cross join runs
    where settings.name = 'base_currency'
)

select * from int_commerce__base_currency_fixed
