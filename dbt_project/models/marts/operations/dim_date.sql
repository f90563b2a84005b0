-- One row per UTC day from the first that any fact holds to the last one built, days without a capture among them.
{{ config(materialized="table") }}

{#- The first days of facts, and where their last day may lie after the last one built. -#}
{% set firsts = [
    ("dim_account", "first_seen_date"), ("fct_post", "first_seen_date"), ("fct_post", "published_date"),
    ("fct_return_daily", "activity_date"), ("fct_share_of_voice_daily", "snapshot_date"),
    ("fct_contest_daily", "activity_date"), ("fct_commerce_issue", "activity_date"),
    ("fct_vendor_metric", "as_of_date"), ("fct_follower_arrival", "arrival_date"), ("fct_capture_daily", "snapshot_date"), ("fct_order", "activity_date"),
    ("fct_spend_ledger", "activity_date"), ("fct_click_daily", "activity_date"),
    ("fct_commission_ledger", "activity_date"), ("fct_follower_flag", "window_start"),
] %}

with bounds as (
    {% for mart, column in firsts %}
        select
            min({{ column }}) as first_day,
            max({{ column }}) as last_day
        from {{ ref(mart) }}
        union all
    {% endfor %}
    select
        min(cast(started_at as date)) as first_day,
        max(cast(started_at as date)) as last_day
    from {{ ref("fct_live_session") }}
    union all
    select
        as_of_date as first_day,
        as_of_date as last_day
    from {{ ref("stg_meta__run_context") }}
),

-- Whole months: the first one is named by a payout statement.
span as (
    select
        {{ month_of("min(first_day)") }} as first_day,
        max(last_day) as last_day
    from bounds
),

days as (
    select {{ each_day("first_day", "last_day") }} as date_day
    from span
),

-- An ISO week is of the year of its Thursday.
weeks as (
    select
        date_day,
        cast(date_trunc('week', date_day) as date) as week_start_date
    from days
),

parts as (
    select
        *,
        {{ days_between("week_start_date", "date_day") }} + 1 as weekday,
        {{ add_days("week_start_date", 3) }} as thursday
    from weeks
),

dim_date as (
    select
        cast(date_day as date) as date_day,
        cast(extract(year from date_day) as integer) as year,
        cast(extract(quarter from date_day) as integer) as quarter,
        cast(date_trunc('quarter', date_day) as date) as quarter_start_date,
        cast(extract(month from date_day) as integer) as month,
        {{ month_of("date_day") }} as month_start_date,
        cast(extract(year from thursday) as integer) as iso_year,
        cast(extract(week from date_day) as integer) as iso_week,
        week_start_date,
        cast(weekday as integer) as weekday,
        cast(
            case weekday
                {% for name in ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] %}
                    when {{ loop.index }} then '{{ name }}'
                {% endfor %}
            end as string
        ) as weekday_name,
        cast(weekday > 5 as boolean) as is_weekend
    from parts
)

select * from dim_date
