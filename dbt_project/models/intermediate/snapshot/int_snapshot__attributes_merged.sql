-- One row per account that the feed `accounts` names: the latest of each attribute.
{{ config(materialized="view") }}

with updates as (select * from {{ ref("stg_landing__accounts") }}),

-- An update that leaves an attribute out does not take it back.
int_snapshot__attributes_merged as (
    select
        platform,
        {% for name in ["creator_id", "handle", "display_name", "niche", "country", "city", "language"] %}
            max_by({{ name }}, updated_at) filter (where {{ name }} is not null) as {{ name }},
        {% endfor %}
        {% for name in ["handle", "display_name"] %}
            cast(max(updated_at) filter (where {{ name }} is not null) as date) as {{ name }}_known_on,
        {% endfor %}
        account_id
    from updates
    group by platform, account_id
)

select * from int_snapshot__attributes_merged
