"""Data tests of a night: compiled once for each state of the code, and run one by one, each with its own result."""

from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse import plan
from warehouse.build import data_tests
from warehouse.build.data_tests import DataTest


@pytest.fixture
def databases(settings: Settings) -> Settings:
    settings.build_db.parent.mkdir(parents=True)
    for file in (settings.build_db, settings.marts_db):
        with duckdb.connect(str(file)) as connection:
            connection.execute("create schema marts; create table marts.t as select unnest([1, 2, 2]) as x")
    return settings


def of(name: str, sql: str, severity: str = "critical", reads: tuple[str, ...] = ("model.t",)) -> DataTest:
    return DataTest(name, sql, severity, frozenset(reads))


def results(settings: Settings, *tests: DataTest, not_made: tuple[str, ...] = ()) -> dict[str, tuple[Any, ...]]:
    rows = data_tests.run_tests(tests, settings, not_made, lambda _: None)
    return {row["name"]: (row["status"], row["failures"], row["message"]) for row in rows}


def test_each_test_has_its_result(databases: Settings) -> None:
    twice = "select x from groundswell.marts.t group by x having count(*) > 1"
    found = results(
        databases,
        of("well", "select * from groundswell.marts.t where x > 2"),
        of("broken", twice),
        of("doubtful", "select * from marts.t where x = 2 -- a remark at the end", "warning"),
        of("after it", twice),
    )
    assert found == {
        "well": ("pass", 0, ""),
        "broken": ("fail", 1, "1 failing rows"),
        "doubtful": ("warn", 2, "2 failing rows"),
        "after it": ("fail", 1, "1 failing rows"),
    }


def test_a_test_that_cannot_run_is_an_error_and_the_next_one_runs(databases: Settings) -> None:
    found = results(databases, of("gone", "select * from nowhere"), of("well", "select 1 where false"))
    assert found["gone"][:2] == ("error", None)
    assert "nowhere" in found["gone"][2]
    assert found["well"] == ("pass", 0, "")


def test_a_test_of_what_is_not_made_is_skipped(databases: Settings) -> None:
    broken = of("broken", "select 1", reads=("model.t", "model.u"))
    assert results(databases, broken, not_made=("model.u", "model.v")) == {"broken": ("skipped", None, "")}
    assert results(databases, broken, not_made=("model.v",))["broken"][0] == "fail"


def test_a_test_writes_nothing(databases: Settings) -> None:
    with data_tests._connect(databases) as connection:
        for table in ("marts.t", "groundswell.marts.t"):
            with pytest.raises(duckdb.Error, match="read-only"):
                connection.execute(f"insert into {table} values (3)")


def test_the_cause_of_a_fault_is_told_before_what_it_breaks() -> None:
    models = [
        plan.Model("fct_sums", "", windowed=False, ancestors=frozenset({"int_days", "stg_rows"})),
        plan.Model("int_days", "", windowed=False, ancestors=frozenset({"stg_rows"})),
        plan.Model("stg_rows", "", windowed=False),
    ]
    tests = [
        of("both", "", reads=("model.g.stg_rows", "model.g.fct_sums")), of("days", "", reads=("model.g.int_days",)),
        of("another of days", "", reads=("model.g.int_days",)), of("rows", "", reads=("model.g.stg_rows",)),
        of("seed", "", reads=("seed.g.bands",)), of("nothing", "", reads=()),
    ]  # fmt: skip
    ordered = [test.name for test in data_tests.from_the_source_on(tests, models)]
    assert ordered == ["rows", "seed", "nothing", "days", "another of days", "both"]


def node(compiled_code: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        resource_type="test", name="t", compiled_code=compiled_code, depends_on=SimpleNamespace(nodes=["model.t"]),
        config=SimpleNamespace(severity="ERROR"),
    )  # fmt: skip


def sql_of(settings: Settings, code: str, *nodes: SimpleNamespace) -> list[str]:
    project: Any = SimpleNamespace(nodes={f"test.{number}": one for number, one in enumerate(nodes)})
    return [test.sql for test in data_tests.tests_of(project, settings, code).values()]


def test_tests_are_compiled_once_for_each_state_of_the_code(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def compile_tests(project: Any, *_: Any) -> dict[str, str]:
        compiled.append("")
        return {name: f"select {len(compiled)}" for name in project.nodes}

    monkeypatch.setattr(data_tests, "compile_tests", compile_tests)
    assert sql_of(settings, "a", node()) == ["select 1"]
    assert sql_of(settings, "a", node()) == ["select 1"]
    assert sql_of(settings, "b", node()) == ["select 2"]
    # What was kept knows nothing of a second test.
    assert sql_of(settings, "b", node(), node()) == ["select 3", "select 3"]
    # A manifest that holds the SQL needs no dbt.
    assert sql_of(settings, "c", node("select 0")) == ["select 0"]
    file = settings.data / "build" / "dbt" / "data_tests.json"
    file.write_bytes(file.read_bytes()[:-5])
    assert sql_of(settings, "b", node()) == ["select 4"]


def test_a_test_that_is_not_compiled_stops_the_build(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_tests, "compile_tests", lambda *_: {})
    with pytest.raises(ContractError, match=r"not compiled the data tests test\.0"):
        sql_of(settings, "a", node())
