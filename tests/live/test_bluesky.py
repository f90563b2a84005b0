"""Thirty accounts of a real Bluesky network over ten played days: capture, nightly, marts; a bought burst is flagged.

Opt-in, by `make live-test`: it needs PostgreSQL and Redis, and installs the network's servers once.
"""

import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ingestion.config import Settings, utc_now
from ingestion.sources.capture import capture
from ingestion.sources.clock import Clock
from ingestion.sources.settings import load_sources
from tests.integration.conftest import Night, reading, run_dag

from . import network

pytestmark = pytest.mark.skipif("GROUNDSWELL_LIVE_TEST" not in os.environ, reason="opt-in: make live-test")

ACCOUNTS, DAYS = 30, 10
BUYER = 7
BOUGHT = 6_000


def played(seed: int = 11) -> list[list[int]]:
    """Followers of each account on the first day and on ten more: it gains about 0.2 % a day. One buys on the last."""
    draw = random.Random(seed)
    followers = [draw.randint(5_000, 60_000) for _ in range(ACCOUNTS)]
    followers[BUYER] = 15_000
    days = [followers]
    for _ in range(DAYS):
        days.append([round(count * (1 + draw.gauss(0.002, 0.0005))) for count in days[-1]])
    days[-1][BUYER] += BOUGHT
    return days


@pytest.fixture(scope="module")
def dids() -> list[str]:
    return []


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, dids: list[str]) -> Iterator[Night]:
    """A night after ten played days."""
    folder = tmp_path_factory.mktemp("live")
    config = folder / "config"
    config.mkdir()
    with network.opened(ACCOUNTS) as bluesky, pytest.MonkeyPatch.context() as patched:
        dids.extend(bluesky.dids)
        patched.setenv("GROUNDSWELL_CONFIG", str(config))
        (config / "sources.yml").write_text(f"bluesky:\n  base_url: {bluesky.url}\n")
        (config / "watchlist.csv").write_text("platform,account\n" + "".join(f"bluesky,{did}\n" for did in dids))
        settings = Settings(_env_file=None, data=folder / "data", config=config)  # type: ignore[call-arg]
        for number, followers in enumerate(played()):
            bluesky.play(dict(zip(dids, followers, strict=True)))
            ago = timedelta(days=DAYS - number)
            done = capture(
                settings,
                "bluesky",
                load_sources(settings)["bluesky"],
                lambda _: None,
                clock=Clock(lambda ago=ago: noon() - ago),
            )
            print(f"{done.day}: {done.received} of {done.asked} came, {done.calls} calls, {done.rows} rows")
            assert done.received == done.asked == ACCOUNTS
        yield run_dag(folder / "data")


def noon() -> datetime:
    """A time of the last played day, which is yesterday: no capture goes over midnight."""
    return datetime.combine(utc_now().date() - timedelta(days=1), datetime.min.time()) + timedelta(hours=12)


def asked(night: Night, sql: str) -> list[tuple[object, ...]]:
    with reading(night.settings) as marts:
        return marts.execute(sql).fetchall()


def test_every_count_that_was_shown_is_in_the_marts(night: Night, dids: list[str]) -> None:
    print(night.printed)
    assert night.code == 0, night.printed
    shown = {
        (did, noon().date() - timedelta(days=DAYS - number), count)
        for number, followers in enumerate(played())
        for did, count in zip(dids, followers, strict=True)
    }
    assert set(asked(night, "select account_id, snapshot_date, followers from marts.fct_account_daily")) == shown
    assert asked(night, "select distinct platform from marts.fct_account_daily") == [("bluesky",)]


def test_posts_have_their_likes_replies_and_shares(night: Night, dids: list[str]) -> None:
    posts = asked(
        night,
        "select account_id, likes, comments, shares from marts.fct_post_daily"
        " where snapshot_date = (select max(snapshot_date) from marts.fct_post_daily) order by likes desc",
    )
    assert posts[0] == (dids[0], 10, 1, 1)
    # A repost of the first one is nobody's post: the mapping leaves it out.
    assert len(posts) == 2


def test_the_capture_of_each_day_is_whole(night: Night) -> None:
    days = asked(night, "select accounts_asked, accounts_received from marts.fct_capture_daily order by snapshot_date")
    assert days == [(ACCOUNTS, ACCOUNTS)] * (DAYS + 1)


def test_the_bought_burst_is_flagged_and_nobody_else_is(night: Night, dids: list[str]) -> None:
    flags = asked(night, "select distinct account_id, signal, window_end from marts.fct_follower_flag")
    print(flags)
    assert (dids[BUYER], "burst", noon().date()) in flags
    assert {account for account, _, _ in flags} == {dids[BUYER]}
    # A burst is evidence the day that it is seen; a verdict waits until it has settled.
    verdicts = dict(
        asked(
            night,
            "select account_id, verdict from marts.fct_follower_trust_daily"
            f" where snapshot_date = date '{noon().date()}'",
        )
    )
    print(verdicts)
    assert verdicts[dids[BUYER]] == "watch"
    assert "suspicious" not in verdicts.values()
