-- One row per release and mart (all but this one). Publishing adds the rows of the release itself.
{{ config(materialized="table") }}

with publications as (select * from {{ ref("stg_meta__publications") }}),

fct_publication as (
    select
        cast(release_id as string) as release_id,
        cast(mart as string) as mart,
        cast(run_id as string) as run_id,
        cast(window_start as date) as window_start,
        cast(window_end as date) as window_end,
        cast(published_at as timestamp) as published_at,
        cast(row_count as bigint) as row_count,
        cast(content_hash as string) as content_hash,
        cast(code_version as string) as code_version
    from publications
)

select * from fct_publication
