-- One row per account with a capture: who it is now, and when it was seen.
{{ config(materialized="table") }}

with states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

given as (select * from {{ ref("int_snapshot__attributes_merged") }}),

seen as (
    select *
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)
),

dim_account as (
    select
        cast(seen.platform as varchar) as platform,
        cast(seen.account_id as varchar) as account_id,
        cast(given.creator_id as varchar) as creator_id,
        {% for name in ["handle", "display_name"] %}
            cast(
                case
                    when given.{{ name }}_known_on < seen.{{ name }}_known_on then seen.{{ name }}
                    else coalesce(given.{{ name }}, seen.{{ name }})
                end as varchar
            ) as {{ name }},
        {% endfor %}
        {% for name in ["niche", "country"] %}
            cast(coalesce(given.{{ name }}, seen.{{ name }}) as varchar) as {{ name }},
        {% endfor %}
        cast(given.city as varchar) as city,
        cast(coalesce(given.language, seen.language) as varchar) as language,
        cast(seen.first_seen_date as date) as first_seen_date,
        cast(seen.last_seen_date as date) as last_seen_date,
        cast(seen.data_origin as varchar) as data_origin
    from seen
    left join given on seen.platform = given.platform and seen.account_id = given.account_id
)

select * from dim_account
