"""Run the data tests of a build on what it has made, one by one, each with a result of its own.

dbt compiles them, once for each state of the code, and is not asked to run them: as a node of its own a test takes it
0.015 s whatever it holds, a quarter of a small night. `dbt test` and `dbt build` run the same tests by hand.
"""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from pydantic import BaseModel, ValidationError

from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.sql import quote
from warehouse import plan
from warehouse.build import dbt

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# What dbt says of the severity of a test that only warns.
WARN = "warn"
SKIPPED = {"status": "skipped", "failures": None, "message": ""}


class Compiled(BaseModel):
    """SQL of each data test by unique id, and the code that it is of."""

    code: str
    sql: dict[str, str]


@dataclass(frozen=True)
class DataTest:
    """A data test: its query returns a row for each thing that is wrong."""

    name: str
    sql: str
    severity: str
    reads: frozenset[str]


def tests_of(project: "Manifest", settings: Settings, code: str) -> dict[str, DataTest]:
    """Every data test of a project by unique id, compiled; inside `dbt_environment`.

    Args:
        project: whole: a test may ask how a model is made that this run leaves out.
        code: digest of all that a test is compiled from.

    Raises ContractError when one cannot be compiled.
    """
    nodes: dict[str, Any] = {name: node for name, node in project.nodes.items() if node.resource_type == "test"}
    sql = {name: node.compiled_code for name, node in nodes.items() if node.compiled_code}
    if nodes.keys() - sql:
        sql |= _kept(settings, code)
    if nodes.keys() - sql:
        sql |= compile_tests(project, settings)
        _keep(settings, code, sql)
    if missing := nodes.keys() - sql:
        raise ContractError(f"dbt has not compiled the data tests {', '.join(sorted(missing))}")
    return {
        name: DataTest(
            name=node.name,
            sql=sql[name],
            severity="warning" if str(node.config.severity).lower() == WARN else "critical",
            reads=frozenset(node.depends_on.nodes),
        )
        for name, node in sorted(nodes.items())
    }


def from_the_source_on(tests: Iterable[DataTest], models: Iterable[plan.Model]) -> list[DataTest]:
    """Tests of what is made of fewer models first: the cause of a fault is told before what it breaks."""
    made_of = {model.name: len(model.ancestors) for model in models}

    def distance(test: DataTest) -> int:
        return max((made_of.get(read.rpartition(".")[2], 0) for read in test.reads), default=0)

    return sorted(tests, key=distance)


def compile_tests(project: "Manifest", settings: Settings) -> dict[str, str]:
    """SQL of each data test of a project by unique id."""
    result = dbt.invoke(project, settings, "compile", "--select", "test_type:data", "--no-populate-cache")
    return {row.node.unique_id: row.node.compiled_code for row in result if row.node.compiled_code}


def run_tests(
    tests: Iterable[DataTest], settings: Settings, not_made: Collection[str], on_test: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Run data tests on the private databases; one dict per test, as `dbt.run_dbt` gives one per node.

    Args:
        not_made: unique ids of nodes that failed or were skipped: a test that reads one is skipped.
        on_test: called with the name of a test that has ended.
    """
    results = []
    with closing(_connect(settings)) as connection:
        for test in tests:
            began = time.perf_counter()
            found = SKIPPED if test.reads.intersection(not_made) else run_test(connection, test)
            seconds = time.perf_counter() - began
            results.append({"name": test.name, "kind": "test", "severity": test.severity, "seconds": seconds, **found})
            on_test(test.name)
    return results


def run_test(connection: duckdb.DuckDBPyConnection, test: DataTest) -> dict[str, Any]:
    """Status, failing rows and message of one test."""
    try:
        found = connection.execute(f"select count(*) from (\n{test.sql}\n) as failing").fetchone()
    except duckdb.Error as error:
        return {"status": "error", "failures": None, "message": str(error).splitlines()[0]}
    failures = int(found[0]) if found else 0
    if not failures:
        return {"status": "pass", "failures": 0, "message": ""}
    status = "fail" if test.severity == "critical" else "warn"
    return {"status": status, "failures": failures, "message": f"{failures} failing rows"}


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The private databases under the names that models have for them, to read alone, with the memory of a build."""
    connection = duckdb.connect(str(settings.build_db), read_only=True, config=settings.duckdb_config)
    connection.execute(f"attach {quote(str(settings.marts_db))} as {settings.marts_db.stem} (read_only)")
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _file(settings: Settings) -> Path:
    return dbt.target_path(settings) / "data_tests.json"


def _kept(settings: Settings, code: str) -> dict[str, str]:
    try:
        kept = Compiled.model_validate_json(_file(settings).read_bytes())
    except (OSError, ValidationError):
        return {}
    return kept.sql if kept.code == code else {}


def _keep(settings: Settings, code: str, sql: dict[str, str]) -> None:
    """Keep the SQL for the next run. A file cut short by a kill is as good as none."""
    _file(settings).parent.mkdir(parents=True, exist_ok=True)
    _file(settings).write_text(Compiled(code=code, sql=sql).model_dump_json(), encoding="utf-8")
