"""A file that comes a month late, and a night that was blocked: what is planned, what changes, what frees it."""

from pathlib import Path

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse.release import releases

from . import night, small
from .conftest import content, reading
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("accounts_alone")


def month(settings: Settings, *left_out: int) -> None:
    for number in range(1, 31):
        if number not in left_out:
            deliver(settings, f"day{number}", [Capture("a", number, followers=900 + number), Capture("b", number)])


def test_a_file_for_day_3_after_day_30_changes_planned_dates_alone_and_ends_as_if_it_had_come_in_time(
    tmp_path: Path,
) -> None:
    late, in_time = small.world(tmp_path, "late"), small.world(tmp_path, "in_time")
    month(late, 3)
    month(in_time)
    night.run(late, "month", day(30))
    night.run(in_time, "month", day(30))
    before = releases.latest(late)
    assert before is not None
    deliver(late, "day3", [Capture("a", 3, followers=903), Capture("b", 3)])
    night.run(late, "late", day(30))
    assert content(late) == content(in_time)

    with duckdb.connect() as both, ledger.read(late) as connection:
        both.execute(f"attach '{before / releases.DATABASE}' as old (read_only)")
        both.execute(f"attach '{late.published / releases.DATABASE}' as new (read_only)")
        rows = both.execute(
            "select distinct cast(snapshot_date as varchar) from"
            " (select * from new.marts.fct_account_daily except select * from old.marts.fct_account_daily) order by 1"
        ).fetchall()
        planned = connection.execute(
            "select snapshot_date from plan_dates where run_id = 'late' and mart = 'fct_account_daily'"
        ).fetchall()
    # The day itself, and the next, whose change had been measured from day 2: 902 to 904 in 2 days, now 903 to 904.
    # Both are 1 a day, but the gap is 1 day instead of 2.
    assert [row[0] for row in rows] == ["2026-01-03", "2026-01-04"]
    assert {row[0] for row in rows} <= {row["snapshot_date"] for row in planned}


def test_a_blocked_night_is_checked_again_with_the_next_until_the_bad_batch_is_taken_back(tmp_path: Path) -> None:
    roster = [f"account{number}" for number in range(40)]
    blocked, honest = small.world(tmp_path, "blocked"), small.world(tmp_path, "honest")
    for settings in (blocked, honest):
        for number in (1, 2, 3, 4, 6):
            deliver(settings, f"day{number}", [Capture(name, number, followers=5000) for name in roster])
    night.run_whole(blocked, "fourth", day(4))
    seen = releases.latest(blocked)
    # A scraper that writes 0 for everyone is an outage: critical.
    deliver(blocked, "day5", [Capture(name, 5, followers=0) for name in roster])
    for run_id, number in (("fifth", 5), ("sixth", 6)):
        with pytest.raises(ContractError, match=r"share_of_zero_followers: .*at 2026-01-05"):
            night.run_whole(blocked, run_id, day(number))
        assert releases.latest(blocked) == seen
    with ledger.read(blocked) as connection:
        batch = connection.execute("select batch_id from batches where file like '%day5%'").fetchone()[0]
    ledger.reject(blocked, batch[:12], "zeros for everyone")
    night.run_whole(blocked, "again", day(6))
    night.run_whole(honest, "sixth", day(6))
    assert content(blocked) == content(honest)
    with reading(blocked) as marts:
        assert marts.execute("select count(distinct snapshot_date) from marts.fct_account_daily").fetchone() == (5,)
