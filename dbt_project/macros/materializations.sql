{#- How DuckDB is given views and tables: in one transaction that drops what stands there and makes it anew. dbt's own ways
    rename the old one away, the new one into its place, and look up keys and indexes that no model has: a sixth of the
    CPU seconds of a small night. What fails leaves the old one as it was. Each runs what its model asks for afterwards
    (`post_hook`), which dbt leaves to the way to materialize. -#}
{% materialization view, adapter="duckdb" %}
    {{ return(made_anew("view", get_create_view_as_sql(this.incorporate(type="view"), sql))) }}
{% endmaterialization %}

{% materialization table, adapter="duckdb" %}
    {{ return(made_anew("table", create_table_as(false, this.incorporate(type="table"), as_readers_see(compiled_code)))) }}
{% endmaterialization %}

{#- A windowed model: what it makes of the planned dates, by its strategy (`replace_window`). -#}
{% materialization incremental, adapter="duckdb" %}
    {%- set standing = load_cached_relation(this) -%}
    {%- set seen = as_readers_see(compiled_code) -%}
    {%- if standing is none or standing.is_view or should_full_refresh() -%}
        {{ return(made_anew("table", create_table_as(false, this.incorporate(type="table"), seen))) }}
    {%- endif -%}
    {%- set added = make_temp_relation(standing) -%}
    {%- do run_query(create_table_as(true, added, seen)) -%}
    {%- call statement("main") -%}
        {{
            get_incremental_replace_window_sql({
                "target_relation": standing,
                "temp_relation": added,
                "dest_columns": adapter.get_columns_in_relation(standing)
            })
        }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({"relations": [standing]}) }}
{% endmaterialization %}

{#- A table of which a run makes only those rows anew that may have changed. What the model makes takes the place of rows of
    the same key (`meta: {renewed_by: ...}`); what the condition of the macro `<model>__may_go` holds for goes in any case.
    New rows are put in before old ones go, for the model reads those; they are told apart by their place in the table.
    Where no table stands, or it was made by other code, all rows are made. -#}
{% materialization renewed, adapter="duckdb" %}
    {%- set seen = as_readers_see(compiled_code) -%}
    {%- if not is_renewed() -%}
        {{ return(made_anew("table", create_table_as(false, this.incorporate(type="table"), seen))) }}
    {%- endif -%}
    {%- set keys = config.require("meta")["renewed_by"] -%}
    {%- set last_old = "getvariable('last_old_row')" -%}
    {%- set is_same = [] -%}
    {%- for column in keys -%}
        {%- do is_same.append("standing." ~ column ~ " = added." ~ column) -%}
    {%- endfor -%}
    {%- call statement("main") -%}
        set variable last_old_row = (select coalesce(max(rowid), -1) from {{ this }});
        insert into {{ this }} by name (
            {{ seen }}
        );
        delete from {{ this }} as standing
        using (select {{ keys | join(", ") }} from {{ this }} where rowid > {{ last_old }}) as added
        where standing.rowid <= {{ last_old }} and {{ is_same | join(" and ") }};
        delete from {{ this }}
        where rowid <= {{ last_old }} and ({{ context[this.identifier ~ "__may_go"]() }});
        reset variable last_old_row;
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({"relations": [this.incorporate(type="table")]}) }}
{% endmaterialization %}

{#- Whether a table stands of which a run makes some rows anew. On Spark all are made: Parquet loses no single rows. So
    are they in a unit test, where nothing stands. -#}
{% macro is_renewed() -%}
    {%- set standing = load_cached_relation(this) if execute and this and target.type == "duckdb" else none -%}
    {{ return(standing is not none and not standing.is_view and not should_full_refresh()) }}
{%- endmacro %}

{#- A mart's rows as readers see them: its doubles to nine significant digits, on any engine. -#}
{% macro as_readers_see(compiled_code) -%}
    {%- set doubles = {} -%}
    {%- for column in model.columns.values() if model.schema == "marts" and column.data_type == "double" -%}
        {%- do doubles.update({column.name: significant(column.name)}) -%}
    {%- endfor -%}
    {%- if doubles -%}
        select {{ all_columns_but(doubles) }}
        from (
            {{ compiled_code }}
        ) as made
    {%- else -%}
        {{ compiled_code }}
    {%- endif -%}
{%- endmacro %}

{#- Drop what stands there, whatever its kind, and run the statement that makes a view or a table in its place. -#}
{% macro made_anew(kind, made) -%}
    {%- set standing = load_cached_relation(this) -%}
    {%- call statement("main") -%}
        {%- if standing is not none %} drop {{ standing.type }} {{ standing }}; {% endif -%}
        {{ made }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({"relations": [this.incorporate(type=kind)]}) }}
{%- endmacro %}

{#- How Spark is given them. A windowed model is a table of Parquet parts, one for each day or month. -#}
{% materialization view, adapter="spark" %}
    {%- call statement("main") -%} create or replace view {{ this }} as {{ compiled_code }} {%- endcall -%}
    {{ return({"relations": [this.incorporate(type="view")]}) }}
{% endmaterialization %}

{% materialization table, adapter="spark" %} {{ return(spark__made_anew()) }} {% endmaterialization %}

{% materialization renewed, adapter="spark" %} {{ return(spark__made_anew()) }} {% endmaterialization %}

{% macro spark__made_anew() -%}
    {%- do run_query("drop table if exists " ~ this) -%}
    {%- call statement("main") -%} create table {{ this }} using parquet as {{ as_readers_see(compiled_code) }} {%- endcall -%}
    {{ return({"relations": [this.incorporate(type="table")]}) }}
{%- endmacro %}

{% materialization incremental, adapter="spark" %}
    {%- set standing = load_cached_relation(this) -%}
    {%- set part_column = config.get("meta", {}).get("part_column", "snapshot_date") -%}
    {%- set is_new = standing is none or should_full_refresh() -%}
    {%- set reads_itself = config.get("meta", {}).get("reads_itself", false) -%}
    {%- set laid_out = "using parquet partitioned by (" ~ part_column ~ ")" -%}
    {%- if is_new -%}
        {%- do run_query("drop table if exists " ~ this) -%}
        {%- if reads_itself -%} {%- do run_query(empty_table(this, model.columns, laid_out)) -%} {%- endif -%}
    {%- else -%}
        {%- do spark__drop_planned_parts(this, part_column) -%}
    {%- endif -%}
    {%- set seen = as_readers_see(compiled_code) -%}
    {%- for number in (passes_of(this.identifier) if reads_itself else [1]) -%}
        {%- call statement("main") -%}
            {%- if is_new and not reads_itself -%}
                create table {{ this }} {{ laid_out }} as {{ seen }}
            {%- else -%}
                insert into {{ this }} by name {{ seen | replace("pass_of_" ~ this.identifier, number) }}
            {%- endif -%}
        {%- endcall -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [this.incorporate(type="table")]}) }}
{% endmaterialization %}

{#- Drop the parts of a model that this run replaces: a part whose new result is empty ends empty. -#}
{% macro spark__drop_planned_parts(relation, part_column) -%}
    {%- set planned = run_query(
        "select cast(snapshot_date as string) from " ~ source("meta", "plan") ~ " where model = '" ~ relation.identifier ~ "'"
    ).columns[0].values() -%}
    {%- set is_by_month = config.get("meta", {}).get("part_by") == "month" -%}
    {%- set dropped = [] -%}
    {%- for row in run_query("show partitions " ~ relation).columns[0].values() -%}
        {%- set day = row.split("=")[1] -%}
        {%- if (day[:7] ~ "-01" if is_by_month else day) in planned -%}
            {%- do dropped.append("partition (" ~ part_column ~ " = date '" ~ day ~ "')") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if dropped -%}
        {%- do run_query("alter table " ~ relation ~ " drop if exists " ~ dropped | join(", ")) -%}
    {%- endif -%}
{%- endmacro %}
