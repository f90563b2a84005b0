-- One row per collaboration and promo code or tracked link that any delivery of it named, with the day of taking it.
{{ config(materialized="table") }}

with deliveries as (select * from {{ ref("stg_landing__collaboration_deliveries") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

named as (
    {% for kind, column in {"code": "promo_code", "link": "link_id"}.items() %}
        select
            collaboration_id,
            '{{ kind }}' as kind,
            {{ words_of(column) if kind == "code" else column }} as reference,
            is_latest,
            coalesce(valid_from, delivered_on) as named_on
        from deliveries
        where {{ column }} is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

int_agreement__references_named as (
    select
        named.kind,
        named.reference,
        named.collaboration_id,
        collaborations.brand,
        collaborations.start_date,
        collaborations.end_date,
        greatest(min(named.named_on), collaborations.start_date) as taken_on,
        bool_or(named.is_latest) as is_current
    from named
    inner join collaborations on named.collaboration_id = collaborations.collaboration_id
    group by
        named.kind, named.reference, named.collaboration_id,
        collaborations.brand, collaborations.start_date, collaborations.end_date
)

select * from int_agreement__references_named
