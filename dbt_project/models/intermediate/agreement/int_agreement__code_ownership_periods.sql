-- One row per collaboration with a promo code: the days on which the code is its own, both inclusive.
{{ config(materialized="view") }}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

int_agreement__code_ownership_periods as (
    select
        promo_code,
        collaboration_id,
        start_date as first_day,
        end_date as last_day
    from collaborations
    where promo_code is not null and (end_date is null or end_date >= start_date)
)

select * from int_agreement__code_ownership_periods
