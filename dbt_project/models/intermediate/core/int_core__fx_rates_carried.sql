-- One row per currency and UTC day on which it has a rate: its last rate of that day or the five days before.
{{ config(materialized="table") }}

{% set carried_days = 5 %}

-- A rate of 0 would make money of nothing: it is no rate.
with rates as (
    select * from {{ ref("stg_landing__fx_rates") }}
    where rate_to_base > 0
),

carried as (
    {% for offset in range(carried_days + 1) %}
        select
            currency,
            {{ add_days("rate_date", offset) }} as rate_day,
            rate_date,
            rate_to_base
        from rates
        {{ "union all" if not loop.last }}
    {% endfor %}
),

int_core__fx_rates_carried as (
    select *
    from carried
    qualify row_number() over (partition by currency, rate_day order by rate_date desc nulls last) = 1
)

select * from int_core__fx_rates_carried
