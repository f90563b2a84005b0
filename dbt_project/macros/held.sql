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

{#- Subquery of days from a first one on, on which a count may be held: it is 0, or lies far from the least or the
    greatest that was captured of its account in the days that an accepted count holds others. What was accepted lies
    between both, so no other day holds one. -#}
{% macro days_that_may_hold(captures, first_planned) -%}
    {%- set first_day = add_days(first_planned, -accepted_days() - 1) -%}
    {%- for metric in counts_that_may_be_held() %}
        select seen.snapshot_date
        from (
            select
                captures.snapshot_date,
                captures.{{ metric }} as captured_count,
                min(captures.{{ metric }}) over nearby as least_count,
                max(captures.{{ metric }}) over nearby as greatest_count
            from {{ captures }} as captures
            inner join (
                select platform, account_id
                from {{ captures }}
                where snapshot_date >= {{ first_day }} and {{ metric }} is not null
                group by platform, account_id
                having min({{ metric }}) = 0 or {{ are_far_apart("max(" ~ metric ~ ")", "min(" ~ metric ~ ")") }}
            ) as doubtful
                on captures.platform = doubtful.platform and captures.account_id = doubtful.account_id
            where captures.snapshot_date >= {{ first_day }} and captures.{{ metric }} is not null
            window nearby as (
                partition by captures.platform, captures.account_id
                order by captures.snapshot_date
                range between {{ days_preceding(accepted_days() + 1) }} and current row
            )
        ) as seen
        where
            seen.captured_count = 0
            or {{ are_far_apart("seen.captured_count", "seen.least_count") }}
            or {{ are_far_apart("seen.captured_count", "seen.greatest_count") }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
