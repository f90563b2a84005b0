{#- The counts of a post, in the order of the feed. -#}
{% macro post_counts() -%}
    {{ return(["likes", "comments", "creator_replies", "shares", "saves", "views", "reach", "impressions"]) }}
{%- endmacro %}

{#- Whether a count may be compared with the one last known: same account, within the look-back, not redefined since. -#}
{% macro is_comparable(count) -%}
    not has_changed_account
    and {{ count }}_known_at >= first_day
    and coalesce({{ count }}_known_at >= {{ count }}_redefined_on, true)
{%- endmacro %}
