{#- What accounts of tiers are weighed by: followers, reach of one post, likes and comments of one post. -#}
{% macro equivalence_measures() -%}
    {{ return(["followers", "reach", "engagements"]) }}
{%- endmacro %}
