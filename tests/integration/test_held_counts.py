"""Implausible counts worked by hand: what is held, what a later capture accepts, and that the order of files is nothing."""

import random
import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings
from tests.conftest import digits

from . import night, small
from .conftest import content, reading
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("accounts_alone")

HELD = "int_snapshot__counts_held"
# Of the outage: 50,000 on the 2nd, then zeros for 122 days, here captured each day at first and then each week.
BACK = 125
ZEROS = [*range(3, 9), *range(12, BACK, 7)]
# Followers by day, captured at 3:00. Four of a platform are held on one day at most: five would bar each other.
YOUTUBE: dict[str, dict[int, int]] = {
    # Five times as many, bought: confirmed by the day after.
    "burst": {1: 2000, 2: 2000, 3: 12_000, 4: 12_010, 5: 12_020},
    # Each day six, then fifteen times the accepted 1,000: 15,000 is no factor of 2 from 6,000, 16,000 is of 15,000.
    "viral": {1: 1000, 2: 1000, 3: 6000, 4: 15_000, 5: 16_000},
    "lost_a_factor_of_6": {1: 60_000, 2: 60_000, 3: 10_000, 4: 9990, 5: 9980},
    "won_a_factor_of_6": {1: 10_000, 2: 10_000, 3: 60_000, 4: 60_100, 5: 60_200},
}
INSTAGRAM: dict[str, dict[int, int]] = {
    # Under a factor of 5 nothing is held: trust has the word.
    "grew": {1: 10_000, 2: 10_000, 3: 49_999, 4: 50_000, 5: 50_001},
    "digit_lost": {1: 524_000, 2: 524_000, 3: 52_400, 4: 524_100, 5: 524_200},
    "outage": {1: 50_000, 2: 50_000, **dict.fromkeys(ZEROS, 0), BACK: 50_500},
    "calm": {number: 30_000 + number for number in (1, 2, 3, 4, 5)},
}
# The whole roster of another platform loses its unit for two days.
ROSTER = {f"unit_lost_{number}": 1_000_000 * number for number in range(1, 7)}


def captures(counts: dict[str, dict[int, int]], platform: str = "youtube") -> list[Capture]:
    return [
        Capture(account, number, followers=followers, views=9000, platform=platform)
        for account, days in counts.items()
        for number, followers in days.items()
    ]


def two_a_day() -> list[Capture]:
    """A broken capture before the good one of the 3rd, and after the good one of the 4th."""
    return [
        Capture("two_a_day", platform="instagram", views=9000, day=2, hour=21, followers=70_000),
        Capture("two_a_day", platform="instagram", views=9000, day=3, hour=3, followers=7001),
        Capture("two_a_day", platform="instagram", views=9000, day=3, hour=21, followers=70_010),
        Capture("two_a_day", platform="instagram", views=9000, day=4, hour=3, followers=70_020),
        Capture("two_a_day", platform="instagram", views=9000, day=4, hour=21, followers=7002),
        Capture("two_a_day", platform="instagram", views=9000, day=5, hour=3, followers=70_040),
    ]


def rows() -> list[Capture]:
    roster = {
        name: {1: count, 2: count, 3: count // 1000, 4: count // 1000, 5: count} for name, count in ROSTER.items()
    }
    return [*captures(YOUTUBE), *captures(INSTAGRAM, "instagram"), *captures(roster, "tiktok"), *two_a_day()]


def bring(world: Settings, found: Iterable[Capture]) -> None:
    """A file for each day."""
    by_day: dict[int, list[Capture]] = {}
    for capture in found:
        by_day.setdefault(capture.day, []).append(capture)
    for number, of_day in by_day.items():
        deliver(world, f"day{number:03d}", of_day)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    found = small.world(tmp_path_factory.mktemp("held"), "one_pass")
    bring(found, rows())
    night.run(found, "one", day(BACK))
    return found


def history(world: Settings, account: str) -> dict[int, tuple[object, ...]]:
    """Followers, the held count and the change per day, by the number of the day."""
    with reading(world) as marts:
        found = marts.execute(
            "select date_diff('day', $first, snapshot_date) + 1, followers, followers_held, followers_change_per_day"
            " from marts.fct_account_daily where account_id = $account order by 1",
            {"first": small.FIRST, "account": account},
        ).fetchall()
    return {number: tuple(row) for number, *row in found}


# (followers, held, change per day) of the 3rd, 4th and 5th.
BY_HAND: dict[str, list[tuple[int | None, int | None, float | None]]] = {
    # 10,010 more in the two days since the 2nd.
    "burst": [(None, 12_000, None), (12_010, None, 5005.0), (12_020, None, 10.0)],
    # 15,000 more in three days.
    "viral": [(None, 6000, None), (None, 15_000, None), (16_000, None, 5000.0)],
    "lost_a_factor_of_6": [(None, 10_000, None), (9990, None, -25_005.0), (9980, None, -10.0)],
    "won_a_factor_of_6": [(None, 60_000, None), (60_100, None, 25_050.0), (60_200, None, 100.0)],
    "grew": [(49_999, None, 39_999.0), (50_000, None, 1.0), (50_001, None, 1.0)],
    # Back on its line: 100 more in two days, no loss and no gain of 471,600.
    "digit_lost": [(None, 52_400, None), (524_100, None, 50.0), (524_200, None, 100.0)],
    # The last capture of a day speaks. 10 more in a day; 30 more in the 30 hours from 21:00 on the 3rd.
    "two_a_day": [(70_010, None, 10.0), (None, 7002, None), (70_040, None, 24.0)],
}


@pytest.mark.parametrize("account", BY_HAND)
def test_a_held_count_is_accepted_by_what_comes_later_and_never_before(world: Settings, account: str) -> None:
    found = history(world, account)
    assert [found[number] for number in (3, 4, 5)] == BY_HAND[account]


def test_days_on_which_nothing_may_be_held_are_no_pass(world: Settings) -> None:
    """Nothing leaps on the first two days; each later one has a 0, or a count back from one."""
    (ran,) = (world.data / "build" / "dbt" / "run").rglob(f"{HELD}.sql")
    passes = [int(number) for number in re.findall(r"set variable pass_of_\w+ = (\d+);", ran.read_text("utf-8"))]
    assert passes == [number for number, _ in enumerate([1, 2, *ZEROS, BACK], 1) if number > 2]


# Captures by day and hour, each account on days of its own, on which nobody else leaps.
ALONE: tuple[dict[tuple[int, int], int], ...] = (
    {(1, 3): 5000, (2, 3): 50, (3, 3): 5000},
    {(1, 3): 5000, (2, 3): 0, (3, 3): 0, (4, 3): 900, (5, 3): 5000},
    # No factor of 5 from one capture to the next, one of 20 in a day.
    {(1, 3): 1000, (2, 3): 4900, (2, 21): 20_000, (3, 3): 1000},
    {(1, 3): 60_000, (2, 3): 10_000, (3, 3): 45_000, (4, 3): 9000, (5, 3): 60_000},
    # Far from what was before, in small steps.
    {(1, 3): 1000, (2, 3): 1800, (3, 3): 3400, (4, 3): 6500, (5, 3): 12_000},
    # 79 days after the last count.
    {(1, 3): 5000, (80, 3): 0},
)


def leaping(seed: int) -> list[Capture]:
    """Accounts on 100 days with gaps, days of two captures, growth, and a few leaps by factors around 5, misreads and zeros."""
    draw = random.Random(seed)
    found = [
        Capture(f"alone{number}", 6 * number + at, hour, followers=count, views=5)
        for number, days in enumerate(ALONE)
        for (at, hour), count in days.items()
    ]
    for number in range(8):
        count = draw.choice([800, 1500, 20_000])
        for at in range(40, 101):
            count = max(1, round(count * draw.choice([1, 1, 1, 1.1, 0.9])))
            if draw.random() < 0.008:
                count = max(1, round(count * draw.choice([0.15, 0.21, 2.2, 4.9, 6])))
            for hour in (3, 21) if draw.random() < 0.1 else (3,):
                said = round(count * draw.choice([0, 0.1, 4.95, 12])) if draw.random() < 0.008 else count
                if draw.random() < 0.8:
                    found.append(Capture(f"a{number}", at, hour, followers=said, views=5))
    return found


def test_no_held_count_is_lost_by_passing_over_days(tmp_path: Path) -> None:
    """Each day made by itself holds the same counts: what says that a day may hold one leaves none out."""

    some_days = small.read_marts(HELD)

    def every_day(settings: Settings) -> object:
        project = some_days(settings)
        del project.nodes[f"model.groundswell.{HELD}"].config.meta["holds_counts_of"]
        return project

    held = {}
    for name, read in {"some": some_days, "every": every_day}.items():
        world = small.world(tmp_path, name)
        deliver(world, "all", leaping(7))
        with small.read_once(read):  # type: ignore[arg-type]
            night.run_whole(world, "one", day(110), steps=("land_files", "build_marts"))
        with duckdb.connect(str(world.build_db), read_only=True) as build:
            held[name] = build.execute(f"from intermediate.{HELD} order by all").fetchall()
    assert held["some"] == held["every"]
    assert len({row[-1] for row in held["some"]}) > 8


def test_an_outage_of_122_days_of_zeros_is_no_loss(world: Settings) -> None:
    found = history(world, "outage")
    assert [found[number] for number in ZEROS] == [(None, 0, None)] * len(ZEROS)
    assert ZEROS[-1] == BACK - 1
    # 500 more in the 123 days since the 2nd.
    assert found[BACK] == (50_500, None, digits(500 / 123))


@pytest.mark.parametrize("account", ROSTER)
def test_a_unit_that_the_whole_roster_loses_for_two_days_is_confirmed_by_nobody(world: Settings, account: str) -> None:
    found, count = history(world, account), ROSTER[account]
    assert [found[number] for number in (3, 4)] == [(None, count // 1000, None)] * 2
    assert found[5] == (count, None, 0.0)


def test_a_held_day_has_its_reason_and_no_tier(world: Settings) -> None:
    with reading(world) as marts:
        found = marts.execute(
            "select distinct followers_null_reason, views_total_null_reason, tier from marts.fct_account_daily"
            " where followers_held is not null"
        ).fetchall()
    assert found == [("implausible", None, None)]


# Held on the last day; a 0 far from the count that holds it; counts that take turns.
ORDERED = {
    "held_last": {1: 20_000, 2: 20_010, 4: 20_020, 60: 200_200},
    "zero": {2: 50_000, 4: 0, 35: 0, 60: 0},
    "in_turns": {1: 10_000, 2: 60_000, 3: 10_010, 4: 60_010, 35: 10_020, 60: 60_020},
    "burst": {1: 2000, 2: 2000, 3: 12_000, 4: 12_010, 35: 12_500, 60: 12_600},
}


def test_any_order_of_files_gives_equal_marts(tmp_path: Path) -> None:
    orders = {
        "one_pass": [[1, 2, 3, 4, 35, 60]],
        "day_by_day": [[1, 2, 3], [4, 35], [60]],
        # The zeros of the 35th and 60th are accepted until the 2nd comes, 58 days before.
        "late": [[35, 60], [1, 3], [2, 4]],
    }
    found = {}
    for name, nights in orders.items():
        world = small.world(tmp_path, name)
        for number, days in enumerate(nights):
            bring(world, [capture for capture in captures(ORDERED) if capture.day in days])
            night.run(world, f"night {number}", day(60 if name == "late" else days[-1]))
        found[name] = content(world)
    assert found["day_by_day"] == found["one_pass"]
    assert found["late"] == found["one_pass"]
    assert [history(world, account)[60][:2] for account in ("held_last", "zero", "in_turns")] == [
        (200_200, None),
        (None, 0),
        # The 60,010 of the 4th was held before the 10,020 of the 35th was accepted, so it says nothing again.
        (None, 60_020),
    ]
