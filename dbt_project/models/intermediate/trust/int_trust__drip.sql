-- One row per account, planned day and event that came over weeks, unless it is explained by then.
{{ config(materialized="view") }}

with events as (
    select *
    from {{ ref("int_trust__events_evaluated") }}
    where
        snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
        and {{ evidence_weighs("snapshot_date", "event_end") }}
),

int_trust__drip as (
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
    where not is_burst and {{ is_unexplained() }}
)

select * from int_trust__drip
