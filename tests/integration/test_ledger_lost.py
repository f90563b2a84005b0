"""A ledger that is gone, empty or another's is not the truth: no run begins, and it is made anew from landing and raw."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion import ledger, sample
from ingestion.config import Settings
from ingestion.errors import ContractError, UsageError
from warehouse import pipeline
from warehouse.doctor.releases import examine

from . import night, small
from .conftest import content
from .small import day
from .two_days import Content, first, is_whole, untouched, world

__all__ = ["first", "untouched", "world"]

pytestmark = pytest.mark.usefixtures("tiers_alone")


def replace_it(settings: Settings) -> None:
    settings.ledger.unlink()
    ledger.make_anew(settings)


LOSS: dict[str, tuple[Callable[[Settings], object], str]] = {
    "empty": (lambda settings: settings.ledger.write_bytes(b""), "is empty, and there are raw files and releases"),
    "gone": (lambda settings: settings.ledger.unlink(), "is gone, and there are raw files and releases"),
    "no state": (lambda settings: shutil.rmtree(settings.ledger.parent), "is gone"),
    "raw alone": (
        lambda settings: (settings.ledger.unlink(), shutil.rmtree(settings.published)),
        "is gone, and there are raw files:",
    ),
    "another's": (replace_it, "knows of no landed file, and there are raw files and releases"),
}


@pytest.mark.parametrize("kind", list(LOSS))
def test_no_run_begins_without_its_ledger(kind: str, world: Settings) -> None:
    lose, words = LOSS[kind]
    lose(world)
    raw = sorted(path for path in world.raw.rglob("*.parquet"))
    with pytest.raises(ContractError, match=words) as refused:
        night.run(world, "second", day(3))
    assert "groundswell doctor --rebuild-ledger" in str(refused.value)
    with pytest.raises(ContractError, match="ledger"):
        pipeline.erase(world, "youtube", "a", night.quiet)
    assert sorted(path for path in world.raw.rglob("*.parquet")) == raw


@pytest.mark.parametrize("kind", ["empty", "gone", "raw alone"])
def test_the_sample_is_never_copied_beside_what_a_run_has_written(kind: str, world: Settings) -> None:
    LOSS[kind][0](world)
    shutil.rmtree(world.landing)
    with pytest.raises(ContractError, match="Restore state/ from a"):
        sample.copy_if_empty(world)
    assert not world.landing.exists()


@pytest.mark.parametrize("lands", ["all", "later files alone"])
def test_doctor_names_it_and_its_command_mends_it(lands: str, world: Settings, untouched: Content) -> None:
    """Where the first files are gone from landing, their rows are taken from raw."""
    world.ledger.write_bytes(b"")
    if lands != "all":
        for name in ("day1", "day2"):
            next((world.landing / "account_snapshots").glob(f"{name}_*")).unlink()
    (found,) = [finding for finding in examine(world, is_quick=True) if finding.text == "it is lost: no run begins"]
    assert (found.level, "groundswell doctor --rebuild-ledger" in found.remedy) == ("WRONG", True)
    made = pipeline.rebuild_ledger(world, night.quiet)
    assert (made.landed, made.from_raw, made.left) == ((4, 0, 0) if lands == "all" else (2, 2, 0))
    night.run(world, "second", day(3))
    assert content(world) == untouched
    is_whole(world)
    assert [finding for finding in examine(world) if finding.level == "WRONG" and finding.area == "ledger"] == []
    with pytest.raises(UsageError, match="only a lost one is made anew"):
        pipeline.rebuild_ledger(world, night.quiet)


def test_no_run_begins_without_raw(world: Settings, untouched: Content) -> None:
    """What is built would be published on and on, and nothing could be rebuilt."""
    elsewhere = world.raw.rename(world.raw.with_name("elsewhere"))
    with pytest.raises(ContractError, match="holds none of the 2 files that the ledger names"):
        night.run(world, "second", day(3))
    shutil.rmtree(world.raw, ignore_errors=True)
    elsewhere.rename(world.raw)
    night.run(world, "third", day(3))
    assert content(world) == untouched


def test_nights_without_a_file_have_releases_and_no_batch(tmp_path: Path) -> None:
    settings = small.world(tmp_path, "world")
    night.run(settings, "first", day(2))
    orphan = settings.raw / "account_snapshots" / "snapshot_date=2026-01-01" / "x.parquet"
    orphan.parent.mkdir(parents=True)
    orphan.touch()
    night.run(settings, "second", day(3))


def test_a_first_night_that_is_killed_has_a_ledger(settings: Settings) -> None:
    """Its raw file may be there before the ledger names it: the next night goes on."""
    with ledger.read(settings):
        orphan = settings.raw / "account_snapshots" / "snapshot_date=2026-01-01" / "x.parquet"
        orphan.parent.mkdir(parents=True)
        orphan.touch()
    assert ledger.how_lost(settings) is None
