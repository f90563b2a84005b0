"""Releases on disk: one link, whole folders, none lost that a reader sees."""

import json
import os
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError, LeaseLost
from ingestion.lease import hold
from warehouse import integrity
from warehouse.parts import PartColumn
from warehouse.release import publish, releases


def quiet(_: str) -> None:
    """Say nothing."""


def release(settings: Settings, name: str) -> Path:
    folder = releases.folder_of(settings) / name
    folder.mkdir(parents=True)
    (folder / releases.NOTE).write_text(json.dumps({"release_id": name}))
    duckdb.connect(str(folder / releases.DATABASE)).close()
    return folder


@pytest.mark.parametrize("way", ["link", "dots"])
def test_the_release_that_readers_see_stays_however_the_data_folder_is_reached(tmp_path: Path, way: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    data = tmp_path / "data" if way == "link" else tmp_path / "disk" / ".." / "disk"
    settings = Settings(_env_file=None, data=data, keep_releases=1)  # type: ignore[call-arg]
    for name in ("1", "2", "3"):
        release(settings, name)
    releases.point_readers_to(settings, "2")
    releases.prune(settings)
    assert sorted(path.name for path in releases.folder_of(settings).iterdir()) == ["2", "3"]
    assert releases.remove_others(settings) == 1
    assert [path.name for path in releases.folder_of(settings).iterdir()] == ["2"]
    assert (settings.published / "groundswell.duckdb").exists()


def test_where_readers_see_nothing_no_release_is_removed(settings: Settings) -> None:
    release(settings, "1")
    releases.point_readers_to(settings, "gone")
    assert releases.remove_others(settings) == 0
    assert [path.name for path in releases.folder_of(settings).iterdir()] == ["1"]


def test_the_links_lead_to_the_release_and_are_replaced_in_place(settings: Settings) -> None:
    release(settings, "1")
    release(settings, "2")
    assert releases.latest(settings) is None
    releases.point_readers_to(settings, "1")
    first = releases.latest(settings)
    releases.point_readers_to(settings, "2")
    second = releases.latest(settings)
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == ("1", "2")
    assert (settings.published / "groundswell.duckdb").resolve() == second.resolve() / "groundswell.duckdb"
    assert sorted(path.name for path in settings.published.iterdir()) == ["groundswell.duckdb", "latest", "releases"]


def test_old_releases_go_but_never_the_one_that_readers_see(settings: Settings) -> None:
    keep_two = settings.model_copy(update={"keep_releases": 2})
    for name in "12345":
        release(settings, name)
    (releases.folder_of(settings) / ".partial-6").mkdir()
    releases.point_readers_to(settings, "1")
    releases.prune(keep_two)
    assert sorted(path.name for path in releases.folder_of(settings).iterdir()) == ["1", "4", "5"]


def test_publishing_needs_a_plan_of_this_run(settings: Settings) -> None:
    with hold(settings, "run", "test", quiet) as lease, pytest.raises(ContractError, match="no plan"):
        publish.publish_release(settings, "run", lease, quiet)


def test_a_lost_lease_cannot_publish(settings: Settings) -> None:
    with hold(settings, "run", "test", quiet) as lease:
        with ledger.write(settings) as connection:
            connection.execute("update leases set token = 'another'")
        with pytest.raises(LeaseLost, match="lost the writer's lease"):
            publish.publish_release(settings, "run", lease, quiet)


def test_a_release_with_other_rows_than_were_built_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "groundswell.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts; create table marts.t as select 1 as x")
    publish.verify(database, {"marts": {"t": {"row_count": 1}}})
    with pytest.raises(ContractError, match="t holds 1 rows in the release, 2 were built"):
        publish.verify(database, {"marts": {"t": {"row_count": 2}}})


def test_a_leftover_write_ahead_log_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "groundswell.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts; create table marts.t as select 1 as x")
    Path(f"{database}.wal").touch()
    with pytest.raises((ContractError, duckdb.Error)):
        publish.verify(database, {"marts": {"t": {"row_count": 1}}})


@pytest.mark.parametrize("umask", [0o077, 0o022, 0o000])
def test_readers_of_other_users_can_open_a_release_whatever_the_umask(settings: Settings, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = releases.make_folder(settings) / "r"
        (folder / "marts" / "fct").mkdir(parents=True)
        for file in (folder / releases.DATABASE, folder / "marts" / "fct" / "data.parquet"):
            file.write_bytes(b"x")
        publish.write_note(folder, {"release_id": "r"})
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in [settings.published, *settings.published.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o755}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o444}
    assert len(modes) == 8


def test_a_folder_that_is_closed_on_purpose_stays_so_and_is_named(settings: Settings) -> None:
    settings.published.mkdir(parents=True)
    settings.published.chmod(0o750)
    settings.data.chmod(0o700)
    releases.make_folder(settings)
    assert settings.published.stat().st_mode & 0o777 == 0o750
    assert releases.closed_to_readers(settings) == [settings.data, settings.published]
    settings.published.chmod(0o755)
    settings.data.chmod(0o755)
    assert releases.closed_to_readers(settings) == []


@pytest.mark.parametrize("at_once", [publish.ROWS_AT_ONCE, 5])
def test_parts_are_a_file_each_in_the_order_of_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Two of three days are written, by one statement or by one each, and nothing else is there."""
    monkeypatch.setattr(publish, "ROWS_AT_ONCE", at_once)
    part = PartColumn("day")
    with duckdb.connect(config={"threads": 2}) as release:
        release.execute("create schema marts")
        release.execute(
            "create table marts.fct_x as select date '2026-01-01' + cast(n % 3 as int) as day, n, 'é' as word"
            " from range(9000) as t(n)"
        )
        targets = {day: tmp_path / f"{day}.parquet" for day in ("2026-01-01", "2026-01-03")}
        publish._write_parts(release, "fct_x", part, targets)
        assert release.execute("select current_setting('threads')").fetchone() == (2,)
        assert sorted(tmp_path.rglob("*")) == sorted(targets.values())
        for number, file in zip((0, 2), targets.values(), strict=True):
            found = release.execute(f"from read_parquet('{file}', hive_partitioning = false)").fetchall()
            assert found == [(date(2026, 1, 1 + number), n, "é") for n in range(number, 9000, 3)]


def database_of(folder: Path, rows: int) -> Path:
    """A small database, named as that of a release."""
    folder.mkdir()
    with duckdb.connect(str(folder / releases.DATABASE)) as connection:
        connection.execute(f"create table t as select n, hash(n) as h from range({rows}) as t(n)")
    return folder / releases.DATABASE


@pytest.mark.parametrize("change", ["none", "a copy", "a byte", "other rows", "cut"])
def test_a_database_is_known_by_its_blocks(tmp_path: Path, change: str) -> None:
    """Of another time it is read: every block against its checksum, and the checksums against what was written."""
    database = database_of(tmp_path / "one", 200_000)
    held = releases.written(database)
    if change == "a byte":
        with database.open("r+b") as file:
            # In the middle of the first block that rows are in.
            file.seek(integrity.HEADERS_BYTES + integrity.BLOCK_BYTES // 2)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
    elif change == "other rows":
        with duckdb.connect(str(database)) as connection:
            connection.execute("update t set h = 0 where n = 77")
    elif change == "cut":
        os.truncate(database, database.stat().st_size - integrity.BLOCK_BYTES)
    if change != "none":
        os.utime(database, (1, 1))
    assert releases.is_as_written(database, held) == (change in ("none", "a copy"))
