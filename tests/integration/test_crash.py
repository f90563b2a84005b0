"""Killed with SIGKILL at each boundary: the last release stays whole, the next run ends in the same marts."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings

from . import night
from .conftest import content, deliver, reading

DAY = date(2022, 7, 26)
SCRIPT = PROJECT_DIR / "tests" / "integration" / "night.py"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, days: list[str]) -> dict[str, tuple[int, str]]:
    """Marts of a world in which nothing was ever killed."""
    from .conftest import make_settings

    settings = make_settings(tmp_path_factory.mktemp("untouched"))
    deliver(settings, *days[:6])
    night.run(settings, "all", DAY)
    return content(settings)


@pytest.mark.parametrize("kill", list(night.KILLS))
def test_killed_then_run_again(
    kill: str, world: Callable[..., Settings], days: list[str], untouched: dict[str, tuple[int, str]]
) -> None:
    settings = world("killed", *days[:3])
    night.run(settings, "first", date(2022, 7, 17))
    first = content(settings)
    deliver(settings, *days[3:6])

    killed = subprocess.run(
        [sys.executable, str(SCRIPT), str(settings.data), "second", str(DAY), kill],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    published = "link changed" in kill
    assert content(settings) == (untouched if published else first)
    _is_whole(settings)

    night.run(settings, "third", DAY)
    assert content(settings) == untouched
    _is_whole(settings)
    with ledger.read(settings) as connection:
        assert connection.execute("select count(*) from dirty_dates").fetchone()[0] == 0
        assert connection.execute("select count(*) from leases").fetchone()[0] == 0
        files, batches = connection.execute("select count(*), count(distinct sha256) from batches").fetchone()
        assert files == batches == 6


def _is_whole(settings: Settings) -> None:
    """The published marts hold exactly what their own publication says."""
    assert not Path(f"{settings.published / 'groundswell.duckdb'}.wal").exists()
    with reading(settings) as marts:
        held = marts.execute(
            "select mart, row_count from marts.fct_publication"
            " where published_at = (select max(published_at) from marts.fct_publication)"
        ).fetchall()
        assert len(held) == 6
        for mart, rows in held:
            assert marts.execute(f"select count(*) from marts.{mart}").fetchone() == (rows,)
