-- One row per collaboration and version of its terms of pay: the days on which they hold, [first_day, end_day).
{{ config(materialized="table") }}

{% set terms = agreement_terms() %}

with placed as (select * from {{ ref("int_agreement__terms_compared") }}),

openings as (
    select
        collaboration_id,
        opening,
        coalesce(max(case when is_opening then holds_from end), max(agreed_from)) as holds_from,
        max(agreed_from) as agreed_from,
        bool_or(is_opening and valid_from is null) as is_undated,
        min(delivery_number) as first_delivery,
        max(delivery_number) as last_delivery,
        max(data_origin) as data_origin
    from placed
    group by collaboration_id, opening
),

-- Terms are those of the last delivery before the next change; what was blank then the change itself fills.
filled as (
    select
        openings.*,
        {% for term in terms %}
            coalesce(last_of.{{ term }}, next_of.{{ term }}) as {{ term }},
        {% endfor %}
        min(openings.holds_from) over (
            partition by openings.collaboration_id
            order by openings.opening
            rows between 1 following and unbounded following
        ) as superseded_from
    from openings
    inner join placed as last_of
        on openings.collaboration_id = last_of.collaboration_id and openings.last_delivery = last_of.delivery_number
    left join placed as next_of
        on openings.collaboration_id = next_of.collaboration_id and openings.last_delivery + 1 = next_of.delivery_number
),

lasting as (
    select
        *,
        {% for term in terms %}
            lag({{ term }}) over along as {{ term }}_before,
        {% endfor %}
        row_number() over along = 1 as is_first
    from filled
    where superseded_from is null or superseded_from > holds_from
    window along as (partition by collaboration_id order by opening)
),

-- Two that say the same are one.
int_agreement__versions as (
    select
        collaboration_id,
        -- The first holds from the beginning; it is shown with the day of the agreement.
        case when is_first then agreed_from else holds_from end as valid_from,
        case when not is_first then holds_from end as first_day,
        lead(holds_from) over (partition by collaboration_id order by holds_from) as end_day,
        is_undated and not is_first as is_undated,
        {% for term in terms %}
            {{ term }},
        {% endfor %}
        data_origin
    from lasting
    where
        is_first
        {% for term in terms %}
            or not {{ is_same(term, term ~ "_before") }}
        {% endfor %}
)

select * from int_agreement__versions
