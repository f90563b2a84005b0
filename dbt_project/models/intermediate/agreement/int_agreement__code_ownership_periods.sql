-- One row per promo code and collaboration that ever named it: the days on which it is its own, both inclusive.
{{ config(materialized="view") }}

with held as (
    select
        *,
        least(end_date, {{ add_days("end_day", -1) }}) as last_day
    from {{ ref("int_agreement__references_handed_over") }}
    where kind = 'code'
),

int_agreement__code_ownership_periods as (
    select
        reference as promo_code,
        collaboration_id,
        brand,
        first_day,
        last_day
    from held
    where last_day is null or last_day >= first_day
)

select * from int_agreement__code_ownership_periods
