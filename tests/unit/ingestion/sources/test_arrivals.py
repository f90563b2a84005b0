"""Followers are counted by the day on which they came, while they pass by; nothing of who they are is written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion.sources import capture as captures
from ingestion.sources.bluesky import _day_of
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


def milliseconds(number: int) -> str:
    return f"{followed(number)}__bafy-fan-{number}"


def record_key(number: int) -> str:
    """A key as a program makes it for a record of that instant, and to find it again its number as the clock of it."""
    bits = followed(number) * 1000 << 10 | number
    return "".join("234567abcdefghijklmnopqrstuvwxyz"[bits >> 5 * place & 31] for place in range(12, -1, -1))


# Which of their pages servers say the end of: each with somebody on it, each full one, each that another one follows.
SAYS = {
    "who is there": lambda length, limit, left: length > 0,
    "full": lambda length, limit, left: length == limit,
    "not the last": lambda length, limit, left: left > 0,
}
CURSORS = {"milliseconds": milliseconds, "record key": record_key}


def followers(world: World, says: str = "who is there", cursor_of: str = "milliseconds") -> list[int]:
    """Pages of followers as an AppView lists them; returns the lengths of the pages that were asked for."""
    asked: list[int] = []
    places = {CURSORS[cursor_of](number): number for number in range(len(DAYS))}

    def page(request: Request) -> Any:
        limit, cursor = int(request.args["limit"]), request.args.get("cursor")
        asked.append(limit)
        assert request.args["sort"] == "latest"
        if name_of(request.args["actor"]) != "anna":
            return {"followers": [], "subject": {}}
        first = 0 if cursor is None else 1 + places[cursor]
        last = min(first + limit, len(DAYS))
        found = {"followers": [{"did": f"did:plc:fan{n}", "handle": f"fan{n}.test"} for n in range(first, last)]}
        has_end = SAYS[says](last - first, limit, len(DAYS) - last)
        return found | ({"cursor": CURSORS[cursor_of](last - 1)} if has_end else {})

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


@pytest.mark.parametrize("cursor_of", CURSORS)
@pytest.mark.parametrize("says", ["who is there", "full"])
def test_followers_are_counted_by_the_day_on_which_they_came(asking: World, says: str, cursor_of: str) -> None:
    asked = followers(asking, says, cursor_of)
    done = asking.capture()
    assert (done.received, done.missing) == (2, {})
    assert landed(asking) == COUNTS
    # Pages grow while they stay within a day, and are halved where they leave it.
    assert asked[:8] == [1, 2, 4, 8, 16, 32, 64, 100]
    assert len(asked) < 40


@pytest.mark.parametrize("cursor_of", CURSORS)
def test_the_first_follower_is_in_no_count_where_the_last_page_does_not_say_where_it_ends(
    asking: World, cursor_of: str
) -> None:
    asked = followers(asking, "not the last", cursor_of)
    assert asking.capture().missing == {}
    assert landed(asking) == COUNTS | {"2025-06-01": 1}
    assert len(asked) < 40


@pytest.mark.parametrize(("count", "known"), [(1, {}), (2, {"2025-12-30": 1}), (3, {"2025-12-30": 1, "2025-06-01": 1})])
def test_of_one_follower_alone_no_day_is_known(
    asking: World, monkeypatch: pytest.MonkeyPatch, count: int, known: dict[str, int]
) -> None:
    monkeypatch.setattr("tests.unit.ingestion.sources.test_arrivals.DAYS", DAYS[-3:][:count])
    followers(asking, "not the last")
    assert asking.capture().missing == {}
    assert (landed(asking) if known else {}) == known
    assert any("/arrivals_" in name for name in asking.landed()) == bool(known)


@pytest.mark.parametrize(
    ("cursor", "day"),
    [
        # Each a millisecond, or a microsecond, beside a midnight.
        ("1767571199999__bafy", "2026-01-04"),
        ("1767571200000__bafy", "2026-01-05"),
        ("3mbn4yrvjzz22", "2026-01-04"),
        ("3mbn4yrvk2222", "2026-01-05"),
        # Of 1724171495793000 microseconds, as the README of the package @atcute/tid shows it.
        ("3l25zusnsfctk", "2024-08-20"),
        # Zero, as https://atproto.com/specs/tid shows it.
        ("2222222222222", "1970-01-01"),
        ("zzzzzzzzzzzzz", None),
        ("3jzfcijpj2z2", None),
        ("bafy", None),
    ],
)
def test_a_cursor_tells_the_day(cursor: str, day: str | None) -> None:
    assert _day_of(cursor) == day


@pytest.mark.parametrize("cursor_of", CURSORS)
def test_a_clock_that_is_ahead_puts_nobody_after_the_day_of_the_capture(
    asking: World, monkeypatch: pytest.MonkeyPatch, cursor_of: str
) -> None:
    ahead = ["2031-07-01", "2026-01-07", "2026-01-06", "2026-01-05", "2026-01-04"]
    monkeypatch.setattr("tests.unit.ingestion.sources.test_arrivals.DAYS", ahead)
    followers(asking, cursor_of=cursor_of)
    asking.capture()
    assert landed(asking) == {"2026-01-05": 4, "2026-01-04": 1}


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


@pytest.mark.parametrize("cursor", ["bafy", "bafy__1", "", "zzzzzzzzzzzzz"])
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
