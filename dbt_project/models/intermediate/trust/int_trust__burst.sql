-- One row per account, planned day and event that came within days, unless it is explained by then.
{{ config(materialized="view") }}

with events as (
    {{ events_that_weigh(ref("int_trust__events_evaluated")) }}
),

int_trust__burst as (
    {{ gains_beyond_usual("is_burst") }}
)

select * from int_trust__burst
