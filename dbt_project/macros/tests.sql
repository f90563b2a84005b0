{#- Generic tests under the names and arguments of dbt_utils. -#}

{#- Grain of a table: no two rows share these columns, none of which is null (dbt_utils allows null). -#}
{% test unique_combination_of_columns(model, combination_of_columns) %}
select {{ combination_of_columns | join(", ") }}, count(*) as copies
from {{ model }}
group by all
having
    count(*) > 1
    or {% for column in combination_of_columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}

{#- An identity that holds in every row; a row for which it is false or unknown is a failure (dbt_utils passes unknown). -#}
{% test expression_is_true(model, expression) %}
select *
from {{ model }}
where ({{ expression }}) is not true
{% endtest %}

{#- Every key that a fact names is in its dimension. A fact is a relation, or `{rows: relation, key: [...]}` where its
    columns have other names; `null` in the place of one compares without it. A key that is null in part names nothing.
    Of a windowed fact the rows that this run has replaced are read. Facts that name the same columns of the key are looked
    up together, so that the dimension is read once for them. -#}
{% test holds_every_key(model, key, facts) %}
{%- set together = {} -%}
{%- for fact in facts -%}
    {%- set rows = fact if fact.identifier is defined else fact["rows"] -%}
    {%- set columns = key if fact.identifier is defined else fact["key"] -%}
    {%- set named = {} -%}
    {%- for column in columns if column is not none -%} {%- do named.update({key[columns.index(column)]: column}) -%} {%- endfor -%}
    {%- do together.setdefault(named | join(", "), []).append((rows, named)) -%}
{%- endfor %}
select distinct named_by, missing_key
from (
    {% for of_key, facts_named in together.items() -%}
        select named.named_by, concat_ws('|'{% for column in of_key.split(", ") %}, cast(named.{{ column }} as string){% endfor %}) as missing_key
        from (
            {%- for rows, named in facts_named %}
                select
                    '{{ rows.identifier }} ({{ named.values() | join(", ") }})' as named_by
                    {%- for column, of_fact in named.items() %}, {{ of_fact }} as {{ column }}{% endfor %}
                from {{ replaced_rows(rows) }}
                where {% for of_fact in named.values() %}{{ of_fact }} is not null{{ " and " if not loop.last }}{% endfor %}
                {{ "union all" if not loop.last }}
            {%- endfor %}
        ) as named
        left join {{ model }} as here
            on {% for column in of_key.split(", ") %}named.{{ column }} = here.{{ column }}{{ " and " if not loop.last }}{% endfor %}

        where here.{{ of_key.split(", ")[0] }} is null
        {{ "union all" if not loop.last }}
    {% endfor -%}
) as missing
{% endtest %}

{#- Rows of a relation, of a windowed model those that this run has replaced. -#}
{% macro replaced_rows(relation) -%}
    {%- set node = graph.nodes.get("model." ~ project_name ~ "." ~ relation.identifier) if execute else none -%}
    {%- if node is not none and node.config.materialized == "incremental" -%}
        (
            select *
            from {{ relation }}
            where {{ part_of(relation.identifier) }} in (
                select plan.snapshot_date from {{ target.database }}.meta.plan as plan
                where plan.model = '{{ relation.identifier }}'
            )
        ) as replaced
    {%- else -%} {{ relation }}
    {%- endif -%}
{%- endmacro %}
