{#- CTEs up to one named `first_of_each`: of the rows with one key the first in the given order. Few keys have more than
    one row, so only rows whose hash of the key comes twice are put in order; the others pass through as they stand. -#}
{% macro first_of_each(rows, key, order) -%}
{%- set hashed = key_hash(key) -%}
clashing as {{ made_first() }} (
    select {{ hashed }} as key_hash
    from {{ rows }}
    group by {{ hashed }}
    having count(*) > 1
),

put_in_order as (
    select *
    from {{ rows }}
    where {{ hashed }} in (select clashing.key_hash from clashing)
    qualify row_number() over (partition by {{ key | join(", ") }} order by {{ order }}) = 1
),

first_of_each as (
    select *
    from {{ rows }}
    where {{ hashed }} not in (select clashing.key_hash from clashing)
    union all
    select * from put_in_order
)
{%- endmacro %}

{#- A number that equal keys share, and others hardly ever. -#}
{% macro key_hash(key) -%} {{ return(adapter.dispatch("key_hash")(key)) }} {%- endmacro %}

{% macro duckdb__key_hash(key) -%} hash({{ key | join(", ") }}) {%- endmacro %}

{% macro spark__key_hash(key) -%} xxhash64({{ key | join(", ") }}) {%- endmacro %}
