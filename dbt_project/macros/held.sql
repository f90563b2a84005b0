{#- The counts that may be held. The others fall for many an honest reason: posts are deleted, accounts unfollowed. -#}
{% macro counts_that_may_be_held() -%} {{ return(["followers", "views_total"]) }} {%- endmacro %}

{#- Days after which an accepted count holds no other one, but a 0. -#}
{% macro accepted_days() -%} {{ return(30) }} {%- endmacro %}

{#- Days for which an accepted count holds a 0: as far back as changes reach. -#}
{% macro zero_days() -%} {{ return(400) }} {%- endmacro %}

{#- Whether two counts differ by a factor of 5, the larger being 1,000 or more. A 0 beside it always does. -#}
{% macro are_far_apart(one, other) -%}
    greatest({{ one }}, {{ other }}) >= greatest(1000, 5 * least({{ one }}, {{ other }}))
{%- endmacro %}

{#- Whether two counts lie within a factor of 2. Two zeros confirm each other nothing. -#}
{% macro are_alike(one, other) -%}
    (least({{ one }}, {{ other }}) > 0 and greatest({{ one }}, {{ other }}) <= 2 * least({{ one }}, {{ other }}))
{%- endmacro %}
