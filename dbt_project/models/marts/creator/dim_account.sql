-- One row per account that a mart names: who it is now, and when it was captured.
{{ config(materialized="table") }}

with states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

given as (select * from {{ ref("int_snapshot__attributes_merged") }}),

named as (select * from {{ ref("int_creator__accounts_named") }}),

seen as (
    select *
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)
),

dim_account as (
    select
        cast(named.platform as string) as platform,
        cast(named.account_id as string) as account_id,
        cast(given.creator_id as string) as creator_id,
        {% for name in ["handle", "display_name"] %}
            cast(
                case
                    when given.{{ name }}_known_on < seen.{{ name }}_known_on then seen.{{ name }}
                    else coalesce(given.{{ name }}, seen.{{ name }})
                end as string
            ) as {{ name }},
        {% endfor %}
        {% for name in ["niche", "country"] %}
            cast(coalesce(given.{{ name }}, seen.{{ name }}) as string) as {{ name }},
        {% endfor %}
        cast(given.city as string) as city,
        cast(coalesce(given.language, seen.language) as string) as language,
        cast(seen.first_seen_date as date) as first_seen_date,
        cast(seen.last_seen_date as date) as last_seen_date,
        cast(coalesce(seen.data_origin, named.data_origin, 'observed') as string) as data_origin
    from named
    left join seen on named.platform = seen.platform and named.account_id = seen.account_id
    left join given on named.platform = given.platform and named.account_id = given.account_id
)

select * from dim_account
