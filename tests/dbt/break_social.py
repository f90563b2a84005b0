"""Rows that break every data test of contests, hashtags, mentions and live sessions, on planned dates and off them."""

BREAK_SOCIAL = """
create or replace view staging.stg_landing__mentions as select null as mention_id, null as snapshot_date;
create or replace view staging.stg_landing__live_sessions as select null as live_session_id;
create or replace view staging.stg_landing__contest_entries as select null as entry_id, 'C' as campaign_id;

insert into intermediate.int_social__mentions_observed by name
    select 'm' as mention_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_social__hashtags_added by name
    select 'youtube' as platform, 'p' as post_id, 'fun' as hashtag, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
-- Two rows of one key that hold together, and one of another that does not.
insert into groundswell.marts.fct_hashtag_daily by name
    select 'youtube' as platform, 'fun' as hashtag, day as snapshot_date, 1 as posts, 1 as accounts,
        0 as accounts_with_tier, 1 as posts_7d
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2)
    union all by name
    select 'youtube' as platform, 'odd' as hashtag, day as snapshot_date, 1 as posts, 2 as accounts,
        0 as accounts_with_tier, 1 as posts_7d
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day);
insert into groundswell.marts.fct_hashtag_tier_daily by name
    select 'youtube' as platform, 'fun' as hashtag, day as snapshot_date, 'nano' as tier
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into groundswell.marts.fct_share_of_voice_daily by name
    select 'acme' as brand, day as snapshot_date, 0.9 as mention_share, 0.9 as engagement_share, 0.9 as reach_share
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);

-- Two entries of a contest that counts one, of two participants; days that count five.
insert into intermediate.int_social__entries_placed by name
    select 'e' as entry_id, 'C' as campaign_id, false as is_campaign_unknown from range(2);
insert into groundswell.marts.fct_contest by name
    select 'C' as campaign_id, 1 as entries, 0 as entries_outside_dates, 2 as participants from range(2);
insert into groundswell.marts.fct_contest_daily by name
    select 'C' as campaign_id, date '2026-01-04' as activity_date, 5 as entries from range(2);

insert into intermediate.int_social__sessions_checked by name select 'S' as live_session_id from range(2);
insert into intermediate.int_social__session_orders_matched by name
    select 'o' as order_id, 'S' as live_session_id, 'after' as placed, 3 as order_count from range(2);
insert into groundswell.marts.fct_live_session by name
    select 'S' as live_session_id, 0 as orders_in_session, 3 as orders_after, 0 as orders_outside from range(3);
"""
