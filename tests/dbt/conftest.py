"""Warehouses that several tests look at, and dbt run against them as its command line does."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import landing, raw
from ingestion.config import Settings
from ingestion.lease import hold
from tests.conftest import CANONICAL_HEADER, made_once
from tests.dbt.commerce import MONEY, Compiled, World
from tests.integration import small
from warehouse.build import dbt
from warehouse.build import run as build
from warehouse.release import publish

DAY = date(2026, 1, 6)


@dataclass(frozen=True)
class Warehouse:
    """Settings of a warehouse, and a folder of its own for what dbt writes."""

    settings: Settings
    artifacts: Path

    def dbt(self, *command: str, project: Path = dbt.DBT_PROJECT) -> "DbtRun":
        """Run dbt on the build database in this process, as its command line does; the repository stays as it is."""
        from dbt.adapters.factory import reset_adapters
        from dbt.cli.main import dbtRunner

        results = self.artifacts / "run_results.json"
        results.unlink(missing_ok=True)
        said: list[str] = []
        # One that writes what it has read must read it; others go on from the reading of this process.
        reads = project != dbt.DBT_PROJECT or command[0] == "parse"
        with dbt.dbt_environment(self.settings):
            done = dbtRunner(
                manifest=None if reads else small.read_project(self.settings),
                callbacks=[lambda event: said.append(event.info.msg)],
            ).invoke(
                [
                    *command, "--project-dir", str(project), "--profiles-dir", str(project), "--target-path",
                    str(self.artifacts), "--log-path", str(self.artifacts / "logs"), "--log-level", "none",
                    "--log-level-file", "none", "--no-use-colors", "--no-version-check",
                ]
            )  # fmt: skip
            dbt.close_dbt()
        reset_adapters()
        rows = json.loads(results.read_text())["results"] if results.exists() else []
        said += [str(done.exception)] if done.exception else []
        return DbtRun(0 if done.success else 1, "\n".join(said), {row["unique_id"]: row for row in rows})

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The build database with the marts beside it, as dbt sees them. The caller closes it."""
        connection = duckdb.connect(str(self.settings.build_db))
        connection.execute(f"attach '{self.settings.marts_db}' as groundswell")
        return connection

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the private databases."""
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def build(self, run_id: str) -> build.Built:
        """Build the marts as the nightly does."""
        with small.read_once(), hold(self.settings, run_id, "test", _quiet) as lease:
            return build.build_marts(self.settings, run_id, DAY, lease, _quiet)

    def copy(self, folder: Path) -> "Warehouse":
        """A second warehouse with the same content, free to break."""
        shutil.copytree(self.settings.data, folder / "data", symlinks=True)
        settings = self.settings.model_copy(update={"data": folder / "data"})
        return replace(self, settings=settings, artifacts=folder / "dbt")


@dataclass(frozen=True)
class DbtRun:
    """What a run of dbt printed and left in run_results.json, by the node's unique_id."""

    code: int
    printed: str
    results: dict[str, dict[str, Any]]

    def of_status(self, *status: str) -> set[str]:
        """Last part of the unique_id of each node that ended so: a unit test's is its own name."""
        return {name.rpartition(".")[2] for name, row in self.results.items() if row["status"] in status}


def _quiet(_: str) -> None:
    """Say nothing."""


def _shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Warehouse]) -> Warehouse:
    """A copy, for this process, of a warehouse that is made once for all processes."""
    warehouse: Warehouse = made_once(factory, name, make)
    return warehouse.copy(factory.mktemp(name))


def _make(folder: Path) -> Warehouse:
    settings = Settings(_env_file=None, data=folder / "data", settle_seconds=0.0, lease_wait_seconds=5.0)  # type: ignore[call-arg]
    return Warehouse(settings, folder / "dbt")


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse in which nothing was ever landed, built once."""

    def make(folder: Path) -> Warehouse:
        warehouse = _make(folder)
        raw.write_empty_schemas(warehouse.settings)
        assert warehouse.build("empty").status == "built"
        return warehouse

    return _shared(tmp_path_factory, "empty", make)


@pytest.fixture(scope="session")
def manifest(empty: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """dbt's manifest of the project."""

    def parse(folder: Path) -> dict[str, Any]:
        parsed = replace(empty, artifacts=folder).dbt("parse")
        assert parsed.code == 0, parsed.printed
        content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        return content

    content: dict[str, Any] = made_once(tmp_path_factory, "manifest", parse)
    return content


@pytest.fixture(scope="session")
def compiled(empty: Warehouse, manifest: dict[str, Any]) -> Compiled:
    """The commerce models as SQL, to be run on worlds in memory."""
    return Compiled(manifest, dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models")


@pytest.fixture(scope="module")
def world(compiled: Compiled) -> World:
    """A warehouse of money in memory, which the tests of a file build anew with rows of their own."""
    return World(compiled)


@pytest.fixture(scope="session")
def compiled_social(empty: Warehouse, manifest: dict[str, Any]) -> Compiled:
    """The commerce models and those of contests, hashtags, mentions and live sessions, for worlds in memory."""
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    return Compiled(manifest, folder, (*MONEY, "social"))


@pytest.fixture(scope="session")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Two accounts on 4, 5 and 6 January 2026, a file a day, built and published once. Copy it before a change."""

    def make(place: Path) -> Warehouse:
        warehouse = _make(place)
        folder = warehouse.settings.landing / "account_snapshots"
        folder.mkdir(parents=True)
        for day, (first, second) in {4: (1000, 50), 5: (1100, 50), 6: (1300, 40)}.items():
            rows = [
                f"youtube,{name},2026-01-0{day}T03:00:00Z,{followers},,,,,,,,,"
                for name, followers in (("a", first), ("b", second))
            ]
            (folder / f"day{day}.csv").write_text("\n".join([CANONICAL_HEADER, *rows]) + "\n")
        landed = landing.land_files(warehouse.settings, "first", _quiet)
        assert landed.rows_accepted == 6
        assert warehouse.build("first").status == "built"
        with hold(warehouse.settings, "first", "test", _quiet) as lease:
            publish.publish_release(warehouse.settings, "first", lease, _quiet)
        return warehouse

    return _shared(tmp_path_factory, "three_days", make)


@pytest.fixture(scope="session")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The world of docs/money-by-hand.md, landed and built. Copy it before a change."""
    from tests.dbt.money import BY_HAND, LAST_DAY, land_and_build

    return _shared(tmp_path_factory, "by_hand", lambda folder: land_and_build(folder, BY_HAND, LAST_DAY))


@pytest.fixture
def broken_project(tmp_path: Path) -> Callable[..., Path]:
    """Make a copy of the dbt project with some texts replaced: (file, old, new) each. Every old text must be there."""

    def make(*edits: tuple[str, str, str]) -> Path:
        project = tmp_path / "dbt_project"
        shutil.copytree(dbt.DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
        for file, old, new in edits:
            text = (project / file).read_text()
            assert old in text, f"{file} no longer holds {old!r}: adjust the test"
            (project / file).write_text(text.replace(old, new))
        return project

    return make
