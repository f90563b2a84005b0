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

{#- Subquery of days on which a count may be held, of those that are planned from a first one on. A count is held where
    it is 0, or lies far from one that its account had in the days before (what was accepted is among them), and only
    after a leap: beside a count that was accepted nothing near it is held, and from a held one on each count lies far
    from one of the days before. Captures of one day are not told from each other, so a second one counts as a leap. -#}
{% macro days_that_may_hold(captures, first_planned) -%}
    {%- set first_day = add_days(first_planned, -accepted_days() - 1) -%}
    {%- for metric in counts_that_may_be_held() %}
        select leapt.snapshot_date
        from (
            select
                strayed.*,
                max(case when strayed.is_leap then 1 else 0 end) over (
                    partition by strayed.platform, strayed.account_id, strayed.stretch
                    order by strayed.captured_at rows between unbounded preceding and current row
                ) as leaps
            from (
                select
                    beside.*,
                    beside.snapshot_date = beside.date_before
                    or {{ are_far_apart("beside.captured_count", "beside.count_before") }} as is_leap,
                    sum(case when beside.is_far then 0 else 1 end) over (
                        partition by beside.platform, beside.account_id
                        order by beside.captured_at rows between unbounded preceding and current row
                    ) as stretch
                from (
                    select
                        near_days.*,
                        {{ are_far_apart("near_days.captured_count", "near_days.least_count") }}
                        or {{ are_far_apart("near_days.captured_count", "near_days.greatest_count") }} as is_far
                    from (
                        select
                            captures.platform,
                            captures.account_id,
                            captures.captured_at,
                            captures.snapshot_date,
                            captures.{{ metric }} as captured_count,
                            lag(captures.{{ metric }}) over of_account as count_before,
                            lag(captures.snapshot_date) over of_account as date_before,
                            min(captures.{{ metric }}) over nearby as least_count,
                            max(captures.{{ metric }}) over nearby as greatest_count
                        from {{ captures }} as captures
                        inner join (
                            select platform, account_id
                            from {{ captures }}
                            where snapshot_date >= {{ first_day }} and {{ metric }} is not null
                            group by platform, account_id
                            having
                                min({{ metric }}) = 0
                                or {{ are_far_apart("max(" ~ metric ~ ")", "min(" ~ metric ~ ")") }}
                        ) as doubtful
                            on captures.platform = doubtful.platform and captures.account_id = doubtful.account_id
                        where captures.snapshot_date >= {{ first_day }} and captures.{{ metric }} is not null
                        window
                            of_account as (
                                partition by captures.platform, captures.account_id order by captures.captured_at
                            ),
                            nearby as (
                                partition by captures.platform, captures.account_id
                                order by captures.snapshot_date
                                range between {{ days_preceding(accepted_days() + 1) }} and current row
                            )
                    ) as near_days
                ) as beside
            ) as strayed
        ) as leapt
        where leapt.captured_count = 0 or (leapt.is_far and leapt.leaps = 1)
        {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
