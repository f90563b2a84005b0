-- One row per account: who it is now, and when it was seen.
{{ config(materialized="table") }}

with states as (select * from {{ ref("int_account__states_carried") }}),

dim_account as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(null as varchar) as creator_id,
        {% for name in ["handle", "display_name", "niche", "country"] %}
            cast({{ name }} as varchar) as {{ name }},
        {% endfor %}
        cast(null as varchar) as city,
        cast(language as varchar) as language,
        cast(first_seen_date as date) as first_seen_date,
        cast(last_seen_date as date) as last_seen_date,
        cast(data_origin as varchar) as data_origin
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)
)

select * from dim_account
