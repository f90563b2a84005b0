"""Readers are shown an earlier release at once; the next run publishes what raw says, not what was rolled back to."""

from pathlib import Path

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from tests.postgres import Database, settings_for
from warehouse import pipeline
from warehouse.doctor.postgres import check_postgres
from warehouse.release import releases, rollback

from . import night, small
from .conftest import content, reading
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("tiers_alone")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiers_alone: None) -> tuple[Settings, list[str]]:
    settings, ids = small.world(tmp_path_factory.mktemp("made"), "three"), []
    for number in (1, 2, 3):
        deliver(settings, f"day{number}", [Capture("a", number, followers=1000 * number)])
        published = night.run(settings, f"run {number}", day(number))
        assert published.release_id
        ids.append(published.release_id)
    return settings, ids


@pytest.fixture
def three_releases(made: tuple[Settings, list[str]], tmp_path: Path) -> tuple[Settings, list[str]]:
    """A release a day, of days 1 to 3, and their ids."""
    return small.copy_of(made[0], tmp_path), list(made[1])


def last_day(settings: Settings) -> str:
    with reading(settings) as marts:
        row = marts.execute("select cast(max(snapshot_date) as varchar) from marts.fct_account_daily").fetchone()
    return str(row[0]) if row else ""


def test_readers_see_the_earlier_release_and_state_says_so(three_releases: tuple[Settings, list[str]]) -> None:
    settings, ids = three_releases
    assert last_day(settings) == "2026-01-03"
    days = rollback.roll_back(settings, ids[0], "a test", night.quiet)
    assert days == ["2026-01-02", "2026-01-03"]
    assert last_day(settings) == "2026-01-01"
    lines = rollback.list_releases(settings)
    assert [line.split()[:2] for line in lines[1:4]] == [
        [ids[2], lines[1].split()[1]],
        [ids[1], lines[2].split()[1]],
        [">", ids[0]],
    ]
    assert f"from {ids[2]} to {ids[0]}: a test" in lines[-1]
    with ledger.read(settings) as connection:
        assert connection.execute("select count(*) from leases").fetchone()[0] == 0


def test_the_next_run_publishes_what_raw_says(three_releases: tuple[Settings, list[str]]) -> None:
    settings, ids = three_releases
    before = content(settings)
    rollback.roll_back(settings, ids[0], "a test", night.quiet)
    # The same day again, with nothing new in raw: it is no longer published, so it is built, checked and published.
    assert night.run(settings, "again", day(3)).status == "published"
    assert content(settings) == before
    deliver(settings, "day4", [Capture("a", 4, followers=4000)])
    night.run(settings, "run 4", day(4))
    _parquet_equals_the_database(settings)


def test_a_delivery_that_was_rejected_meanwhile_does_not_come_back(
    three_releases: tuple[Settings, list[str]], tmp_path: Path
) -> None:
    settings, ids = three_releases
    rollback.roll_back(settings, ids[1], "day 3 is wrong", night.quiet)
    with ledger.read(settings) as connection:
        batch = connection.execute("select batch_id from batches where file like '%day3%'").fetchone()[0]
    ledger.reject(settings, batch, "wrong")
    night.run(settings, "next", day(3))
    without = small.world(tmp_path, "without")
    for number in (1, 2):
        deliver(without, f"day{number}", [Capture("a", number, followers=1000 * number)])
    night.run(without, "once", day(3))
    assert content(settings) == content(without)
    _parquet_equals_the_database(settings)


def test_a_crash_between_the_link_and_state_is_mended(
    three_releases: tuple[Settings, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, ids = three_releases
    before = content(settings)
    really_point = releases.point_readers_to

    def killed(asked: Settings, release_id: str) -> None:
        really_point(asked, release_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(releases, "point_readers_to", killed)
    with pytest.raises(KeyboardInterrupt):
        rollback.roll_back(settings, ids[0], "a test", night.quiet)
    monkeypatch.setattr(releases, "point_readers_to", really_point)
    assert last_day(settings) == "2026-01-01"
    assert night.run(settings, "again", day(3)).status == "published"
    assert content(settings) == before


def test_what_cannot_be_shown_is_refused_with_what_can(three_releases: tuple[Settings, list[str]]) -> None:
    settings, ids = three_releases
    with pytest.raises(ContractError, match=f"no release 'x' is kept; there are: {', '.join(ids)}"):
        rollback.roll_back(settings, "x", "a test", night.quiet)
    with pytest.raises(ContractError, match="already"):
        rollback.roll_back(settings, ids[2], "a test", night.quiet)
    database = releases.folder_of(settings) / ids[0] / releases.DATABASE
    database.chmod(0o644)
    database.write_bytes(database.read_bytes()[:5000])
    with pytest.raises(ContractError, match="cannot be read"):
        rollback.roll_back(settings, ids[0], "a test", night.quiet)
    assert last_day(settings) == "2026-01-03"


def test_a_release_with_other_rows_than_its_note_says_is_refused(three_releases: tuple[Settings, list[str]]) -> None:
    settings, ids = three_releases
    database = releases.folder_of(settings) / ids[0] / releases.DATABASE
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from marts.dim_account")
    with pytest.raises(ContractError, match="is not whole: dim_account hold other rows than its note says"):
        rollback.roll_back(settings, ids[0], "a test", night.quiet)


def test_a_write_ahead_log_beside_the_published_file_is_set_aside_before_the_swap(
    three_releases: tuple[Settings, list[str]],
) -> None:
    settings, ids = three_releases
    said: list[str] = []
    for folder in (settings.published, settings.published / "latest"):
        (folder / f"{releases.DATABASE}.wal").write_bytes(b"somebody's unfinished business")
        rollback.roll_back(settings, ids.pop(0), "a test", said.append)
    assert len([line for line in said if "is moved to .stray-" in line]) == 2
    assert list(settings.published.rglob("*.duckdb.wal")) == []
    assert last_day(settings) == "2026-01-02"


def _parquet_equals_the_database(settings: Settings) -> None:
    with reading(settings) as marts:
        for mart in ("fct_account_daily", "fct_account_tier_daily"):
            files = f"{settings.published}/latest/marts/{mart}/*.parquet"
            assert marts.execute(
                f"select count(*) from (select * from marts.{mart} except all"
                f" select * from read_parquet('{files}', hive_partitioning = false))"
            ).fetchone() == (0,)
            assert (
                marts.execute(f"select count(*) from read_parquet('{files}', hive_partitioning = false)").fetchone()
                == marts.execute(f"select count(*) from marts.{mart}").fetchone()
            )


def test_postgresql_holds_what_the_file_holds_and_follows_a_rollback(
    three_releases: tuple[Settings, list[str]], postgres: Database
) -> None:
    settings, ids = settings_for(three_releases[0], postgres.url()), three_releases[1]
    assert pipeline.load_postgres(settings, night.quiet) == ids[2]
    with reading(settings) as marts:
        comments = dict(marts.execute("select table_name, comment from duckdb_tables()").fetchall())
        assert "fct_account_daily" in comments
        for mart in comments:
            names = ", ".join(f'"{row[0]}"' for row in marts.execute(f"describe marts.{mart}").fetchall())
            rows = marts.execute(f"select {names} from marts.{mart}").fetchall()
            assert sorted(postgres.rows(f"select {names} from marts.{mart}"), key=repr) == sorted(rows, key=repr), mart
    views = "from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'v'"
    assert dict(postgres.rows(f"select relname, obj_description(oid, 'pg_class') {views}")) == comments
    assert postgres.rows(
        "select count(*) from pg_attribute where attrelid = 'marts.fct_account_daily'::regclass and attnum > 0"
        " and col_description(attrelid, attnum) is null"
    ) == [(0,)]
    rollback.roll_back(settings, ids[0], "a test", night.quiet)
    [wrong] = check_postgres(settings)
    assert (wrong.level, wrong.text) == ("WRONG", f"it shows {ids[2]}, the file shows {ids[0]}")
    pipeline.load_postgres(settings, night.quiet)
    assert [finding.level for finding in check_postgres(settings)] == ["ok"]
    assert postgres.rows("select max(snapshot_date)::text from marts.fct_account_daily") == [("2026-01-01",)]
