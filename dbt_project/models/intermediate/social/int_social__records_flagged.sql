-- One row per record of a social feed and thing that is wrong with it: what was done about it, so that totals hold.
-- One model, as each of its selects is a thing that can be wrong: a list, read one by one.
{{ config(materialized="table") }}

with entries as (select * from {{ ref("int_social__entries_placed") }}),

mentions as (select * from {{ ref("int_social__mentions_observed") }}),

sessions as (select * from {{ ref("int_social__sessions_checked") }}),

session_orders as (select * from {{ ref("int_social__session_orders_matched") }}),

int_social__records_flagged as (
    select
        'contest_entries' as feed,
        entry_id as record_id,
        'campaign unknown' as issue,
        'campaign ' || campaign_id || ' is not landed: in no contest until it is' as explanation,
        entry_date as record_date,
        data_origin
    from entries
    where is_campaign_unknown

    union all

    select
        'contest_entries' as feed,
        entry_id as record_id,
        'outside the dates of its contest' as issue,
        'contest ' || campaign_id || ' runs from ' || start_date || ' to ' || end_date
        || ': counted in entries_outside_dates alone' as explanation,
        entry_date as record_date,
        data_origin
    from entries
    where not is_campaign_unknown and not is_counted

    union all

    select
        'mentions' as feed,
        mention_id as record_id,
        'brand not tracked' as issue,
        'brand ' || brand || ' is not in the feed brands: in no share of voice' as explanation,
        snapshot_date as record_date,
        data_origin
    from mentions
    where not is_tracked

    union all

    select
        'live_sessions' as feed,
        live_session_id as record_id,
        'campaign unknown' as issue,
        'campaign ' || campaign_id || ' is not landed: shown without its brand' as explanation,
        session_date as record_date,
        data_origin
    from sessions
    where is_campaign_unknown

    union all

    select
        'live_sessions' as feed,
        live_session_id as record_id,
        'ends before it starts' as issue,
        'its end is taken as unknown: orders up to 24 hours after its start count as placed in it' as explanation,
        session_date as record_date,
        data_origin
    from sessions
    where is_reversed

    union all

    select
        'live_sessions' as feed,
        live_session_id as record_id,
        'never ended' as issue,
        'no end was landed: orders up to 24 hours after its start count as placed in it' as explanation,
        session_date as record_date,
        data_origin
    from sessions
    where is_endless

    union all

    select
        'live_sessions' as feed,
        live_session_id as record_id,
        'overlaps another of its host' as issue,
        'its host ' || host_id || ' is live at once in ' || overlapping_session_id
        || case when overlapping_sessions > 1 then ' and ' || (overlapping_sessions - 1) || ' more' else '' end
        || ': an order counts for the session that it names' as explanation,
        session_date as record_date,
        data_origin
    from sessions
    where overlapping_sessions > 0

    union all

    select
        'orders' as feed,
        concat_ws('/', nullif(shop, ''), order_id) as record_id,
        'live session unknown' as issue,
        'live session ' || live_session_id || ' is not landed: in no session until it is' as explanation,
        order_date as record_date,
        data_origin
    from session_orders
    where placed = 'session unknown'

    union all

    select
        'orders' as feed,
        concat_ws('/', nullif(shop, ''), order_id) as record_id,
        'outside its live session' as issue,
        'placed ' || case placed when 'before' then 'before' else 'more than {{ live_window_days() }} days after' end
        || ' live session ' || live_session_id || ': counted in orders_outside alone' as explanation,
        order_date as record_date,
        data_origin
    from session_orders
    where placed in ('before', 'later')
)

select * from int_social__records_flagged
