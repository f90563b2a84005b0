"""Contests, hashtags, share of voice and live sessions: the figures of tests/dbt/social.py, worked out there on paper."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt import social
from tests.dbt.commerce import Compiled, World


@pytest.fixture(scope="module")
def world(compiled_social: Compiled) -> World:
    return World(compiled_social)


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    return world.query(sql.replace("marts.", "groundswell.marts."))


def test_contests(world: World) -> None:
    world.build(social.contests(), social.CONTESTS_AS_OF)
    assert rows(
        world,
        "select campaign_id, is_over, days_elapsed, entries, entries_outside_dates, participants, new_participants,"
        " referred_participants, customers, reach, entries_with_reach from marts.fct_contest order by 1",
    ) == [
        ("C1", True, 5, 3, 1, 2, 2, 1, 0, 300, 2),
        ("C2", False, 7, 3, 0, 3, 2, 0, 1, 40, 1),
        ("C3", False, 10, 1, 0, 1, 1, 0, 0, 7, 1),
        ("C4", False, 0, 0, 0, 0, 0, 0, 0, None, 0),
    ]
    assert rows(
        world,
        "select campaign_id, new_participants_per_day, spend_base, cost_per_participant_base, base_currency"
        " from marts.fct_contest order by 1",
    ) == [
        ("C1", 0.4, Decimal(80), Decimal(40), "USD"),
        ("C2", pytest.approx(2 / 7), None, None, "USD"),
        ("C3", 0.1, None, None, "USD"),
        ("C4", None, None, None, "USD"),
    ]


def test_days_of_a_contest(world: World) -> None:
    world.build(social.contests(), social.CONTESTS_AS_OF)
    of = (
        "select day(activity_date), entries, first_entries, new_participants"
        " from marts.fct_contest_daily where campaign_id = '{}' order by 1"
    )
    assert rows(world, of.format("C1")) == [
        (1, 1, 1, 1),
        (2, 1, 0, 0),
        (3, 0, 0, 0),
        (4, 0, 0, 0),
        (5, 1, 1, 1),
    ]
    # bob's first entry of C2 is none of a new participant.
    assert rows(world, of.format("C2"))[2:4] == [(6, 1, 1, 0), (7, 2, 2, 2)]


def test_no_entry_is_lost(world: World) -> None:
    world.build(social.contests(), social.CONTESTS_AS_OF)
    counted = rows(world, "select sum(entries), sum(entries_outside_dates) from marts.fct_contest")
    unknown = rows(world, "select count(*) from marts.fct_commerce_issue where issue = 'campaign unknown'")
    # Nine landed: seven count, one is outside, one of no campaign.
    assert (counted, unknown) == ([(7, 1)], [(1,)])
    assert rows(world, "select feed, record_id, issue, explanation from marts.fct_commerce_issue order by 2") == [
        ("contest_entries", "e4", "outside the dates of its contest",
         "contest C1 runs from 2026-01-01 to 2026-01-05: counted in entries_outside_dates alone"),
        ("contest_entries", "e9", "campaign unknown", "campaign nothing is not landed: in no contest until it is"),
        ("costs", "k3", "no rate", "no JPY rate within 5 days before 2026-01-02: spend of its owner is unknown"),
    ]  # fmt: skip


def test_hashtags(world: World) -> None:
    world.build(social.hashtags(), date(2026, 1, 16))
    columns = "posts, accounts, tiers, largest_tier, largest_tier_share, posts_7d, posts_previous_7d, growth_7d"
    found = rows(
        world, f"select hashtag, day(snapshot_date), {columns} from marts.fct_hashtag_daily order by snapshot_date, 1"
    )
    assert found == [
        ("fun", 1, 1, 1, 1, "nano", 1.0, 1, None, None),
        ("acmelove", 8, 1, 1, 1, "nano", 1.0, 1, None, None),
        ("fun", 8, 1, 1, 1, "nano", 1.0, 1, None, None),
        ("fun", 9, 1, 1, 1, "nano", 1.0, 2, None, None),
        ("fun", 16, 3, 2, 2, "nano", 0.5, 3, 2, 0.5),
    ]
    # On the 16th bob has two of the posts, ann one.
    assert rows(
        world,
        "select tier, posts, accounts from marts.fct_hashtag_tier_daily where snapshot_date = '2026-01-16' order by 1",
    ) == [("micro", 2, 1), ("nano", 1, 1)]
    assert rows(world, "select distinct hashtag from marts.fct_hashtag_daily where is_tracked") == [("acmelove",)]


def test_share_of_voice(world: World) -> None:
    world.build(social.mentions(), social.AS_OF)
    assert rows(
        world,
        "select brand, is_rival, mentions, accounts, engagements, mentions_with_engagements, reach, mentions_with_reach,"
        " mention_share, engagement_share, reach_share from marts.fct_share_of_voice_daily order by 1",
    ) == [
        ("acme", False, 3, 2, 30, 2, 600, 2, 0.75, 0.75, 0.75),
        ("quiet", True, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0),
        ("zenith", True, 1, None, 10, 1, 200, 1, 0.25, 0.25, 0.25),
    ]
    assert rows(world, "select record_id, issue, explanation from marts.fct_commerce_issue order by 1") == [
        (mention, "brand not tracked", "brand other is not in the feed brands: in no share of voice")
        for mention in ("m5", "m6")
    ]


def test_a_live_session(world: World) -> None:
    world.build(social.live(), social.AS_OF)
    assert rows(
        world,
        "select live_session_id, host_type, brand, ended_at, duration_minutes, is_ended, is_window_open,"
        " orders_in_session, orders_after, orders_outside from marts.fct_live_session",
    ) == [("s1", "trained_host", "acme", datetime(2026, 1, 5, 21), 60.0, True, False, 2, 1, 2)]
    assert rows(
        world,
        "select gmv_in_session_base, gmv_after_base, refunded_base, net_revenue_base, conversion_rate,"
        " sales_per_viewer_base from marts.fct_live_session",
    ) == [(Decimal(150), Decimal(30), Decimal(25), Decimal(140), 0.01, Decimal("0.75"))]
    assert rows(
        world, "select record_id, explanation from marts.fct_commerce_issue where feed = 'orders' order by 1"
    ) == [
        ("o4", "placed more than 14 days after live session s1: counted in orders_outside alone"),
        ("o5", "placed before live session s1: counted in orders_outside alone"),
        ("o6", "credited to (unattributed)"),
    ]
