"""Killed, out of room, cut short or corrupted: the last release stays whole, the next run ends in the same marts.

`docs/runbooks/crashes.md` lists each point with what is seen afterwards; a test holds that list to this one.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError, DamagedBuild
from warehouse import integrity
from warehouse.release import releases

from . import forks, night, small
from .conftest import content, reading
from .small import Capture, day, deliver

Content = dict[str, tuple[int, str]]


pytestmark = pytest.mark.usefixtures("accounts_alone")


def first_files(settings: Settings) -> None:
    deliver(settings, "day1", [Capture("a", 1, followers=900, posts=1), Capture("b", 1, followers=5000)])
    deliver(settings, "day2", [Capture("a", 2, followers=1100, posts=2), Capture("b", 2)])


def later_files(settings: Settings) -> None:
    """A new day, and a late account of the first."""
    deliver(settings, "day3", [Capture("a", 3, followers=1300, posts=4), Capture("b", 3, followers=5200)])
    deliver(settings, "late", [Capture("c", 1, followers=70)])


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, accounts_alone: None) -> tuple[Settings, Content]:
    """Two days, published."""
    settings = small.world(tmp_path_factory.mktemp("first"), "world")
    first_files(settings)
    night.run_whole(settings, "first", day(2))
    return settings, content(settings)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, accounts_alone: None) -> Content:
    """Marts of a world in which nothing was ever killed."""
    settings = small.world(tmp_path_factory.mktemp("untouched"), "world")
    first_files(settings)
    later_files(settings)
    night.run(settings, "all", day(3))
    return content(settings)


@pytest.fixture
def world(first: tuple[Settings, Content], tmp_path: Path) -> Settings:
    """Two days published, and files of a third in landing."""
    settings = small.copy_of(first[0], tmp_path)
    later_files(settings)
    return settings


@pytest.mark.parametrize("kill", list(night.KILLS))
def test_killed_then_run_again(
    kill: str, world: Settings, forked: forks.Forks, first: tuple[Settings, Content], untouched: Content
) -> None:
    assert forked.night(world, "second", 3, kill=kill) == -signal.SIGKILL, forks.log_of(world, "second").read_text()
    assert content(world) == (untouched if kill in night.PUBLISHED else first[1])
    is_whole(world)

    assert forked.night(world, "third", 3) == 0, forks.log_of(world, "third").read_text()
    is_mended(world, untouched)


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


def test_each_point_is_listed_with_its_result() -> None:
    listed = (PROJECT_DIR / "docs" / "runbooks" / "crashes.md").read_text(encoding="utf-8")
    for kill in night.KILLS:
        seen = "the new release" if kill in night.PUBLISHED else "the release before"
        assert f"| {kill} | {seen} |" in listed, kill


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
