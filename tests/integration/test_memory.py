"""Memory follows the planned day, not how many days are planned."""

import os
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from ingestion.config import PROJECT_DIR, Settings

from .conftest import make_settings
from .peak import MODEL
from .small import FIRST

DAYS = 60
# Of 5,000,000 followers one is 5,000 nanos: the longest sequence that is drawn, whatever the number of accounts.
TIERS = {"nano": 1_000, "micro": 20_000, "macro": 200_000, "mega": 5_000_000}
MEMORY_GIB = 1.0
# Python, dbt and what a pass of seven days takes, 0.4 GiB (2026-11-29), with room; all days at once take 0.64.
PEAK_GIB = 0.5


class Built(NamedTuple):
    """A build in a process of its own: what it made, and the most memory that it took, in GiB."""

    settings: Settings
    peak: float


def build(folder: Path, way: str, memory_gib: float) -> Built:
    """Land and build 60 days of 35 accounts a tier."""
    settings = make_settings(folder)
    last = FIRST + timedelta(days=DAYS - 1)
    (settings.landing / "account_snapshots").mkdir(parents=True)
    rows = ["platform,account_id,captured_at,followers"]
    rows += [
        f"youtube,{tier}{number},{FIRST + timedelta(days=day)}T03:00:00Z,{least + number}"
        for day in range(DAYS)
        for tier, least in TIERS.items()
        for number in range(35)
    ]
    (settings.landing / "account_snapshots" / "all.csv").write_text("\n".join(rows) + "\n")
    command = [sys.executable, "-m", "tests.integration.peak", str(folder), str(last), str(memory_gib), way]
    # As many threads as on the machine on which the bounds were measured.
    environment = os.environ | {"SLURM_CPUS_ON_NODE": "2"}
    done = subprocess.run(command, env=environment, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return Built(settings, float(done.stdout.splitlines()[-1]))


def rows_of(built: Built) -> list[tuple[object, ...]]:
    with closing(duckdb.connect(str(built.settings.build_db), read_only=True)) as connection:
        return connection.execute(f"from intermediate.{MODEL} order by all").fetchall()


def passes_of(built: Built, model: str) -> list[int]:
    """Days of each pass of a model."""
    with closing(duckdb.connect(str(built.settings.build_db), read_only=True)) as connection:
        query = "select count(*) from meta.plan where model = ? group by pass_number order by pass_number"
        return [days for (days,) in connection.execute(query, [model]).fetchall()]


@pytest.fixture(scope="module")
def in_passes(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("in_passes"), "passes", MEMORY_GIB)


def test_a_build_of_many_days_takes_no_more_memory_than_it_may(in_passes: Built) -> None:
    assert in_passes.peak < PEAK_GIB
    assert passes_of(in_passes, MODEL) == [7] * 8 + [4]
    # Small days: what a day costs follows its rows, and 60 of them are one pass.
    assert passes_of(in_passes, "int_snapshot__account_days_deduplicated") == [DAYS]


def test_all_days_at_once_would_take_more(in_passes: Built, tmp_path: Path) -> None:
    """The negative: the same rows of one pass, for the price of all its days."""
    at_once = build(tmp_path, "at_once", 10.0)
    assert passes_of(at_once, MODEL) == [DAYS]
    assert at_once.peak > PEAK_GIB
    assert rows_of(at_once) == rows_of(in_passes) != []
