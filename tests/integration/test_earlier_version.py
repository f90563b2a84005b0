"""A data folder that v0.1.0 left behind is opened: doctor, plan, next night, rollback; its marts equal a fresh build."""

import shutil
import tarfile
from datetime import date
from pathlib import Path

import pytest

from ingestion import landing, ledger
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError
from ingestion.lease import hold
from warehouse import dry_run
from warehouse.doctor import releases as doctor
from warehouse.release import releases, rollback

from . import night
from .conftest import content, make_settings, reading

FIXTURE = PROJECT_DIR / "tests" / "fixtures" / "v0.1.0"
OUTAGE = "account_snapshots/outage_2026-01-04.csv"
FOURTH = date(2026, 1, 4)

pytestmark = pytest.mark.usefixtures("one_parse")


def unpack(folder: Path) -> Settings:
    """The data folder as v0.1.0 left it."""
    with tarfile.open(FIXTURE / "data.tar.xz") as archive:
        archive.extractall(folder, filter="tar")
    return make_settings(folder / "data")


def deliver_the_fourth(settings: Settings) -> None:
    """What should have come on the blocked day: the roster of the day before with its counts a day later."""
    folder = settings.landing / "account_snapshots"
    before = (folder / "accounts_2026-01-03.csv").read_text()
    (folder / "accounts_2026-01-04.csv").write_text(before.replace("2026-01-03T", "2026-01-04T"))


def reject_the_outage(settings: Settings) -> None:
    with ledger.read(settings) as connection:
        [batch] = connection.execute("select batch_id from batches where file = ?", (OUTAGE,)).fetchone()
    ledger.reject(settings, batch, "an outage written as zeros")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The folder after the outage is rejected and the next night has run."""
    settings = unpack(tmp_path_factory.mktemp("opened"))
    reject_the_outage(settings)
    deliver_the_fourth(settings)
    night.run_whole(settings, "next-night", FOURTH)
    return settings


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same files landed in an empty folder and built at once by this version."""
    before = unpack(tmp_path_factory.mktemp("before"))
    settings = make_settings(tmp_path_factory.mktemp("fresh") / "data")
    shutil.copytree(before.landing, settings.landing)
    with hold(settings, "land", "test", night.quiet):
        landing.land_files(settings, "land", night.quiet)
    reject_the_outage(settings)
    deliver_the_fourth(settings)
    night.run_whole(settings, "fresh-night", FOURTH)
    return settings


def test_the_fixture_is_small_and_holds_what_it_says() -> None:
    assert (FIXTURE / "data.tar.xz").stat().st_size < 1_000_000


def test_its_blocked_night_is_seen_and_stays_blocked(tmp_path: Path) -> None:
    settings = unpack(tmp_path)
    with ledger.read(settings) as connection:
        states = dict(connection.execute("select state, count(*) from batches group by 1").fetchall())
        rejected_rows = connection.execute(
            "select sum(rows_quarantined) from batches where state = 'accepted'"
        ).fetchone()
    assert states == {"accepted": 18, "quarantined": 1}
    assert rejected_rows[0] == 1
    lines = "\n".join(dry_run.preview(settings, FOURTH))
    assert "2026-01-04" in lines
    assert "files in landing are not taken in yet" not in lines
    with pytest.raises(ContractError, match="share_of_zero_followers"):
        night.run_whole(settings, "again", FOURTH)
    latest = releases.latest(settings)
    assert latest is not None
    assert releases.read_note(latest)["run_id"] == "night-3"


def test_the_doctor_finds_nothing_broken_in_it(tmp_path: Path) -> None:
    """Its quarantined file and its blocked night are all that is wrong: ledger, raw and releases agree."""
    settings = unpack(tmp_path)
    wrong = [finding for finding in doctor.examine(settings) if finding.level == "WRONG"]
    assert [finding.area for finding in wrong] == ["quarantine", "checks"], wrong


def test_the_next_night_publishes_what_a_fresh_build_holds(opened: Settings, fresh: Settings) -> None:
    assert content(opened) == content(fresh)
    with reading(opened) as marts:
        days = marts.execute(
            "select distinct snapshot_date::varchar from marts.fct_account_daily order by 1"
        ).fetchall()
        orders = marts.execute("select count(distinct order_id) from marts.fct_attribution").fetchone()
        files = marts.execute("select state, count(*) from marts.fct_landed_file group by 1 order by 1").fetchall()
    assert [day for (day,) in days] == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    assert orders == (13,)
    # 19 files and the one that was delivered now; the outage is rejected, the costs without a currency quarantined.
    assert files == [("accepted", 18), ("quarantined", 1), ("rejected", 1)]


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
    reject_the_outage(settings)
    deliver_the_fourth(settings)
    night.run_whole(settings, "after-rollback", FOURTH)
    assert content(settings) == content(fresh)
