"""Every key of a fact is in its dimension: the test of each dimension fires for each of its facts."""

from collections import Counter

import pytest

from warehouse import data_dictionary

from .conftest import Warehouse

# In no dimension, of any type; planned, as a windowed fact is tested on the dates that a run replaces.
NOWHERE = {"DATE": "date '1999-01-01'", "VARCHAR": "'nowhere'"}
REFERENCES = data_dictionary.references()
TESTS = {of.dimension: f"{of.dimension}__every_key_of_a_fact_is_in_it" for of in REFERENCES}


@pytest.fixture(scope="module")
def broken(empty: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A row in each fact that names in each of its keys what no dimension has."""
    warehouse = empty.copy(tmp_path_factory.mktemp("keys"))
    with warehouse.connect() as connection:
        types = {
            (mart, column): kind
            for mart, column, kind in connection.execute(
                "select table_name, column_name, data_type from duckdb_columns() where database_name = 'groundswell'"
            ).fetchall()
        }
        for mart in sorted({of.mart for of in REFERENCES}):
            named = {own for of in REFERENCES if of.mart == mart for own, _ in of.pairs}
            values = ", ".join(f"{NOWHERE[types[mart, column]]} as {column}" for column in sorted(named))
            connection.execute(f"insert into groundswell.marts.{mart} by name select {values}")
            connection.execute("insert into meta.plan values (?, date '1999-01-01', 'a test', 1)", [mart])
    return warehouse


def test_each_key_of_each_fact_fires(broken: Warehouse) -> None:
    run = broken.dbt("test", "--select", *TESTS.values())
    failures = {name.split(".")[2]: row["failures"] for name, row in run.results.items()}
    assert failures == {
        TESTS[dimension]: count for dimension, count in Counter(of.dimension for of in REFERENCES).items()
    }
