{#- What accounts of tiers are weighed by: followers, reach of one post, likes and comments of one post. -#}
{% macro equivalence_measures() -%}
    {{ return(["followers", "reach", "engagements"]) }}
{%- endmacro %}

{#- The value, or the most it may be; unknown stays unknown, which `least` would turn into the bound. -#}
{% macro at_most(value, most) -%}
    case when {{ value }} > {{ most }} then {{ most }} else {{ value }} end
{%- endmacro %}
