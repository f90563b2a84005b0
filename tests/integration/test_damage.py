"""Out of room, cut short or corrupted: the last release stays whole, the next run ends in the same marts.

`docs/runbooks/crashes.md` lists what is seen of each.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError, DamagedBuild
from warehouse import integrity

from . import forks, night, small
from .conftest import content
from .small import day
from .two_days import Content, first, is_mended, is_whole, later_files, untouched, world

__all__ = ["first", "untouched", "world"]

pytestmark = pytest.mark.usefixtures("tiers_alone")


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system of its own can only be mounted by root")
@pytest.mark.parametrize("step", ["land_files", "build_marts", "publish_release"])
def test_a_full_disk_stops_the_run_and_room_lets_the_next_finish(
    step: str, first: tuple[Settings, Content], untouched: Content, tmp_path: Path, forked: forks.Forks
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "none", str(disk)], check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    try:
        settings, ballast = small.copy_of(first[0], disk), disk / "ballast"
        later_files(settings)
        log = {"log": str(tmp_path / "second.log")}
        assert forked.night(settings, "second", 3, fill=step, ballast=str(ballast), **log) == 1
        said = (tmp_path / "second.log").read_text().lower()
        assert "no space left" in said or "disk is full" in said or "disk i/o" in said, said[-3000:]
        assert content(settings) == first[1]
        is_whole(settings)
        ballast.unlink()
        assert forked.night(settings, "third", 3) == 0, forks.log_of(settings, "third").read_text()[-3000:]
        is_mended(settings, untouched)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_raw_file_cut_short_is_named_with_its_remedies(
    world: Settings, first: tuple[Settings, Content], untouched: Content
) -> None:
    night.landing.land_files(world, "land", night.quiet)
    (cut,) = (world.raw / "account_snapshots" / "snapshot_date=2026-01-03").glob("*.parquet")
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        ContractError, match=r"snapshot_date=2026-01-03/.* is damaged or gone: restore it from a backup"
    ):
        night.run(world, "second", day(3))
    assert content(world) == first[1]
    cut.write_bytes(whole)
    night.run(world, "third", day(3))
    is_mended(world, untouched)


def damage(database: Path, kind: str) -> None:
    """Cut a database short, lose its head, or change one byte in the middle of each block."""
    content_of = bytearray(database.read_bytes())
    if kind == "cut short":
        content_of = content_of[: len(content_of) - 100_000]
    elif kind == "head lost":
        content_of[:4096] = bytes(4096)
    else:
        for block in range(integrity.HEADERS_BYTES, len(content_of), integrity.BLOCK_BYTES):
            content_of[block + 5000] ^= 255
    database.write_bytes(content_of)


@pytest.mark.parametrize("kind", ["cut short", "head lost", "bytes changed"])
@pytest.mark.parametrize("name", ["build_db", "marts_db"])
def test_a_damaged_build_database_is_found_and_built_again_by_the_retry(
    kind: str, name: str, world: Settings, untouched: Content
) -> None:
    """At most one failure: as Airflow does, the step is tried again, under the same run."""
    said: list[str] = []
    damage(getattr(world, name), kind)
    try:
        night.run_whole(world, "second", day(3), said.append)
    except DamagedBuild as error:
        said.append(str(error))
        assert not world.build_db.exists()
        assert not world.marts_db.exists()
        night.run_whole(world, "second", day(3), said.append)
    assert any("damaged" in line for line in said), said
    is_mended(world, untouched)


def test_damage_of_a_day_that_the_run_does_not_read_is_found_at_the_copy(
    world: Settings, first: tuple[Settings, Content], untouched: Content
) -> None:
    """Found where nothing can be built any more: the run ends, and the next one builds all from raw."""
    really_copy = night.publish._copy_database

    def copy(settings: Settings, target: Path) -> None:
        really_copy(settings, target)
        damage(target, "bytes changed")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(night.publish, "_copy_database", copy)
        with pytest.raises(ContractError, match=r"is damaged .* and is removed, so run second publishes nothing"):
            night.run_whole(world, "second", day(3))
    assert content(world) == first[1]
    assert not world.marts_db.exists()
    night.run_whole(world, "third", day(3))
    is_mended(world, untouched)


def test_damage_found_while_the_marts_are_checked_ends_the_run(
    world: Settings, first: tuple[Settings, Content], untouched: Content
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(night, "boundary", lambda step: step == "build_marts" and damage(world.marts_db, "head lost"))
        with pytest.raises(ContractError, match=r"is damaged .* and is removed, so run second publishes nothing"):
            night.run_whole(world, "second", day(3))
    assert content(world) == first[1]
    night.run_whole(world, "third", day(3))
    is_mended(world, untouched)


def test_a_sound_database_is_not_suspected(first: tuple[Settings, Content], tmp_path: Path) -> None:
    settings = first[0]
    for database in (settings.build_db, settings.marts_db):
        assert integrity.damage_of(database) is None
        assert not integrity._has_suspect_block(database)
    shutil.copyfile(settings.marts_db, tmp_path / "copy.duckdb")
    damage(tmp_path / "copy.duckdb", "bytes changed")
    assert "checksum" in str(integrity.damage_of(tmp_path / "copy.duckdb"))
