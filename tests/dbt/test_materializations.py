"""DuckDB's views and tables are made in one transaction each: in the place of another kind, and not at all where they fail."""

import duckdb
import jinja2
import pytest

from tests.conftest import digits
from warehouse.build import dbt

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


@pytest.mark.parametrize(
    "value",
    [1 / 3, -2 / 3, 0.1 + 0.2, 1225.531914893617, 0.02978515625, 123_456_789.5, 1e9 + 0.4, 6.1e17, 1.0000000049,
     999.9999999, 3e-9 / 7, 9.9999999951e-6, 0.02978515624, -0.02978515624],
)  # fmt: skip
def test_a_double_has_nine_significant_digits(value):
    """0.02978515625 lies at a half of the ninth digit, 999.9999999 becomes 1000."""
    assert as_marts_say(value, 0.0, None) == [digits(value), 0.0, None]


def as_marts_say(*values: float | None) -> list[float | None]:
    text = (dbt.DBT_PROJECT / "macros" / "engine.sql").read_text()
    macro = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(text).module.significant("x")
    return [
        row[0] for row in duckdb.execute(f"select {macro} from (select unnest(?::double[]) as x)", [values]).fetchall()
    ]


# Medians of two rates each, as DuckDB and as Spark 4.3 made them in one world of a million accounts, and what marts say.
HALVES = [
    (0.7681640625, 0.7681640624999999, 0.768164063), (0.6373046875, 0.6373046874999999, 0.637304688),
    (1.219921875, 1.2199218749999998, 1.21992188), (0.2060546875, 0.20605468749999997, 0.206054688),
    (0.7689453125000001, 0.7689453125, 0.768945313),
]  # fmt: skip


def test_a_half_is_rounded_alike_where_engines_differ_in_the_last_of_seventeen_digits():
    for duckdb_says, spark_says, said in HALVES:
        assert as_marts_say(duckdb_says, spark_says, -duckdb_says, -spark_says) == [said, said, -said, -said]
    # What lies a thousandth under a half is none.
    assert as_marts_say(0.7681640624989) == [0.768164062]


def doubles(warehouse, schema):
    """Values of every column of doubles of a schema's tables, by table and column."""
    listed = warehouse.query(
        "select table_catalog || '.' || table_schema || '.' || table_name, column_name from information_schema.columns"
        f" where table_schema = '{schema}' and data_type = 'DOUBLE'"
    )
    return {
        (table, column): [
            value for (value,) in warehouse.query(f"select {column} from {table} where {column} is not null")
        ]
        for table, column in listed
    }


def test_every_double_of_a_mart_has_nine_digits_and_what_it_is_made_of_has_all(by_hand):
    of_marts = doubles(by_hand, "marts")
    assert len(of_marts) > 80
    longer = {place: value for place, values in of_marts.items() for value in values if value != digits(value)}
    assert longer == {}
    assert any(value != digits(value) for values in doubles(by_hand, "intermediate").values() for value in values)
