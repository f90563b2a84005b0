"""The strategy of the windowed models replaces exactly the planned dates, also by nothing."""

import pytest

from ingestion import ledger
from warehouse.build import dbt, manifest

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
    """A copy of the three days whose 5th is rejected, not built again yet."""
    warehouse = three_days.copy(folder)
    with ledger.read(warehouse.settings) as connection:
        batch = connection.execute("select batch_id from batches where file like '%day5.csv'").fetchone()[0]
    ledger.reject(warehouse.settings, batch, "test")
    mark(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def rebuilt(three_days, tmp_path_factory):
    """The 5th was taken back and the marts built again."""
    warehouse = take_back_day_5(three_days, tmp_path_factory.mktemp("rebuilt"))
    assert warehouse.build("second").status == "built"
    return warehouse


def test_a_planned_date_without_rows_ends_empty_and_other_dates_stand(rebuilt):
    # Nothing of the 5th is left. A tier depends on its day alone; a change on the 6th looks back to the 5th.
    assert days_of(rebuilt, "groundswell.marts.fct_account_tier_daily") == [(4, True), (6, True)]
    assert days_of(rebuilt, "groundswell.marts.fct_account_daily") == [(4, True), (6, False)]
    assert rebuilt.query(
        "select distinct day(snapshot_date) from intermediate.int_account__days_observed order by 1"
    ) == [
        (4,),
        (6,),
    ]


def test_a_later_day_looks_back_past_the_date_that_emptied(rebuilt):
    # a: 1000 on the 4th, 1300 on the 6th: 150 a day over two days. b: 50 and 40: 5 a day down.
    assert rebuilt.query(
        "select account_id, gap_days, followers_change_per_day from groundswell.marts.fct_account_daily"
        " where snapshot_date = date '2026-01-06' order by 1"
    ) == [("a", 2, 150.0), ("b", 2, -5.0)]


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
    with dbt.dbt_environment(warehouse.settings):
        models = manifest.models_of(manifest.parse(warehouse.settings), warehouse.settings)
    monkeypatch.setattr(manifest, "models_of", lambda *_: models)
    monkeypatch.setattr(dbt, "DBT_PROJECT", project)
    assert warehouse.build("second").status == "built"
    # The observed day stands as before, and the tiers of the planned 5th are made from it once more.
    assert (5, False) in days_of(warehouse, "groundswell.marts.fct_account_tier_daily")
