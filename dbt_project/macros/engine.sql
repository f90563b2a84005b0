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

{#- Window function: the last value before that is not null. -#}
{% macro last_not_null(value) -%}
    {{ return(adapter.dispatch("last_not_null")(value)) }}
{%- endmacro %}

{% macro duckdb__last_not_null(value) -%} last_value({{ value }} ignore nulls) {%- endmacro %}
