"""SQL that breaks each rule of the advocates' models, for the negative tests of their data tests."""

KEY = "cast(null as varchar) as shop, 'c' as customer_id, 'b' as brand, 'youtube' as platform, 'a' as account_id"

BREAK_ADVOCATES = f"""
create or replace view staging.stg_landing__customer_accounts as
    select {KEY}, date '2026-01-04' as valid_from from range(2);
insert into intermediate.int_advocacy__relationships_dated by name
    select {KEY}, date '2026-01-04' as valid_from, date '2026-01-03' as valid_to from range(2);
insert into intermediate.int_advocacy__accounts_watched by name
    select 'youtube' as platform, 'a' as account_id from range(2);
insert into intermediate.int_advocacy__posts_gathered by name
    select 'b' as brand, 'youtube' as platform, 'p' as post_id from range(2);
create or replace view intermediate.int_advocacy__agreements_matched as
    select 'b' as brand, 'youtube' as platform, 'a' as account_id, 'k' as collaboration_id from range(2);
insert into intermediate.int_advocacy__post_contract_activity by name
    select 'k' as collaboration_id, 29 as days_observed_after_end, 0 as posts_after_end, false as is_still_posting
    from range(2);
insert into intermediate.int_advocacy__records_flagged by name
    select 'customer_accounts' as feed, 'r' as record_id, 'i' as issue from range(2);
insert into groundswell.marts.fct_advocate by name
    select {KEY}, 1 as posts_about_brand, 2 as posts_with_reach, 2 as posts_with_engagements, 0 as posts_after_contract,
        true as is_still_posting
    from range(2);
insert into groundswell.marts.fct_advocate_ladder by name
    select {KEY}, 1 as step_number, 'rope' as ladder, -1 as days_in_step from range(2);
insert into groundswell.marts.fct_advocate_programme by name
    select 'b' as brand, '*' as relationship, 1 as contracts_ended, 2 as still_posting, 1 as accounts_posting,
        1 as advocates
    from range(2);
"""
