{#- Median absolute deviation, unscaled: times 1.4826 it estimates a standard deviation, and no single value moves it. -#}
{% macro median_absolute_deviation(value) -%}
    {{ return(adapter.dispatch("median_absolute_deviation")(value)) }}
{%- endmacro %}

{% macro duckdb__median_absolute_deviation(value) -%} mad({{ value }}) {%- endmacro %}

{#- Spark has none: of the list of all values the distances from their median, in order, and the middle of these. -#}
{% macro spark__median_absolute_deviation(value) -%}
    {%- set distances = "array_sort(transform(collect_list(" ~ value ~ "), x -> abs(x - median(" ~ value ~ "))))" -%}
    (
        try_element_at({{ distances }}, cast(greatest(floor((count({{ value }}) + 1) / 2), 1) as integer))
        + try_element_at({{ distances }}, cast(ceil((count({{ value }}) + 1) / 2) as integer))
    ) / 2
{%- endmacro %}

{#- A logarithm as DECIMAL: sums of it are the same in every order. Null unless the value is above 0. -#}
{% macro exact_ln(value) -%}
    {{ as_decimal("ln(case when " ~ value ~ " > 0 then cast(" ~ value ~ " as double) end)", 18, 8) }}
{%- endmacro %}

{#- Cell of accounts with about as many views: quarters of a power of ten, e.g. `22` for 10^5.5 to 10^5.75. -#}
{% macro views_neighbourhood(views) -%}
    cast(cast(floor(log10(cast({{ views }} as double)) * 4) as integer) as string)
{%- endmacro %}

{#- One row of numbers of config table `trust_weights`, a column each. -#}
{% macro trust_weights(weights, names) -%}
    select
        {% for name in names %}
            max(value) filter (where weight = '{{ name }}') as {{ name }}{{ "," if not loop.last }}
        {% endfor %}
    from {{ weights }}
{%- endmacro %}

{#- Days over which a rise is tested, and those of them that need a history of their own, with the signal whose cut they
    must reach. -#}
{% macro rise_lengths() -%} {{ return([3, 7, 14, 28]) }} {%- endmacro %}

{% macro rise_cuts() -%} {{ return([(7, "burst"), (14, "drip"), (28, "drip")]) }} {%- endmacro %}

{#- Share of a gain that views must leave unexplained before it counts against anybody. -#}
{% macro least_unexplained() -%} 0.3 {%- endmacro %}

{#- Whether an event is explained by the day: what views leave of it is too little, or a post could be its cause. Where
    neither is known it is not explained, and a weak sign, as no other series joins it. -#}
{% macro is_unexplained() -%}
    coalesce(
        unexplained_share >= {{ least_unexplained() }}, extra_views is null and not coalesce(is_exceeded, false)
    )
{%- endmacro %}

{#- Whether evidence that ends on a day still weighs on another: for 90 days. -#}
{% macro evidence_weighs(day, evidence_end) -%}
    {{ evidence_end }} >= {{ add_days(day, -90) }}
{%- endmacro %}

{#- Accounts of which a run makes the flags anew: those with evidence of a day that it has planned, and those with a flag
    that depends on such a day, of which no evidence may be left. -#}
{% macro accounts_with_flags_renewed() -%}
    {% for evidence in ["int_trust__signals_raised", "int_trust__events_evaluated", "int_trust__misreads"] %}
        select
            platform,
            account_id
        from {{ ref(evidence) }}
        where snapshot_date >= {{ first_day_of_evidence() }}
        union
    {% endfor %}
    select
        platform,
        account_id
    from {{ this }}
    where {{ fct_follower_flag__may_go() }}
{%- endmacro %}

{#- Accounts among them of which a flag alone does not tell what raised it: part of that is made anew, or was a misread. -#}
{% macro accounts_with_flags_read_whole() -%}
    select
        renewed.platform,
        renewed.account_id
    from renewed
    inner join {{ this }} as flags
        on renewed.platform = flags.platform and renewed.account_id = flags.account_id
    where {{ fct_follower_flag__may_go() }}
    union
    select
        renewed.platform,
        renewed.account_id
    from renewed
    inner join {{ ref("int_trust__misreads") }} as misreads
        on renewed.platform = misreads.platform and renewed.account_id = misreads.account_id
{%- endmacro %}

{#- Flags of the others: each stands for all days that raised it. -#}
{% macro flags_standing() -%}
    select flags.*
    from {{ this }} as flags
    inner join renewed on flags.platform = renewed.platform and flags.account_id = renewed.account_id
    left join read_whole on flags.platform = read_whole.platform and flags.account_id = read_whole.account_id
    where read_whole.account_id is null
{%- endmacro %}

{#- Condition of flags that a run may not raise again: they depend on a day that it has planned. -#}
{% macro fct_follower_flag__may_go() -%}
    greatest(last_evaluated, misread_on) >= {{ first_day_of_evidence() }}
{%- endmacro %}

{#- First day of which a run makes evidence anew. -#}
{% macro first_day_of_evidence() -%}
    (
        select min(plan.snapshot_date)
        from {{ source("meta", "plan") }} as plan
        where plan.model in ('int_trust__signals_raised', 'int_trust__events_evaluated', 'int_trust__misreads')
    )
{%- endmacro %}

{#- Followers that a view excuses: the account's own followers per view by the weight, between its floor and its cap. -#}
{% macro excused_per_view(own_followers_per_view) -%}
    least(
        weights.followers_per_view_most,
        greatest(
            weights.followers_per_view_least, weights.times_own_followers_per_view * {{ own_followers_per_view }}
        )
    )
{%- endmacro %}

{#- Whether a rise begins an event: of an account's rises in order, each with the day of the one before it (`rise_before`),
    those whose windows overlap or touch are one. -#}
{% macro begins_event() -%} (rise_before is null or window_start > rise_before) {%- endmacro %}

{#- Events as evaluated on the planned days on which they still weigh. -#}
{% macro events_that_weigh(events) -%}
    select *
    from {{ events }}
    where
        snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
        and {{ evidence_weighs("snapshot_date", "event_end") }}
{%- endmacro %}

{#- Of a CTE `events` those of a pace that nothing explains, as a signal: its size and what it looks like in words. -#}
{% macro gains_beyond_usual(pace) -%}
    select
        platform,
        account_id,
        snapshot_date,
        size as statistic,
        event_start as window_start,
        event_end as window_end,
        first_flagged,
        gain as followers_affected,
        {{ signed_count("gain") }} || ' followers in ' || {{ in_days(days_between("event_start", "event_end")) }}
        || case
            when usual_gain > 0 then ', ' || {{ times_usual("gain / nullif(usual_gain, 0)") }}
            else ', where it usually gains none'
        end as fact
    from events
    where {{ pace }} and {{ is_unexplained() }}
{%- endmacro %}

{#- Followers under which an account is no peer of others, and its rates are not compared: the floor of the smallest tier. -#}
{% macro least_followers() -%} 1000 {%- endmacro %}

{#- Sums of part of a group in types as narrow as the values: an engine's own sum of decimals or counts is four words
    wide. A `case` is quicker on DuckDB than a `filter`. -#}
{% macro exact_sum(value, condition) -%}
    cast(sum(case when {{ condition }} then {{ value }} end) as decimal(18, 8))
{%- endmacro %}

{% macro whole_sum(value, condition) -%}
    cast(sum(case when {{ condition }} then {{ value }} end) as bigint)
{%- endmacro %}

{#- The value where it is above 0, else 0; unknown stays unknown, which `greatest` would turn into 0. -#}
{% macro above_zero(value) -%}
    case when {{ value }} > 0 then {{ value }} when {{ value }} <= 0 then 0 end
{%- endmacro %}

{#- A share, at most 1; unknown stays unknown, which `least` would turn into 1. -#}
{% macro at_most_one(share) -%}
    case when {{ share }} > 1 then 1.0 else {{ share }} end
{%- endmacro %}

{#- Words for people. -#}
{% macro counted(value) -%} {{ return(adapter.dispatch("counted")(value)) }} {%- endmacro %}

{% macro duckdb__counted(value) -%} format('{:,}', cast(round({{ value }}) as bigint)) {%- endmacro %}

{% macro spark__counted(value) -%} format_number(cast(round({{ value }}) as bigint), 0) {%- endmacro %}

{% macro signed_count(value) -%}
    case when {{ value }} >= 0 then '+' else '' end || {{ counted(value) }}
{%- endmacro %}

{% macro percent(share) -%}
    cast(cast(round(100 * ({{ share }})) as bigint) as string) || ' %'
{%- endmacro %}

{#- A share with one decimal: 0.1234 is `12.3 %`. -#}
{% macro tenths_of_percent(share) -%}
    cast(cast(100 * ({{ share }}) as decimal(18, 1)) as string) || ' %'
{%- endmacro %}

{% macro in_days(days) -%}
    case
        when {{ days }} = 1 then 'one day' else cast({{ days }} as string) || ' days'
    end
{%- endmacro %}

{% macro times_usual(ratio) -%}
    case
        when {{ ratio }} >= 1000 then 'over 1,000 times the usual'
        else {{ counted(ratio) }} || ' times the usual'
    end
{%- endmacro %}

{#- Whether a count that moved by a tenth and more so many captures ago (`followers_1` being the last one before today's,
    `followers_0`) has lost nine tenths of that move by today, within a week, and had not before. A capture a day makes 3
    captures 72 hours; where days are missing, what is not captured tells nobody how long the move stood. -#}
{% macro is_undone(captures_ago) -%}
    {%- set base = captures_ago + 1 -%}
    {%- set move = "abs(followers_" ~ captures_ago ~ " - followers_" ~ base ~ ")" -%}
    (
        followers_{{ base }} > 0
        and {{ move }} * 10 >= followers_{{ base }}
        and {{ are_apart("followers_" ~ captures_ago, "followers_0") }}
        and {{ is_back(0, base, move) }}
        {% for between in range(1, captures_ago) %}
            and not {{ is_back(between, base, move) }}
        {% endfor %}
        and {{ days_between("date_" ~ base, "date_" ~ captures_ago) }} <= 7
        and {{ micros_between("captured_at_" ~ captures_ago, "captured_at_0") }} <= {{ 168 * 3600000000 }}
    )
{%- endmacro %}

{#- Whether two counts lie so far apart that the one may be a misread of the other: what came back from a tenth beside its
    base, to within a tenth of that tenth, has moved by 8 % and more. -#}
{% macro are_apart(count, other) -%} abs({{ count }} - {{ other }}) * 100 >= 8 * least({{ count }}, {{ other }}) {%- endmacro %}

{#- Whether a later count is within a tenth of a move from its base, or from where the base would be at its own pace. -#}
{% macro is_back(later, base, move) -%}
    {%- set above_base = "(followers_" ~ later ~ " - followers_" ~ base ~ ")" -%}
    (
        {{ above_base }} * 10 >= -{{ move }}
        and (
            {{ above_base }}
            - coalesce(pace_{{ base }} * {{ days_between("date_" ~ base, "date_" ~ later) }}, 0)
        ) * 10 <= {{ move }}
    )
{%- endmacro %}
