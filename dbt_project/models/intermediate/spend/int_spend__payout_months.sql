-- One row per collaboration and month from its first commission or payment under a rule to the last day built.
{{ config(materialized="table") }}

{#- What moves a balance. -#}
{% set kinds = ["accrued", "reversed", "paid", "clawed_back"] %}

with commissions as (select * from {{ ref("int_commission__commissions_accrued") }}),

payments as (
    select * from {{ ref("int_spend__costs_rated") }}
    where not is_spend
),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- Amounts are above 0, whichever way the money goes.
entries as (
    select
        collaboration_id,
        {{ month_of("entry_date") }} as month,
        case when entry_type = 'accrual' then 'accrued' else 'reversed' end as kind,
        case when entry_type = 'accrual' then amount_base else -amount_base end as amount_base,
        data_origin
    from commissions

    union all

    select
        collaboration_id,
        {{ month_of("cost_date") }} as month,
        case when amount < 0 then 'clawed_back' else 'paid' end as kind,
        abs(amount_base) as amount_base,
        data_origin
    from payments
),

moved as (
    select
        collaboration_id,
        month,
        {% for kind in kinds %}
            sum(case when kind = '{{ kind }}' then amount_base end) as {{ kind }}_base,
            count_if(kind = '{{ kind }}' and amount_base is null) as {{ kind }}_unrated,
        {% endfor %}
        max(data_origin) as data_origin
    from entries
    group by collaboration_id, month
),

spans as (
    select
        moved.collaboration_id,
        min(moved.month) as first_month,
        max({{ month_of("base.as_of_date") }}) as last_month
    from moved
    cross join base
    group by moved.collaboration_id
),

whole as (
    select
        min(first_month) as first_day,
        max(last_month) as last_day
    from spans
),

days as (
    select {{ each_day("first_day", "last_day") }} as date_day
    from whole
),

calendar as (
    select distinct {{ month_of("date_day") }} as month
    from days
),

-- In a month without an entry nothing moved: 0 is true.
months as (
    select
        spans.collaboration_id,
        calendar.month,
        {% for kind in kinds %}
            coalesce(moved.{{ kind }}_base, 0) as {{ kind }}_base,
            coalesce(moved.{{ kind }}_unrated, 0) as {{ kind }}_unrated,
        {% endfor %}
        moved.data_origin
    from spans
    inner join calendar on calendar.month between spans.first_month and spans.last_month
    left join moved on spans.collaboration_id = moved.collaboration_id and calendar.month = moved.month
),

so_far as (
    select
        *,
        sum(accrued_base - reversed_base - paid_base + clawed_back_base) over along as balance_base,
        sum(accrued_unrated + reversed_unrated + paid_unrated + clawed_back_unrated) over along as unrated_so_far,
        max(data_origin) over along as origin_so_far
    from months
    window along as (partition by collaboration_id order by month rows between unbounded preceding and current row)
),

-- A balance that has met an unknown stays unknown.
int_spend__payout_months as (
    select
        collaboration_id,
        month,
        {% for kind in kinds %}
            case when {{ kind }}_unrated = 0 then {{ kind }}_base end as {{ kind }}_base,
        {% endfor %}
        case when unrated_so_far = 0 then balance_base end as balance_base,
        origin_so_far as data_origin
    from so_far
)

select * from int_spend__payout_months
