-- One row per account, planned day and event that came over weeks, unless it is explained by then.
{{ config(materialized="view") }}

with events as (
    {{ events_that_weigh(ref("int_trust__events_evaluated")) }}
),

int_trust__drip as (
    {{ gains_beyond_usual("not is_burst") }}
)

select * from int_trust__drip
