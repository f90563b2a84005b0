-- One row per account with a capture: who it is now, and when it was seen.
{{ config(materialized="table") }}

{% set carried = ["handle", "display_name", "niche", "country", "language"] %}

with days as (select * from {{ ref("int_account__days_observed") }}),

given as (select * from {{ ref("int_account__attributes_merged") }}),

seen as (
    select
        platform,
        account_id,
        {% for name in carried %}
            max_by({{ name }}, snapshot_date) filter (where {{ name }} is not null) as {{ name }},
        {% endfor %}
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date,
        max_by(data_origin, snapshot_date) as data_origin
    from days
    group by platform, account_id
),

dim_account as (
    select
        cast(seen.platform as varchar) as platform,
        cast(seen.account_id as varchar) as account_id,
        cast(given.creator_id as varchar) as creator_id,
        {% for name in carried[:4] %}
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
