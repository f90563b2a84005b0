{#- The counts of a post, in the order of the feed. -#}
{% macro post_counts() -%}
    {{ return(["likes", "comments", "creator_replies", "shares", "saves", "views", "reach", "impressions"]) }}
{%- endmacro %}

{#- What is said of a post besides its counts, by its last capture of a day. -#}
{% macro post_traits() -%}
    {{ return([
        "published_at", "is_sponsored", "is_pinned", "is_collab", "hashtags", "mentions", "data_origin",
    ]) }}
{%- endmacro %}

{#- Published after the capture that shows it: one of the two clocks is wrong. -#}
{% macro is_early() -%} coalesce(published_at > captured_at, false) {%- endmacro %}

{#- Whether a count may be compared with the one last known: same account, within the look-back, not redefined since. -#}
{% macro is_comparable(count) -%}
    not has_changed_account
    and {{ count }}_known_at >= first_day
    and coalesce({{ count }}_known_at >= {{ count }}_redefined_on, true)
{%- endmacro %}

{#- States of posts of two CTEs in one: what comes later takes the place of what was known before it, count by count; of
    what else a capture says the later one has the last word. -#}
{% macro states_of_both(later, earlier) -%}
    select
        coalesce({{ later }}.platform, {{ earlier }}.platform) as platform,
        coalesce({{ later }}.post_id, {{ earlier }}.post_id) as post_id,
        coalesce({{ later }}.account_id, {{ earlier }}.account_id) as account_id,
        coalesce({{ later }}.captured_at, {{ earlier }}.captured_at) as captured_at,
        {% for count in post_counts() %}
            coalesce({{ later }}.{{ count }}, {{ earlier }}.{{ count }}) as {{ count }},
            coalesce({{ later }}.{{ count }}_known_at, {{ earlier }}.{{ count }}_known_at) as {{ count }}_known_at,
        {% endfor %}
        {% for trait in post_traits() %}
            case when {{ later }}.post_id is not null then {{ later }}.{{ trait }} else {{ earlier }}.{{ trait }} end
                as {{ trait }},
        {% endfor %}
        coalesce({{ later }}.last_seen_date, {{ earlier }}.last_seen_date) as last_seen_date
    from {{ later }}
    full outer join {{ earlier }}
        on {{ later }}.platform = {{ earlier }}.platform
        and {{ later }}.post_id = {{ earlier }}.post_id
        and {{ later }}.account_id = {{ earlier }}.account_id
{%- endmacro %}

{#- Posts of which a run makes the rows of `fct_post` anew, some of them twice: those of a checkpoint that it has planned,
    those whose row may go, and all that are linked to a collaboration. -#}
{% macro posts_renewed() -%}
    select
        platform,
        post_id
    from {{ ref("int_creator__posts_known") }}
    where snapshot_date >= {{ first_day_of_posts() }}
    union all
    select
        platform,
        post_id
    from {{ this }}
    where {{ fct_post__may_go() }}
    union all
    select
        platform,
        post_id
    from {{ ref("bridge_post_collaboration") }}
{%- endmacro %}

{#- Condition of rows of `fct_post` that a run may not make again: of posts last seen since the first day that it plans, of
    which no capture may be left, and of those that were linked to a collaboration. -#}
{% macro fct_post__may_go() -%}
    last_seen_date >= {{ first_day_of_posts() }} or collaborations > 0 or not is_captured
{%- endmacro %}

{#- First day that a run plans of what is known of posts. -#}
{% macro first_day_of_posts() -%}
    (select min(plan.snapshot_date) from {{ source("meta", "plan") }} as plan where plan.model = 'int_creator__posts_known')
{%- endmacro %}
