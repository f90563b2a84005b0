-- One row per brand that is tracked, one's own or a rival.
{{ config(materialized="view") }}

with brands as (select * from {{ ref("stg_landing__brands") }}),

int_social__brands_tracked as (
    select
        brand,
        name,
        data_origin,
        coalesce(is_rival, false) as is_rival
    from brands
)

select * from int_social__brands_tracked
