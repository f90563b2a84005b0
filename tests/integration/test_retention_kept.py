"""What is derived may outlast its days where the terms allow it; arrivals reach their mart, and go with their capture."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from warehouse import integrity

from .conftest import reading
from .test_retention import ACCOUNTS, FIRST, World, holders, marks, without_tests


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    with without_tests():
        yield


def test_what_is_derived_may_stay_and_nothing_makes_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiers of days that were let go stay without their counts, also where the build is lost; then the setting ends."""
    world = World(tmp_path, "derived", monkeypatch, "bluesky:\n  retention_days: 3\n  keep_derived: true\n")
    settings = world.settings
    for number in range(3):
        world.answer(FIRST + timedelta(days=number))
    world.land(FIRST + timedelta(days=2))
    world.build(FIRST + timedelta(days=2))
    day = FIRST + timedelta(days=4)
    world.answer(day)
    world.land(day)
    integrity.remove_build(settings)
    world.build(day)
    world.end(day)
    past = [FIRST, FIRST + timedelta(days=1)]
    assert holders(settings, marks(past)) == {}
    tiers = "select distinct snapshot_date, tier from marts.fct_account_tier_daily where scheme = 'standard' order by 1"
    with reading(settings) as marts:
        held = marts.execute(tiers).fetchall()
        assert held == [(each, "mega") for each in (*past, FIRST + timedelta(days=2), day)]
        assert marts.execute("select min(snapshot_date) from marts.fct_account_daily").fetchone() == (
            FIRST + timedelta(days=2),
        )
        assert marts.execute("select distinct tier from marts.dim_account_tier_history").fetchall() != [
            ("insufficient_data",)
        ]
    world.sources_file.write_text("bluesky:\n  retention_days: 3\n  keep_derived: false\n", encoding="utf-8")
    # A night later the 3rd is past too.
    world.let_go(day + timedelta(days=1))
    world.end(day + timedelta(days=1))
    with reading(settings) as marts:
        assert marts.execute(tiers).fetchall() == held[3:]


def test_arrivals_reach_their_mart_and_go_with_their_capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the 2nd's two captures the last one counts, in which the three of Christmas have become two."""
    world = World(tmp_path, "arrivals", monkeypatch, "bluesky:\n  retention_days: 2\n  arrivals: true\n")
    came = {
        "2026-01-01T220000": [("2025-12-25", 3), ("2026-01-01", 40)],
        "2026-01-02T210000": [("2025-12-25", 3), ("2026-01-01", 39)],
        "2026-01-02T220000": [("2025-12-25", 2), ("2026-01-01", 39), ("2026-01-02", 1)],
    }
    second = FIRST + timedelta(days=1)
    for day in (FIRST, second):
        world.answer(day)
    for instant, days in came.items():
        lines = (json.dumps({"did": ACCOUNTS[0], "day": day, "followers": found}) for day, found in days)
        file = world.settings.landing / "bluesky" / f"arrivals_{instant}Z.jsonl.gz"
        file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    world.land(second)
    world.build(second)
    query = (
        "select account_id, cast(snapshot_date as varchar), cast(arrival_date as varchar), surviving_followers"
        " from marts.fct_follower_arrival order by all"
    )
    of_second = [
        (ACCOUNTS[0], "2026-01-02", "2025-12-25", 2), (ACCOUNTS[0], "2026-01-02", "2026-01-01", 39),
        (ACCOUNTS[0], "2026-01-02", "2026-01-02", 1),
    ]  # fmt: skip
    with reading(world.settings) as marts:
        assert marts.execute(query).fetchall() == [
            (ACCOUNTS[0], "2026-01-01", "2025-12-25", 3), (ACCOUNTS[0], "2026-01-01", "2026-01-01", 40), *of_second,
        ]  # fmt: skip
    # On the 4th the 1st is past; no night publishes before readers are without it.
    third = FIRST + timedelta(days=2)
    world.let_go(third)
    world.end(third)
    with reading(world.settings) as marts:
        assert marts.execute(query).fetchall() == of_second
