-- One row per collaboration and version of its terms of pay: the days on which they hold, [first_day, end_day).
{{ config(materialized="table") }}

{% set terms = agreement_terms() %}

with deliveries as (select * from {{ ref("stg_landing__collaboration_deliveries") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

rules as (
    select distinct rule_id
    from {{ ref("stg_landing__commission_rules") }}
),

stated as (
    select
        deliveries.*,
        collaborations.start_date as agreed_from,
        deliveries.rule_id is not null and rules.rule_id is null as is_lost,
        greatest(coalesce(deliveries.valid_from, deliveries.delivered_on), collaborations.start_date) as holds_from
    from deliveries
    inner join collaborations on deliveries.collaboration_id = collaborations.collaboration_id
    left join rules on deliveries.rule_id = rules.rule_id
),

-- What fills a blank, or takes the place of a rule that leads nowhere, mends the version; another value is a change.
compared as (
    select
        *,
        {% for term in terms %}
            ({{ term }} is distinct from lag({{ term }}) over along and lag({{ term }}) over along is not null
            {%- if term == "rule_id" %} and not lag(is_lost) over along {%- endif %})
            {{- " or" if not loop.last }}
        {% endfor %} as is_change
    from stated
    window along as (partition by collaboration_id order by delivery_number)
),

-- An undated change holds from its day, whatever was planned for later.
counted as (
    select
        *,
        count(case when is_change and valid_from is null then 1 end) over (
            partition by collaboration_id order by delivery_number rows between unbounded preceding and current row
        ) as undated_changes
    from compared
),

-- A dated change from on or before the start of the version before it mends that one.
opened as (
    select
        *,
        is_change
        and (
            valid_from is null
            or holds_from > coalesce(
                max(case when is_change then holds_from end) over (
                    partition by collaboration_id, undated_changes
                    order by delivery_number
                    rows between unbounded preceding and 1 preceding
                ),
                agreed_from
            )
        ) as is_opening
    from counted
),

placed as (
    select
        *,
        count(case when is_opening then 1 end) over (
            partition by collaboration_id order by delivery_number rows between unbounded preceding and current row
        ) as opening
    from opened
),

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
        min(openings.holds_from) over (
            partition by openings.collaboration_id
            order by openings.opening
            rows between 1 following and unbounded following
        ) as superseded_from,
        {% for term in terms %}
            case
                when last_of.{{ term }} is null {% if term == "rule_id" %}or last_of.is_lost {% endif -%}
                    then coalesce(next_of.{{ term }}, last_of.{{ term }})
                else last_of.{{ term }}
            end as {{ term }}{{ "," if not loop.last }}
        {% endfor %}
    from openings
    inner join stated as last_of
        on openings.collaboration_id = last_of.collaboration_id and openings.last_delivery = last_of.delivery_number
    left join stated as next_of
        on openings.collaboration_id = next_of.collaboration_id and openings.last_delivery + 1 = next_of.delivery_number
),

lasting as (
    select
        *,
        row_number() over along = 1 as is_first,
        {% for term in terms %}
            {{ term }} is not distinct from lag({{ term }}) over along {{- " and" if not loop.last }}
        {% endfor %} as is_as_before
    from filled
    where superseded_from is null or superseded_from > holds_from
    window along as (partition by collaboration_id order by opening)
),

-- Two that say the same are one.
int_agreement__versions as (
    select
        collaboration_id,
        -- The first holds from the beginning: it is shown with the day of the agreement, and also pays what came before.
        case when is_first then agreed_from else holds_from end as valid_from,
        case when not is_first then holds_from end as first_day,
        lead(holds_from) over (partition by collaboration_id order by holds_from) as end_day,
        is_undated and not is_first as is_undated,
        {% for term in terms %}
            {{ term }},
        {% endfor %}
        data_origin
    from lasting
    where is_first or not is_as_before
)

select * from int_agreement__versions
