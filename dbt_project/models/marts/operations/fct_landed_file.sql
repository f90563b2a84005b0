-- One row per sha-256 of a landed file: the ledger for people.
{{ config(materialized="table") }}

with files as (select * from {{ ref("stg_meta__landed_files") }}),

fct_landed_file as (
    select
        cast(sha256 as string) as sha256,
        cast(feed as string) as feed,
        cast(mapping as string) as mapping,
        cast(file as string) as file,
        cast(landed_at as timestamp) as landed_at,
        cast(rows_read as bigint) as rows_read,
        cast(rows_accepted as bigint) as rows_accepted,
        cast(rows_quarantined as bigint) as rows_quarantined,
        cast(rows_duplicate as bigint) as rows_duplicate,
        cast(state as string) as state,
        cast(reason as string) as reason,
        cast(batch_id as string) as batch_id,
        cast(run_id as string) as run_id
    from files
)

select * from fct_landed_file
