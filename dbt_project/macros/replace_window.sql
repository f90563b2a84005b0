{#- The strategy of every windowed model: delete exactly the planned dates, insert what the model now makes of them,
    in one transaction. A date whose new result is empty ends empty, which delete+insert by key would not do. Columns are
    put in by name, and the engine refuses a model that makes one less or one more than its table has: a changed model is
    planned in full, and its table is dropped before. -#}
{% macro get_incremental_replace_window_sql(arg_dict) -%}
    {%- set target = arg_dict["target_relation"] -%}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
    {%- set passes = passes_of(target.identifier) -%}
    {%- set is_open = is_not_frozen(target.identifier, arg_dict["dest_columns"] | map(attribute="name") | list) -%}
    delete from {{ target }}
    where {{ part_of(target.identifier) }} in ({{ planned_dates(target.identifier) }}) and {{ is_open }};
    {% set inserted -%}
        insert into {{ target }} by name
        select {{ columns }}, * exclude ({{ columns }})
        from {{ arg_dict["temp_relation"] }}
        where {{ is_open }}
        {{ by_part(target.identifier, passes) }};
    {%- endset %}
    {{ in_passes(target.identifier, passes, inserted, inserted) }}
{%- endmacro %}

{#- Condition of rows that a run may replace: not those of a platform's day that was let go while what is derived of it
    stays, which nothing can make anew. A row of no platform may always be replaced. -#}
{% macro is_not_frozen(model_name, columns) -%}
    {%- if "platform" in columns -%}
        coalesce(
            (platform, {{ part_of(model_name) }})
            not in (select frozen.platform, frozen.snapshot_date from {{ source("meta", "frozen") }} as frozen),
            true
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Statements that fill a windowed model: one for the first pass of its planned dates, and one that is repeated for
    each other pass. -#}
{% macro in_passes(model_name, passes, first, other) -%}
    {%- for number in passes %}
        {{ begin_pass(model_name, number) }}
        {{ first if loop.first else other }}
    {%- endfor %}
    {{ end_passes(model_name) }}
{%- endmacro %}

{#- The passes in which this run makes a model, one or more, each with the number of its parts
    (`warehouse/build/passes.py`). Of a model that holds counts of another one (`meta: {holds_counts_of: ...}`) those alone
    with a day on which one may be held. -#}
{% macro passes_of(model_name) -%}
    {%- if not execute -%} {{ return({1: 1}) }} {%- endif -%}
    {%- set planned = source("meta", "plan") ~ " where model = '" ~ model_name ~ "'" -%}
    {%- set parts = {} -%}
    {%- for number, count in run_query("select pass_number, count(*) from " ~ planned ~ " group by 1 order by 1").rows -%}
        {%- do parts.update({number: count}) -%}
    {%- endfor -%}
    {%- set counts = config.get("meta", {}).get("holds_counts_of") -%}
    {%- if counts and parts | length > 1 -%}
        {%- set days = days_that_may_hold(ref(counts), "(select min(snapshot_date) from " ~ planned ~ ")") -%}
        {%- set worth = run_query(
            "select pass_number, count(*) from " ~ planned ~ " and snapshot_date in (" ~ days ~ ") group by 1 order by 1"
        ) -%}
        {%- set first = parts | first -%}
        {%- set parts = {} -%}
        {%- for number, count in worth.rows -%} {%- do parts.update({number: count}) -%} {%- endfor -%}
        {{ return(parts or {first: 1}) }}
    {%- endif -%}
    {{ return(parts or {1: 1}) }}
{%- endmacro %}

{#- Puts the rows of a pass of many parts in one after the other: DuckDB reads nothing of the others then, as where each
    night has added its own. -#}
{% macro by_part(model_name, passes) -%}
    {%- if passes.values() | max > 1 -%} order by {{ part_of(model_name) }} {%- endif -%}
{%- endmacro %}

{#- Subquery of the dates that this run replaces in a model, within a pass those of the pass. The model is named, for in
    a unit test dbt's `model` is the test. Of a model by months these are their first days. -#}
{% macro planned_dates(model_name) -%}
    select plan.snapshot_date from {{ source("meta", "plan") }} as plan
    where plan.model = '{{ model_name }}' and {{ is_in_pass(model_name) }}
{%- endmacro %}

{#- What a row of a windowed model is replaced by: its day, or the first day of its month, as it declares (`meta`:
    `part_column`, `part_by`). -#}
{% macro part_of(model_name) -%}
    {%- set declared = graph.nodes["model." ~ project_name ~ "." ~ model_name].config.meta if execute else {} -%}
    {%- set column = declared.get("part_column", "snapshot_date") -%}
    {%- if declared.get("part_by") == "month" -%} {{ month_of(column) }} {%- else -%} {{ column }} {%- endif -%}
{%- endmacro %}

{#- The first day of a date's month. -#}
{% macro month_of(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}

{#- A data test with `where: planned` sees only the rows that this run has replaced: a night's tests cost what the night
    brought. dbt allows no macro in a test's `where`, so the word is read here, where dbt puts the filter in. -#}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get("where", "") -%}
    {%- if where == "planned" -%}
        (
            select *
            from {{ relation }}
            where {{ part_of(relation.identifier) }} in (
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
    written twice. A temporary view in its place has them written once, and each pass reads it anew. It is read after the
    planned dates are deleted, so a model that reads itself must leave them out. A model that is not there yet is made
    of its first pass, as dbt makes it, and filled with the others; one that reads itself from its first pass on
    (`meta: {reads_itself: true}`) is there before, empty, with the columns that it declares. -#}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language="sql", partitioned_by=none, sorted_by=none
) -%}
    {%- set is_windowed = language == "sql" and config.get("incremental_strategy") == "replace_window" -%}
    {%- if temporary and is_windowed -%}
        {%- if config.get("contract").enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        create temporary view {{ relation.include(database=false, schema=false) }} as (
            {{ compiled_code }}
        )
    {%- else -%}
        {%- set passes = passes_of(relation.identifier) if is_windowed -%}
        {%- set compiled_code -%}
            {{ compiled_code }}
            {% if is_windowed %} {{ by_part(relation.identifier, passes) }} {% endif %}
        {%- endset -%}
        {%- set added -%}
            insert into {{ relation }} by name (
                {{ compiled_code }}
            );
        {%- endset -%}
        {%- if is_windowed and config.get("meta", {}).get("reads_itself") -%}
            {%- set made -%} {{ empty_table(relation, model.columns) }}; {{ added }} {%- endset -%}
        {%- else -%}
            {%- set made = dbt.duckdb__create_table_as(
                temporary, relation, compiled_code, language, partitioned_by, sorted_by
            ) -%}
        {%- endif -%}
        {{ return(in_passes(relation.identifier, passes, made, added) if is_windowed else made) }}
    {%- endif -%}
{%- endmacro %}

{#- Statement that makes an empty table of declared columns. Spark has names of its own for two types. -#}
{% macro empty_table(relation, columns, laid_out="") -%}
    create table {{ relation }} (
        {% for column in columns.values() %}
            {{ column.name }}
            {{
                column.data_type if target.type == "duckdb"
                else column.data_type | replace("varchar", "string") | replace("timestamp", "timestamp_ntz")
            }}{{ "," if not loop.last }}
        {% endfor %}
    ) {{ laid_out }}
{%- endmacro %}
