{#- Bootstrap draws that are the same on every engine and in every run: no generator with a state, no engine's own hash. -#}

{#- A whole number from 1 to `count` for a replicate and a place in it: three rounds of squaring modulo the prime 2^31 - 1,
    so that neighbouring places and replicates are unrelated. All terms stay below 2^63 for replicates and places under
    10^7. -#}
{% macro draw_place(replicate, place, salt, count) -%}
    {%- set r = "cast(" ~ replicate ~ " as bigint)" -%}
    {%- set p = "cast(" ~ place ~ " as bigint)" -%}
    {%- set seed = "((" ~ r ~ " * 69621 + " ~ p ~ " * 16807 + " ~ salt ~ " * 48271 + 12345) % 2147483647)" -%}
    {%- set keys = [p ~ " * 1103 + 7", r ~ " * 7919 + " ~ salt, p ~ " + " ~ r ~ " * 31"] -%}
    cast({{ squared_modulo(seed, keys) }} % nullif({{ count }}, 0) + 1 as bigint)
{%- endmacro %}

{#- A number squared modulo 2^31 - 1 once for each key, which is added to the square. -#}
{% macro squared_modulo(seed, keys) -%} {{ return(adapter.dispatch("squared_modulo")(seed, keys)) }} {%- endmacro %}

{% macro duckdb__squared_modulo(seed, keys) -%}
    {%- set mixed = namespace(sql=seed) -%}
    {%- for key in keys -%}
        {%- set mixed.sql = "((" ~ mixed.sql ~ " * " ~ mixed.sql ~ " + " ~ key ~ ") % 2147483647)" -%}
    {%- endfor -%}
    {{ mixed.sql }}
{%- endmacro %}

{#- Spark plans each of the doubled texts anew, for minutes: here the number is named. -#}
{% macro spark__squared_modulo(seed, keys) -%}
    aggregate(array({{ keys | join(", ") }}), {{ seed }}, (mixed, key) -> (mixed * mixed + key) % 2147483647)
{%- endmacro %}
