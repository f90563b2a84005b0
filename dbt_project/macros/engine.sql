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

{#- Where the frame of a window begins that is ordered by a date: so many days before the row's own. -#}
{% macro days_preceding(days) -%}
    {{ return(adapter.dispatch("days_preceding")(days)) }}
{%- endmacro %}

{% macro duckdb__days_preceding(days) -%} interval {{ days }} day preceding {%- endmacro %}

{#- Whole microseconds from one timestamp to another; negative when the other is earlier. -#}
{% macro micros_between(earlier, later) -%}
    {{ return(adapter.dispatch("micros_between")(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__micros_between(earlier, later) -%} date_diff('microsecond', {{ earlier }}, {{ later }}) {%- endmacro %}

{#- The last value before the current row of a window that is not null. -#}
{% macro last_value_before(value, window) -%}
    {{ return(adapter.dispatch("last_value_before")(value, window)) }}
{%- endmacro %}

{% macro duckdb__last_value_before(value, window) -%}
    lag({{ value }} ignore nulls) over {{ window }}
{%- endmacro %}

{#- Quantiles of a column, linear between ranks, as one list; an element of a list by its place, the first being 1. -#}
{% macro quantiles(value, fractions) -%}
    {{ return(adapter.dispatch("quantiles")(value, fractions)) }}
{%- endmacro %}

{% macro duckdb__quantiles(value, fractions) -%}
    quantile_cont({{ value }}, [{{ fractions | join(", ") }}])
{%- endmacro %}

{% macro element_at_place(values, place) -%}
    {{ return(adapter.dispatch("element_at_place")(values, place)) }}
{%- endmacro %}

{% macro duckdb__element_at_place(values, place) -%} list_extract({{ values }}, {{ place }}) {%- endmacro %}

{#- The words of a list column (joined by `|`), a row each. -#}
{% macro words_of(text) -%}
    {{ return(adapter.dispatch("words_of")(text)) }}
{%- endmacro %}

{% macro duckdb__words_of(text) -%} unnest(string_split({{ text }}, '|')) {%- endmacro %}

{#- Equal, or both null. -#}
{% macro is_same(one, other) -%} ({{ one }} is not distinct from {{ other }}) {%- endmacro %}

{#- A text without any of these characters at its start. -#}
{% macro strip_leading(text, characters) -%}
    {{ return(adapter.dispatch("strip_leading")(text, characters)) }}
{%- endmacro %}

{% macro duckdb__strip_leading(text, characters) -%} ltrim({{ text }}, '{{ characters }}') {%- endmacro %}

{#- One row per whole number from one to another, as a column of a select. -#}
{% macro each_number(first_number, last_number) -%}
    {{ return(adapter.dispatch("each_number")(first_number, last_number)) }}
{%- endmacro %}

{% macro duckdb__each_number(first_number, last_number) -%}
    unnest(generate_series({{ first_number }}, {{ last_number }}))
{%- endmacro %}

{#- Makes a CTE before what joins it. Few rows pass its filter, which the planner cannot know: it would join history to
    all accounts first. -#}
{% macro made_first() -%} {{ return(adapter.dispatch("made_first")()) }} {%- endmacro %}

{% macro duckdb__made_first() -%} materialized {%- endmacro %}

{#- Stands before a CTE that is cheaper to read again than to keep whole. -#}
{% macro read_again() -%} {{ return(adapter.dispatch("read_again")()) }} {%- endmacro %}

{% macro duckdb__read_again() -%} not materialized {%- endmacro %}

{#- A pass over some of the planned dates of a model: statements that begin one and end the last, and whether a row of
    `plan` is in it; outside of passes every row is. -#}
{% macro begin_pass(model_name, number) -%}
    {{ return(adapter.dispatch("begin_pass")(model_name, number)) }}
{%- endmacro %}

{% macro duckdb__begin_pass(model_name, number) -%} set variable pass_of_{{ model_name }} = {{ number }}; {%- endmacro %}

{% macro end_passes(model_name) -%} {{ return(adapter.dispatch("end_passes")(model_name)) }} {%- endmacro %}

{% macro duckdb__end_passes(model_name) -%} reset variable pass_of_{{ model_name }}; {%- endmacro %}

{% macro is_in_pass(model_name) -%} {{ return(adapter.dispatch("is_in_pass")(model_name)) }} {%- endmacro %}

{% macro duckdb__is_in_pass(model_name) -%}
    (
        getvariable('pass_of_{{ model_name }}') is null
        or plan.pass_number = getvariable('pass_of_{{ model_name }}')
    )
{%- endmacro %}

{#- Texts of a group in one, in the given order. -#}
{% macro joined(value, separator, order) -%} {{ return(adapter.dispatch("joined")(value, separator, order)) }} {%- endmacro %}

{% macro duckdb__joined(value, separator, order) -%}
    string_agg({{ value }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}
