"""The maker of the simulated sample: its files are what it makes now, and hold what they are there for."""

import csv
import gzip
import io
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from ingestion.contracts import load_feeds
from sample import simulate

from .simulated import require_own_layout

FEEDS = ("account_snapshots", "post_snapshots", "accounts", "brands")


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return simulate.make(simulate.read_channels())


@pytest.fixture(scope="module")
def rows(made: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    return {path.partition("/")[0]: list(csv.DictReader(io.StringIO(text))) for path, text in made.items()}


def followers_of(rows: dict[str, list[dict[str, str]]]) -> dict[str, list[int]]:
    """Followers of each simulated account in the order of its days."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in sorted(rows["account_snapshots"], key=lambda row: row["captured_at"]):
        found[row["account_id"]].append(int(row["followers"]))
    return found


def test_the_committed_files_are_what_the_maker_makes(made: dict[str, str]) -> None:
    committed = {
        path.relative_to(simulate.LANDING).as_posix(): path
        for feed in FEEDS
        for path in (simulate.LANDING / feed).rglob("simulated_*")
    }
    assert set(committed) == set(made)
    for name, path in committed.items():
        zipped = path.read_bytes()
        assert gzip.decompress(zipped).decode() == made[name], f"{name}: run `make sample`"
        # The zip holds neither a time nor a file name: equal text gives equal bytes.
        assert (zipped[3], zipped[4:8]) == (0, b"\0\0\0\0")


def test_the_same_inputs_make_the_same_files(made: dict[str, str]) -> None:
    assert simulate.make(simulate.read_channels()) == made


def test_another_seed_makes_other_counts(monkeypatch: pytest.MonkeyPatch, made: dict[str, str]) -> None:
    monkeypatch.setattr(simulate, "SEED", "another")
    other = simulate.make(simulate.read_channels())
    assert {path for path in made if other[path] == made[path]} == {"brands/simulated_brands_2022-08-01.csv.gz"}


def test_one_channel_less_changes_no_other_row(made: dict[str, str]) -> None:
    accounts = simulate.make_accounts(simulate.read_channels())
    gone = accounts[0].account_id
    fewer = [row for row in simulate.post_snapshots(accounts) if row["account_id"] != gone]
    assert list(simulate.post_snapshots(accounts[1:])) == fewer


@pytest.mark.parametrize("feed", FEEDS)
def test_the_layout_is_the_feeds_own_and_claimed_as_simulated(feed: str) -> None:
    require_own_layout(feed, simulate.HEADERS[feed])


def test_no_two_rows_share_a_key_and_an_instant(rows: dict[str, list[dict[str, str]]]) -> None:
    for feed in FEEDS:
        keys = Counter(tuple(row[column] for column in load_feeds()[feed].identity) for row in rows[feed])
        assert {key for key, times in keys.items() if times > 1} == set()


def test_each_tier_has_accounts_enough_for_a_benchmark(rows: dict[str, list[dict[str, str]]]) -> None:
    posting = {row["account_id"] for row in rows["post_snapshots"]}
    last = {account: counts[-1] for account, counts in followers_of(rows).items() if account in posting}
    cells = Counter((account[:6], simulate.tier_of(count)) for account, count in last.items())
    wanted = [(kind, tier) for kind in ("sim-ig", "sim-tt") for tier in simulate.BOUNDS]
    assert {cell: count for cell, count in cells.items() if cell in wanted and count < 30} == {}
    assert set(wanted) <= set(cells)
    niches = Counter(
        row["niche"] for row in rows["accounts"] if simulate.tier_of(last.get(row["account_id"], 0)) == "nano"
        and row["platform"] == "instagram"
    )  # fmt: skip
    assert niches["beauty"] >= 30


def test_accounts_turn_hold_and_return_as_their_stories_say(rows: dict[str, list[dict[str, str]]]) -> None:
    paths = Counter()
    for counts in followers_of(rows).values():
        tiers = [simulate.tier_of(count) for count in counts]
        changes = [(tier, tiers[nth + 1]) for nth, tier in enumerate(tiers[:-1]) if tier != tiers[nth + 1]]
        # The first 12 captures stand on days in a row: a tier change by the 5th has its 7th day among them.
        if changes and tiers[5] != tiers[0]:
            paths[(*changes, tiers[5:12].count(tiers[5]))] += 1
    # Twice, once per platform: 6 to micro, 2 to nano, 2 to macro, 1 to mega, 2 from below. The two that visit stay
    # 6 days, 4 to 9, so 5 of them are among days 5 to 11.
    assert paths[("nano", "micro"), 7] == 12
    assert paths[("micro", "nano"), 7] == 4
    assert paths[("micro", "macro"), 7] == 4
    assert paths[("macro", "mega"), 7] == 2
    assert paths[(None, "nano"), 7] == 4
    assert paths[("nano", "micro"), ("micro", "nano"), 5] == 4


def test_counts_are_possible(rows: dict[str, list[dict[str, str]]]) -> None:
    for row in rows["post_snapshots"]:
        names = ("likes", "comments", "views", "reach", "creator_replies")
        counts = {name: int(row[name]) for name in names if row[name] not in ("", "hidden")}
        assert all(count >= 0 for count in counts.values())
        assert counts.get("creator_replies", 0) <= counts.get("comments", 10**9) * 1.2
        for seen in ("views", "reach"):
            assert counts.get("likes", 0) <= counts.get(seen, 10**12)


def test_what_owners_alone_know_is_known_in_part(rows: dict[str, list[dict[str, str]]]) -> None:
    posts = rows["post_snapshots"]
    accounts = {row["account_id"] for row in posts}
    with_reach = {row["account_id"] for row in posts if row["reach"]}
    assert 0.2 < len(with_reach) / len(accounts) < 0.5
    assert 0.02 < sum(row["likes"] == "hidden" for row in posts) / len(posts) < 0.08
    for flag in ("is_sponsored", "is_pinned", "is_collab"):
        assert {"true", "false"} <= {row[flag] for row in posts}
    assert any(row["creator_replies"] for row in posts)
    brands = {row["brand"] for row in rows["brands"]}
    assert brands <= {tag.lower() for row in posts for tag in row["hashtags"].split("|")}
    assert {row["aliases"].split("|")[0] for row in rows["brands"]} <= {row["mentions"] for row in posts}


def test_the_rows_that_are_wrong_on_purpose_are_there(rows: dict[str, list[dict[str, str]]]) -> None:
    posts: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows["post_snapshots"]:
        posts[row["post_id"]].append(row)
    captured = {row["account_id"] for row in rows["account_snapshots"]}
    assert {row["platform"] for row in rows["accounts"]} == {"instagram", "tiktok"}
    falls = sum(int(a["comments"]) > int(b["comments"]) for p in posts.values() for a, b in pairwise(p))
    assert falls >= 3
    assert any(len({row["account_id"] for row in captures}) > 1 for captures in posts.values())
    assert any(row["published_at"] > row["captured_at"] for row in rows["post_snapshots"])
    assert "sim-ig-9999" in {row["account_id"] for row in rows["post_snapshots"]} - captured
    handles = Counter((row["platform"], row["handle"]) for row in rows["accounts"] if row["updated_at"] < "2022-07-02")
    assert max(count for (_, handle), count in handles.items() if handle) == 2
    assert "sim-tt-9998" in {row["account_id"] for row in rows["accounts"]} - captured
    assert {account for account, counts in followers_of(rows).items() if set(counts) == {0}} == {
        "sim-ig-0003",
        "sim-tt-0003",
    }


def test_captures_stand_on_the_days_of_the_real_files(rows: dict[str, list[dict[str, str]]]) -> None:
    # Eight hours before the publisher's clock in the name: 03:01 on the 16th is 19:01 on the 15th.
    real = set()
    for path in (simulate.LANDING / "account_snapshots" / "vtuber").iterdir():
        day, hour = re.match(r"Data_([\d-]+)_(\d\d)", path.name).groups()
        real.add((datetime.fromisoformat(f"{day} {hour}:00") - timedelta(hours=8)).date())
    for feed in ("account_snapshots", "post_snapshots"):
        days = {datetime.fromisoformat(row["captured_at"]).date() for row in rows[feed]}
        assert days == {day for day in real if day.year == 2022}
