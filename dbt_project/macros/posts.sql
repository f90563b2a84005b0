{#- The counts of a post, in the order of the feed. -#}
{% macro post_counts() -%}
    {{ return(["likes", "comments", "creator_replies", "shares", "saves", "views", "reach", "impressions"]) }}
{%- endmacro %}
