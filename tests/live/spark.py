"""`make test-spark`: the same models on Spark and on DuckDB, every mart row by row, value by value.

Opt-in, since it installs 0.5 GB and needs Java: pytest collects this file only where it is named. GROUNDSWELL_SPARK_HOME
names a Spark that is installed already.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console
from rich.table import Table

from ingestion import landing, sample
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError
from ingestion.lease import hold
from tests.integration import courses, night, small, test_posts_known, two_days
from tests.integration.conftest import OPERATIONAL
from warehouse import plan
from warehouse.build import known_models, manifest, spark
from warehouse.build import run as build
from warehouse.release import publish

SPILL_BYTES = 256 << 20
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

    @property
    def spill(self) -> Path:
        """Where the first worker spills, on a disk of its own where root may mount one."""
        return self.data / "build" / "spark" / "local" / "worker-1"


def engine_of(data: Path, **others: object) -> Settings:
    return Settings(_env_file=None, data=data, settle_seconds=0.0, **others)  # type: ignore[call-arg, arg-type]


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("spark"), free_port(), free_port())
    made.spill.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SPILL_BYTES}", "tmpfs", str(made.spill)]
    mounted = os.geteuid() == 0 and not subprocess.run(mount, check=False).returncode
    started = made.call("start", "--master-port", str(made.master_port))
    assert started.returncode == 0, started.stdout + started.stderr
    yield made
    made.call("stop")
    if mounted:
        subprocess.run(["umount", "-l", str(made.spill)], check=True)


def compared(of_spark: Settings, of_duckdb: Settings) -> list[tuple[str, int, str]]:
    """Each mart with its rows and how both releases of it compare; `equal` is every row, value by value, to the bit."""
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
            shown = ", ".join(f'"{column}"' for column in columns["duckdb"])
            there, here = (f"(select {shown} from {engine}.marts.{mart})" for engine in ("spark", "duckdb"))
            rows, more, less = both.execute(f"""
                select (select count(*) from {here}), (select count(*) from ({there} except all {here})),
                    (select count(*) from ({here} except all {there}))
            """).fetchone()  # type: ignore[misc]
            found.append((mart, rows, "equal" if not more and not less else f"{more} rows more, {less} less"))
    return found


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
    assert not [row for row in found if row[2] != "equal"]


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


def test_posts_that_are_renewed_on_duckdb_are_made_whole_on_spark(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nights, and a rejected file: DuckDB goes on from what stands, Spark reads all days."""
    know(monkeypatch, "fct_post", "fct_post_daily", "fct_publication")
    worlds = (server.settings(tmp_path / "spark"), engine_of(tmp_path / "duckdb"))
    begun = 1
    for last in (12, 19, 20, test_posts_known.DAYS):
        for settings in worlds:
            for day in range(begun, last + 1):
                test_posts_known.deliver(settings, day)
        begun = last + 1
        both_nights(worlds, f"night {last}", small.day(last))
    held_equal("posts, night by night", *worlds)
    for settings in worlds:
        courses.reject(settings, f"posts_{small.day(18)}")
    both_nights(worlds, "without", small.day(test_posts_known.DAYS))
    held_equal("posts, a file rejected", *worlds)


# --- what goes wrong, on a small world of counts and tiers


def know(monkeypatch: pytest.MonkeyPatch, *marts: str) -> None:
    """Have nights know these marts alone, and what they are made of."""

    def parse(settings: Settings, target: str | None = None) -> Any:
        project = small.really_parse(settings, target)
        manifest.leave_out(project, small.AllBut(marts)(project))
        return project

    monkeypatch.setattr(manifest, "parse", parse)
    monkeypatch.setattr(known_models, "load", lambda *_: None)


@pytest.fixture
def small_worlds(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Settings]:
    """Two days that are published on both engines, and files of a third."""
    know(monkeypatch, *small.OF_TIERS)
    worlds = (server.settings(tmp_path / "spark"), engine_of(tmp_path / "duckdb"))
    for settings in worlds:
        two_days.first_files(settings)
    both_nights(worlds, "first", small.day(2))
    for settings in worlds:
        two_days.later_files(settings)
    return worlds


@contextmanager
def once_spark_writes(server: Server, act: Callable[[], None]) -> Iterator[None]:
    """Have something done as soon as the build that runs meanwhile has written a part."""
    begun, ended = time.time(), threading.Event()
    acted: list[bool] = []

    def watch() -> None:
        while not ended.wait(0.1):
            parts = (server.data / "build" / "spark" / "warehouse").rglob("*.parquet")
            if any(part.stat().st_mtime > begun for part in parts):
                act()
                acted.append(True)
                return

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()
    assert acted


def test_a_worker_killed_in_the_middle_is_survived(server: Server, small_worlds: tuple[Settings, Settings]) -> None:
    worker = json.loads((server.data / "state" / "spark" / "worker-2.pid").read_text())
    with once_spark_writes(server, lambda: os.killpg(worker["pid"], signal.SIGKILL)):
        night.run(small_worlds[0], "killed", small.day(3))
    night.run(small_worlds[1], "killed", small.day(3))
    held_equal("a worker killed in the middle", *small_worlds)
    again = server.call("start", "--master-port", str(server.master_port))
    assert "worker-2" in again.stdout, again.stdout + again.stderr


def test_a_full_disk_of_a_worker_fails_in_words_and_the_next_run_completes(
    server: Server, small_worlds: tuple[Settings, Settings]
) -> None:
    if not server.spill.is_mount():
        pytest.skip("a disk of its own for a worker needs root and mount")
    latest = small_worlds[0].published / "latest"
    before, ballast = latest.readlink(), server.spill / "ballast"
    with ballast.open("wb") as target, suppress(OSError):
        while target.write(bytes(1 << 20)):
            target.flush()
    try:
        with pytest.raises(ContractError, match="nothing is published") as raised:
            night.run(small_worlds[0], "full", small.day(3))
    finally:
        ballast.unlink()
    assert "No space left on device" in str(raised.value)
    assert latest.readlink() == before
    both_nights(small_worlds, "next", small.day(3))
    held_equal("after a full disk", *small_worlds)


def test_a_column_that_a_later_file_brings(small_worlds: tuple[Settings, Settings]) -> None:
    """Its parts on Spark hold other columns than those of the days before."""
    for settings in small_worlds:
        file = settings.landing / "account_snapshots" / "more_2026-01-05.csv"
        file.write_text(
            "platform,account_id,captured_at,followers,country,niche\nyoutube,a,2026-01-04T03:00:00Z,1400,JP,gaming\n"
        )
    both_nights(small_worlds, "more", small.day(4))
    held_equal("a column more", *small_worlds)


def test_a_table_that_somebody_dropped_has_all_built_anew(
    server: Server, small_worlds: tuple[Settings, Settings]
) -> None:
    with spark.connected(small_worlds[0]) as cursor:
        cursor.execute("drop table marts.fct_account_daily")
    said: list[str] = []
    night.run(small_worlds[0], "dropped", small.day(3), said.append)
    assert "what Spark holds is not of the last build: all is built from raw" in said
    night.run(small_worlds[1], "dropped", small.day(3))
    held_equal("a table dropped by hand", *small_worlds)
