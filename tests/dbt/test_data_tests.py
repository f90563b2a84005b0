"""Every data test fires on data that breaks it, over the planned dates alone, and contracts bite."""

import pytest

from tests.integration import small
from warehouse.build import data_tests, dbt

from .break_advocates import BREAK_ADVOCATES
from .break_claims import BREAK_CLAIMS
from .break_social import BREAK_SOCIAL
from .break_trust import BREAK_TRUST
from .commerce import MONEY

# Files that describe what is tested in test_money_data_tests.py, on a world that has some.
OF_MONEY = (
    *(f"models/{layer}/{domain}/" for layer in ("intermediate", "marts") for domain in MONEY),
    "models/intermediate/agreement/_agreement__terms.yml", "models/marts/agreement/",
    "models/intermediate/operations/", "models/marts/operations/fct_commerce_issue.yml",
    "models/staging/landing/_landing__commerce_models.yml",
)  # fmt: skip

# On planned dates and off them: the 6th is planned for every windowed model, the 4th for none.
BREAK = """
update meta.plan set snapshot_date = date '2026-01-06';
delete from meta.plan where rowid not in (select min(rowid) from meta.plan group by model);

insert into groundswell.marts.dim_account select * from groundswell.marts.dim_account;
insert into groundswell.marts.fct_follower_arrival
    select 'youtube', 'a', day, day, surviving, 'observed'
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2) as found (surviving);
insert into groundswell.marts.fct_vendor_metric
    select 'youtube', 'a', 'v', 'er', date '2026-01-05', 30, 1, 'percent', null, 'observed' from range(2);
update groundswell.marts.dim_account set first_seen_date = last_seen_date + 1;
insert into groundswell.marts.dim_tier_scheme select * from groundswell.marts.dim_tier_scheme;
insert into groundswell.marts.dim_tier select * from groundswell.marts.dim_tier;

insert into groundswell.marts.fct_account_daily
    select * from groundswell.marts.fct_account_daily where account_id = 'a' and snapshot_date <> date '2026-01-05';
update groundswell.marts.fct_account_daily set followers = null, followers_null_reason = null
    where account_id = 'b' and snapshot_date <> date '2026-01-05';
update groundswell.marts.fct_account_daily
    set followers_null_reason = 'forgotten on ' || snapshot_date, followers_held = 1
    where account_id = 'a' and snapshot_date <> date '2026-01-05';
insert into groundswell.marts.fct_account_tier_daily
    select * from groundswell.marts.fct_account_tier_daily
    where account_id = 'a' and scheme = 'standard' and snapshot_date <> date '2026-01-05';
update groundswell.marts.fct_account_tier_daily set scheme = 'nobody''s'
    where account_id = 'b' and scheme = 'kol' and snapshot_date <> date '2026-01-05';
insert into intermediate.int_snapshot__account_days_deduplicated
    select * from intermediate.int_snapshot__account_days_deduplicated where account_id = 'a' and snapshot_date <> date '2026-01-05';
insert into intermediate.int_snapshot__account_last_known_values
    select * replace (date '2026-01-04' as snapshot_date)
    from intermediate.int_snapshot__account_last_known_values where account_id = 'a';
insert into intermediate.int_snapshot__account_last_known_values
    select * from intermediate.int_snapshot__account_last_known_values where account_id = 'a';

insert into groundswell.marts.fct_landed_file select * from groundswell.marts.fct_landed_file;
update groundswell.marts.fct_landed_file set rows_read = rows_read + 1, state = 'lost';
insert into groundswell.marts.fct_quality_result
    values (null, 'dbt', 'x', 'fatal', null, null, true, null, timestamp '2026-01-06 00:00:00', false);
insert into groundswell.marts.fct_capture_daily
    select 'bluesky', 'bluesky', date '2026-01-05', asked, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from range(2) as t (asked);
insert into groundswell.marts.fct_publication
    values (null, 'dim_account', 'first', null, null, timestamp '2026-01-06 00:00:00', 1, '1', '0');

insert into groundswell.marts.dim_account_tier_history select * from groundswell.marts.dim_account_tier_history;
update groundswell.marts.dim_account_tier_history set valid_to = valid_from, direction = 'sideways';
insert into groundswell.marts.dim_er_benchmark select * from groundswell.marts.dim_er_benchmark;
update groundswell.marts.dim_er_benchmark set low = null, high = null;
insert into groundswell.marts.fct_tier_equivalence by name
    select 'youtube' as platform, date '2026-01-06' as snapshot_date, 'nano' as from_tier, 'mega' as to_tier,
        5 as account_count_followers, 6 as account_count_followers_low, 29 as from_account_count_followers,
        'hearsay' as price_from_basis,
        'hearsay' as price_to_basis
    from range(2);
insert into intermediate.int_equivalence__equivalents_sampled by name
    select 'youtube' as platform, day as snapshot_date, 'nano' as from_tier, 'mega' as to_tier
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into seeds.price_bands select * from seeds.price_bands;
update seeds.price_bands set low = 0, max_followers = min_followers, valid_to = valid_from, source_note = null;
insert into groundswell.marts.fct_tier_graduation select * from groundswell.marts.fct_tier_graduation;
update groundswell.marts.fct_tier_graduation set turned = accounts + 1;

insert into groundswell.marts.fct_account_engagement_daily
    select * from groundswell.marts.fct_account_engagement_daily
    where account_id = 'a' and snapshot_date <> date '2026-01-05';
insert into intermediate.int_engagement__accounts_rated
    select * from intermediate.int_engagement__accounts_rated
    where account_id = 'a' and snapshot_date <> date '2026-01-05';
insert into intermediate.int_engagement__attributes_dated
    select * from intermediate.int_engagement__attributes_dated
    where account_id = 'a' and snapshot_date <> date '2026-01-05';
-- Two rows of one key that keep the rule of cells, and one of another that has a percentile without a cell.
insert into groundswell.marts.fct_account_benchmark_daily by name
    select 'youtube' as platform, 'p' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2)
    union all by name
    select 'youtube' as platform, 'q' as account_id, day as snapshot_date, 50 as benchmark_account_count, 50 as er_percentile
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day);
insert into intermediate.int_snapshot__counts_captured
    select * from intermediate.int_snapshot__counts_captured
    where account_id = 'a' and snapshot_date <> date '2026-01-05';
insert into intermediate.int_snapshot__counts_held by name
    select 'youtube' as platform, 'a' as account_id, 'followers' as metric, day as captured_at, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_tier__streaks_detected by name
    select 'youtube' as platform, 'a' as account_id, 'kol' as scheme, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_tier__changes_detected by name
    select 'youtube' as platform, 'a' as account_id, 'kol' as scheme, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into groundswell.marts.fct_tier_benchmark_daily by name
    select 'youtube' as platform, 'kol' as scheme, 'kol' as tier, '*' as niche, '*' as country, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_snapshot__post_days_deduplicated by name
    select 'youtube' as platform, 'p' as post_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_snapshot__post_showings by name
    select 'youtube' as platform, 'p' as post_id, 'a' as account_id, '' as author_account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_snapshot__post_authors by name
    select 'youtube' as platform, 'p' as post_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_snapshot__post_traits_changed by name
    select 'youtube' as platform, 'p' as post_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_agreement__brand_posts_named by name
    select 'youtube' as platform, 'p' as post_id, 'b' as brand, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
-- Two rows of one key whose counts have their reasons, and one of another whose counts have none.
insert into groundswell.marts.fct_post_daily by name
    select 'youtube' as platform, 'p' as post_id, day as snapshot_date, 'hidden' as likes_null_reason,
        'hidden' as comments_null_reason, 'hidden' as creator_replies_null_reason, 'hidden' as shares_null_reason,
        'hidden' as saves_null_reason, 'hidden' as views_null_reason, 'hidden' as reach_null_reason,
        'hidden' as impressions_null_reason
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2)
    union all by name
    select 'youtube' as platform, 'q' as post_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day);

insert into intermediate.int_snapshot__post_last_known_values by name
    select 'youtube' as platform, 'p' as post_id, 'a' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into intermediate.int_creator__accounts_known by name
    select 'youtube' as platform, 'q' as account_id, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into groundswell.marts.bridge_post_hashtag by name
    select 'youtube' as platform, 'p' as post_id, 'h' as hashtag, day as snapshot_date
    from (values (date '2026-01-04'), (date '2026-01-06')) as days (day), range(2);
insert into groundswell.marts.fct_post by name
    select 'youtube' as platform, 'p' as post_id, false as is_captured, 0 as collaborations from range(2);
insert into groundswell.marts.fct_account_latest select * from groundswell.marts.fct_account_latest;
update groundswell.marts.fct_account_latest set followers_date = as_of_date + 1;
create or replace table people as select * from intermediate.int_creator__people;
insert into people by name select 'c' as creator_id from range(2);
create or replace view intermediate.int_creator__people as select * from people;
insert into groundswell.marts.dim_creator by name select null as creator_id from range(2);
insert into groundswell.marts.fct_payout_statement by name select 'nobody' as creator_id;
insert into groundswell.marts.dim_collaboration by name select 'K' as collaboration_id, 'nobody' as creator_id;
insert into groundswell.marts.dim_date select * from groundswell.marts.dim_date;
insert into groundswell.marts.fct_promo_code_daily by name select date '1999-01-01' as activity_date;
create or replace view staging.stg_landing__post_snapshots as
    select platform, post_id, account_id, captured_at from intermediate.int_snapshot__post_days_deduplicated;
create or replace view staging.stg_landing__accounts as
    select 'youtube' as platform, 'a' as account_id, null as updated_at;
create or replace view staging.stg_landing__brands as select null as brand;
create or replace view staging.stg_landing__follower_arrivals as
    select 'bluesky' as platform, 'a' as account_id, timestamp '2026-01-05' as captured_at,
        date '2026-01-05' as arrival_date
    from range(2);
create or replace view staging.stg_landing__vendor_metrics as
    select 'youtube' as platform, 'a' as account_id, 'v' as source, 'er' as metric, date '2026-01-05' as as_of_date
    from range(2);
create or replace view staging.stg_landing__account_snapshots as
    select * from intermediate.int_snapshot__account_days_deduplicated;
insert into seeds.count_resolutions select * from seeds.count_resolutions;
insert into seeds.metric_definitions select * from seeds.metric_definitions;
"""


def is_of_money(node):
    """Whether a data test is on a model of the commerce feeds, or of what they return."""
    return node["original_file_path"].startswith(OF_MONEY)


def of_money(manifest):
    """Their ids and names."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test" and is_of_money(node)]
    return {node["unique_id"]: node["name"] for node in tests}


@pytest.fixture(scope="module")
def broken(three_days, tmp_path_factory):
    """The three days with every rule broken."""
    warehouse = three_days.copy(tmp_path_factory.mktemp("broken"))
    with warehouse.connect() as connection:
        connection.execute(BREAK)
        connection.execute(BREAK_TRUST)
        connection.execute(BREAK_ADVOCATES)
        connection.execute(BREAK_SOCIAL)
        connection.execute(BREAK_CLAIMS)
    return warehouse


@pytest.fixture(scope="module")
def tested(broken, manifest):
    """What dbt's data tests say of them."""
    return broken.dbt("test", "--select", "test_type:data", "--exclude", *of_money(manifest).values())


def test_every_data_test_fires(tested, manifest):
    data_tests = {
        name for name, node in manifest["nodes"].items() if node["resource_type"] == "test" and not is_of_money(node)
    }
    assert len(data_tests) > 20
    assert set(tested.results) == data_tests
    assert {name for name, row in tested.results.items() if row["status"] != "fail"} == set()


def test_a_night_finds_what_dbt_finds(broken, tested, manifest):
    with dbt.dbt_environment(broken.settings):
        tests = data_tests.tests_of(small.read_project(broken.settings), broken.settings, "code")
    due = [test for unique_id, test in tests.items() if unique_id not in of_money(manifest)]
    found = data_tests.run_tests(due, broken.settings, (), lambda _: None)
    of_dbt = {manifest["nodes"][name]["name"]: (row["status"], row["failures"]) for name, row in tested.results.items()}
    assert {row["name"]: (row["status"], row["failures"]) for row in found} == of_dbt


def test_no_data_test_counts_otherwise_than_a_night_does(manifest):
    usual = {"fail_calc": "count(*)", "error_if": "!= 0", "warn_if": "!= 0", "limit": None}
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len(tests) > 200
    for node in tests:
        assert {name: node["config"][name] for name in usual} == usual, node["name"]


def test_tests_of_planned_rows_see_planned_rows_alone(tested, manifest):
    planned = {
        name: node["config"]["where"]
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and node["config"]["where"]
    }
    assert set(planned.values()) == {"planned"}
    # On the 4th and on the 6th, which is planned, one key stands twice, one row breaks each other rule. The null count
    # with no reason and the two rows of `a` whose count is known and has one break the same rule: 3. These two break
    # another one as well, as their reason is not that they are held.
    failures = {name: tested.results[name]["failures"] for name in planned}
    of_many = {"a_null_count_has_a_reason": 3, "a_count_is_held_where_it_is_implausible": 2}
    for name, count in failures.items():
        assert count == of_many.get(name.split(".")[2].removeprefix("fct_account_daily__"), 1), (name, count)


def test_contracts_bite(empty, broken_project):
    marts = "models/marts/operations/"
    project = broken_project(
        (f"{marts}fct_landed_file.sql", "        cast(reason as string) as reason,\n", ""),
        (f"{marts}fct_publication.sql", "cast(row_count as bigint)", "cast(row_count as varchar)"),
        (f"{marts}fct_quality_result.sql", "        cast(detail as", "        1 as surprise,\n        cast(detail as"),
    )
    names = {"fct_landed_file", "fct_publication", "fct_quality_result"}
    run = empty.dbt("run", "--select", *names, project=project)
    assert run.code == 1
    assert run.of_status("error") == names
    for row in run.results.values():
        assert "enforced contract" in row["message"], row["message"]
