{#- A schema is named as its folder says, without the target's prefix: BI reads `marts`, nothing else. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
