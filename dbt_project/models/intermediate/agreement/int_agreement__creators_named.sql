-- One row per collaboration: the person behind it, named by itself or else by its account; `(unknown)` where none is.
{{ config(materialized="view") }}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

accounts as (select * from {{ ref("int_snapshot__attributes_merged") }}),

int_agreement__creators_named as (
    select
        collaborations.collaboration_id,
        coalesce(collaborations.creator_id, accounts.creator_id, '(unknown)') as creator_id
    from collaborations
    left join accounts
        on collaborations.platform = accounts.platform and collaborations.account_id = accounts.account_id
)

select * from int_agreement__creators_named
