"""Run dbt in this process on the private build database."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


DBT_PROJECT = PROJECT_DIR / "dbt_project"
BUILT_TYPES = ("model", "seed")
LEFT_ALONE = "left_alone"
# The event of dbt with which a node ends.
FINISHED = "NodeFinished"
# Names of events that are told of though dbt shows them to debug itself alone; a benchmark adds what it counts by.
HEARD = {FINISHED}


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """What `profiles.yml` reads, for the time of one build."""
    wanted = {
        "GROUNDSWELL_BUILD_DB": str(settings.build_db),
        "GROUNDSWELL_MARTS_DB": str(settings.marts_db),
        "GROUNDSWELL_MEMORY_LIMIT": settings.memory_limit,
        "GROUNDSWELL_SPARK_HOST": settings.spark_host,
        "GROUNDSWELL_SPARK_PORT": str(settings.spark_port),
    }
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.__setitem__(key, value)


def target_path(settings: Settings, target: str | None = None) -> Path:
    """Where dbt writes its artifacts, for another target than the usual one in a folder of its own."""
    return settings.data / "build" / (f"dbt_{target}" if target else "dbt")


def dbt_arguments(settings: Settings, *command: str, target: str | None = None) -> list[str]:
    folder = str(DBT_PROJECT)
    artifacts = target_path(settings, target)
    chosen = ["--target", target] if target else []
    return [
        *command, *chosen, "--project-dir", folder, "--profiles-dir", folder, "--target-path", str(artifacts),
        "--log-path", str(artifacts / "logs"), "--log-level-file", "info", "--log-level", "none", "--no-use-colors",
        "--no-version-check", "--no-write-json",
    ]  # fmt: skip


@contextmanager
def _shown_events_alone() -> Iterator[None]:
    """Have dbt make no message of what it would show to debug itself, which nobody reads: an eighth of a night's nodes.

    Those of `HEARD` are made: a node that has finished is counted.
    """
    from dbt_common.events import event_manager_client
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager

    class Shown(EventManager):
        def fire_event(self, e: Any, level: Any = None, *others: Any, **named: Any) -> None:
            if (level or e.level_tag()) != EventLevel.DEBUG or type(e).__name__ in HEARD:
                super().fire_event(e, level, *others, **named)

    before = event_manager_client.get_event_manager()
    event_manager_client.ctx_set_event_manager(Shown())
    try:
        yield
    finally:
        event_manager_client.ctx_set_event_manager(before)


def run_dbt(
    manifest: "Manifest",
    settings: Settings,
    on_node: Callable[[str], None],
    idle: Collection[str] = (),
    target: str | None = None,
) -> list[dict[str, Any]]:
    """Run `dbt build` (models and seeds) and close its connections; one dict per node.

    Args:
        manifest: of this run alone: nodes that are left alone are marked in it. It holds no tests.
        on_node: called with the name of each node that has ended.
        idle: unique ids of those of its nodes that are left alone.
        target: of `profiles.yml`, null for the usual one.
    """
    # One tag, for dbt looks through all nodes for each thing that it is told to exclude.
    for unique_id in idle:
        manifest.nodes[unique_id].tags.append(LEFT_ALONE)
    excluded = ["--exclude", f"tag:{LEFT_ALONE}"] if idle else []
    results = invoke(manifest, settings, "build", *excluded, target=target, on_node=on_node)
    for unique_id in idle:
        manifest.nodes[unique_id].tags.remove(LEFT_ALONE)
    return [
        row_of(result.node, str(result.status), _complaint(result.message or ""), result.execution_time)
        for result in results
        if result.node.resource_type in BUILT_TYPES
    ]


def row_of(node: Any, status: str, message: str = "", seconds: float = 0.0) -> dict[str, Any]:
    """What became of a model or seed."""
    return {
        "unique_id": node.unique_id,
        "name": node.name,
        "kind": str(node.resource_type),
        "status": status,
        "severity": "critical",
        "failures": None,
        "message": message,
        "seconds": seconds,
    }


def invoke(
    manifest: "Manifest",
    settings: Settings,
    *command: str,
    target: str | None = None,
    on_node: Callable[[str], None] = lambda _: None,
) -> list[Any]:
    """What dbt says of each node that a command runs; its connections are closed.

    Raises ContractError when it does not run.
    """
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    def tell(event: Any) -> None:
        if event.info.name == FINISHED:
            on_node(event.data.node_info.node_name)

    with _shown_events_alone():
        result = dbtRunner(manifest=manifest, callbacks=[tell]).invoke(dbt_arguments(settings, *command, target=target))
    close_dbt()
    reset_adapters()
    if result.result is None:
        raise ContractError(f"dbt did not run: {result.exception}")
    return list(result.result.results)


def _complaint(message: str) -> str:
    """Of dbt's message the line that names the model and the first of the database's complaint."""
    lines = [line.strip() for line in message.splitlines() if line.strip() != "Database Error"]
    return " ".join(lines[:2])


def close_dbt() -> None:
    """dbt-duckdb keeps its database open in the process; the checks of the same process need the file."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
