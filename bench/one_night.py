"""One night, or a rebuild, timed in a process of its own; prints a `Result` as JSON.

It imports nothing of `bench`: so it also times the packages of another checkout, which `PYTHONPATH` then names.
"""

import argparse
import json
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ingestion.config import PROJECT_DIR, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

STATEMENTS = "statements.json"
# What only reads: dbt's questions about relations, and a contract's comparison of columns.
READS = ("select", "describe")


class Node(TypedDict):
    """A model or a data test that a night ran, with its wall and CPU seconds.

    `of` is the model that a test belongs to, else the node itself.
    """

    name: str
    kind: str
    of: str
    seconds: list[float]


class Result(TypedDict):
    """What one process tells.

    Args:
        code: the checkout whose packages it ran.
        stages: wall and CPU seconds by stage.
        memory: peak memory in GiB.
        parents: the models that each model reads.
        copy: seconds of the release copy.
        gigabytes: size of the release copy.
    """

    code: str
    stages: dict[str, list[float]]
    memory: float
    nodes: list[Node]
    parents: dict[str, list[str]]
    copy: float
    gigabytes: float


def quiet(_: str) -> None:
    """Say nothing."""


def settings_of(folder: Path) -> Settings:
    return Settings(_env_file=None, data=folder, settle_seconds=0.0)  # type: ignore[call-arg]


def cpu_seconds() -> float:
    """CPU seconds of this process so far, of all threads."""
    spent = os.times()
    return spent.user + spent.system


@contextmanager
def timed(stages: dict[str, list[float]], name: str) -> Iterator[None]:
    """Wall and CPU seconds of a stage."""
    before, cpu = time.perf_counter(), cpu_seconds()
    yield
    stages[name] = [time.perf_counter() - before, cpu_seconds() - cpu]


def memory_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def clocked(function: Callable[..., None], seconds: list[float]) -> Callable[..., None]:
    """The function, which also notes how long it took."""

    def run(*arguments: Any) -> None:
        before = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - before)

    return run


def watch_dbt(nodes: list[Node], statements: list[tuple[str, str]], before_build: Callable[[], None]) -> None:
    """Have dbt note in this process which nodes it runs, and with which statements it writes each model."""
    from dbt.cli import main as dbt_main

    from warehouse.build import dbt

    # Code of an earlier commit may hear them all.
    if hasattr(dbt, "HEARD"):
        dbt.HEARD |= {"NodeStart", "SQLQuery"}
    cpu: dict[str, float] = {}

    def note(event: Any) -> None:
        # Nodes run one by one, so what the process spends between start and end is the node's.
        if event.info.name == "NodeStart":
            cpu[event.data.node_info.unique_id] = -cpu_seconds()
        elif event.info.name == "NodeFinished":
            cpu[event.data.node_info.unique_id] += cpu_seconds()
        elif event.info.name == "SQLQuery":
            unique_id, sql = event.data.node_info.unique_id, event.data.sql
            # dbt puts a comment of its own before each statement.
            sql = (sql.partition("*/")[2] if sql.startswith("/*") else sql).strip()
            if unique_id.startswith("model.") and not sql.lower().startswith(READS):
                statements.append((unique_id.rpartition(".")[2], sql))

    class WatchedRunner(dbt_main.dbtRunner):  # type: ignore[misc]
        def __init__(self, manifest: Any = None, callbacks: Any = None) -> None:
            super().__init__(manifest, [*(callbacks or []), note])

        def invoke(self, args: list[str], **given: Any) -> Any:
            if args[0] == "build":
                before_build()
            result = super().invoke(args, **given)
            for row in getattr(result.result, "results", []) if args[0] == "build" else []:
                node, kind = row.node, str(row.node.resource_type)
                of = (getattr(node, "attached_node", None) or node.name).rpartition(".")[2]
                seconds = [row.execution_time, cpu[node.unique_id]]
                nodes.append({"name": node.name, "kind": kind, "of": of, "seconds": seconds})
            return result

    dbt_main.dbtRunner = WatchedRunner


def watch_tests(nodes: list[Node], project: "Manifest") -> None:
    """Note the data tests that a night runs by itself. In code of an earlier commit dbt runs them, as nodes."""
    try:
        from warehouse.build import data_tests
    except ImportError:
        return
    of = {node.name: node.attached_node or node.name for node in project.nodes.values() if node.resource_type == "test"}
    run_test, spent = data_tests.run_test, dict[str, list[float]]()

    def noted(connection: Any, test: Any) -> Any:
        with timed(spent, test.name):
            found = run_test(connection, test)
        of_model = of[test.name].rpartition(".")[2]
        nodes.append({"name": test.name, "kind": "test", "of": of_model, "seconds": spent[test.name]})
        return found

    data_tests.run_test = noted


def parents_of(project: "Manifest") -> dict[str, list[str]]:
    """The models that each model reads."""
    return {
        node.name: [parent.rpartition(".")[2] for parent in node.depends_on.nodes if parent.startswith("model.")]
        for node in project.nodes.values()
        if node.resource_type == "model"
    }


def run_night(folder: Path, day: date, run_id: str, first: date | None = None, keep: Path | None = None) -> Result:
    """One night in this process, or a rebuild from `first` on; start-up stands apart.

    Args:
        keep: folder for copies of both private databases as dbt finds them, and for the statements that it writes with.
    """
    stages: dict[str, list[float]] = {}
    nodes: list[Node] = []
    statements: list[tuple[str, str]] = []
    kept: dict[str, list[float]] = {"databases": [0.0, 0.0]}
    settings = settings_of(folder)

    def keep_databases() -> None:
        if keep:
            with timed(kept, "databases"):
                keep.mkdir(parents=True)
                for file in (settings.build_db, settings.marts_db):
                    shutil.copy2(file, keep)

    with timed(stages, "start-up"):
        import great_expectations  # noqa: F401

        from expectations.run import check_landing
        from ingestion import landing
        from ingestion.lease import hold
        from warehouse import plan
        from warehouse.build import dbt, manifest
        from warehouse.build import run as build
        from warehouse.pipeline import check_built
        from warehouse.release import publish

        watch_dbt(nodes, statements, keep_databases)
        with dbt.dbt_environment(settings):
            project = manifest.parse(settings)
        watch_tests(nodes, project)
        manifest.parse = lambda settings, target=None: project
    asked = plan.resolve(settings, first, day)[0] if first else None
    with hold(settings, run_id, "bench", quiet) as held:
        with timed(stages, "land"):
            landing.land_files(settings, run_id, quiet)
        with timed(stages, "check landing"):
            check_landing(settings, run_id, day, quiet)
        with timed(stages, "build"):
            build.build_marts(settings, run_id, day, held, quiet, asked)
        stages["build"] = [whole - keeping for whole, keeping in zip(stages["build"], kept["databases"], strict=True)]
        with timed(stages, "check marts"):
            check_built(settings, run_id, day, held, quiet)
        copied: list[float] = []
        for name in ("_copy_database", "_refuse_damaged"):
            setattr(publish, name, clocked(getattr(publish, name), copied))
        with timed(stages, "publish"):
            publish.publish_release(settings, run_id, held, quiet)
    if keep:
        (keep / STATEMENTS).write_text(json.dumps(statements))
    return {
        "code": str(PROJECT_DIR),
        "stages": stages,
        "memory": memory_gib(),
        "nodes": nodes,
        "parents": parents_of(project),
        "copy": sum(copied),
        "gigabytes": settings.marts_db.stat().st_size / 1e9,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of data")
    parser.add_argument("--day", type=date.fromisoformat, required=True)
    parser.add_argument("--first", type=date.fromisoformat, help="rebuild from this day on")
    parser.add_argument("--keep", type=Path, help="keep what dbt started from, and what it wrote with, in this folder")
    given = parser.parse_args()
    run_id = f"bench {'rebuild' if given.first else 'night'} {given.day}"
    print(json.dumps(run_night(given.folder, given.day, run_id, given.first, given.keep)))


if __name__ == "__main__":
    main()
