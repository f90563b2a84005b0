"""What may happen to a small world of snapshots: files come, are rejected, nights end or crash, days are rebuilt."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.lease import hold
from warehouse import plan

from . import night, small
from .conftest import make_settings
from .small import Capture, day, deliver

LAST = 4
DAYS = range(1, LAST + 1)
World = dict[str, list[Capture]]
# Puts the files of a day into landing.
DeliverDay = Callable[[Settings, int], None]


def as_of(number: int) -> date:
    """A time in a file's name: the same in every world, and another for each file."""
    return date(2026, 2, number + 1)


def bring(world: Settings, files: World, *names: str) -> None:
    """Deliver some files of a world. A name's number says when its content was known."""
    for name in names:
        deliver(world, name, files[name], as_of(int(name.removeprefix("file"))))


def in_one_night(folder: Path, deliver_day: DeliverDay, last: int, *without: int) -> Settings:
    """A world of days that come all at once, but those without which it is made."""
    settings = make_settings(folder)
    for number in range(1, last + 1):
        if number not in without:
            deliver_day(settings, number)
    night.run(settings, "once", day(last))
    return settings


def by_nights(folder: Path, deliver_day: DeliverDay, nights: Sequence[int]) -> Settings:
    """A world of nights, each of which brings the days since the one before."""
    settings = make_settings(folder)
    for before, last in zip((0, *nights), nights, strict=False):
        for number in range(before + 1, last + 1):
            deliver_day(settings, number)
        night.run(settings, f"night {last}", day(last))
    return settings


def rebuild(world: Settings, run_id: str, first: int, last: int) -> None:
    """A range in one pass, without the gates."""
    backfill_range, last_day = plan.resolve(world, day(first), day(last))
    with hold(world, run_id, "rebuild", night.quiet) as held:
        night.build.build_marts(world, run_id, last_day, held, night.quiet, backfill_range)
        night.publish.publish_release(world, run_id, held, night.quiet)


def reject(world: Settings, name: str) -> None:
    with ledger.read(world) as connection:
        query = "select batch_id from batches where file like ? and state = 'accepted'"
        (row,) = connection.execute(query, (f"%{name}%",)).fetchall()
    ledger.reject(world, row["batch_id"], "a test")


class Crash(BaseException):
    """The process ends here, as far as the run is concerned."""


CRASHES: list[tuple[Any, str]] = [
    (night.ledger, "record_batch"),
    (night.dbt, "run_dbt"),
    (night.build, "_check_results"),
    (night.publish, "write_note"),
    (night.releases, "point_readers_to"),
    (night.releases, "record"),
]


def crash(world: Settings, run_id: str, number: int, where: int) -> None:
    """A night that ends at one of the points, if it comes by there."""
    owner, name = CRASHES[where]

    def fall(*_: Any, **__: Any) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, fall)
        with suppress(Crash):
            night.run(world, run_id, day(number))


def at_once(folder: Path, files: World) -> Settings:
    """A world brought in the plainest way: all is there, and one night."""
    world = small.world(folder, "once")
    bring(world, files, *files)
    night.run(world, "once", day(LAST))
    return world
