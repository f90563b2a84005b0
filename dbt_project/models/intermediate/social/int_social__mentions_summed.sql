-- One row per tracked brand and planned day on which it was mentioned.
{{ config(materialized="view") }}

with mentions as (
    select * from {{ ref("int_social__mentions_observed") }}
    where is_tracked and snapshot_date in ({{ planned_dates("fct_share_of_voice_daily") }})
),

int_social__mentions_summed as (
    select
        brand,
        snapshot_date,
        count(*) as mentions,
        count(distinct {{ account_key() }}) as accounts,
        count(account_id) as mentions_with_account,
        {% for metric in ["engagements", "reach"] %}
            sum({{ metric }}) as {{ metric }},
            count({{ metric }}) as mentions_with_{{ metric }},
        {% endfor %}
        max(data_origin) as data_origin
    from mentions
    group by brand, snapshot_date
)

select * from int_social__mentions_summed
