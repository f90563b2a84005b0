-- One row per run, suite and expectation.
{{ config(materialized="table") }}

with results as (select * from {{ ref("stg_meta__quality_results") }}),

fct_quality_result as (
    select
        cast(run_id as string) as run_id,
        cast(suite as string) as suite,
        cast(expectation as string) as expectation,
        cast(severity as string) as severity,
        cast(observed as string) as observed,
        cast(threshold as string) as threshold,
        cast(passed as boolean) as passed,
        cast(detail as string) as detail,
        cast(checked_at as timestamp) as checked_at,
        cast(is_acknowledged as boolean) as is_acknowledged
    from results
)

select * from fct_quality_result
