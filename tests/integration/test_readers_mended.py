"""What readers open is gone or damaged: the next night publishes anew, also when nothing is new."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings, utc_now
from warehouse.release import releases

from . import night, small
from .conftest import content
from .small import day
from .two_days import Content, first, is_mended, is_whole, later_files, untouched, world

__all__ = ["first", "untouched", "world"]

pytestmark = pytest.mark.usefixtures("tiers_alone")


def seen(settings: Settings) -> Path:
    found = releases.latest(settings)
    assert found is not None
    return found


def cut(file: Path) -> None:
    whole = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(whole[: len(whole) // 2])


DAMAGE: dict[str, Callable[[Settings], None]] = {
    "the database is cut": lambda settings: cut(seen(settings) / releases.DATABASE),
    "the database is gone": lambda settings: (seen(settings) / releases.DATABASE).unlink(),
    "the note is cut": lambda settings: cut(seen(settings) / releases.NOTE),
    "the note is empty": lambda settings: (seen(settings) / releases.NOTE).write_bytes(b""),
    "a part is cut": lambda settings: cut(next((seen(settings) / "marts" / "fct_account_daily").rglob("*.parquet"))),
    "the release is gone": lambda settings: shutil.rmtree(seen(settings)),
    "the link is gone": lambda settings: (settings.published / releases.DATABASE).unlink(),
    "all is gone": lambda settings: shutil.rmtree(settings.published),
}


@pytest.fixture(scope="module")
def kept(first: tuple[Settings, Content], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One world, damaged and mended in turn."""
    return small.copy_of(first[0], tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("kind", list(DAMAGE))
def test_the_next_night_mends_what_readers_see_though_nothing_is_new(
    kind: str, kept: Settings, first: tuple[Settings, Content]
) -> None:
    DAMAGE[kind](kept)
    said: list[str] = []
    night.run(kept, kind, day(2), said.append)
    assert [line for line in said if line.endswith("this run publishes anew")], said
    assert content(kept) == first[1]
    is_whole(kept)
    assert (kept.published / releases.DATABASE).readlink() == Path("latest") / releases.DATABASE
    assert parquet_of(kept, "fct_account_daily") == rows_of(kept, "fct_account_daily")
    assert releases.damage_of(kept) is None


def test_nothing_new_and_nothing_damaged_publishes_nothing(first: tuple[Settings, Content], tmp_path: Path) -> None:
    settings = small.copy_of(first[0], tmp_path)
    before = seen(settings)
    night.run(settings, "again", day(2))
    assert seen(settings) == before


def rows_of(settings: Settings, mart: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.published / releases.DATABASE), read_only=True) as reader:
        return sorted(reader.execute(f"select * from marts.{mart}").fetchall(), key=repr)


def parquet_of(settings: Settings, mart: str) -> list[tuple[object, ...]]:
    files = f"{settings.published}/latest/marts/{mart}/*.parquet"
    return sorted(duckdb.sql(f"from read_parquet('{files}', hive_partitioning = false)").fetchall(), key=repr)


def test_damage_of_a_part_travels_into_no_later_release(world: Settings, untouched: Content) -> None:
    """Of a day that the next run does not touch: its file would be linked as it is."""
    cut(seen(world) / "marts" / "fct_account_daily" / "2026-01-02.parquet")
    night.run(world, "second", day(3))
    is_mended(world, untouched)
    assert parquet_of(world, "fct_account_daily") == rows_of(world, "fct_account_daily")


def test_a_clock_that_went_back_leaves_the_order_of_releases(
    first: tuple[Settings, Content], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untouched: Content
) -> None:
    settings = small.copy_of(first[0], tmp_path)
    monkeypatch.setattr("ingestion.ledger.releases.utc_now", lambda: utc_now() - timedelta(hours=1))
    before = seen(settings)
    later_files(settings)
    said: list[str] = []
    night.run(settings, "second", day(3), said.append)
    assert seen(settings).name > before.name
    is_mended(settings, untouched)
    with ledger.read(settings) as connection:
        assert ledger.current_release(connection) == seen(settings).name
    night.run(settings, "third", day(3), said.append)
    assert not [line for line in said if "rolled back" in line]
    assert parquet_of(settings, "fct_account_daily") == rows_of(settings, "fct_account_daily")
