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

{#- Posts that a day which a run makes anew may have told of: it may be gone, or say something else. -#}
{% macro posts_read_whole() -%}
    select
        platform,
        post_id
    from {{ this }}
    where last_seen_date >= {{ first_day_of_posts() }}
{%- endmacro %}

{#- What stands of all other posts that were captured. -#}
{% macro posts_standing() -%}
    select *
    from {{ this }}
    where is_captured and last_seen_date < {{ first_day_of_posts() }}
{%- endmacro %}

{#- Rows of a model of posts by day that `fct_post` is made of: all, or where a run makes some of its rows anew those of the
    days in a CTE `days_renewed`, and the earlier ones of posts in a CTE `read_whole`. -#}
{% macro rows_of_posts_renewed(model) -%}
    {%- if is_renewed() -%}
        select *
        from {{ model }}
        where snapshot_date in (select days_renewed.snapshot_date from days_renewed)
        union all
        select earlier.*
        from {{ model }} as earlier
        inner join read_whole on earlier.platform = read_whole.platform and earlier.post_id = read_whole.post_id
        where earlier.snapshot_date < {{ first_day_of_posts() }}
    {%- else -%}
        select * from {{ model }}
    {%- endif -%}
{%- endmacro %}

{#- Posts whose row a run takes away. -#}
{% macro posts_that_go() -%}
    select
        platform,
        post_id
    from {{ this }}
    where {{ fct_post__may_go() }}
{%- endmacro %}

{#- Condition of rows of `fct_post` that a run may not make again: of posts last seen since the first day that it plans, of
    which no capture may be left, and of those that were linked to a collaboration. -#}
{% macro fct_post__may_go() -%}
    last_seen_date >= {{ first_day_of_posts() }} or collaborations > 0 or not is_captured
{%- endmacro %}

{#- First day of which a run makes posts anew; after all days where it makes none. -#}
{% macro first_day_of_posts() -%}
    (
        select coalesce(min(plan.snapshot_date), date '9999-12-31')
        from {{ source("meta", "plan") }} as plan
        where plan.model in ('int_snapshot__post_days_deduplicated', 'int_snapshot__post_traits_changed')
    )
{%- endmacro %}
