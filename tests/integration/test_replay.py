"""A replay and a revived batch leave the marts as they would have been: nothing lost, nothing doubled."""

from collections.abc import Callable
from datetime import date

import pytest

from ingestion import landing, ledger, replay
from ingestion.config import Settings

from . import night
from .conftest import deliver, reading

pytestmark = pytest.mark.usefixtures("tiers_alone")

DAY = date(2022, 7, 17)


def values(settings: Settings) -> set[tuple[object, ...]]:
    """Rows of the daily mart without the id of the reading that they came with, which is another after a replay."""
    with reading(settings) as marts:
        rows = marts.execute("select * exclude (batch_id) from marts.fct_account_daily").fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


def batch_of(settings: Settings, name: str) -> str:
    with ledger.read(settings) as connection:
        row = connection.execute(
            "select batch_id from batches where file like ? and state <> 'superseded'", (f"%{name}",)
        ).fetchone()
        return str(row[0])


def test_marts_after_a_replay_and_after_a_revived_reject(world: Callable[..., Settings], days: list[str]) -> None:
    plain = world("plain", *days[:2])
    night.run(plain, "run", DAY)

    settings = world("mended", days[0])
    night.run(settings, "run 1", DAY)
    deliver(settings, days[1])
    # The second file is first refused for a limit, and its landed copy taken away.
    landing.land_files(settings.model_copy(update={"max_unpacked_bytes": 10}), "refused", night.quiet)
    next(settings.landing.rglob(days[1])).unlink()
    [step] = replay.replay(settings, log=night.quiet)
    assert step.action == replay.PUT_BACK
    night.run(settings, "run 2", DAY)
    assert values(settings) == values(plain)

    # A file whose rows are all accepted already is read again, because it is named.
    [step] = replay.replay(settings, batch_prefix=batch_of(settings, days[0]), log=night.quiet)
    assert step.action == replay.READ_AGAIN
    night.run(settings, "run 3", DAY)
    assert values(settings) == values(plain)

    taken_back = batch_of(settings, days[0])
    ledger.reject(settings, taken_back, "a mistake")
    night.run(settings, "run 4", DAY)
    assert values(settings) != values(plain)
    replay.replay(settings, batch_prefix=taken_back, revive=True, log=night.quiet)
    night.run(settings, "run 5", DAY)
    assert values(settings) == values(plain)
    with reading(settings) as marts:
        doubles = marts.execute(
            "select count(*) - count(distinct (platform, account_id, snapshot_date)) from marts.fct_account_daily"
        ).fetchone()
    assert doubles == (0,)
