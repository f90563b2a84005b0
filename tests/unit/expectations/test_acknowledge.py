"""A person publishes over a critical check of data, once; no contract, and nothing that is worse than it was."""

from pathlib import Path

import pytest

from expectations.acknowledge import acknowledge
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import UsageError

from .test_faults import FACTOR, VOLUME, followers, number_of, requiring, without
from .world import NIGHTS, World, day_of, usual

WHY = 'we let TikTok go; "all of it", $(touch x) `y`'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Six usual nights, published; read alone."""
    data = tmp_path_factory.mktemp("acknowledged") / "data"
    return usual(Settings(_env_file=None, data=data, settle_seconds=0.0))  # type: ignore[call-arg]


@pytest.fixture
def world(base: World, tmp_path: Path) -> World:
    return base.copy_to(tmp_path / "data")


def accept(world: World, check: str, number: int = NIGHTS, platform: str | None = None) -> list[str]:
    return acknowledge(world.settings, check, day_of(number), WHY, platform)


def test_a_platform_that_ends_is_acknowledged_once(world: World) -> None:
    world.accounts(NIGHTS, without("tiktok"))
    world.check(NIGHTS)
    assert world.blocking() == {VOLUME}
    said = accept(world, "volume_against_trailing_median")
    assert said[0] == "acknowledged landing.account_snapshots.volume_against_trailing_median: 0 at tiktok 2026-01-07"

    row = world.check(NIGHTS)[VOLUME]
    assert (row["passed"], row["is_acknowledged"], row["severity"]) == (0, 1, "critical")
    assert f", on {ledger.stamp()[:10]}: {WHY}".removeprefix(", on ") in str(row["detail"])
    assert world.blocking() == set()
    world.publish()
    for number in (NIGHTS + 1, NIGHTS + 2, NIGHTS + 3):
        world.accounts(number, without("tiktok"))
        world.orders(number)
        assert VOLUME not in world.failed(number), number
        world.publish()


def test_who_said_what_when_and_why_is_kept(world: World) -> None:
    world.accounts(NIGHTS, without("tiktok"))
    world.check(NIGHTS)
    accept(world, f"landing.{VOLUME}")
    with ledger.read(world.settings) as connection:
        [kept] = ledger.acknowledged(connection)
    assert kept[:6] == (
        "landing.account_snapshots", "volume_against_trailing_median", "tiktok 2026-01-07", "2026-01-07", 0.0, WHY,
    )  # fmt: skip
    assert kept.acknowledged_by
    assert kept.acknowledged_at > "2026"


def test_a_check_that_fails_again_with_more_blocks_again(world: World) -> None:
    world.accounts(NIGHTS, lambda row: None if row[0] == "tiktok" and number_of(row) >= 20 else row)
    world.check(NIGHTS)
    accept(world, VOLUME.removeprefix("account_snapshots."))
    world.check(NIGHTS)
    assert world.blocking() == set()
    ledger.reject(world.settings, world.batch(f"tiktok_{day_of(NIGHTS)}"), "sent again")
    world.accounts(NIGHTS, lambda row: None if row[0] == "tiktok" and number_of(row) >= 10 else row)
    world.check(NIGHTS)
    assert world.blocking() == {VOLUME}
    assert "0.2500 at tiktok 2026-01-07" in world.message
    assert "acknowledged by" not in world.message


def test_another_platform_at_the_same_date_is_not_acknowledged_with_it(world: World) -> None:
    world.accounts(NIGHTS, lambda row: row if row[0] == "youtube" else None)
    world.check(NIGHTS)
    accept(world, VOLUME.removeprefix("account_snapshots."), platform="tiktok")
    world.check(NIGHTS)
    assert world.blocking() == {VOLUME}
    assert "0 at instagram 2026-01-07" in world.message
    assert "tiktok" not in world.message


def test_an_acknowledged_level_is_what_the_next_night_is_compared_with(world: World) -> None:
    world.accounts(NIGHTS, followers(1.4))
    world.check(NIGHTS)
    accept(world, FACTOR.removeprefix("account_snapshots."))
    world.accounts(NIGHTS + 1, followers(1.4))
    world.check(NIGHTS + 1)
    assert world.blocking() == set()
    world.accounts(NIGHTS + 2)
    world.check(NIGHTS + 2)
    assert world.blocking() == {FACTOR}
    assert "0.71 times those of 2026-01-08" in world.message


def test_a_required_feed_that_is_silent_can_be_acknowledged(world: World) -> None:
    requiring(world, "orders")
    world.accounts(NIGHTS)
    world.check(NIGHTS)
    assert world.blocking() == {"orders.arrival", "orders.freshness_hours"}
    for check in ("arrival", "freshness_hours"):
        accept(world, f"landing.orders.{check}")
    world.check(NIGHTS)
    assert world.blocking() == set()
    world.accounts(NIGHTS + 1)
    world.check(NIGHTS + 1)
    assert world.blocking() == {"orders.arrival", "orders.freshness_hours"}, "of that day alone"


def wrong(world: World, check: str, number: int = NIGHTS, why: str = WHY) -> str:
    with pytest.raises(UsageError) as found:
        acknowledge(world.settings, check, day_of(number), why)
    return str(found.value)


def test_what_cannot_be_acknowledged_is_refused_in_words(world: World) -> None:
    world.accounts(NIGHTS, lambda row: None if row[0] == "tiktok" else (*row[:3], int(row[3]) * 10, row[4]))
    world.check(NIGHTS)
    can = f"CHECK=landing.{VOLUME} DATE=2026-01-07"
    assert can in wrong(world, "no_such_check")
    assert f"did not fail at any subject on 2026-01-06; what can be: CHECK=landing.{FACTOR}" in wrong(
        world, f"landing.{FACTOR}", NIGHTS - 1
    )
    assert wrong(world, "arrival") == "arrival is a warning, which blocks nothing"
    assert "say why" in wrong(world, VOLUME, why="  ")
    with ledger.write(world.settings) as connection:
        run_id = str(ledger.last_checked_run(connection))
    contract = {"severity": "critical", "observed": None, "threshold": None, "passed": False, "detail": "x"}
    of_dbt = {"suite": "dbt", "expectation": "unique_fct", **contract}
    ledger.record_checks(world.settings, run_id, [of_dbt])
    assert "unique_fct is a contract, which nobody can acknowledge" in wrong(world, "unique_fct")
    with ledger.write(world.settings) as connection:
        assert ledger.acknowledged(connection) == []


def test_twice_is_once(world: World) -> None:
    world.accounts(NIGHTS, without("tiktok"))
    world.check(NIGHTS)
    accept(world, f"landing.{VOLUME}")
    accept(world, f"landing.{VOLUME}")
    world.check(NIGHTS)
    assert "is acknowledged already; make nightly publishes" in wrong(world, f"landing.{VOLUME}")


def test_a_name_of_several_suites_must_be_told_apart(world: World) -> None:
    requiring(world, "orders", "costs")
    world.accounts(NIGHTS)
    world.check(NIGHTS)
    message = wrong(world, "arrival")
    assert "say which: CHECK=landing.costs.arrival or CHECK=landing.orders.arrival" in message
