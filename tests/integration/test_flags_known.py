"""Flags, of which a night goes on from those that stand: equal to one pass, whatever a later file changes."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.config import Settings

from . import night, small
from .conftest import content, nights_that_know, reading
from .courses import by_nights, in_one_night, reject

pytestmark = pytest.mark.usefixtures("flags_alone")

DAYS = 52
# The first builds a month; the others bring a day or some. The file of day 41 comes late, with that of 44.
NIGHTS = (31, 33, 34, 35, 36, 37, 38, 40, 42, 44, 45, 47, 48, 50, 51, 52)
LATE, COMES_ON = 41, 44
# A day on which much was raised, and the last one, of which nothing is left then.
REJECTED = [47, DAYS]
HEADER = "platform,account_id,captured_at,followers,following,views_total"


@pytest.fixture(scope="module")
def flags_alone() -> Iterator[None]:
    with nights_that_know(small.read_marts("fct_follower_flag", "fct_follower_trust_daily", "fct_publication")):
        yield


def followers_on(account: str, day: int) -> float:
    usual = 20_000 + 12 * day + 9 * math.sin(day * 1.7)
    match account:
        case "burst":
            return usual + (6_000 if day >= 33 else 0)
        case "explained":
            return usual + (6_000 if day >= 34 else 0)
        case "lost":
            return usual + (7_000 if day >= 34 else 0) - (5_000 if day >= 42 else 0)
        case "twice":
            return usual + (5_000 if day >= 33 else 0) + (6_000 if day >= 45 else 0)
        case "misread":
            return usual + (9_000 if day in (35, 36) else 0)
        case "misread twice":
            return usual + (9_000 if day == 37 else 0) + (8_000 if day in (46, 47) else 0)
        case "saw":
            return usual + (1_800 if day >= 20 and day % 8 < 4 else 0)
        case "saw that is misread":
            return usual + (1_800 if day >= 20 and day % 8 < 4 else 0) + (9_000 if day == 50 else 0)
        case "saw that rests":
            return usual + (1_800 if (day < 25 or day > 38) and day % 8 < 4 else 0)
        case "drip":
            return usual + max(0, day - 30) * 260
        case "round":
            return 30_000 if day >= 47 else usual
    return usual + 3 * len(account) * day


ACCOUNTS = (
    "burst", "explained", "lost", "twice", "misread", "misread twice", "saw", "saw that is misread", "saw that rests",
    "drip", "round", "calm", "calmer", "the calmest of all",
)  # fmt: skip


def row(account: str, day: int) -> str:
    following = 300 + (900 if account in ("saw", "saw that is misread") and day % 6 < 3 and day > 25 else 0)
    views = 4_000_000 + 30_000 * day + (900_000 if account == "explained" and day >= 37 else 0)
    return f"youtube,{account},{small.day(day)}T03:00:00Z,{round(followers_on(account, day))},{following},{views}"


def deliver(settings: Settings, day: int, name: str = "") -> None:
    """The file of a day, whose name carries a time; under another name its rows stand in another order.

    Who is twice misread is not seen on every day.
    """
    target = settings.landing / "account_snapshots" / f"a{name}_{small.day(day)}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    seen = [account for account in ACCOUNTS if account != "misread twice" or day % 9]
    rows = [row(account, day) for account in seen]
    target.write_text("\n".join([HEADER, *(reversed(rows) if name else rows)]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def by_night(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nobody changes it."""

    def bring(settings: Settings, day: int) -> None:
        if day != LATE:
            deliver(settings, day)
        if day == COMES_ON:
            deliver(settings, LATE)

    return by_nights(tmp_path_factory.mktemp("by_night"), bring, NIGHTS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return in_one_night(tmp_path_factory.mktemp("whole"), deliver, DAYS)


def flags(settings: Settings) -> list[tuple[object, ...]]:
    with reading(settings) as marts:
        return marts.execute("from marts.fct_follower_flag order by all").fetchall()


def test_nights_equal_one_pass(by_night: Settings, whole: Settings) -> None:
    with reading(by_night) as marts:
        query = "select account_id, signal from marts.fct_follower_flag where {} order by all"
        # What ends, what proves a misread, and what is one stretch of many nights.
        ended = marts.execute(query.format("ended_on is not null")).fetchall()
        misread = marts.execute(query.format("misread_on is not null and signal in ('burst', 'sawtooth')")).fetchall()
        stretches = marts.execute(query.format("not is_event and last_evaluated > first_flagged")).fetchall()
    assert ended == [
        ("drip", "burst"), ("explained", "burst"), ("explained", "growth_without_activity"), ("twice", "burst"),
    ]  # fmt: skip
    assert misread == [
        ("misread", "burst"), ("misread twice", "burst"), ("misread twice", "burst"),
        ("saw that is misread", "sawtooth"),
    ]  # fmt: skip
    assert ("saw", "sawtooth") in stretches
    assert ("saw", "following_swings") in stretches
    assert flags(by_night) == flags(whole)
    assert content(by_night) == content(whole)


@pytest.mark.parametrize("rejected", REJECTED)
def test_what_is_taken_back_takes_its_flags_along(
    rejected: int, whole: Settings, by_night: Settings, tmp_path: Path
) -> None:
    settings = small.copy_of(by_night, tmp_path / "by_night")
    reject(settings, f"a_{small.day(rejected)}")
    night.run(settings, "without", small.day(DAYS))
    without = flags(in_one_night(tmp_path / "without", deliver, DAYS, rejected))
    assert without != flags(whole)
    assert flags(settings) == without
    deliver(settings, rejected, "gain")
    night.run(settings, "again", small.day(DAYS))
    assert flags(settings) == flags(whole)
