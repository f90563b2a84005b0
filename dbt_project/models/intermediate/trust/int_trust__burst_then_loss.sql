-- One row per account, planned day and event of which a part was gone again within 20 days.
{{ config(materialized="view") }}

with events as (
    {{ events_that_weigh(ref("int_trust__events_evaluated")) }}
),

int_trust__burst_then_loss as (
    select
        platform,
        account_id,
        snapshot_date,
        least(lost / cast(nullif(gain, 0) as double), 1.0) as statistic,
        event_start as window_start,
        event_end as window_end,
        first_flagged,
        cast(round(lost) as bigint) as followers_affected,
        {{ percent("least(lost / cast(nullif(gain, 0) as double), 1.0)") }} || ' of the ' || {{ counted("gain") }}
        || ' followers gained were lost within '
        || {{ in_days(
            "least(" ~ days_between("event_start", "snapshot_date") ~ ", "
            ~ days_between("event_start", "event_end") ~ " + 20)"
        ) }} as fact
    from events
    where lost >= 2 * step * highest
)

select * from int_trust__burst_then_loss
