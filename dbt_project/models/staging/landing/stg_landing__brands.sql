-- One row per brand, as last delivered: a brand has no time of its own.
with landed as (select * from {{ source("raw", "brands") }}),

stg_landing__brands as (
    select *
    from landed
    qualify
        row_number() over (partition by brand order by arrival_order desc nulls last) = 1
)

select * from stg_landing__brands
