"""Killed at a random instant: each job that writes, again and again, from worlds that are alike.

The test beside it does a dozen; `make chaos` (KILLS=76, SEED=1) does many.
"""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.replay import replay
from warehouse import pipeline
from warehouse.cli.backfill import STEPS
from warehouse.progress import Bar
from warehouse.release import releases
from warehouse.release.rollback import roll_back

from . import forks, night, small
from .conftest import content
from .small import day
from .two_days import Content, is_whole, later_files

# The steps of a night that write what readers see.
TO_READERS = tuple(night.STEPS)[:-1]


def _backfill(settings: Settings) -> None:
    pipeline.backfill(settings, day(1), day(2), (), night.quiet, Bar(STEPS))


def _erase(settings: Settings) -> None:
    pipeline.erase(settings, "youtube", "b", night.quiet)


def _roll_back(settings: Settings) -> None:
    first, *_ = sorted(path.name for path in releases.whole(settings))
    roll_back(settings, first, "chaos", night.quiet)


def _reject(settings: Settings) -> None:
    ledger.reject(settings, _of_day_2(settings, "batch_id"), "chaos")


def _revive(settings: Settings) -> None:
    # One that was revived before it was killed counts again, and is no longer to be asked for.
    if _of_day_2(settings, "state") == "rejected":
        replay(settings, None, _of_day_2(settings, "batch_id"), revive=True, log=night.quiet)


def _of_day_2(settings: Settings, column: str) -> str:
    with ledger.read(settings) as connection:
        found = connection.execute(f"select {column} from batches where file like '%/day2_%'").fetchone()
    return str(found[0])


@dataclass(frozen=True)
class Job:
    """What is killed.

    Args:
        does: the call, before the night of the third day; null where that night is all.
        before: what was done to the world first, each with its night.
    """

    does: Callable[[Settings], None] | None = None
    before: tuple[Callable[[Settings], None], ...] = ()


JOBS = {
    "night": Job(),
    "backfill": Job(_backfill),
    "erase": Job(_erase),
    "rollback": Job(_roll_back, before=(lambda _: None,)),
    "reject": Job(_reject),
    "replay": Job(_revive, before=(_reject,)),
}


def do(settings: Settings, job: str, note: Path | None = None) -> None:
    """A job and the night after it. One that was done before it was killed is not asked for twice.

    Args:
        note: where to write what readers see between them.
    """
    if (call := JOBS[job].does) is not None:
        try:
            call(settings)
        except UsageError as error:
            print(f"done already: {error}", file=sys.stderr)
        if note is not None:
            note.write_text(str(content(settings)))
    night.run_whole(settings, f"{job}-{time.time_ns()}", day(3), steps=TO_READERS)


class Chaos:
    """Worlds that stand before each job, what they hold then and after it, and how long it takes."""

    def __init__(self, first: Settings, folder: Path, forked: forks.Forks) -> None:
        self._first, self._folder, self._forked = first, folder, forked
        self._kept: dict[str, tuple[Settings, set[str], Content, float]] = {}

    def _known(self, job: str) -> tuple[Settings, set[str], Content, float]:
        if job not in self._kept:
            folder = self._folder / job
            world = small.copy_of(self._first, folder)
            later_files(world)
            for call in JOBS[job].before:
                call(world)
                night.run_whole(world, f"before-{time.time_ns()}", day(3), steps=TO_READERS)
            done, note = small.copy_of(world, folder / "done"), folder / "between"
            started = time.monotonic()
            assert self._forked.night(done, "whole", 3, job=job, note=str(note)) == 0, _said(done, "whole")
            seconds = time.monotonic() - started
            after = content(done)
            seen = {str(content(world)), str(after), *([note.read_text()] if note.exists() else ())}
            self._kept[job] = world, seen, after, seconds
        return self._kept[job]

    def kill(self, job: str, share: float) -> str:
        """Kill a job after this share of its time, look at what readers see, and do it again. Returns a line.

        Raises AssertionError where a release is not whole, or the marts are not those of a world without a kill.
        """
        kept, seen, after, seconds = self._known(job)
        world = small.copy_of(kept, Path(tempfile.mkdtemp(dir=self._folder)))
        try:
            ended = self._forked.night(world, "killed", 3, job=job, after=share * seconds)
            assert ended in (0, -signal.SIGKILL), _said(world, "killed")
            is_whole(world)
            assert str(content(world)) in seen
            assert self._forked.night(world, "again", 3, job=job) == 0, _said(world, "again")
            is_whole(world)
            assert content(world) == after
            assert not list(releases.folder_of(world).glob(".partial-*"))
            with ledger.read(world) as connection:
                assert connection.execute("select count(*) from leases").fetchone()[0] == 0
        finally:
            shutil.rmtree(world.data.parent)
        return f"{job:<9} {'killed' if ended else 'done before the kill'} at {share * seconds:.2f} s of {seconds:.2f}"


def _said(world: Settings, run_id: str) -> str:
    return forks.log_of(world, run_id).read_text()
