"""No mart may depend on the order in which threads hand over rows: aggregates over doubles, by the types of the binder.

The lint in `test_manifest.py` reads the text; this one asks DuckDB what each aggregate and window is given, through
views and upstream columns alike.
"""

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from warehouse.build import dbt

# Sums of doubles differ in the last digits from run to run; these make doubles of whatever they are given.
ADDS = {"sum", "sum_no_overflow", "avg", "mean", "fsum", "sumkahan", "kahan_sum", "favg", "product"}
ALWAYS = (
    "stddev",
    "var_",
    "variance",
    "corr",
    "covar",
    "regr_",
    "skewness",
    "kurtosis",
    "entropy",
    "geometric_mean",
    "geomean",
)
INEXACT = {"DOUBLE", "FLOAT"}


def aggregates(node: Any) -> Iterator[dict[str, Any]]:
    """Every aggregate and window function of a serialised plan."""
    if isinstance(node, dict):
        if node.get("expression_class") in ("BOUND_AGGREGATE", "BOUND_WINDOW"):
            yield node
        for child in node.values():
            yield from aggregates(child)
    elif isinstance(node, list):
        for child in node:
            yield from aggregates(child)


def faults_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """Order-dependent aggregates of a query, with the types that they are given."""
    row = connection.execute("select json_serialize_plan($1)", [sql]).fetchone()
    assert row is not None
    plan = json.loads(row[0])
    assert not plan["error"], plan.get("error_message")
    found = []
    for node in aggregates(plan):
        name, types = str(node.get("name") or ""), [str(kind["id"]) for kind in node.get("arguments") or []]
        if name.startswith(ALWAYS) or (name in ADDS and INEXACT & set(types)):
            found.append(f"{name}({', '.join(types)})")
    return found


def test_no_model_adds_doubles(empty: Any) -> None:
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    models = {path.stem: path.read_text() for path in folder.rglob("*.sql") if ".yml" not in str(path)}
    assert {"fct_account_daily", "int_snapshot__account_changes_measured", "int_engagement__attributes_dated"} <= set(
        models
    )
    with empty.connect() as connection:
        assert {name: faults for name, sql in models.items() if (faults := faults_of(connection, sql))} == {}


@pytest.mark.parametrize(
    ("sql", "faults"),
    [
        ("select sum(d) from v", ["sum(DOUBLE)"]),
        ("select k, avg(x) from (select k, d as x from v) group by k", ["avg(DOUBLE)"]),
        ("select sum(d) over w from v window w as (partition by k order by n)", ["sum(DOUBLE)"]),
        ("select stddev_samp(n) from v", ["stddev_samp(DOUBLE)"]),
        ("select corr(n, k) from v", ["corr(DOUBLE, DOUBLE)"]),
        ("select sum(n / k) from v", ["sum(DOUBLE)"]),
        ("select sum(n), sum(m), median(d), max(d), count(d), quantile_cont(d, 0.9) from v", []),
        ("select cast(sum(n) as double) / nullif(count(*), 0) from v", []),
    ],
)
def test_the_lint_sees_types_through_views(sql: str, faults: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t (k integer, n bigint, m decimal(18, 4), d double)")
        connection.execute("create view v as select k, n, m, d * 2 as d from t")
        assert faults_of(connection, sql) == faults
