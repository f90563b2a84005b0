"""Nightly, backfill and a person at once, each a process: one works, others wait; an overtaken one cannot publish."""

import os
import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ingestion import lease, ledger
from ingestion.config import Settings
from ingestion.errors import ContractError, LeaseLost
from warehouse import integrity, pipeline, plan
from warehouse.release import releases

from . import forks, night, small
from .conftest import content
from .small import Capture, day, deliver
from .two_days import is_whole

PATIENCE_SECONDS = 240


pytestmark = pytest.mark.usefixtures("tiers_alone")


@pytest.fixture
def world(tmp_path: Path) -> Settings:
    """Files of three days in landing, nothing built."""
    settings = small.world(tmp_path, "world")
    for number in (1, 2, 3):
        deliver(settings, f"day{number}", [Capture("a", number, followers=1000 * number)])
    return settings


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def holder(settings: Settings) -> str | None:
    with ledger.read(settings) as connection:
        row = connection.execute("select run_id from leases").fetchone()
    return row["run_id"] if row else None


def state_of(settings: Settings, run_id: str) -> str | None:
    with ledger.read(settings) as connection:
        row = connection.execute("select state from plans where run_id = ?", (run_id,)).fetchone()
    return row["state"] if row else None


def has_ended(settings: Settings, run_id: str) -> bool:
    """Whether a run has published, or had nothing to, or has ended with the one error that an overtaken run has."""
    log = forks.log_of(settings, run_id)
    overtaken = log.exists() and f"so run {run_id} publishes nothing" in log.read_text()
    return overtaken or state_of(settings, run_id) in ("published", "unchanged", "superseded")


def test_three_at_once_all_end_and_the_marts_are_those_of_one(
    world: Settings, forked: forks.Forks, tmp_path: Path
) -> None:
    runs = {"nightly": 3, "backfilled": 1, "by hand": 2}
    for run_id, number in runs.items():
        forked.begin(world, run_id, number)
    wait_until(lambda: all(has_ended(world, run_id) for run_id in runs) and holder(world) is None)
    # One that was overtaken before its dates were released leaves them to the next run.
    night.run(world, "next", day(3))
    alone = small.world(tmp_path, "alone")
    for number in (1, 2, 3):
        deliver(alone, f"day{number}", [Capture("a", number, followers=1000 * number)])
    night.run(alone, "alone", day(3))
    assert content(world) == content(alone)
    is_whole(world)
    with ledger.read(world) as connection:
        assert connection.execute("select count(*) from dirty_dates").fetchone()[0] == 0
    assert any("waiting for another writer" in forks.log_of(world, run_id).read_text() for run_id in runs)


def test_a_person_is_told_who_works_and_since_when(world: Settings, forked: forks.Forks, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    process = forked.begin(world, "nightly", 3, hold=str(gate))
    wait_until(Path(f"{gate}.near").exists)
    impatient = world.model_copy(update={"lease_wait_seconds": 0.0})
    with pytest.raises(LeaseLost, match=rf"publish_release of run nightly \(process {process} on .*\) since 20\d\d-"):
        night.run(impatient, "by hand", day(3))
    gate.touch()
    wait_until(lambda: state_of(world, "nightly") == "published" and holder(world) is None)


def test_a_paused_run_whose_retry_has_published_cannot_publish(
    world: Settings, forked: forks.Forks, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    # Stopped just before the swap, its heart does not beat; after a second its lease counts as dead.
    zombie = forked.begin(world, "zombie", 2, hold=str(gate), ttl="1")
    wait_until(Path(f"{gate}.near").exists)
    os.kill(zombie, signal.SIGSTOP)
    time.sleep(1.5)
    impatient = world.model_copy(update={"lease_ttl_seconds": 1.0})
    night.run(impatient, "retry", day(3))
    released, seen = content(world), releases.latest(world)
    gate.touch()
    os.kill(zombie, signal.SIGCONT)
    log = forks.log_of(world, "zombie")
    wait_until(lambda: "LeaseLost" in log.read_text())
    assert "run zombie lost the writer's lease" in log.read_text()
    assert "nothing was published" in log.read_text()
    assert releases.latest(world) == seen
    assert content(world) == released
    # What it left half made is removed by the next that publishes.
    deliver(world, "day4", [Capture("a", 4, followers=4000)])
    night.run(world, "next", day(4))
    assert len(list(releases.folder_of(world).iterdir())) <= 3
    assert state_of(world, "zombie") != "published"


def test_a_holder_that_was_killed_is_taken_over_at_once(world: Settings, forked: forks.Forks, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    process = forked.begin(world, "killed", 3, hold=str(gate))
    wait_until(Path(f"{gate}.near").exists)
    os.kill(process, signal.SIGKILL)
    with lease.hold(world.model_copy(update={"lease_wait_seconds": 5.0}), "next", "a person", night.quiet):
        assert holder(world) == "next"
    assert night.run(world, "next", day(3)).status == "published"


def overtaken(world: Settings, run_id: str, backfill_range: plan.BackfillRange | None, last: date) -> None:
    """A run whose build another one has written over, and published."""
    with lease.hold(world, run_id, "build_marts", night.quiet) as held:
        night.landing.land_files(world, run_id, night.quiet)
        night.build.build_marts(world, run_id, last, held, night.quiet, backfill_range)
    deliver(world, "day4", [Capture("a", 4, followers=4000)])
    night.run(world, "nightly", day(4))


@pytest.mark.parametrize("step", ["check_built", "publish_checked"])
def test_an_overtaken_rebuild_ends_and_says_how_to_ask_again(world: Settings, step: str) -> None:
    night.run(world, "first", day(3))
    backfill_range, last = plan.resolve(world, day(1), day(2))
    overtaken(world, "rebuild", backfill_range, last)
    released, seen = content(world), releases.latest(world)
    with (
        lease.hold(world, "rebuild", step, night.quiet) as held,
        pytest.raises(
            ContractError,
            match=r"the build is of run nightly, so run rebuild publishes nothing; backfill the range again:"
            r" `make backfill FROM=2026-01-01 TO=2026-01-02`",
        ),
    ):
        getattr(pipeline, step)(world, "rebuild", last, held, night.quiet)
    assert (content(world), releases.latest(world)) == (released, seen)


def test_an_overtaken_night_whose_dates_are_not_released_leaves_them_to_the_next(world: Settings) -> None:
    """The run that overtook it has not published: neither has, and the next one does for both."""
    for run_id, number in (("overtaken", 3), ("by hand", 2)):
        with lease.hold(world, run_id, "land_files", night.quiet) as held:
            night.landing.land_files(world, run_id, night.quiet)
            night.build.build_marts(world, run_id, day(number), held, night.quiet)
    with (
        lease.hold(world, "overtaken", "check_marts", night.quiet) as held,
        pytest.raises(ContractError, match="its dates stay dirty, and the next run builds them: `make nightly`"),
    ):
        pipeline.check_built(world, "overtaken", day(3), held, night.quiet)
    assert releases.latest(world) is None
    night.run(world, "next", day(3))
    with ledger.read(world) as connection:
        assert connection.execute("select count(*) from dirty_dates").fetchone()[0] == 0


def test_a_night_whose_build_is_gone_is_superseded_when_its_dates_are_released(world: Settings) -> None:
    overtaken(world, "slow", None, day(3))
    integrity.remove_build(world)
    with lease.hold(world, "slow", "publish_release", night.quiet) as held:
        assert pipeline.publish_checked(world, "slow", day(3), held, night.quiet) is None
    assert state_of(world, "slow") == "superseded"


def test_a_night_hashes_each_raw_file_once(world: Settings, hashed: list[str]) -> None:
    night.run_whole(world, "first", day(3))
    assert len(list((world.raw / "account_snapshots").rglob("snapshot_date=*/*.parquet"))) == 3
    # Each as it is written, then nothing more by the same run.
    assert (
        len([name for name in hashed if "/raw/" in name and ("snapshot_date=" in name or "part.parquet" in name)]) == 3
    )
    deliver(world, "day4", [Capture("a", 4, followers=4000)])
    with lease.hold(world, "land", "land_files", night.quiet):
        night.landing.land_files(world, "land", night.quiet)
    hashed.clear()
    night.run_whole(world, "second", day(4))
    # What another run wrote: once, for the gate and the build. The gate compares it with the day before it.
    of_days = sorted(Path(name).parent.name for name in hashed if "/raw/" in name)
    assert of_days == ["snapshot_date=2026-01-03", "snapshot_date=2026-01-04"]
