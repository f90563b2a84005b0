-- One row per account, planned day and event within a week, without known views, and no post could be its cause.
{{ config(materialized="view") }}

with events as (
    {{ events_that_weigh(ref("int_trust__events_evaluated")) }}
),

int_trust__growth_without_posts as (
    select
        platform,
        account_id,
        snapshot_date,
        size_in_week as statistic,
        event_start as window_start,
        event_end as window_end,
        first_flagged,
        cast(round(share_beside_posts * gain) as bigint) as followers_affected,
        {{ signed_count("gain") }}
        || ' followers while none of its posts of that week found more than '
        || case when is_large then 'all' else 'nine in ten' end || ' of those before' as fact
    from events
    where share_beside_posts >= {{ least_unexplained() }}
)

select * from int_trust__growth_without_posts
