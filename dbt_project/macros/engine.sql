{#- What DuckDB and Spark write differently. Models call these and read the same on both. -#}

{#- Whole days from one date to a later one. -#}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch("days_between")(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%} date_diff('day', {{ earlier }}, {{ later }}) {%- endmacro %}

{#- A date moved by whole days. -#}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch("add_days")(day, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(day, days) -%} cast({{ day }} + interval ({{ days }}) day as date) {%- endmacro %}
