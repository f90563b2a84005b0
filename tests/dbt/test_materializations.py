"""DuckDB's views and tables are made in one transaction each: in the place of another kind, and not at all where they fail."""

import pytest

# A model of each materialization.
VIEW, TABLE, WINDOWED = "stg_landing__campaigns", "dim_tier_scheme", "fct_account_daily"
PLACES = {VIEW: "staging", TABLE: "groundswell.marts", WINDOWED: "groundswell.marts"}
KIND = "select table_type from information_schema.tables where table_name = '{}'"


def kinds_of(warehouse) -> dict[str, list[tuple[str]]]:
    return {name: warehouse.query(KIND.format(name)) for name in PLACES}


def test_the_models_are_one_of_each_kind(manifest):
    kinds = [manifest["nodes"][f"model.groundswell.{name}"]["config"]["materialized"] for name in PLACES]
    assert kinds == ["view", "table", "incremental"]


def test_a_model_takes_the_place_of_another_kind_and_a_failed_one_leaves_what_stood(empty, tmp_path, broken_project):
    warehouse = empty.copy(tmp_path / "world")
    right = kinds_of(warehouse)
    assert list(right.values()) == [[("VIEW",)], [("BASE TABLE",)], [("BASE TABLE",)]]
    with warehouse.connect() as connection:
        for name, place in PLACES.items():
            was, becomes = ("view", "table") if name == VIEW else ("table", "view")
            connection.execute(f"drop {was} {place}.{name}")
            connection.execute(f"create {becomes} {place}.{name} as select 1 as n")
    swapped = kinds_of(warehouse)
    assert list(swapped.values()) == [[("BASE TABLE",)], [("VIEW",)], [("VIEW",)]]
    wrong = broken_project(
        *(("macros/materializations.sql", f'made_anew("{kind}", ', f'made_anew("{kind}", "select error(1); " ~ ')
          for kind in ("view", "table"))
    )  # fmt: skip
    failed = warehouse.dbt("run", "--select", *PLACES, project=wrong)
    assert failed.of_status("error") == set(PLACES)
    assert kinds_of(warehouse) == swapped
    mended = warehouse.dbt("run", "--select", *PLACES)
    assert mended.of_status("success") == set(PLACES), mended.printed
    assert kinds_of(warehouse) == right
    with pytest.raises(Exception, match="n"):
        warehouse.query(f"select n from groundswell.marts.{TABLE}")
