"""The strategy of the windowed models replaces exactly the planned dates, also by nothing."""

from pathlib import Path

import duckdb
import pytest

from ingestion import ledger
from ingestion.errors import ContractError
from ingestion.lease import hold
from ingestion.user_config import load as user_config
from tests.integration import small
from warehouse.build import data_tests, dbt, manifest
from warehouse.release import publish

MARK = "written by no run"


def mark(warehouse):
    """Make every row of the windowed marts tell that it was there before."""
    with warehouse.connect() as connection:
        for table in ("fct_account_daily", "fct_account_tier_daily"):
            connection.execute(f"update groundswell.marts.{table} set data_origin = ?", (MARK,))


def days_of(warehouse, table):
    """(day of January, whether its rows stood there before) of a mart."""
    return warehouse.query(f"select distinct day(snapshot_date), data_origin = '{MARK}' from {table} order by all")


def take_back_day_5(three_days, folder):
    """A copy of the three days whose 5th is rejected, not rebuilt yet."""
    warehouse = three_days.copy(folder)
    with ledger.read(warehouse.settings) as connection:
        batch = connection.execute("select batch_id from batches where file like '%day5.csv'").fetchone()[0]
    ledger.reject(warehouse.settings, batch, "test")
    mark(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def rebuilt(three_days, tmp_path_factory):
    """The 5th was rejected and the marts rebuilt."""
    warehouse = take_back_day_5(three_days, tmp_path_factory.mktemp("rebuilt"))
    assert warehouse.build("second").status == "built"
    return warehouse


def test_a_planned_date_without_rows_ends_empty_and_other_dates_stand(rebuilt):
    # Nothing of the 5th is left. Whether a count of the 6th is held is told from the days before it.
    assert days_of(rebuilt, "groundswell.marts.fct_account_tier_daily") == [(4, True), (6, False)]
    assert days_of(rebuilt, "groundswell.marts.fct_account_daily") == [(4, True), (6, False)]
    assert rebuilt.query(
        "select distinct day(snapshot_date) from intermediate.int_snapshot__account_days_deduplicated order by 1"
    ) == [
        (4,),
        (6,),
    ]


def test_rows_of_a_pass_of_many_days_lie_day_by_day(three_days):
    """As nights would have put them in; else a later night reads the blocks of all days to find those of one."""
    tables = three_days.query(
        "select case schema_name when 'marts' then 'groundswell.' else '' end || schema_name || '.' || table_name,"
        " part_column from duckdb_tables() inner join meta.part_column on table_name = model"
        " where schema_name in ('intermediate', 'marts')"
    )
    back = {
        table: three_days.query(
            f"select count(*) from (select {day} < lag({day}) over (order by rowid) as is_back from {table}) where is_back"
        )[0][0]
        for table, day in tables
    }
    assert len(back) > 20
    assert {table for table, rows in back.items() if rows} == set()


def test_a_later_day_looks_back_past_the_date_that_emptied(rebuilt):
    # a: 1000 on the 4th, 1300 on the 6th: 150 a day over two days. b: 50 and 40: 5 a day down.
    assert rebuilt.query(
        "select account_id, gap_days, followers_change_per_day from groundswell.marts.fct_account_daily"
        " where snapshot_date = date '2026-01-06' order by 1"
    ) == [("a", 2, 150.0), ("b", 2, -5.0)]


@pytest.mark.parametrize(
    ("altered", "said"),
    [
        ("drop column following", 'does not have a column with name "following"'),
        ("add column invented integer", 'Column "invented" in EXCLUDE list not found'),
    ],
)
def test_a_model_that_makes_other_columns_than_its_table_has_is_refused(three_days, tmp_path, altered, said):
    warehouse = take_back_day_5(three_days, tmp_path / "world")
    with warehouse.connect() as connection:
        connection.execute(f"alter table intermediate.int_snapshot__account_days_deduplicated {altered}")
    with pytest.raises(ContractError, match=f"int_snapshot__account_days_deduplicated: .*{said}"):
        warehouse.build("second")


def test_without_the_strategy_a_vanished_day_would_stay(three_days, tmp_path, broken_project, monkeypatch):
    warehouse = take_back_day_5(three_days, tmp_path / "world")
    project = broken_project(
        (
            "macros/replace_window.sql",
            "where {{ part_of(target.identifier) }} in ({{ planned_dates(target.identifier) }})",
            'where snapshot_date in (select snapshot_date from {{ arg_dict["temp_relation"] }})',
        )
    )
    # A changed strategy plans all history; here the planner is told that nothing changed.
    parsed = small.read_project(warehouse.settings)
    models = manifest.models_of(parsed, warehouse.settings, user_config.load(warehouse.settings))
    monkeypatch.setattr(manifest, "models_of", lambda *_: models)
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    assert warehouse.build("second").status == "built"
    # The observed day stands as before, and the tiers of the planned 5th are made from it once more.
    assert (5, False) in days_of(warehouse, "groundswell.marts.fct_account_tier_daily")


def test_what_finds_the_days_before_in_rows_of_its_own_may_be_made_in_short_passes(empty):
    parsed = small.read_project(empty.settings)
    models = manifest.models_of(parsed, empty.settings, user_config.load(empty.settings))
    reads_back = {model.name: model.reads_back for model in models}
    assert reads_back["int_snapshot__post_showings"] == reads_back["int_snapshot__counts_held"] == 0
    assert reads_back["int_trust__windows_measured"] >= 28


# Marts of another date than `snapshot_date`: replaced by days, by months, and made whole.
ACTIVITY = """-- One row per account and UTC day of activity.
{{ config(materialized="KIND") }}
select cast(account_id as varchar) as account_id, cast(snapshot_date as date) as activity_date,
    cast(followers as bigint) as followers
from {{ ref("int_snapshot__account_days_deduplicated") }}
where CONDITION
"""
DECLARED = """
models:
  - name: NAME
    config: {meta: META}
    data_tests: [{unique_combination_of_columns: {arguments: {combination_of_columns: [account_id, activity_date]}, config: {where: planned}}}]
    columns:
      - {name: account_id, data_type: varchar}
      - {name: activity_date, data_type: date}
      - {name: followers, data_type: bigint}
"""
BY_DAY, BY_MONTH, WHOLE = "fct_activity_by_day", "fct_activity_by_month", "fct_activity_whole"


def declare(project, name, meta, condition, kind="incremental"):
    """A mart of the account's activity in a copy of the project."""
    for suffix, text in ((".sql", ACTIVITY), (".yml", DECLARED)):
        for word, value in {"NAME": name, "META": meta, "CONDITION": condition, "KIND": kind}.items():
            text = text.replace(word, value)
        (project / "models" / "marts" / "creator" / f"{name}{suffix}").write_text(text)


@pytest.fixture
def with_activity(three_days, tmp_path, broken_project, monkeypatch):
    """The three days with three marts more, built and published; nothing else is rebuilt."""
    project = broken_project()
    by_day, by_month = "{part_column: activity_date}", "{part_column: activity_date, part_by: month}"
    of_month = f'{{{{ month_of("snapshot_date") }}}} in ({{{{ planned_dates("{BY_MONTH}") }}}})'
    declare(project, BY_DAY, by_day, f'snapshot_date in ({{{{ planned_dates("{BY_DAY}") }}}})')
    declare(project, BY_MONTH, by_month, of_month)
    declare(project, WHOLE, by_day, "true", "table")
    warehouse = three_days.copy(tmp_path / "world")
    arguments = dbt.dbt_arguments

    def alone(settings, *command, target=None):
        chosen = ["--select", f"+{BY_DAY}", BY_MONTH, WHOLE] if command[0] == "build" else []
        return arguments(settings, *command, *chosen, target=target)

    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    monkeypatch.setattr(dbt, "dbt_arguments", alone)
    # A test of what is not made here has nothing to look at.
    monkeypatch.setattr(data_tests, "tests_of", lambda *_: {})
    assert warehouse.build("second").status == "built"
    return warehouse, publish_run(warehouse, "second")


def publish_run(warehouse, run_id):
    """Folder of the marts that a run publishes as Parquet."""
    with hold(warehouse.settings, run_id, "test", lambda _: None) as lease:
        return Path(publish.publish_release(warehouse.settings, run_id, lease, lambda _: None).path) / "marts"


def parts_of(warehouse, folder, mart):
    """Parts of a mart with their rows: as hashed, and as written as Parquet."""
    with ledger.read(warehouse.settings) as connection:
        hashed = {part: rows for part, (rows, _) in ledger.known_parts(connection)[mart].items()}
    files = {file.stem: file for file in (folder / mart).iterdir()}
    return hashed, {name: duckdb.read_parquet(str(file)).shape[0] for name, file in sorted(files.items())}


def test_a_mart_is_replaced_hashed_and_published_by_the_date_that_it_declares(with_activity):
    warehouse, first = with_activity
    assert parts_of(warehouse, first, BY_DAY) == (
        {"2026-01-04": 2, "2026-01-05": 2, "2026-01-06": 2},
        {"2026-01-04": 2, "2026-01-05": 2, "2026-01-06": 2},
    )
    assert parts_of(warehouse, first, BY_MONTH) == ({"2026-01": 6}, {"2026-01": 6})

    with ledger.read(warehouse.settings) as connection:
        batch = connection.execute("select batch_id from batches where file like '%day5.csv'").fetchone()[0]
    ledger.reject(warehouse.settings, batch, "test")
    with warehouse.connect() as connection:
        for mart in (BY_DAY, BY_MONTH, WHOLE):
            connection.execute(f"update groundswell.marts.{mart} set followers = -1")
    assert warehouse.build("third").status == "built"
    # Of the day that emptied nothing is left, and no day before it is touched; of the month all rows are made anew.
    rows = "select account_id, day(activity_date), followers from groundswell.marts.{} order by 1, 2"
    assert warehouse.query(rows.format(BY_DAY)) == [("a", 4, -1), ("a", 6, 1300), ("b", 4, -1), ("b", 6, 40)]
    assert warehouse.query(rows.format(BY_MONTH)) == [("a", 4, 1000), ("a", 6, 1300), ("b", 4, 50), ("b", 6, 40)]

    second = publish_run(warehouse, "third")
    assert parts_of(warehouse, second, BY_DAY) == (
        {"2026-01-04": 2, "2026-01-06": 2},
        {"2026-01-04": 2, "2026-01-06": 2},
    )
    assert parts_of(warehouse, second, BY_MONTH) == ({"2026-01": 4}, {"2026-01": 4})
    # What is as it was is linked: a day that no plan names, and one of a mart made whole that came out alike.
    is_linked = {f"{BY_DAY}/2026-01-04.parquet": True, f"{BY_MONTH}/2026-01.parquet": False}
    is_linked |= {f"{WHOLE}/2026-01-06.parquet": True}
    assert {part: (first / part).samefile(second / part) for part in is_linked} == is_linked


def test_the_test_of_planned_rows_sees_those_of_the_part_column(with_activity):
    warehouse, _ = with_activity
    with warehouse.connect() as connection:
        connection.execute("delete from meta.plan where snapshot_date = date '2026-01-04'")
        connection.execute(f"insert into groundswell.marts.{BY_DAY} select * from groundswell.marts.{BY_DAY}")
    done = warehouse.dbt("test", "--select", BY_DAY, project=dbt.DBT_PROJECT)
    ((_, row),) = done.results.items()
    # Four doubled rows of the planned 5th and 6th, and not those of the 4th.
    assert (row["status"], row["failures"]) == ("fail", 4)
