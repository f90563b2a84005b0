-- One row per account: who it is now, and when it was seen.
{{ config(materialized="table") }}

with days as (select * from {{ ref("int_account__days_observed") }}),

dim_account as (
    select
        cast(platform as varchar) as platform,
        cast(account_id as varchar) as account_id,
        cast(null as varchar) as creator_id,
        {% for name in ["handle", "display_name", "niche", "country"] %}
            cast(max_by({{ name }}, snapshot_date) filter (where {{ name }} is not null) as varchar) as {{ name }},
        {% endfor %}
        cast(null as varchar) as city,
        cast(max_by(language, snapshot_date) filter (where language is not null) as varchar) as language,
        cast(min(snapshot_date) as date) as first_seen_date,
        cast(max(snapshot_date) as date) as last_seen_date,
        cast(max_by(data_origin, snapshot_date) as varchar) as data_origin
    from days
    group by platform, account_id
)

select * from dim_account
