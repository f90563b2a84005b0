-- One row per brand and account that a customer of the brand has, or that the brand has an agreement with.
{{ config(materialized="view") }}

with customers as (select * from {{ ref("int_advocacy__relationships_dated") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

int_advocacy__accounts_listed as (
    select
        brand,
        platform,
        account_id
    from customers
    union
    select
        brand,
        platform,
        account_id
    from collaborations
)

select * from int_advocacy__accounts_listed
