-- One row per kind of reference and value that leads somewhere.
{{ config(materialized="view") }}

{#- Kind, model and column. -#}
{% set known = [
    ("rule", ref("stg_landing__commission_rules"), "rule_id"),
    ("collaboration", ref("stg_landing__collaborations"), "collaboration_id"),
    ("campaign", ref("stg_landing__campaigns"), "campaign_id"),
    ("order", ref("stg_landing__orders"), "order_id"),
    ("live session", ref("stg_landing__live_sessions"), "live_session_id"),
] %}

with states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

int_operations__references_known as (
    select
        kind,
        reference
    from {{ ref("int_agreement__references_named") }}

    union

    -- An account that was captured.
    select
        'account' as kind,
        {{ account_key() }} as reference
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)

    union

    select
        'account' as kind,
        {{ account_key() }} as reference
    from {{ ref("stg_landing__accounts") }}

    {% for kind, relation, column in known %}
        union

        select
            '{{ kind }}' as kind,
            {{ column }} as reference
        from {{ relation }}
    {% endfor %}
)

select * from int_operations__references_known
