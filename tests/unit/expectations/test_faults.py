"""Faults of whole deliveries, each blocked with words that name its cause, and its honest twin, which passes.

`docs/what-is-said.md` names these tests beside the checks.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from expectations.run import check_landing
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ConfigError

from .world import HEADER, NIGHTS, ORDER_HEADER, ROSTER, Row, World, accounts_of, day_of, usual

FACTOR = "account_snapshots.factor_of_middle_account"
KNOWN = "account_snapshots.share_of_accounts_known"
CHANGED = "account_snapshots.changed_against_usual"
VOLUME = "account_snapshots.volume_against_trailing_median"
FOLLOWERS_KNOWN = "account_snapshots.known_followers_against_usual"
AMOUNT = "orders.amount_against_usual"
ZERO = "account_snapshots.share_of_zero_followers"
OTHER_IDS = "orders.share_of_orders_known_under_other_ids"
REFUSED = "orders.money_quarantined_against_usual"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Six usual nights, published; read alone."""
    data = tmp_path_factory.mktemp("faults") / "data"
    return usual(Settings(_env_file=None, data=data, settle_seconds=0.0))  # type: ignore[call-arg]


@pytest.fixture
def world(base: World, tmp_path: Path) -> World:
    return base.copy_to(tmp_path / "data")


def followers(factor: float, of: str | None = None) -> Callable[[Row], Row]:
    """Every follower count, of one platform or of all, so many times."""
    return lambda row: (*row[:3], int(float(row[3]) * factor), row[4]) if of in (None, row[0]) else row


def number_of(row: Row) -> int:
    return int(row[1][2:])


def without(platform: str) -> Callable[[Row], Row | None]:
    return lambda row: None if row[0] == platform else row


# --- every fault is blocked, and its message names the cause

Fault = tuple[Callable[[World], None], set[str], str]


def each(change: Callable[[Row], Row | None]) -> Callable[[World], None]:
    return lambda world: world.accounts(NIGHTS, change)


def under_another_name(world: World) -> None:
    world.accounts(NIGHTS, lambda row: row if row[0] == "youtube" else None)
    rows = [("instagram", *row[1:]) for row in accounts_of(NIGHTS, "tiktok")]
    world.write(f"account_snapshots/instagram_{day_of(NIGHTS)}.csv", HEADER, rows)


def yesterdays_file(world: World) -> None:
    for platform in ROSTER:
        both = zip(accounts_of(NIGHTS - 1, platform), accounts_of(NIGHTS, platform), strict=True)
        rows = [(*old[:2], new[2], *old[3:]) for old, new in both]
        world.write(f"account_snapshots/{platform}_{day_of(NIGHTS)}.csv", HEADER, rows)


def a_second_delivery(world: World) -> None:
    world.accounts(NIGHTS)
    world.accounts(NIGHTS, followers(3), name="_again", hour=23)


def orders_in_cents(world: World) -> None:
    world.accounts(NIGHTS)
    world.orders(NIGHTS, factor=100)


def old_orders_again_in_cents(world: World) -> None:
    world.accounts(NIGHTS)
    for number in range(NIGHTS):
        world.orders(number, factor=100, name="again")


def refused_orders(world: World) -> None:
    world.accounts(NIGHTS)
    rows = [(f"r{n}", "c", "never", 50, "USD") for n in range(3)]
    world.write(f"orders/refused_{day_of(NIGHTS)}.csv", ORDER_HEADER, rows)


def rates_then(wrong: str) -> Callable[[World], None]:
    """Euros of 1.09 dollars on one day, and so many on the next."""

    def deliver(world: World) -> None:
        world.accounts(NIGHTS)
        header = "rate_date,currency,rate_to_base"
        for number, rate in ((NIGHTS - 1, "1.09"), (NIGHTS, wrong)):
            world.write(f"fx_rates/{day_of(number)}.csv", header, [(day_of(number), "EUR", rate)])
            world.check(NIGHTS - 1)
            if number < NIGHTS:
                world.publish()

    return deliver


def old_orders_again_under_other_ids(world: World) -> None:
    world.accounts(NIGHTS)
    world.orders(NIGHTS)
    for number in range(NIGHTS):
        world.orders(number, name="again", prefix="new")


FAULTS: dict[str, Fault] = {
    "followers x1000": (each(followers(1000)), {FACTOR}, "are 1,000.00 times those of 2026-01-06"),
    "followers x10": (each(followers(10)), {FACTOR}, "are 10.00 times those of 2026-01-06: another unit or column"),
    "followers x1.4": (each(followers(1.4)), {FACTOR}, "1.40 times"),
    "followers x0.6": (each(followers(0.6)), {FACTOR}, "are 0.60 times those of 2026-01-06"),
    "followers x1000 of one platform": (each(followers(1000, "tiktok")), {FACTOR}, "at tiktok 2026-01-07 (account_"),
    "followers and views swapped": (
        each(lambda row: (*row[:3], row[4], row[3])), {FACTOR}, "followers are about the views of 2026-01-06: two",
    ),
    "rows of one platform under another's name": (
        under_another_name, {KNOWN, VOLUME}, "0 of 40 accounts were ever seen there, 40 of them as accounts of tiktok",
    ),
    "two platforms swapped": (
        each(lambda row: ({"youtube": "tiktok", "tiktok": "youtube"}.get(row[0], row[0]), *row[1:])),
        {KNOWN, VOLUME}, "100 of them as accounts of youtube: one platform's rows under another's name",
    ),
    "all ids with a suffix": (
        each(lambda row: (row[0], f"{row[1]}x", *row[2:])), {KNOWN}, "0 of 100 accounts were ever seen there: ids are",
    ),
    "ids shifted by some rows": (
        each(lambda row: (row[0], f"{row[0][:2]}{(number_of(row) + 30) % ROSTER[row[0]]:03d}", *row[2:])),
        {FACTOR}, "each account may have another's row",
    ),
    "yesterday's file under today's date": (
        yesterdays_file, {CHANGED}, "0% of the counts differ from those of 2026-01-06, 100% are usual",
    ),
    "one platform missing": (each(without("tiktok")), {VOLUME}, "0 at tiktok 2026-01-07: 0 came, 40 are usual"),
    "40 % of each platform missing": (
        each(lambda row: None if number_of(row) % 5 < 2 else row), {VOLUME}, "60 came, 100 are usual",
    ),
    "a second delivery with other values": (a_second_delivery, {FACTOR}, "youtube_again_2026-01-07.csv"),
    "followers unknown for 70 %": (
        each(lambda row: (*row[:3], "", row[4]) if number_of(row) % 10 < 7 else row),
        {FOLLOWERS_KNOWN}, "followers are known in 30% of the rows, 100% are usual",
    ),
    "followers 0 for all": (each(followers(0)), {ZERO}, "zero_is_null"),
    "followers and views 0 for three in ten": (
        each(lambda row: (*row[:3], 0, 0) if number_of(row) % 10 < 3 else row), {ZERO}, "zero_is_null",
    ),
    "orders in cents": (orders_in_cents, {AMOUNT}, "the middle of them is 5,450, 54.5 is usual: another unit"),
    "old orders delivered again in cents": (old_orders_again_in_cents, {AMOUNT}, "54.5 is usual"),
    "three orders refused": (refused_orders, {REFUSED}, "3 rows of 150.00 USD; a usual day has 30 rows"),
    "old orders again under other ids": (old_orders_again_under_other_ids, {OTHER_IDS}, "the same again"),
    "rates in cents": (rates_then("109"), {"fx_rates.rate_against_the_one_before"}, "109, 1.09 is usual"),
    "rates the other way round": (rates_then("0.9174"), {"fx_rates.rate_nearer_to_its_inverse"}, "1 / 1.09 is near"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_blocked_and_named(world: World, fault: str) -> None:
    make, checks, words = FAULTS[fault]
    make(world)
    world.check(NIGHTS)
    assert world.blocking() == checks
    assert words in world.message
    assert f"make acknowledge CHECK=landing.{min(checks)} DATE=" in world.message


# --- what is honest passes


def a_roster_that_doubles(world: World) -> None:
    world.accounts(NIGHTS)
    for platform, size in ROSTER.items():
        rows = accounts_of(NIGHTS, platform, 2 * size)
        world.write(f"account_snapshots/{platform}_{day_of(NIGHTS)}.csv", HEADER, rows)


def a_new_platform(world: World) -> None:
    world.accounts(NIGHTS)
    rows = [("twitch", f"tw{n}", f"{day_of(NIGHTS)}T19:00:00Z", 500, 900) for n in range(50)]
    world.write(f"account_snapshots/twitch_{day_of(NIGHTS)}.csv", HEADER, rows)


def a_quiet_day(world: World) -> None:
    """A third of the orders, and of the counts only one in five has changed."""
    old = {row[:2]: row for platform in ROSTER for row in accounts_of(NIGHTS - 1, platform)}
    world.accounts(NIGHTS, lambda row: row if number_of(row) % 5 == 0 else (*row[:3], *old[row[:2]][3:]))
    world.orders(NIGHTS, count=10)


def an_export_in_parts(world: World) -> None:
    for part in range(3):
        world.accounts(NIGHTS, lambda row, part=part: row if number_of(row) % 3 == part else None, name=f"_{part}")  # type: ignore[misc]


def a_sale(world: World) -> None:
    world.accounts(NIGHTS)
    world.write(
        f"orders/orders_{day_of(NIGHTS)}.csv",
        ORDER_HEADER,
        [(f"s{n}", "c", f"{day_of(NIGHTS)}T10:00:00Z", 20, "USD") for n in range(60)],
    )


def late_orders(world: World) -> None:
    a_quiet_day(world)
    world.orders(NIGHTS - 2, count=12, name="late", prefix="late")


HONEST: dict[str, tuple[Callable[[World], None], set[str]]] = {
    "a usual night": (lambda world: (world.accounts(NIGHTS), world.orders(NIGHTS)), set()),  # type: ignore[dict-item, func-returns-value]
    "a roster that doubles": (a_roster_that_doubles, {"account_snapshots.volume_change", "orders.arrival"}),
    "a new platform": (a_new_platform, {"orders.arrival"}),
    "a quiet day": (a_quiet_day, set()),
    "an export in parts": (an_export_in_parts, {"orders.arrival"}),
    "a sale": (a_sale, set()),
    "two in five of a day's orders come late": (late_orders, set()),
    "one order refused": (lambda world: (a_quiet_day(world), one_refused(world)), {  # type: ignore[dict-item, func-returns-value]
        "orders.money_rows_quarantined", "orders.files_quarantined_whole",
    }),
}  # fmt: skip


def one_refused(world: World) -> None:
    world.write(f"orders/one_{day_of(NIGHTS)}.csv", ORDER_HEADER, [("r", "c", "never", "12.50", "USD")])


@pytest.mark.parametrize("case", HONEST)
def test_what_is_honest_passes(world: World, case: str) -> None:
    make, warnings = HONEST[case]
    make(world)
    assert world.failed(NIGHTS) == warnings
    assert world.blocking() == set()


def test_one_refused_order_is_named_with_its_amount(world: World) -> None:
    a_quiet_day(world)
    one_refused(world)
    row = world.check(NIGHTS)["orders.money_rows_quarantined"]
    assert row["severity"] == "warning"
    assert "1 rows of 12.50 USD; a usual day has 30 rows" in str(row["detail"])


def test_an_amount_that_cannot_be_read_counts_as_the_median(world: World) -> None:
    world.accounts(NIGHTS)
    rows = [(f"r{n}", "c", "never", "fifty", "USD") for n in range(3)]
    world.write(f"orders/refused_{day_of(NIGHTS)}.csv", ORDER_HEADER, rows)
    world.check(NIGHTS)
    # 54.50 is the median of 40, 41, ... 69.
    assert "3 rows of 163.50 USD, of which 3 cannot be read" in world.message


def test_a_run_reads_each_raw_file_of_money_whole_once(world: World, hashed: list[str]) -> None:
    """Units and what was refused look at the same days."""
    world.orders(NIGHTS)
    refused_orders(world)
    hashed.clear()
    world.check(NIGHTS)
    days = [name for name in hashed if "/raw/orders/snapshot_date=" in name]
    assert len(days) == len(set(days)) >= NIGHTS


# --- a bad night and the nights after it


def test_the_next_right_night_is_not_blamed_for_a_bad_one(world: World) -> None:
    world.accounts(NIGHTS, followers(1000))
    world.check(NIGHTS)
    world.accounts(NIGHTS + 1)
    world.check(NIGHTS + 1)
    assert world.blocking() == {FACTOR}
    assert "2026-01-08 (" not in world.message
    for platform in ROSTER:
        ledger.reject(world.settings, world.batch(f"{platform}_{day_of(NIGHTS)}"), "x1000")
    world.check(NIGHTS + 1)
    assert world.blocking() == set()


def test_a_day_before_whose_raw_is_lost_is_compared_with_nothing(world: World) -> None:
    """The next good day before it is, so that the night goes on and a fault is still seen."""
    for path in (world.settings.raw / "account_snapshots" / f"snapshot_date={day_of(NIGHTS - 1)}").glob("*.parquet"):
        path.unlink()
    world.accounts(NIGHTS, followers(1000))
    world.check(NIGHTS)
    assert world.blocking() == {FACTOR}
    assert "times those of 2026-01-05" in world.message


def test_a_loss_of_several_nights_is_seen_in_one_load(settings: Settings) -> None:
    """Nothing is published yet: days are compared with those that came with them."""
    world = World(settings)
    for number in range(6):
        world.accounts(number, (lambda row: (row[0], f"{row[1]}x", *row[2:])) if number == 4 else (lambda row: row))
    world.check(5)
    assert world.blocking() == {KNOWN}
    assert {"2026-01-05"} == {item for item in world.message.split() if item.startswith("2026-01-0")}


def test_a_platform_that_only_rounds_is_no_copy(settings: Settings) -> None:
    """Of 100 accounts 30 have another count each day, and one day only 9 of them: 0.3 of the usual."""
    world = World(settings)
    for number in range(6):
        moves = 9 if number == 5 else 30
        rows = [
            ("youtube", f"a{n}", f"{day_of(number)}T19:00:00Z", 10_000 + (100 * number if n < moves else 100 * min(number, 4) if n < 30 else 0))
            for n in range(100)
        ]  # fmt: skip
        world.write(f"account_snapshots/y_{day_of(number)}.csv", HEADER.removesuffix(",views_total"), rows)
    assert world.failed(5) == set()
    assert world.said[CHANGED]["observed"] == "0.3000 .. 1 (2)"


# --- how often a platform comes


def test_a_feed_that_comes_weekly_is_missed_after_a_week(settings: Settings) -> None:
    world = World(settings)
    for number in (0, 7, 14):
        world.accounts(number, without("instagram"))
    only_youtube = lambda row: row if row[0] == "youtube" else None  # noqa: E731
    world.accounts(20, only_youtube)
    world.check(20)
    assert world.blocking() == set()
    world.accounts(21, only_youtube)
    world.check(21)
    assert "0 at tiktok 2026-01-22: 0 came, 40 are usual" in world.message


def test_a_platform_that_was_rejected_is_known_to_be_missing(world: World) -> None:
    """Following the remedy opens the gate: the platform is missing because a person said so."""
    world.accounts(NIGHTS, followers(1000, "tiktok"))
    world.check(NIGHTS)
    ledger.reject(world.settings, world.batch(f"tiktok_{day_of(NIGHTS)}"), "another unit")
    world.check(NIGHTS)
    assert world.blocking() == set()


# --- required feeds


def requiring(world: World, *feeds: str) -> World:
    world.settings = world.settings.model_copy(update={"required_feeds": feeds})
    return world


def test_a_required_feed_of_money_that_stays_away_blocks(world: World) -> None:
    requiring(world, "account_snapshots", "orders")
    world.accounts(NIGHTS)
    world.check(NIGHTS)
    assert world.blocking() == {"orders.arrival", "orders.freshness_hours"}
    assert "0 at the run of 2026-01-07: no row has come" in world.message
    world.orders(NIGHTS)
    world.check(NIGHTS)
    assert world.blocking() == set()


def test_a_header_without_rows_is_an_arrival_of_none(world: World) -> None:
    requiring(world, "orders")
    world.accounts(NIGHTS)
    world.write(f"orders/orders_{day_of(NIGHTS)}.csv", ORDER_HEADER, [])
    name = world.settings.landing / "orders" / "_manifest.json"
    name.write_text(f'{{"files": [{{"name": "orders_{day_of(NIGHTS)}.csv", "as_of": "{day_of(NIGHTS)}T23:00:00Z"}}]}}')
    world.check(NIGHTS)
    assert world.blocking() == set()
    assert world.said["orders.files_quarantined_whole"]["passed"]
    world.accounts(NIGHTS + 1)
    world.check(NIGHTS + 1)
    assert world.blocking() == {"orders.arrival"}, "the next day says nothing"


def test_days_of_silence_that_are_allowed(world: World) -> None:
    requiring(world, "orders:2d")
    world.accounts(NIGHTS)
    world.check(NIGHTS)
    assert world.blocking() == set()
    world.accounts(NIGHTS + 1)
    world.check(NIGHTS + 1)
    assert world.blocking() == {"orders.arrival", "orders.freshness_hours"}
    assert "no row has come within 2 days" in world.message


def test_a_required_platform_blocks_where_it_never_came(world: World) -> None:
    requiring(world, "account_snapshots:twitch", "account_snapshots:tiktok")
    world.accounts(NIGHTS)
    world.check(NIGHTS)
    assert world.blocking() == {"account_snapshots.arrival"}
    assert "0 at twitch, the run of 2026-01-07" in world.message
    assert "tiktok" not in world.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("order", "no feed is named 'order'; did you mean 'orders'?"),
        ("account_snapshots:tik_tok", "no platform is named 'tik_tok'; did you mean 'tiktok'?"),
        ("orders:tiktok", "orders has no platforms: write orders, or orders:2d"),
        ("accounts:tiktok:x:2d", "is none of feed, feed:platform, feed:2d, feed:platform:2d"),
        ("account_snapshots:", "is none of feed"),
        ("orders:0d", "orders has no platforms"),
    ],
)
def test_what_nothing_can_satisfy_is_refused(world: World, text: str, words: str) -> None:
    requiring(world, text)
    with pytest.raises(ConfigError, match="GROUNDSWELL_REQUIRED_FEEDS") as found:
        check_landing(world.settings, "r", day_of(NIGHTS), log=lambda _: None)
    assert words in str(found.value)


# --- flows and headers


def test_orders_are_compared_with_the_same_weekday(settings: Settings) -> None:
    """Sundays bring 100 orders, other days 30: a Sunday of 30 is thin, a Monday of 30 is usual."""
    world = World(settings)
    for number in range(28):
        world.orders(number, count=100 if day_of(number).weekday() == 6 else 30)
    sunday = next(number for number in range(28, 35) if day_of(number).weekday() == 6)
    for number in range(28, sunday + 2):
        world.orders(number, count=30)
    assert "orders.volume_of_weekday" in world.failed(sunday + 1)
    detail = str(world.said["orders.volume_of_weekday"]["detail"])
    assert f"0.3000 at {day_of(sunday)} " in detail
    assert "30 came, 100 are usual on that weekday" in detail
    assert str(day_of(sunday) + timedelta(days=1)) not in detail


def test_a_renamed_column_of_money_is_named(world: World) -> None:
    world.accounts(NIGHTS)
    header = f"{ORDER_HEADER},discount_amount"
    for number, name in ((NIGHTS, header), (NIGHTS + 1, header.replace("discount_amount", "total_discounts"))):
        rows = [(f"d{number}{n}", "c", f"{day_of(number)}T10:00:00Z", 50, "USD", 5) for n in range(30)]
        world.write(f"orders/orders_{day_of(number)}.csv", name, rows)
        assert "orders.header_drift" in world.failed(number)
    detail = str(world.said["orders.header_drift"]["detail"])
    assert "came: total_discounts; went: discount_amount" in detail


def test_two_platforms_in_one_layout_are_no_drift_of_each_other(settings: Settings) -> None:
    world = World(settings)
    for number in range(2):
        world.write(f"account_snapshots/yt_{number}.csv", HEADER, accounts_of(number, "youtube"))
        rows = [row[:4] for row in accounts_of(number, "tiktok")]
        world.write(f"account_snapshots/tt_{number}.csv", HEADER.removesuffix(",views_total"), rows)
        world.check(number)
        world.publish()
    assert world.said["account_snapshots.header_drift"]["passed"]


def test_a_count_that_is_given_no_more_is_named(world: World) -> None:
    world.accounts(NIGHTS, lambda row: (*row[:4], ""))
    assert "account_snapshots.known_counts_against_usual" in world.failed(NIGHTS)
    detail = str(world.said["account_snapshots.known_counts_against_usual"]["detail"])
    assert "0 at tiktok 2026-01-07" in detail
    assert "views_total are known in 0% of the rows, 100% are usual" in detail
    assert world.blocking() == set()


@pytest.mark.parametrize(("came", "blocks"), [(3, False), (1, True)])
def test_of_four_accounts_one_may_be_missing(settings: Settings, came: int, blocks: bool) -> None:
    world = World(settings)
    for number in range(4):
        rows = accounts_of(number, "tiktok", 4 if number < 3 else came)
        world.write(f"account_snapshots/t_{number}.csv", HEADER, rows)
    world.check(3)
    assert world.blocking() == ({VOLUME} if blocks else set())


def test_several_captures_in_one_file_are_one_account(settings: Settings) -> None:
    """A file with two captures of each account, published; the next day's account is compared with the later one."""
    world = World(settings)
    for number in range(2):
        rows = [*accounts_of(number, "tiktok", hour=8), *map(followers(1.01), accounts_of(number, "tiktok"))]
        world.write(f"account_snapshots/t_{number}.csv", HEADER, rows)
        world.check(number)
        world.publish()
    with ledger.read(settings) as connection:
        kept = ledger.day_measures(connection, "account_snapshots", "2026-01-02", "2026-01-02")
    measures = json.loads(kept["2026-01-02"][1])["tiktok"]
    assert (measures["keys"], measures["compared"], measures["changed"]) == (40, 40, 1.0)
