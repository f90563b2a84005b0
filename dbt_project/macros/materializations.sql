{#- How DuckDB is given views and tables: in one transaction that drops what stands there and makes it anew. dbt's own ways
    rename the old one away, the new one into its place, and look up keys and indexes that no model has: a sixth of the
    CPU seconds of a small night. What fails leaves the old one as it was. -#}
{% materialization view, adapter="duckdb" %}
    {{ return(made_anew("view", get_create_view_as_sql(this.incorporate(type="view"), sql))) }}
{% endmaterialization %}

{% materialization table, adapter="duckdb" %}
    {{ return(made_anew("table", create_table_as(false, this.incorporate(type="table"), compiled_code))) }}
{% endmaterialization %}

{#- A windowed model: what it makes of the planned dates, by its strategy (`replace_window`). -#}
{% materialization incremental, adapter="duckdb" %}
    {%- set standing = load_cached_relation(this) -%}
    {%- if standing is none or standing.is_view or should_full_refresh() -%}
        {{ return(made_anew("table", create_table_as(false, this.incorporate(type="table"), compiled_code))) }}
    {%- endif -%}
    {%- set added = make_temp_relation(standing) -%}
    {%- do run_query(create_table_as(true, added, compiled_code)) -%}
    {%- call statement("main") -%}
        {{
            get_incremental_replace_window_sql({
                "target_relation": standing,
                "temp_relation": added,
                "dest_columns": adapter.get_columns_in_relation(standing)
            })
        }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({"relations": [standing]}) }}
{% endmaterialization %}

{#- Drop what stands there, whatever its kind, and run the statement that makes a view or a table in its place. -#}
{% macro made_anew(kind, made) -%}
    {%- set standing = load_cached_relation(this) -%}
    {%- call statement("main") -%}
        {%- if standing is not none %} drop {{ standing.type }} {{ standing }}; {% endif -%}
        {{ made }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({"relations": [this.incorporate(type=kind)]}) }}
{%- endmacro %}
