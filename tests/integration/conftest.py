"""Worlds that several tests look at."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from ingestion import sample
from ingestion.config import PROJECT_DIR, Settings
from tests.conftest import made_once

if TYPE_CHECKING:
    from . import forks

SAMPLE = PROJECT_DIR / "sample" / "landing" / "account_snapshots" / "vtuber"
OPERATIONAL = ("fct_landed_file", "fct_quality_result", "fct_publication")


@dataclass(frozen=True)
class Night:
    """What a run of the real DAG left behind."""

    settings: Settings
    code: int
    printed: str


def run_dag(data: Path, *arguments: str) -> Night:
    """Run the real DAG once as `make nightly` does."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GROUNDSWELL_", "AIRFLOW", "SLURM"))}
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.cli", "nightly", *arguments],
        env={
            **environment,
            "GROUNDSWELL_DATA": str(data),
            "GROUNDSWELL_CONFIG": os.environ["GROUNDSWELL_CONFIG"],
        },
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    return Night(make_settings(data), done.returncode, done.stdout + done.stderr)


def copy_night(night: Night, folder: Path) -> Settings:
    """What a run left behind, free to go on from: Airflow's own file names its database by its whole path."""
    data = folder / "data"
    shutil.copytree(night.settings.data, data, symlinks=True)
    configuration = data / "airflow" / "airflow.cfg"
    configuration.write_text(configuration.read_text().replace(str(night.settings.data), str(data)))
    return make_settings(data)


def make_settings(data: Path) -> Settings:
    return Settings(_env_file=None, data=data, settle_seconds=0.0, lease_wait_seconds=10.0)  # type: ignore[call-arg]


def deliver(settings: Settings, *names: str) -> None:
    """Copy files of the sample into landing."""
    folder = settings.landing / "account_snapshots" / "vtuber"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy2(SAMPLE / name, folder / name)


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published marts as a BI tool opens them."""
    connection = duckdb.connect(str(settings.published / "groundswell.duckdb"), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def content(settings: Settings) -> dict[str, tuple[int, str]]:
    """Rows and content hash of each mart of the latest release, the operational ones left out.

    Hashed here over the marts themselves, not read from fct_publication.
    """
    with reading(settings) as marts:
        names = [
            row[0]
            for row in marts.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        ]
        return {
            name: marts.execute(f"select count(*), cast(sum(hash(t)) as varchar) from marts.{name} t").fetchone()  # type: ignore[misc]
            for name in sorted(names)
            if name not in OPERATIONAL
        }


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The sample of real mess through the real DAG, once for all processes. Copy it before a change."""

    def make(folder: Path) -> Night:
        sample.copy_if_empty(make_settings(folder / "data"), "vtuber")
        return run_dag(folder / "data")

    night: Night = made_once(tmp_path_factory, "sample_night", make)
    return night


@pytest.fixture(scope="session")
def world_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The first night of an empty folder, which takes the sample world, once for all processes."""
    night: Night = made_once(tmp_path_factory, "world_night", lambda folder: run_dag(folder / "data"))
    return night


@pytest.fixture(scope="session")
def days() -> list[str]:
    """Names of the sample's files in the order of their days."""
    return sorted(path.name for path in SAMPLE.glob("*.csv.gz"))


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., Settings]:
    """Make an empty warehouse with some of the sample's files delivered."""

    def make(name: str, *files: str) -> Settings:
        settings = make_settings(tmp_path / name)
        deliver(settings, *files)
        return settings

    return make


@pytest.fixture(scope="module")
def one_parse() -> Iterator[None]:
    """dbt's project is read once for all the nights of a file of tests."""
    from . import small

    with small.read_once():
        yield


@contextmanager
def nights_that_know(parse: Callable[[Settings], Any], trust: bool = False) -> Iterator[None]:
    """Nights that know the nodes of this reading alone, and are checked for trust or not; dbt writes no log of them."""
    from . import night, small

    with small.read_once(parse), pytest.MonkeyPatch.context() as patched:
        patched.setattr(night.dbt, "dbt_arguments", night.without_log())
        if not trust:
            night.check_no_trust(patched)
        yield


@pytest.fixture(scope="module")
def accounts_alone() -> Iterator[None]:
    """The nights of a file of tests whose worlds hold snapshots alone know no model of another feed."""
    from . import small

    with nights_that_know(small.read_accounts, trust=True):
        yield


@pytest.fixture(scope="module")
def tiers_alone() -> Iterator[None]:
    """The nights of a file of tests of how nights end know daily counts and tiers, and no other mart."""
    from . import small

    with nights_that_know(small.read_tiers):
        yield


@pytest.fixture(scope="module")
def money_alone() -> Iterator[None]:
    """The nights of a file of tests of money know what a campaign cost and returned, counts and tiers."""
    from . import small

    with nights_that_know(small.read_marts(*small.OF_TIERS, *small.OF_MONEY)):
        yield


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[forks.Forks]":
    """Processes that can be killed, forked from one that has read dbt's project."""
    from . import forks

    with forks.open_forks(tmp_path_factory.mktemp("forks")) as opened:
        yield opened
