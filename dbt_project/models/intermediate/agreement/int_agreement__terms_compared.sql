-- One row per collaboration and delivery of it: which version its terms of pay belong to, numbered by the change that
-- opened it.
{{ config(materialized="table") }}

{% set terms = agreement_terms() %}

with deliveries as (select * from {{ ref("stg_landing__collaboration_deliveries") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

rules as (
    select distinct rule_id
    from {{ ref("stg_landing__commission_rules") }}
),

-- A rule that is none leads nowhere: it is as blank as an empty cell.
stated as (
    select
        deliveries.collaboration_id,
        deliveries.delivery_number,
        deliveries.valid_from,
        deliveries.data_origin,
        rules.rule_id,
        {% for term in terms if term != "rule_id" %}
            deliveries.{{ term }},
        {% endfor %}
        collaborations.start_date as agreed_from,
        greatest(coalesce(deliveries.valid_from, deliveries.delivered_on), collaborations.start_date) as holds_from
    from deliveries
    inner join collaborations on deliveries.collaboration_id = collaborations.collaboration_id
    left join rules on deliveries.rule_id = rules.rule_id
),

followed as (
    select
        {% for term in terms %}
            lag({{ term }}) over along as {{ term }}_before,
        {% endfor %}
        stated.*
    from stated
    window along as (partition by collaboration_id order by delivery_number)
),

-- What fills a blank mends the version; another value, also none, is a change.
compared as (
    select
        *,
        false
        {% for term in terms %}
            or coalesce({{ term }} <> {{ term }}_before, {{ term }}_before is not null)
        {% endfor %} as is_change
    from followed
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

int_agreement__terms_compared as (
    select
        *,
        count(case when is_opening then 1 end) over (
            partition by collaboration_id order by delivery_number rows between unbounded preceding and current row
        ) as opening
    from opened
)

select * from int_agreement__terms_compared
