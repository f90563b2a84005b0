"""A data folder that v0.1.0 left behind is opened: doctor, plan, next night, rollback; its marts equal a fresh build."""

import shutil
import tarfile
from datetime import date
from pathlib import Path

import pytest

from ingestion import contracts, landing, ledger, parse, raw
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError
from ingestion.lease import hold
from ingestion.mapping import grammar
from warehouse import dry_run
from warehouse.doctor import releases as doctor
from warehouse.release import releases, rollback

from . import night
from .conftest import content, make_settings, reading

FIXTURE = PROJECT_DIR / "tests" / "fixtures" / "v0.1.0"
# Two accounts of six, each with a tenth of its followers: it blocks the fourth night.
BAD_BATCH = "1dd548ca527b"
FOURTH, FIFTH = date(2026, 1, 4), date(2026, 1, 5)

pytestmark = pytest.mark.usefixtures("one_parse")


def unpack(folder: Path) -> Settings:
    """The data folder as v0.1.0 left it."""
    with tarfile.open(FIXTURE / "data.tar.xz") as archive:
        archive.extractall(folder, filter="tar")
    return make_settings(folder / "data")


def mend(settings: Settings) -> None:
    """Reject the file that blocks, and deliver what should have come, with the files of the fifth day."""
    ledger.reject(settings, BAD_BATCH, "a third of the roster")
    shutil.copytree(FIXTURE / "next_night", settings.landing, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The folder after the bad file is rejected and the next night has run."""
    settings = unpack(tmp_path_factory.mktemp("opened"))
    mend(settings)
    night.run_whole(settings, "next-night", FIFTH)
    return settings


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same files landed in an empty folder and built at once by this version."""
    before = unpack(tmp_path_factory.mktemp("before"))
    settings = make_settings(tmp_path_factory.mktemp("fresh") / "data")
    shutil.copytree(before.landing, settings.landing)
    with hold(settings, "land", "test", night.quiet):
        landing.land_files(settings, "land", night.quiet)
    mend(settings)
    night.run_whole(settings, "fresh-night", FIFTH)
    return settings


def test_the_fixture_is_small_and_holds_what_it_says() -> None:
    assert (FIXTURE / "data.tar.xz").stat().st_size < 1_000_000


def test_its_blocked_night_is_seen_and_stays_blocked(tmp_path: Path) -> None:
    settings = unpack(tmp_path)
    with ledger.read(settings) as connection:
        states = [row["state"] for row in ledger.batches_with_rows_in_raw(connection)]
        quarantined = sum(row["rows_quarantined"] for row in ledger.batches_with_rejects(connection))
    assert (states.count("accepted"), states.count("quarantined")) == (28, 1)
    # A row captured "at noon", and the one row of the costs without a currency.
    assert quarantined == 2
    lines = "\n".join(dry_run.preview(settings, FOURTH))
    assert "2026-01-04" in lines
    assert "files in landing are not taken in yet" not in lines
    with pytest.raises(ContractError, match="volume_against_trailing_median"):
        night.run_whole(settings, "again", FOURTH)
    latest = releases.latest(settings)
    assert latest is not None
    assert releases.read_note(latest)["run_id"] == "night-3"


def test_the_doctor_finds_nothing_broken_in_it(tmp_path: Path) -> None:
    """Its quarantined file and its blocked night are all that is wrong: ledger, raw and releases agree."""
    settings = unpack(tmp_path)
    wrong = [finding for finding in doctor.examine(settings) if finding.level == "WRONG"]
    assert [finding.area for finding in wrong] == ["quarantine", "dirty dates", "checks"], wrong


def deliveries_of(settings: Settings) -> list[list[tuple[object, ...]]]:
    """What the ledger holds of deliveries, but for the inodes and times of files, which unpacking changes."""
    queries = (
        "select * from batches order by batch_id",
        "select * from raw_files order by path",
        "select * from dirty_dates order by id",
        "select path, bytes, mapping_fingerprint, batch_id from deliveries order by path",
    )
    with ledger.read(settings) as connection:
        return [[tuple(row) for row in connection.execute(query)] for query in queries]


def test_a_column_that_its_feeds_have_gained_reads_no_file_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each feed has one optional column more than v0.1.0 knew: its ids and fingerprints hold all the same."""
    settings = unpack(tmp_path)
    before = deliveries_of(settings)
    mood = contracts.FeedColumn(type="count")
    gained = {
        name: feed.model_copy(update={"columns": {"mood": mood, **feed.columns}})
        for name, feed in contracts.load_feeds().items()
    }
    for module in (contracts, grammar, landing, parse, raw):
        monkeypatch.setattr(module, "load_feeds", lambda: gained)
    with hold(settings, "land", "test", night.quiet):
        landed = landing.land_files(settings, "land", night.quiet)
    assert (landed.files_seen, landed.files_new) == (30, 0)
    assert deliveries_of(settings) == before


def test_a_rule_that_has_changed_reads_the_files_that_have_the_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative test: refunds and costs have a currency of another type now."""
    settings = unpack(tmp_path)
    feeds = contracts.load_feeds()
    text = contracts.FeedColumn(type="text", required=True)
    for name in ("refunds", "costs"):
        columns = {**feeds[name].columns, "currency": text}
        feeds = {**feeds, name: feeds[name].model_copy(update={"columns": columns})}
    for module in (contracts, grammar, landing, parse, raw):
        monkeypatch.setattr(module, "load_feeds", lambda: feeds)
    with hold(settings, "land", "test", night.quiet):
        landing.land_files(settings, "land", night.quiet)
    with ledger.read(settings) as connection:
        again = connection.execute("select distinct feed from batches where run_id = 'land' order by 1").fetchall()
    assert [row["feed"] for row in again] == ["costs", "refunds"]


def test_the_next_night_publishes_what_a_fresh_build_holds(opened: Settings, fresh: Settings) -> None:
    assert content(opened) == content(fresh)
    with reading(opened) as marts:
        days = marts.execute(
            "select distinct snapshot_date::varchar from marts.fct_account_daily order by 1"
        ).fetchall()
        anna = marts.execute(
            "select followers from marts.fct_account_daily where account_id = 'anna' and snapshot_date = '2026-01-04'"
        ).fetchone()
        files = dict(marts.execute("select state, count(*) from marts.fct_landed_file group by 1").fetchall())
    assert [day for (day,) in days] == [f"2026-01-0{number}" for number in range(1, 6)]
    # Of the file that was sent again, not a tenth of it.
    assert anna == (10_210,)
    # 29 batches and the four of the next night.
    assert files == {"accepted": 31, "quarantined": 1, "rejected": 1}


def test_what_a_reader_had_open_is_still_there(opened: Settings) -> None:
    kept = sorted(path.name for path in releases.folder_of(opened).iterdir() if (path / releases.NOTE).exists())
    assert [releases.read_note(releases.folder_of(opened) / name)["run_id"] for name in kept] == [
        "night-2", "night-3", "next-night",
    ]  # fmt: skip


def test_it_rolls_back_to_its_own_release_and_builds_on(tmp_path: Path, fresh: Settings) -> None:
    settings = unpack(tmp_path)
    second = min(path.name for path in releases.folder_of(settings).iterdir())
    days = rollback.roll_back(settings, second, "the third night was wrong", night.quiet)
    assert "2026-01-03" in days
    with reading(settings) as marts:
        assert marts.execute("select max(snapshot_date)::varchar from marts.fct_account_daily").fetchone() == (
            "2026-01-02",
        )
    mend(settings)
    night.run_whole(settings, "after-rollback", FIFTH)
    assert content(settings) == content(fresh)
