"""Two days that are published and files of a third: what crashes and damage are tried on, and what they must end in."""

from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.config import Settings
from tests.conftest import made_once
from warehouse.release import releases

from . import night, small
from .conftest import content, reading
from .small import Capture, day, deliver

Content = dict[str, tuple[int, str]]


def first_files(settings: Settings) -> None:
    deliver(settings, "day1", [Capture("a", 1, followers=900, posts=1), Capture("b", 1, followers=5000)])
    deliver(settings, "day2", [Capture("a", 2, followers=1100, posts=2), Capture("b", 2)])


def later_files(settings: Settings) -> None:
    """A new day, and a late account of the first."""
    deliver(settings, "day3", [Capture("a", 3, followers=1300, posts=4), Capture("b", 3, followers=5200)])
    deliver(settings, "late", [Capture("c", 1, followers=70)])


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, tiers_alone: None) -> tuple[Settings, Content]:
    """Two days, published. Copy it before a change."""

    def make(folder: Path) -> tuple[Settings, Content]:
        settings = small.world(folder, "world")
        first_files(settings)
        night.run_whole(settings, "first", day(2))
        return settings, content(settings)

    made: tuple[Settings, Content] = made_once(tmp_path_factory, "two_days", make)
    return made


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, tiers_alone: None) -> Content:
    """Marts of a world in which nothing was ever killed."""

    def make(folder: Path) -> Content:
        settings = small.world(folder, "world")
        first_files(settings)
        later_files(settings)
        night.run(settings, "all", day(3))
        return content(settings)

    held: Content = made_once(tmp_path_factory, "untouched", make)
    return held


@pytest.fixture
def world(first: tuple[Settings, Content], tmp_path: Path) -> Settings:
    """Two days published, and files of a third in landing."""
    settings = small.copy_of(first[0], tmp_path)
    later_files(settings)
    return settings


def is_mended(settings: Settings, untouched: Content) -> None:
    """The marts are those of a world without a crash, and nothing is lost, doubled or left behind."""
    assert content(settings) == untouched
    is_whole(settings)
    with ledger.read(settings) as connection:
        assert connection.execute("select count(*) from dirty_dates").fetchone()[0] == 0
        assert connection.execute("select count(*) from leases").fetchone()[0] == 0
        files, deliveries = connection.execute("select count(*), count(distinct sha256) from batches").fetchone()
        assert files == deliveries == 4
    assert list(releases.folder_of(settings).glob(".partial-*")) == []


def is_whole(settings: Settings) -> None:
    """The published marts hold exactly what their own publication says."""
    assert not Path(f"{settings.published / 'groundswell.duckdb'}.wal").exists()
    with reading(settings) as marts:
        held = marts.execute(
            "select mart, row_count from marts.fct_publication"
            " where published_at = (select max(published_at) from marts.fct_publication)"
        ).fetchall()
        assert held
        for mart, rows in held:
            assert marts.execute(f"select count(*) from marts.{mart}").fetchone() == (rows,)
