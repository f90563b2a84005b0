-- One row per warehouse: its base currency, and the last day that is built.
with settings as (select * from {{ source("meta", "setting") }}),

runs as (select * from {{ source("meta", "run") }}),

stg_meta__run_context as (
    select
        settings.value as currency,
        runs.build_through_date as as_of_date
    from settings
    cross join runs
    where settings.name = 'base_currency'
)

select * from stg_meta__run_context
