-- One row per run, suite and expectation.
{{ config(materialized="table") }}

with results as (select * from {{ ref("stg_meta__quality_results") }}),

fct_quality_result as (
    select
        cast(run_id as varchar) as run_id,
        cast(suite as varchar) as suite,
        cast(expectation as varchar) as expectation,
        cast(severity as varchar) as severity,
        cast(observed as varchar) as observed,
        cast(threshold as varchar) as threshold,
        cast(passed as boolean) as passed,
        cast(detail as varchar) as detail,
        cast(checked_at as timestamp) as checked_at,
        cast(is_acknowledged as boolean) as is_acknowledged
    from results
)

select * from fct_quality_result
