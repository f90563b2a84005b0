"""Held tiers worked by hand: edges crossed for 6 and 7 days, gaps, unknown days, and cut-offs that change."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings

from . import night
from .conftest import content, make_settings, reading

pytestmark = pytest.mark.usefixtures("tiers_alone")

LAST = 20
# One more scheme, whose border between nano and micro moves from 10,000 to 5,000 on the 15th of March.
MOVING = """scheme,platform,tier,tier_rank,min_followers,max_followers,valid_from,valid_to,source_note
moving,*,nano,1,1000,10000,1970-01-01,2026-03-15,a test
moving,*,micro,2,10000,,1970-01-01,2026-03-15,a test
moving,*,nano,1,1000,5000,2026-03-15,,a test
moving,*,micro,2,5000,,2026-03-15,,a test
"""
NANO, MICRO, BELOW = 9_000, 11_000, 500


def days(**spans: int | None) -> dict[int, int | None]:
    """Followers by day of March: `d6_8=11000` is the 6th to the 8th; None is a capture that did not read them."""
    found: dict[int, int | None] = {}
    for name, followers in spans.items():
        first, _, last = name.removeprefix("d").partition("_")
        found |= dict.fromkeys(range(int(first), int(last or first) + 1), followers)
    return found


ACCOUNTS = {
    "six": days(d1_5=NANO, d6_11=MICRO, d12_20=NANO),
    "seven": days(d1_5=NANO, d6_20=MICRO),
    "gap_of_3": days(d1_5=NANO, d6_8=MICRO, d12_20=MICRO),
    "gap_of_4": days(d1_5=NANO, d6_8=MICRO, d13_20=MICRO),
    "null_for_2": days(d1_5=NANO, d6_8=MICRO, d9_10=None, d11_20=MICRO),
    "null_for_4": days(d1_5=NANO, d6_8=MICRO, d9_12=None, d13_20=MICRO),
    "low": days(d1=BELOW, d2_20=1_500),
    "late": days(d1=None, d2_20=NANO),
    "down": days(d1_4=MICRO, d5_20=NANO),
    "back": days(d1_3=NANO, d4_10=MICRO, d11_20=NANO),
    "between": days(d1_14=7_000, d16_20=7_000),
    "under": days(d1_20=3_000),
    "dip": days(d1_13=12_000, d14_20=NANO),
}  # fmt: skip
# Standard: nano from 1,000, micro from 10,000. (valid_from, tier, valid_to, previous, direction, days)
STANDARD = {
    "six": [(1, "nano", None, None, "entry")],
    # The 6th to the 12th are seven days.
    "seven": [(1, "nano", 12, None, "entry"), (12, "micro", None, "nano", "up")],
    # 6, 7, 8, 12, 13, 14, 15: the 9th to the 11th are three days without.
    "gap_of_3": [(1, "nano", 15, None, "entry"), (15, "micro", None, "nano", "up")],
    # Four days without: counted anew from the 13th to the 19th.
    "gap_of_4": [(1, "nano", 19, None, "entry"), (19, "micro", None, "nano", "up")],
    # 6, 7, 8, 11, 12, 13, 14: two days that nobody could read neither count nor reset.
    "null_for_2": [(1, "nano", 14, None, "entry"), (14, "micro", None, "nano", "up")],
    # Four such days are a gap of four.
    "null_for_4": [(1, "nano", 19, None, "entry"), (19, "micro", None, "nano", "up")],
    "low": [(1, "below", 8, None, "entry"), (8, "nano", None, "below", "up")],
    "late": [(2, "nano", None, None, "entry")],
    "down": [(1, "micro", 11, None, "entry"), (11, "nano", None, "micro", "down")],
    "back": [(1, "nano", 10, None, "entry"), (10, "micro", 17, "nano", "up"), (17, "nano", None, "micro", "down")],
    "between": [(1, "nano", None, None, "entry")],
    "under": [(1, "nano", None, None, "entry")],
    # The 14th to the 20th.
    "dip": [(1, "micro", 20, None, "entry"), (20, "nano", None, "micro", "down")],
}
# Under `moving` whoever has 5,000 or more is micro from the 15th on; 3,000 stay nano.
MOVED = {
    # First seen under the new border on the 16th; it did not move, the border did.
    "between": [(1, "nano", 16, None, "entry"), (16, "micro", None, "nano", "rescheme")],
    "under": [(1, "nano", None, None, "entry")],
    # Nano by count on the 14th, micro by the new border on the 15th: it held micro all along.
    "dip": [(1, "micro", None, None, "entry")],
    # Moved up on the 12th. 9,000 never were nano for seven days before the border moved.
    "back": [(1, "nano", 10, None, "entry"), (10, "micro", None, "nano", "up")],
    # 9,000 on the 12th to 14th are three days; on the 15th the new border makes it micro.
    "six": [(1, "nano", 15, None, "entry"), (15, "micro", None, "nano", "rescheme")],
    "low": [(1, "below", 8, None, "entry"), (8, "nano", None, "below", "up")],
}


@pytest.fixture(scope="module")
def with_moving_scheme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("config")
    (folder / "tier_schemes.csv").write_text(MOVING)
    return folder


def deliver(settings: Settings, first: int, last: int) -> None:
    folder = settings.landing / "account_snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    for day in range(first, last + 1):
        rows = [
            f"tiktok,{account},2026-03-{day:02d}T03:00:00Z,{'' if spans[day] is None else spans[day]}"
            for account, spans in ACCOUNTS.items()
            if day in spans
        ]
        (folder / f"{day:02d}.csv").write_text("\n".join(["platform,account_id,captured_at,followers", *rows]) + "\n")


@pytest.fixture(scope="module")
def history(
    with_moving_scheme: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, dict[tuple[str, str], list[tuple[object, ...]]]]:
    settings = make_settings(tmp_path_factory.mktemp("tiers")).model_copy(update={"config": with_moving_scheme})
    deliver(settings, 1, LAST)
    night.run(settings, "one", date(2026, 3, LAST))
    with reading(settings) as marts:
        rows = marts.execute(
            "select account_id, scheme, day(valid_from), tier, day(valid_to), previous_tier, direction, days_in_tier"
            " from marts.dim_account_tier_history order by account_id, scheme, valid_from"
        ).fetchall()
    found: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    for account, scheme, *row in rows:
        found.setdefault((account, scheme), []).append(tuple(row))
    return settings, found


def with_days(rows: list[tuple[int, str, int | None, str | None, str]]) -> list[tuple[object, ...]]:
    return [(*row, None if row[2] is None else row[2] - row[0]) for row in rows]


@pytest.mark.parametrize("account", STANDARD)
def test_held_tiers_of_the_standard_scheme(history: tuple[Settings, dict], account: str) -> None:
    assert history[1][account, "standard"] == with_days(STANDARD[account])


@pytest.mark.parametrize("account", MOVED)
def test_held_tiers_when_a_scheme_changes(history: tuple[Settings, dict], account: str) -> None:
    assert history[1][account, "moving"] == with_days(MOVED[account])


def test_schemes_stand_side_by_side(history: tuple[Settings, dict]) -> None:
    # Advocacy ends micro at 100,000 and begins nano at 3,000, so 9,000 and 11,000 are one tier there.
    assert history[1]["seven", "advocacy"] == [(1, "micro", None, None, "entry", None)]
    assert {scheme for account, scheme in history[1] if account == "seven"} == {
        "standard", "advocacy", "four_layers", "breakout", "kol", "hypeauditor_2021", "iab_uk", "moving",
    }  # fmt: skip


def test_the_nights_one_by_one_equal_one_pass(
    history: tuple[Settings, dict], with_moving_scheme: Path, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path).model_copy(update={"config": with_moving_scheme})
    # Around the seventh day, the change of the scheme and the fourth day of a gap.
    before = 0
    for upto in (11, 12, 14, 15, 18, LAST):
        deliver(settings, before + 1, upto)
        night.run(settings, f"to {upto}", date(2026, 3, upto))
        before = upto
    assert content(settings) == content(history[0])


def test_a_checkpoint_is_forgotten_after_35_days(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    folder = settings.landing / "account_snapshots"
    folder.mkdir(parents=True)
    for day in (date(2026, 3, 1), date(2026, 3, 20), date(2026, 4, 10)):
        row = f"tiktok,one,{day}T03:00:00Z,9000"
        (folder / f"{day}.csv").write_text(f"platform,account_id,captured_at,followers\n{row}\n")
        night.run(settings, f"of {day}", day)
    with duckdb.connect(str(settings.build_db), read_only=True) as build:
        kept = build.execute(
            "select distinct snapshot_date from intermediate.int_snapshot__account_last_known_values order by all"
        ).fetchall()
    # The first of March lies 40 days before the newest, the 20th 21.
    assert kept == [(date(2026, 3, 20),), (date(2026, 4, 10),)]
