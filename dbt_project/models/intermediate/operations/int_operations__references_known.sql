-- One row per kind of reference and value that leads somewhere.
{{ config(materialized="view") }}

{#- Kind, model and column. -#}
{% set known = [
    ("rule", ref("stg_landing__commission_rules"), "rule_id"),
    ("collaboration", ref("stg_landing__collaborations"), "collaboration_id"),
    ("campaign", ref("stg_landing__campaigns"), "campaign_id"),
    ("order", ref("stg_landing__orders"), entry_name("shop", "order_id", "'#1'")),
    ("live session", ref("stg_landing__live_sessions"), "live_session_id"),
] %}

with states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

-- An account that was captured, or is listed.
accounts as (
    select {{ account_key() }} as reference
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)
    union
    select {{ account_key() }} as reference
    from {{ ref("stg_landing__accounts") }}
),

int_operations__references_known as (
    select distinct
        kind,
        reference
    from {{ ref("int_agreement__references_named") }}

    union all

    select
        'account' as kind,
        reference
    from accounts

    {% for kind, relation, column in known %}
        union all

        select distinct
            '{{ kind }}' as kind,
            {{ column }} as reference
        from {{ relation }}
    {% endfor %}
)

select * from int_operations__references_known
