{#- What DuckDB and Spark write differently. Models call these and read the same on both. -#}

{#- Whole days from one date to a later one. -#}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch("days_between")(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%} date_diff('day', {{ earlier }}, {{ later }}) {%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro %}

{#- A date moved by whole days. -#}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch("add_days")(day, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(day, days) -%} cast({{ day }} + interval ({{ days }}) day as date) {%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add(cast({{ day }} as date), cast({{ days }} as integer))
{%- endmacro %}

{#- Where the frame of a window begins that is ordered by a date: so many days before the row's own. -#}
{% macro days_preceding(days) -%}
    {{ return(adapter.dispatch("days_preceding")(days)) }}
{%- endmacro %}

{% macro duckdb__days_preceding(days) -%} interval {{ days }} day preceding {%- endmacro %}

{% macro spark__days_preceding(days) -%} interval {{ days }} day preceding {%- endmacro %}

{#- Whole microseconds from one timestamp to another; negative when the other is earlier. -#}
{% macro micros_between(earlier, later) -%}
    {{ return(adapter.dispatch("micros_between")(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__micros_between(earlier, later) -%} date_diff('microsecond', {{ earlier }}, {{ later }}) {%- endmacro %}

{% macro spark__micros_between(earlier, later) -%}
    timestampdiff(microsecond, {{ earlier }}, {{ later }})
{%- endmacro %}

{#- The last value before the current row of a window that is not null. -#}
{% macro last_value_before(value, window) -%}
    {{ return(adapter.dispatch("last_value_before")(value, window)) }}
{%- endmacro %}

{% macro duckdb__last_value_before(value, window) -%}
    lag({{ value }} ignore nulls) over {{ window }}
{%- endmacro %}

{% macro spark__last_value_before(value, window) -%}
    lag({{ value }}) ignore nulls over {{ window }}
{%- endmacro %}

{#- Quantiles of a column, linear between ranks, as one list; an element of a list by its place, the first being 1. -#}
{% macro quantiles(value, fractions) -%}
    {{ return(adapter.dispatch("quantiles")(value, fractions)) }}
{%- endmacro %}

{% macro duckdb__quantiles(value, fractions) -%}
    quantile_cont({{ value }}, [{{ fractions | join(", ") }}])
{%- endmacro %}

{% macro spark__quantiles(value, fractions) -%}
    percentile({{ value }}, array({{ fractions | join(", ") }}))
{%- endmacro %}

{% macro element_at_place(values, place) -%}
    {{ return(adapter.dispatch("element_at_place")(values, place)) }}
{%- endmacro %}

{% macro duckdb__element_at_place(values, place) -%} list_extract({{ values }}, {{ place }}) {%- endmacro %}

{% macro spark__element_at_place(values, place) -%} try_element_at({{ values }}, cast({{ place }} as integer)) {%- endmacro %}

{#- The words of a list column (joined by `|`), a row each. -#}
{% macro words_of(text) -%}
    {{ return(adapter.dispatch("words_of")(text)) }}
{%- endmacro %}

{% macro duckdb__words_of(text) -%} unnest(string_split({{ text }}, '|')) {%- endmacro %}

{% macro spark__words_of(text) -%} explode(split({{ text }}, '[|]')) {%- endmacro %}

{#- Equal, or both null. -#}
{% macro is_same(one, other) -%} ({{ one }} is not distinct from {{ other }}) {%- endmacro %}

{#- A text without any of these characters at its start. -#}
{% macro strip_leading(text, characters) -%}
    {{ return(adapter.dispatch("strip_leading")(text, characters)) }}
{%- endmacro %}

{% macro duckdb__strip_leading(text, characters) -%} ltrim({{ text }}, '{{ characters }}') {%- endmacro %}

{% macro spark__strip_leading(text, characters) -%} ltrim('{{ characters }}', {{ text }}) {%- endmacro %}

{#- One row per whole number from one to another, as a column of a select. -#}
{% macro each_number(first_number, last_number) -%}
    {{ return(adapter.dispatch("each_number")(first_number, last_number)) }}
{%- endmacro %}

{% macro duckdb__each_number(first_number, last_number) -%}
    unnest(generate_series({{ first_number }}, {{ last_number }}))
{%- endmacro %}

{% macro spark__each_number(first_number, last_number) -%}
    explode(case
        when {{ first_number }} <= {{ last_number }}
            then sequence(cast({{ first_number }} as bigint), cast({{ last_number }} as bigint))
    end)
{%- endmacro %}

{#- Makes a CTE before what joins it. Few rows pass its filter, which the planner cannot know: it would join history to
    all accounts first. A view that DuckDB has read from its file has lost the word: no view may need it. -#}
{% macro made_first() -%} {{ return(adapter.dispatch("made_first")()) }} {%- endmacro %}

{% macro duckdb__made_first() -%} materialized {%- endmacro %}

{% macro spark__made_first() -%} {%- endmacro %}

{#- Stands before a CTE that is cheaper to read again than to keep whole; in a view as little as `made_first`. -#}
{% macro read_again() -%} {{ return(adapter.dispatch("read_again")()) }} {%- endmacro %}

{% macro duckdb__read_again() -%} not materialized {%- endmacro %}

{% macro spark__read_again() -%} {%- endmacro %}

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

{#- Spark spills by itself: a plan is one pass, but for a model that goes on from its own days. Its materialization puts the
    number of the pass in place of the name. -#}
{% macro spark__begin_pass(model_name, number) -%} {%- endmacro %}
{% macro spark__end_passes(model_name) -%} {%- endmacro %}
{% macro spark__is_in_pass(model_name) -%}
    {%- set declared = graph.nodes["model." ~ project_name ~ "." ~ model_name].config.meta if execute else {} -%}
    {{ "plan.pass_number = pass_of_" ~ model_name if declared.get("reads_itself") else "true" }}
{%- endmacro %}

{#- Texts of a group in one, in the given order. -#}
{% macro joined(value, separator, order) -%} {{ return(adapter.dispatch("joined")(value, separator, order)) }} {%- endmacro %}

{% macro duckdb__joined(value, separator, order) -%}
    string_agg({{ value }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}

{% macro spark__joined(value, separator, order) -%}
    {%- if value.startswith("distinct ") -%}
        {#- In their own order: Spark takes no list of distinct texts beside a count of them. -#}
        nullif(array_join(array_sort(collect_set({{ value[9:] }})), '{{ separator }}'), '')
    {%- else -%}
        listagg({{ value }}, '{{ separator }}') within group (order by {{ order }})
    {%- endif -%}
{%- endmacro %}

{#- All columns, some of them replaced by expressions: a mapping from name to expression. -#}
{% macro all_columns_but(others) -%} {{ return(adapter.dispatch("all_columns_but")(others)) }} {%- endmacro %}

{% macro duckdb__all_columns_but(others) -%}
    * replace ({%- for column, expression in others.items() -%}
        {{ expression }} as {{ column }}{{ ", " if not loop.last }}
    {%- endfor -%})
{%- endmacro %}

{% macro spark__all_columns_but(others) -%}
    * except ({{ others.keys() | join(", ") }})
    {%- for column, expression in others.items() -%}, {{ expression }} as {{ column }} {%- endfor -%}
{%- endmacro %}

{#- Of a group the value that is known of the last, or the first, in an order. -#}
{% macro value_at_last(value, order) -%} {{ return(adapter.dispatch("value_at_last")(value, order)) }} {%- endmacro %}

{% macro duckdb__value_at_last(value, order) -%} max_by({{ value }}, {{ order }}) {%- endmacro %}

{% macro spark__value_at_last(value, order) -%}
    max_by({{ value }}, {{ order }}) filter (where {{ value }} is not null)
{%- endmacro %}

{% macro value_at_first(value, order) -%} {{ return(adapter.dispatch("value_at_first")(value, order)) }} {%- endmacro %}

{% macro duckdb__value_at_first(value, order) -%} min_by({{ value }}, {{ order }}) {%- endmacro %}

{% macro spark__value_at_first(value, order) -%}
    min_by({{ value }}, {{ order }}) filter (where {{ value }} is not null)
{%- endmacro %}

{#- A double as DECIMAL, half away from 0. Counted in whole units of the last place first: engines cut a double that lies
    between two decimals each in their own way. -#}
{% macro as_decimal(value, digits, scale) -%}
    cast(
        cast(round(({{ value }}) * 1{{ "0" * scale }}) as decimal({{ [digits, 37 - scale] | min }}, 0))
        * cast(0.{{ "0" * (scale - 1) }}1 as decimal({{ scale }}, {{ scale }})) as decimal({{ digits }}, {{ scale }})
    )
{%- endmacro %}

{#- A double to nine significant digits, whole numbers whole: engines, and threads of one, add doubles in an order of
    their own, and differ in the last of seventeen. Half of a unit counts as a half from a ten-thousandth under it on: the
    middle of two rates is exactly such a half quite often, and on one engine a seventeenth digit less. -#}
{% macro significant(value) -%}
    {%- set units = "power(10, greatest(8 - floor(log10(abs(" ~ value ~ ") + 1e-14)), 0))" -%}
    round({{ value }} * {{ units }} + sign({{ value }}) * 0.0001) / {{ units }}
{%- endmacro %}
