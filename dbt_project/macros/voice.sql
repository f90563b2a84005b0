{#- What is counted of contests, hashtags, mentions and live sessions. -#}

{#- Days after a live session in which an order still counts as brought by it: those that TikTok Shop counts as GMV after
    a click on content. An order without a session of its own follows a live touch for as long. -#}
{% macro live_window_days() -%} 14 {%- endmacro %}

{#- An account of a platform as one text; a platform's code holds no blank. Null without an account. -#}
{% macro account_key(prefix="") -%} {{ prefix }}platform || ' ' || {{ prefix }}account_id {%- endmacro %}

{#- An amount for each of so many, null where they are 0 or either is unknown. Exact sums, divided last. -#}
{% macro per_unit(amount, units) -%}
    {{ as_decimal(ratio(amount, units), 38, 6) }}
{%- endmacro %}

{#- A sum over the rows that meet a condition: unknown where it is unknown for one of them, 0 where there are none. -#}
{% macro sum_if_known(amount, condition) -%}
    case
        when count_if({{ condition }} and {{ amount }} is null) = 0
            then coalesce(sum({{ amount }}) filter (where {{ condition }}), 0)
    end
{%- endmacro %}

{#- The shares of the tracked brands in a day are parts of one whole. A mart says nine digits of each. -#}
{% test shares_sum_to_one(model, share) %}
select snapshot_date, sum({{ share }}) as shares
from {{ model }}
group by snapshot_date
having count({{ share }}) > 0 and (count({{ share }}) < count(*) or abs(sum({{ share }}) - 1) > 1e-9 * count(*))
{% endtest %}

{#- Every landed entry is counted in its contest, stands beside it as one outside its dates, or is of no landed campaign. -#}
{% test entries_are_all_placed(model, entries) %}
with landed as (
    select campaign_id, count(*) as entries
    from {{ entries }}
    where not is_campaign_unknown
    group by campaign_id
)

select landed.campaign_id, landed.entries, contests.entries as counted, contests.entries_outside_dates
from landed
left join {{ model }} as contests on landed.campaign_id = contests.campaign_id
where landed.entries is distinct from contests.entries + contests.entries_outside_dates
{% endtest %}

{#- The days of a contest end at its totals. -#}
{% test days_end_at_contest(model, contests) %}
with days as (
    select
        campaign_id,
        sum(entries) as entries,
        sum(first_entries) as participants,
        sum(new_participants) as new_participants
    from {{ model }}
    group by campaign_id
)

select days.campaign_id, days.entries, days.participants, days.new_participants
from days
left join {{ contests }} as contests on days.campaign_id = contests.campaign_id
where
    days.entries is distinct from contests.entries
    or days.participants is distinct from contests.participants
    or days.new_participants is distinct from contests.new_participants
{% endtest %}

{#- Every order that leads to a landed session is in exactly one of its counts. -#}
{% test session_orders_are_all_counted(model, orders) %}
with matched as (
    select live_session_id, sum(order_count) as orders
    from {{ orders }}
    where placed <> 'session unknown'
    group by live_session_id
)

select matched.live_session_id, matched.orders, sessions.orders_in_session, sessions.orders_after
from matched
left join {{ model }} as sessions on matched.live_session_id = sessions.live_session_id
where
    matched.orders is distinct from
    sessions.orders_in_session + sessions.orders_after + sessions.orders_outside
{% endtest %}
