{#- The strategy of every windowed model: delete exactly the planned dates, insert what the model now makes of them,
    in one transaction. A date whose new result is empty ends empty, which delete+insert by key would not do. -#}
{% macro get_incremental_replace_window_sql(arg_dict) -%}
    {%- set target = arg_dict["target_relation"] -%}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    delete from {{ target }}
    where snapshot_date in ({{ planned_dates(target.identifier) }});

    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict["temp_relation"] }};
{%- endmacro %}

{#- Subquery of the dates that this run replaces in a model. The model is named, for in a unit test dbt's `model` is
    the test. -#}
{% macro planned_dates(model_name) -%}
    select plan.snapshot_date from {{ source("meta", "plan") }} as plan
    where plan.model = '{{ model_name }}'
{%- endmacro %}

{#- A data test with `where: planned` sees only the rows that this run has replaced: a night's tests cost what the night
    brought. dbt allows no macro in a test's `where`, so the word is read here, where dbt puts the filter in. -#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get("where", "") -%}
    {%- if where == "planned" -%}
        (
            select *
            from {{ relation }}
            where snapshot_date in (
                select plan.snapshot_date from {{ target.database }}.meta.plan as plan
                where plan.model = '{{ relation.identifier }}'
            )
        ) as planned_rows
    {%- elif where -%}
        (select * from {{ relation }} where {{ where }}) as filtered_rows
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{#- dbt puts the new rows of a windowed model into a temporary table, and its strategy copies them into the model: all are
    written twice. A temporary view in its place has them written once. It is read after the planned dates are deleted,
    so a model that reads itself must leave them out. -#}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language="sql", partitioned_by=none, sorted_by=none
) -%}
    {%- if temporary and language == "sql" and config.get("incremental_strategy") == "replace_window" -%}
        {%- if config.get("contract").enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        create temporary view {{ relation.include(database=false, schema=false) }} as (
            {{ compiled_code }}
        )
    {%- else -%}
        {{ return(dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by, sorted_by
        )) }}
    {%- endif -%}
{%- endmacro %}
