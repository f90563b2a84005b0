"""`make test-spark`: the same models on Spark and on DuckDB, every mart row by row, value by value.

Opt-in, since it installs 0.5 GB and needs Java: pytest collects this file only where it is named. GROUNDSWELL_SPARK_HOME
names a Spark that is installed already.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from rich.table import Table

from ingestion import landing, sample
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError
from ingestion.lease import hold
from tests.integration import night
from tests.integration.conftest import OPERATIONAL
from warehouse import plan
from warehouse.build import run as build
from warehouse.release import publish

# Engines add doubles in an order of their own: marts say nine digits of them.
DIGITS = 9
VTUBER = PROJECT_DIR / "sample" / "landing" / "account_snapshots" / "vtuber"

pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17 or 21, which is not here")


@dataclass(frozen=True)
class Server:
    """A Thrift server with a master and two workers, whose tables lie under `data`."""

    data: Path
    master_port: int
    port: int

    def call(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "warehouse.cli", "spark", command, *options],
            env=os.environ | {"GROUNDSWELL_DATA": str(self.data), "GROUNDSWELL_SPARK_PORT": str(self.port)},
            cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def settings(self, data: Path) -> Settings:
        """Of a folder whose marts this server builds."""
        return engine_of(data, engine=f"spark://127.0.0.1:{self.master_port}", spark_port=self.port)


def engine_of(data: Path, **others: object) -> Settings:
    return Settings(_env_file=None, data=data, settle_seconds=0.0, **others)  # type: ignore[call-arg, arg-type]


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("spark"), free_port(), free_port())
    started = made.call("start", "--master-port", str(made.master_port))
    assert started.returncode == 0, started.stdout + started.stderr
    yield made
    made.call("stop")


def compared(of_spark: Settings, of_duckdb: Settings) -> list[tuple[str, int, str]]:
    """Each mart with its rows and how both releases of it compare; `equal` is every row, value by value."""
    found = []
    with closing(duckdb.connect()) as both:
        for name, settings in (("spark", of_spark), ("duckdb", of_duckdb)):
            both.execute(f"attach '{settings.published / 'groundswell.duckdb'}' as {name} (read_only)")
        listed = "select table_name from duckdb_tables() where database_name = ? and schema_name = 'marts' order by 1"
        names = {
            engine: {row[0] for row in both.execute(listed, [engine]).fetchall()} for engine in ("spark", "duckdb")
        }
        for mart in sorted((names["spark"] | names["duckdb"]) - set(OPERATIONAL)):
            if mart not in names["spark"] & names["duckdb"]:
                found.append((mart, 0, "on one engine alone"))
                continue
            columns = {
                engine: {row[0]: row[1] for row in both.execute(f"describe {engine}.marts.{mart}").fetchall()}
                for engine in ("spark", "duckdb")
            }
            if columns["spark"] != columns["duckdb"]:
                found.append((mart, 0, "other columns"))
                continue
            shown = ", ".join(said(column, kind) for column, kind in columns["duckdb"].items())
            rows, more, less, exact = both.execute(f"""
                with spark as materialized (select {shown} from spark.marts.{mart}),
                duckdb as materialized (select {shown} from duckdb.marts.{mart})
                select (select count(*) from duckdb), (select count(*) from (from spark except all from duckdb)),
                    (select count(*) from (from duckdb except all from spark)),
                    (select count(*) from (from spark.marts.{mart} except all from duckdb.marts.{mart}))
            """).fetchone()  # type: ignore[misc]
            verdict = "equal" if not more and not less else f"{more} rows more, {less} less"
            found.append((mart, rows, f"equal to {DIGITS} digits" if verdict == "equal" and exact else verdict))
    return found


def said(column: str, kind: str) -> str:
    """A column as it is compared: doubles to so many significant digits."""
    if kind != "DOUBLE":
        return f'"{column}"'
    power = f'cast({DIGITS - 1} - floor(log10(abs("{column}"))) as integer)'
    return f'case when "{column}" = 0 then 0.0 else round("{column}", {power}) end as "{column}"'


def held_equal(title: str, of_spark: Settings, of_duckdb: Settings) -> None:
    """Print the table of all marts, and require that each is equal."""
    found = compared(of_spark, of_duckdb)
    table = Table(title=title)
    for heading in ("mart", "rows", "compared"):
        table.add_column(heading, justify="right" if heading == "rows" else "left")
    for mart, rows, verdict in found:
        table.add_row(mart, f"{rows:,}", verdict)
    Console(width=100).print(table)
    assert found
    assert not [row for row in found if not row[2].startswith("equal")]


def both_nights(worlds: tuple[Settings, Settings], run_id: str, day: date) -> None:
    for settings in worlds:
        night.run(settings, run_id, day)


def deliver(worlds: tuple[Settings, Settings], names: list[str]) -> None:
    for settings in worlds:
        folder = settings.landing / "account_snapshots" / "vtuber"
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(VTUBER / name, folder / name)


def test_the_sample_world_is_equal(server: Server, tmp_path: Path) -> None:
    worlds = (server.settings(tmp_path / "spark"), engine_of(tmp_path / "duckdb"))
    for settings in worlds:
        sample.copy_if_empty(settings)
    both_nights(worlds, "first", date(2023, 10, 31))
    held_equal("the sample world, first night", *worlds)


@pytest.fixture(scope="module")
def days() -> list[str]:
    return sorted(path.name for path in VTUBER.glob("*.csv.gz"))


@pytest.fixture(scope="module")
def vtuber(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    home = tmp_path_factory.mktemp("vtuber")
    return server.settings(home / "spark"), engine_of(home / "duckdb")


def day_of(name: str) -> date:
    return date.fromisoformat(name.split("_")[1])


def test_nights_late_files_and_backfills_are_equal(
    server: Server, vtuber: tuple[Settings, Settings], days: list[str]
) -> None:
    late, second = days[-4], days[-1]
    deliver(vtuber, [name for name in days if name not in (late, second)])
    both_nights(vtuber, "first", day_of(days[-2]))
    held_equal("first night", *vtuber)
    deliver(vtuber, [second])
    both_nights(vtuber, "second", day_of(second))
    held_equal("second night", *vtuber)
    deliver(vtuber, [late])
    both_nights(vtuber, "late", day_of(second))
    held_equal("late file", *vtuber)
    for settings in vtuber:
        asked = plan.resolve(settings, day_of(days[-6]), day_of(days[-3]))[0]
        with hold(settings, "backfill", "build_marts", night.quiet) as lease:
            build.build_marts(settings, "backfill", day_of(second), lease, night.quiet, asked)
        with hold(settings, "backfill", "publish_release", night.quiet) as lease:
            publish.publish_release(settings, "backfill", lease, night.quiet)
    held_equal("backfill", *vtuber)


def test_a_raw_file_that_is_gone_stops_the_run(
    server: Server, vtuber: tuple[Settings, Settings], days: list[str], tmp_path: Path
) -> None:
    settings = server.settings(tmp_path / "gone")
    deliver((settings, settings), days[:2])
    with hold(settings, "land", "land_files", night.quiet):
        landing.land_files(settings, "land", night.quiet)
    gone = next((settings.raw / "account_snapshots").rglob("[!_]*.parquet"))
    gone.unlink()
    with pytest.raises(ContractError, match=gone.name), hold(settings, "land", "build_marts", night.quiet) as lease:
        build.build_marts(settings, "land", day_of(days[1]), lease, night.quiet)
    assert not (settings.published / "groundswell.duckdb").exists()


def test_no_server_is_said_and_the_last_release_stands(tmp_path: Path, days: list[str]) -> None:
    settings = engine_of(tmp_path / "none", engine="spark://127.0.0.1:1", spark_port=free_port())
    deliver((settings, settings), days[:1])
    with pytest.raises(ContractError, match="groundswell spark start"):
        night.run(settings, "first", day_of(days[0]))
