{#- One count divided by another; null where either is unknown or the divisor is 0. -#}
{% macro ratio(dividend, divisor) -%}
    cast({{ dividend }} as double) / nullif({{ divisor }}, 0)
{%- endmacro %}

{#- Mean of rates, the same whatever their order: summed as decimals, divided last. -#}
{% macro mean_of(rate, condition) -%}
    cast(sum(cast({{ rate }} as decimal(38, 18))) filter (where {{ condition }}) as double)
    / nullif(count({{ rate }}) filter (where {{ condition }}), 0)
{%- endmacro %}

{#- Age in days up to which a post is in the window of its account's engagement. -#}
{% macro engagement_window_days() -%} {{ return(90) }} {%- endmacro %}

{#- The rates of an account over a window of its latest posts: column of the mart, rate of a post, posts at most. -#}
{% macro engagement_rates() -%}
    {{ return([
        ("er_followers_mean_12", "er_followers", 12),
        ("er_followers_median_30", "er_followers", 30),
        ("er_views_median_30", "er_views", 30),
        ("er_reach_median_30", "er_reach", 30),
        ("reach_rate_median_30", "reach_rate", 30),
        ("like_rate_views_median_30", "like_rate_views", 30),
    ]) }}
{%- endmacro %}

{#- A hashtag, handle or name as it is compared: lower case, without leading `#` or `@`. -#}
{% macro name_key(text) -%}
    nullif({{ strip_leading('lower(trim(' ~ text ~ '))', '#@') }}, '')
{%- endmacro %}

{#- Whether any of an account's rates is known. -#}
{% macro has_rate(relation) -%}
    coalesce(
        {% for column, _, _ in engagement_rates() %}
            {{ relation }}.{{ column }}{{ "," if not loop.last }}
        {% endfor %}
    ) is not null
{%- endmacro %}
