"""Followers are counted by the day on which they came, while they pass by; nothing of who they are is written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion.sources import capture as captures
from ingestion.sources.errors import BadAnswer
from ingestion.sources.forecast import forecast
from ingestion.sources.journal import Journal
from ingestion.sources.settings import load_sources
from tests.unit.conftest import Yard

from .conftest import START, World, bluesky, name_of, nowhere_under

FOLLOWERS = "/xrpc/app.bsky.graph.getFollowers"
# Of each follower when it came, the latest first: 130 on the 4th, one a day on three days, two on the last.
DAYS = ["2026-01-04"] * 130 + ["2026-01-03", "2026-01-02", "2025-12-30"] + ["2025-06-01"] * 2
COUNTS = {"2025-06-01": 2, "2025-12-30": 1, "2026-01-02": 1, "2026-01-03": 1, "2026-01-04": 130}


def followed(number: int) -> int:
    """When the follower of a number followed, in milliseconds: a second before the one ahead of it."""
    at = datetime.fromisoformat(f"{DAYS[number]}T12:00:00").replace(tzinfo=UTC)
    return int(at.timestamp() * 1000) - 1000 * number


def followers(world: World, last_has_cursor: bool = True) -> list[int]:
    """Pages of followers as the AppView lists them; returns the lengths of the pages that were asked for."""
    asked: list[int] = []

    def page(request: Request) -> Any:
        limit, cursor = int(request.args["limit"]), request.args.get("cursor")
        asked.append(limit)
        if name_of(request.args["actor"]) != "anna":
            return {"followers": [], "subject": {}}
        first = 0 if cursor is None else 1 + int(cursor.rpartition("bafy-fan-")[2])
        last = min(first + limit, len(DAYS))
        found = {"followers": [{"did": f"did:plc:fan{n}", "handle": f"fan{n}.test"} for n in range(first, last)]}
        is_whole = last - first == limit or (last_has_cursor and last > first)
        return found | ({"cursor": f"{followed(last - 1)}__bafy-fan-{last - 1}"} if is_whole else {})

    world.answer(FOLLOWERS, page)
    return asked


@pytest.fixture
def asking(world: World) -> World:
    bluesky(world)
    world.watch("did:plc:anna", "did:plc:ben")
    world.sources("bluesky:\n  base_url: SERVER\n  arrivals: true\n")
    return world


def landed(world: World) -> dict[str, int]:
    [rows] = [rows for name, rows in world.landed().items() if "/arrivals_" in name]
    assert {row["did"] for row in rows} == {"did:plc:anna"}
    return {row["day"]: row["followers"] for row in rows}


@pytest.mark.parametrize("last_has_cursor", [True, False])
def test_followers_are_counted_by_the_day_on_which_they_came(asking: World, last_has_cursor: bool) -> None:
    asked = followers(asking, last_has_cursor)
    done = asking.capture()
    assert (done.received, done.missing) == (2, {})
    assert landed(asking) == COUNTS
    # Pages grow while they stay within a day, and are halved where they leave it.
    assert asked[:8] == [1, 2, 4, 8, 16, 32, 64, 100]
    assert len(asked) < 40


def test_they_reach_raw_with_their_capture(asking: World) -> None:
    followers(asking)
    asking.capture()
    yard = Yard(asking.settings)
    yard.land()
    rows = yard.rows_of("follower_arrivals", "account_id, captured_at, cast(arrival_date as varchar), followers")
    assert rows == [("did:plc:anna", START, day, count) for day, count in sorted(COUNTS.items())]


def test_nobody_is_named_anywhere_also_in_the_journal(asking: World, monkeypatch: pytest.MonkeyPatch) -> None:
    followers(asking)
    journals: list[str] = []
    end = Journal.end
    monkeypatch.setattr(Journal, "end", lambda self: (journals.append(self.file.read_text()), end(self)))
    asking.capture()
    asking.requests.clear()
    assert nowhere_under(asking, "fan")
    assert "fan" not in "".join(journals)
    assert '"arrivals"' in "".join(journals)


def test_a_capture_that_was_killed_counts_an_account_anew_and_no_account_twice(
    asking: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = followers(asking)
    ask, calls = captures._ask, []

    def killed(fetcher: Any, url: str, call: Any) -> Any:
        calls.append(call.endpoint)
        if calls.count("arrivals") == 5:
            raise KeyboardInterrupt
        return ask(fetcher, url, call)

    with monkeypatch.context() as patched:
        patched.setattr(captures, "_ask", killed)
        with pytest.raises(KeyboardInterrupt):
            asking.capture()
    before = len(asked)
    asking.capture()
    assert landed(asking) == COUNTS
    assert asked[before] == 1


def test_nobody_is_asked_for_followers_unless_it_is_set(asking: World) -> None:
    asked = followers(asking)
    asking.sources("bluesky:\n  base_url: SERVER\n")
    asking.capture()
    assert asked == []
    assert not [name for name in asking.landed() if "arrivals" in name]


@pytest.mark.parametrize("cursor", ["bafy", "bafy__1", ""])
def test_a_page_that_does_not_say_where_it_ends_is_no_answer(asking: World, cursor: str) -> None:
    asking.answer(FOLLOWERS, lambda _: Response(json.dumps({"followers": [{}], "cursor": cursor})))
    done = asking.capture()
    assert done.missing == {BadAnswer("").reason: 2}
    assert not [name for name in asking.landed() if "arrivals" in name]


def test_the_forecast_takes_them_in(asking: World) -> None:
    followers(asking)
    entry = load_sources(asking.settings)["bluesky"]
    # 1 call for the profiles, 1 for the posts of each, and at least 2 for the followers of each.
    assert forecast(asking.settings, "bluesky", entry, START).calls == 1 + 2 + 2 * 2
    asking.capture()
    Yard(asking.settings).land()
    # Each told 1,000 followers, which are 10 pages more.
    assert forecast(asking.settings, "bluesky", entry, START).calls == 1 + 2 + 2 * (2 + 10)
