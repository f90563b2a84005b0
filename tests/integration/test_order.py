"""Same inputs, same marts: whatever the order and number of deliveries and runs."""

from collections.abc import Callable
from datetime import date

import pytest

from ingestion import landing, ledger
from ingestion.config import Settings

from . import night, small
from .conftest import content, deliver, reading

pytestmark = pytest.mark.usefixtures("accounts_alone")

DAY = date(2022, 8, 1)


def test_any_order_of_delivery_gives_equal_marts(world: Callable[..., Settings], days: list[str]) -> None:
    chosen = [days[0], days[1], days[4], days[13], days[14]]  # the last two fall on one UTC day
    at_once = world("at_once", *chosen)
    night.run(at_once, "one", DAY)
    one_by_one = world("backwards")
    for number, name in enumerate(reversed(chosen)):
        deliver(one_by_one, name)
        night.run(one_by_one, f"run {number}", DAY)
    assert content(one_by_one) == content(at_once)


def test_a_day_is_built_with_its_run_and_not_before(world: Callable[..., Settings], days: list[str]) -> None:
    settings = world("day_by_day", *days[:4])
    night.run(settings, "run 1", date(2022, 7, 16))
    with reading(settings) as marts:
        assert marts.execute("select max(snapshot_date) from marts.fct_account_daily").fetchone() == (
            date(2022, 7, 16),
        )
    night.run(settings, "run 2", date(2022, 7, 17))
    night.run(settings, "run 3", date(2022, 7, 18))
    all_at_once = world("all", *days[:4])
    night.run(all_at_once, "run", date(2022, 7, 18))
    assert content(settings) == content(all_at_once)


def test_a_rejected_delivery_leaves_the_marts_with_the_next_run(
    world: Callable[..., Settings], days: list[str]
) -> None:
    without = world("without", *days[:2])
    night.run(without, "run", date(2022, 7, 17))
    settings = world("with", *days[:3])
    night.run(settings, "run 1", date(2022, 7, 17))
    assert content(settings) != content(without)
    with ledger.read(settings) as connection:
        batch = connection.execute("select batch_id from batches where file like ?", (f"%{days[2]}",)).fetchone()[0]
    ledger.reject(settings, batch[:12], "a test")
    night.run(settings, "run 2", date(2022, 7, 17))
    assert content(settings) == content(without)


def test_a_late_file_recomputes_only_what_it_reaches(world: Callable[..., Settings], days: list[str]) -> None:
    in_time, late = world("in_time", *days[:6]), world("late", *days[:2], *days[3:6])
    # The whole project: what other feeds make is planned with the days that it reads.
    with small.read_once():
        night.run(in_time, "run", date(2022, 7, 20))
        night.run(late, "run 1", date(2022, 7, 20))
        deliver(late, days[2])
        night.run(late, "run 2", date(2022, 7, 20))
    assert content(late) == content(in_time)
    with ledger.read(late) as connection:
        planned = connection.execute(
            "select mart, min(snapshot_date), max(snapshot_date) from plan_dates where run_id = 'run 2'"
            " group by 1 order by 1"
        ).fetchall()
    assert [tuple(row) for row in planned] == [
        ("bridge_post_hashtag", "2022-07-17", "2022-07-20"),
        ("fct_account_benchmark_daily", "2022-07-17", "2022-07-20"),
        ("fct_account_daily", "2022-07-17", "2022-07-20"),
        ("fct_account_engagement_daily", "2022-07-17", "2022-07-20"),
        ("fct_account_tier_daily", "2022-07-17", "2022-07-20"),
        ("fct_follower_trust_daily", "2022-07-17", "2022-07-20"),
        ("fct_hashtag_daily", "2022-07-17", "2022-07-20"),
        ("fct_hashtag_tier_daily", "2022-07-17", "2022-07-20"),
        ("fct_tier_benchmark_daily", "2022-07-17", "2022-07-20"),
        ("int_agreement__brand_posts_named", "2022-07-17", "2022-07-20"),
        ("int_creator__accounts_known", "2022-07-17", "2022-07-20"),
        ("int_engagement__accounts_rated", "2022-07-17", "2022-07-20"),
        ("int_engagement__attributes_dated", "2022-07-17", "2022-07-20"),
        ("int_equivalence__equivalents_sampled", "2022-07-17", "2022-07-20"),
        ("int_snapshot__account_days_deduplicated", "2022-07-17", "2022-07-20"),
        ("int_snapshot__account_last_known_values", "2022-07-17", "2022-07-20"),
        ("int_snapshot__counts_captured", "2022-07-17", "2022-07-17"),
        ("int_snapshot__counts_held", "2022-07-17", "2022-07-20"),
        ("int_snapshot__post_traits_changed", "2022-07-17", "2022-07-20"),
        ("int_social__hashtags_added", "2022-07-17", "2022-07-20"),
        ("int_tier__changes_detected", "2022-07-17", "2022-07-20"),
        ("int_tier__streaks_detected", "2022-07-17", "2022-07-20"),
        ("int_trust__accounts_evaluated", "2022-07-17", "2022-07-20"),
        ("int_trust__dates_withheld", "2022-07-17", "2022-07-20"),
        ("int_trust__engagement_peers_measured", "2022-07-17", "2022-07-20"),
        ("int_trust__events_evaluated", "2022-07-17", "2022-07-20"),
        ("int_trust__growth_measured", "2022-07-17", "2022-07-20"),
        ("int_trust__growth_peers_measured", "2022-07-17", "2022-07-20"),
        ("int_trust__misreads", "2022-07-17", "2022-07-20"),
        ("int_trust__posts_compared", "2022-07-17", "2022-07-20"),
        ("int_trust__rates_compared", "2022-07-17", "2022-07-20"),
        ("int_trust__rises_raised", "2022-07-17", "2022-07-20"),
        ("int_trust__signals_raised", "2022-07-17", "2022-07-20"),
        ("int_trust__turns_measured", "2022-07-17", "2022-07-20"),
        ("int_trust__windows_measured", "2022-07-17", "2022-07-20"),
    ]


def test_a_reader_keeps_the_release_it_opened(world: Callable[..., Settings], days: list[str]) -> None:
    settings = world("reader", days[0])
    with small.read_once(small.read_tiers):
        night.run(settings, "run 1", date(2022, 7, 15))
    with reading(settings) as old, small.read_once(small.read_tiers):
        before = old.execute("select count(*) from marts.fct_account_daily").fetchone()
        deliver(settings, days[1])
        night.run(settings, "run 2", date(2022, 7, 16))
        assert old.execute("select count(*) from marts.fct_account_daily").fetchone() == before


def test_a_run_that_was_overtaken_ends_as_superseded(world: Callable[..., Settings], days: list[str]) -> None:
    from ingestion.lease import hold
    from warehouse.build import run as build

    settings = world("overtaken", days[0])
    landing.land_files(settings, "slow", night.quiet)
    with small.read_once(small.read_tiers), hold(settings, "slow", "build_marts", night.quiet) as lease:
        build.build_marts(settings, "slow", date(2022, 7, 15), lease, night.quiet)
    deliver(settings, days[1])
    with small.read_once(small.read_tiers):
        night.run(settings, "fast", date(2022, 7, 16))
    with hold(settings, "slow", "check_marts", night.quiet) as lease:
        assert build.require_built(settings, "slow", lease, night.quiet) == "superseded"
