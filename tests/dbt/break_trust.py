"""What breaks every data test of trust: one row or key on the 6th, which is planned, and the same on the 4th."""

BREAK_TRUST = """
insert into intermediate.int_trust__growth_measured by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__windows_measured by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__rises_raised by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date, 3 as length
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__turns_measured by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__posts_compared by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__events_evaluated by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date, date '2026-01-02' as event_start
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__growth_peers_measured by name
    select 'youtube' as platform, day as snapshot_date, 'dup' as metric, '*' as cell
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__engagement_peers_measured by name
    select 'youtube' as platform, day as snapshot_date, 'dup' as metric, '*' as cell
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__rates_compared by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date, 'dup' as metric
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__signals_raised by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date, 'burst' as signal,
        date '2026-01-03' as window_start
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__accounts_evaluated by name
    select 'youtube' as platform, 'dup' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);

insert into groundswell.marts.fct_follower_trust_daily by name
    select 'youtube' as platform, account_id, day as snapshot_date, verdict, trust_score, engagement_verdict,
        engagement_score, verdict = 'suspicious' as is_suspicious,
        case account_id when 'no_reason' then 'a guess' end as verdict_null_reason,
        case account_id when 'no_reason' then 'a guess' end as coverage_reason
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), (
        values
            ('dup', 'trusted', 100, 'insufficient_data', null),
            ('dup', 'trusted', 100, 'insufficient_data', null),
            ('no_reason', 'suspicious', 10, 'insufficient_data', null),
            ('no_verdict', 'guilty', 10, 'insufficient_data', null),
            ('no_engagement_verdict', 'trusted', 100, 'guilty', 10)
    ) as broken (account_id, verdict, trust_score, engagement_verdict, engagement_score);

insert into groundswell.marts.fct_follower_flag by name
    select 'youtube' as platform, 'dup' as account_id, 'nobody''s' as signal, date '2026-01-06' as window_start,
        date '2026-01-05' as window_end
    from range(2);
insert into intermediate.int_trust__misreads by name
    select 'youtube' as platform, 'dup' as account_id, date '2026-01-03' as misread_date, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_trust__dates_withheld by name
    select 'youtube' as platform, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
"""
