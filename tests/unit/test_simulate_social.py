"""The maker of the simulated social feeds: its files are what it makes now, and hold what they are there for."""

import csv
import gzip
import io
from collections import Counter, defaultdict
from datetime import date, datetime
from itertools import pairwise

import pytest

from ingestion.contracts import load_feeds
from sample import simulate, simulate_commerce, simulate_social

from .simulated import require_own_layout

FEEDS = tuple(simulate_social.HEADERS)
Rows = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def accounts() -> list[simulate.Account]:
    return simulate.make_accounts(simulate.read_channels())


@pytest.fixture(scope="module")
def made(accounts: list[simulate.Account]) -> dict[str, str]:
    return simulate_social.make(accounts)


def by_feed(files: dict[str, str]) -> Rows:
    return {path.partition("/")[0]: list(csv.DictReader(io.StringIO(text))) for path, text in files.items()}


@pytest.fixture(scope="module")
def rows(made: dict[str, str]) -> Rows:
    return by_feed(made)


@pytest.fixture(scope="module")
def commerce(accounts: list[simulate.Account]) -> Rows:
    return by_feed(simulate_commerce.make(accounts))


@pytest.fixture(scope="module")
def posts(accounts: list[simulate.Account]) -> dict[str, dict[str, object]]:
    """Each post as its last capture shows it."""
    return {str(row["post_id"]): row for row in simulate.post_snapshots(accounts)}


def test_the_committed_files_are_what_the_maker_makes(made: dict[str, str]) -> None:
    committed = {
        path.relative_to(simulate.LANDING).as_posix(): path
        for feed in FEEDS
        for path in (simulate.LANDING / feed).rglob("simulated_*_2022-11-01.*")
    }
    assert set(committed) == set(made)
    for name, path in committed.items():
        assert gzip.decompress(path.read_bytes()).decode() == made[name], f"{name}: run `make sample`"


@pytest.mark.parametrize("feed", FEEDS)
def test_the_layout_is_the_feeds_own_and_claimed_as_simulated(feed: str) -> None:
    require_own_layout(feed, simulate_social.HEADERS[feed])


def test_keys_are_unique_also_beside_the_commerce(rows: Rows, commerce: Rows) -> None:
    for feed in FEEDS:
        contract = load_feeds()[feed]
        all_rows = rows[feed] + commerce.get(feed, [])
        keys = Counter(tuple(row.get(column) for column in contract.key) for row in all_rows)
        assert max(keys.values()) == 1, feed
        assert all(row[column] for row in rows[feed] for column in contract.required), feed
    collaborations = rows["collaborations"] + commerce["collaborations"]
    for column in ("promo_code", "link_id"):
        assert max(Counter(row[column] for row in collaborations).values()) == 1
    # No post is made for two agreements.
    linked = Counter(row["post_id"] for row in rows["collaboration_posts"] + commerce["collaboration_posts"])
    assert max(linked.values()) == 1


def test_the_readme_counts_the_rows_of_each_file(rows: Rows) -> None:
    text = (simulate.LANDING.parent / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|") and "2022-11-01" in line]
    counted = {}
    for line in lines:
        _, files, counts, *_ = line.split("|")
        feeds = [name.strip("`").partition("/")[0] for name in files.partition("(")[0].strip().split(", ")]
        counted |= dict(zip(feeds, [int(each.replace(",", "")) for each in counts.strip().split(", ")], strict=True))
    assert counted == {feed: len(rows[feed]) for feed in FEEDS}


def test_rows_belong_together(rows: Rows, commerce: Rows, posts: dict[str, dict[str, object]]) -> None:
    collaborations = {row["collaboration_id"]: row for row in rows["collaborations"]}
    campaigns = {row["campaign_id"] for row in rows["campaigns"]}
    sessions = {row["live_session_id"] for row in rows["live_sessions"]}
    assert {row["collaboration_id"] for row in rows["collaboration_posts"]} == set(collaborations)
    assert all(
        posts[row["post_id"]]["account_id"] == collaborations[row["collaboration_id"]]["account_id"]
        for row in rows["collaboration_posts"]
    )
    for feed in ("collaborations", "costs", "contest_entries", "live_sessions", "touches"):
        assert {row["campaign_id"] for row in rows[feed]} - {""} <= campaigns, feed
    for feed in ("orders", "touches"):
        assert {row["live_session_id"] for row in rows[feed]} - {""} <= sessions, feed
    assert {row["order_id"] for row in rows["refunds"]} <= {row["order_id"] for row in rows["orders"]}
    assert {row["rule_id"] for row in rows["collaborations"]} - {""} <= {
        row["rule_id"] for row in commerce["commission_rules"]
    }


def test_forty_advocates_of_a_platform_have_posts_and_some_climb(
    rows: Rows, accounts: list[simulate.Account], posts: dict[str, dict[str, object]]
) -> None:
    advocates = {
        row["account_id"]
        for row in rows["customer_accounts"]
        if row["relationship"] != "customer" and row["platform"] == "instagram"
    }
    linked = {row["post_id"] for row in rows["collaboration_posts"]}
    # Likes that are hidden leave no engagement rate.
    praising = {
        str(post["account_id"])
        for name, post in posts.items()
        if post["likes"] != "hidden" and ("tidewell" in str(post["hashtags"]).lower() or name in linked)
    }
    assert len(advocates & praising) >= 40
    climbing = {
        one.account_id
        for one in accounts
        if simulate.tier_of(one.on(0)) == "nano" and simulate.tier_of(one.on(simulate.END)) == "micro"
    }
    assert len(advocates & climbing) >= 4
    of_account = defaultdict(list)
    for row in sorted(rows["customer_accounts"], key=lambda row: row["valid_from"]):
        of_account[row["account_id"]].append(row["relationship"])
    assert ["customer", "advocate", "ambassador"] in of_account.values()
    consents = {bool(row["consented_at"]) for row in rows["customer_accounts"] if row["relationship"] != "customer"}
    assert consents == {True, False}


def test_small_creators_praise_on_after_the_end_and_bigger_ones_less(
    rows: Rows, accounts: list[simulate.Account], posts: dict[str, dict[str, object]]
) -> None:
    tiers = {one.account_id: one.tier for one in accounts}
    ended = [row for row in rows["collaborations"] if row["campaign_id"].startswith("sim-spring")]
    assert max(row["end_date"] for row in ended) <= "2022-06-10"
    praised = defaultdict(list)
    for post in posts.values():
        if "tidewell" in str(post["hashtags"]).lower():
            praised[post["account_id"]].append(str(post["published_at"])[:10])
    seen = Counter(
        (tiers[row["account_id"]] == "nano", any(day > row["end_date"] for day in praised[row["account_id"]]))
        for row in ended
    )
    # Thirty a side, six nanos in ten go on, and not three bigger ones in ten.
    assert seen[True, True] + seen[True, False] >= 30
    assert seen[False, True] + seen[False, False] >= 30
    assert seen[True, True] / (seen[True, True] + seen[True, False]) > 0.6
    assert seen[False, True] / (seen[False, True] + seen[False, False]) < 0.3


def test_ten_campaigns_have_one_tier_and_ten_have_several(rows: Rows, accounts: list[simulate.Account]) -> None:
    tiers = {one.account_id: one.tier for one in accounts}
    linked = {row["collaboration_id"] for row in rows["collaboration_posts"]}
    spent = {row["campaign_id"] for row in rows["costs"]}
    found = defaultdict(set)
    for row in rows["collaborations"]:
        assert row["collaboration_id"] in linked
        if row["campaign_id"] and not row["campaign_id"].startswith("sim-spring"):
            found[row["campaign_id"]].add(tiers[row["account_id"]])
    assert set(found) <= spent
    assert sum(len(each) == 1 for each in found.values()) >= 10
    assert sum(len(each) > 1 for each in found.values()) >= 10


def test_sessions_of_each_host_type_sell_in_and_after(rows: Rows) -> None:
    sessions = {row["live_session_id"]: row for row in rows["live_sessions"]}
    hosts = Counter(row["host_type"] for row in sessions.values())
    assert min(hosts["creator"], hosts["trained_host"]) >= 12
    assert [row["live_session_id"] for row in sessions.values() if not row["ended_at"]] == ["sim-live-h04"]
    assert {bool(row["campaign_id"]) for row in sessions.values()} == {True, False}
    first, second = sessions["sim-live-h01"], sessions["sim-live-h05"]
    assert first["host_id"] == second["host_id"]
    assert first["started_at"] < second["started_at"] < first["ended_at"]
    orders = [row for row in rows["orders"] if row["live_session_id"]]
    assert {row["live_session_id"] for row in orders} == set(sessions)
    ends = {name: row["ended_at"] or "9999" for name, row in sessions.items()}
    assert {row["ordered_at"] <= ends[row["live_session_id"]] for row in orders} == {True, False}
    assert all(row["ordered_at"] >= sessions[row["live_session_id"]]["started_at"] for row in orders)
    assert {row["order_id"] for row in orders} & {row["order_id"] for row in rows["refunds"]}
    placed = {row["order_id"]: row for row in orders}
    for touch in (row for row in rows["touches"] if row["touch_type"] == "live"):
        order = placed[touch["touch_id"].removesuffix("-t0")]
        assert touch["customer_id"] == order["customer_id"]
        assert sessions[touch["live_session_id"]]["started_at"] <= touch["touched_at"] <= order["ordered_at"]


def test_contests_have_referrers_and_strays(rows: Rows) -> None:
    contests = {row["campaign_id"]: row for row in rows["campaigns"] if row["objective"] == "contest"}
    assert len(contests) == 2
    outside: Counter[str] = Counter()
    for row in rows["contest_entries"]:
        contest, day = contests[row["campaign_id"]], row["entered_at"][:10]
        outside[row["campaign_id"]] += not contest["start_date"] <= day <= contest["end_date"]
    assert outside == {"sim-contest-1": 5, "sim-contest-2": 5}
    for column in ("referrer_account_id", "customer_id", "reach", "post_id"):
        assert {bool(row[column]) for row in rows["contest_entries"]} == {True, False}, column
    entered = {row["account_id"] for row in rows["contest_entries"]}
    assert {row["referrer_account_id"] for row in rows["contest_entries"]} - {""} <= entered
    assert max(Counter((row["campaign_id"], row["account_id"]) for row in rows["contest_entries"]).values()) > 1


def test_mentions_are_those_of_the_posts_and_a_few_of_nobody(rows: Rows, posts: dict[str, dict[str, object]]) -> None:
    tracked = {brand[0] for brand in simulate.BRANDS}
    for row in rows["mentions"]:
        assert not row["post_id"] or row["brand"] in str(posts[row["post_id"]]["hashtags"]).lower().split("|")
    assert Counter(row["brand"] in tracked for row in rows["mentions"] if not row["post_id"]) == {True: 40, False: 5}
    for column in ("likes", "comments", "reach"):
        assert {bool(row[column]) for row in rows["mentions"]} == {True, False}, column


def test_the_rows_that_are_wrong_on_purpose_are_there(rows: Rows, accounts: list[simulate.Account]) -> None:
    captured = {one.account_id for one in accounts}
    relations = rows["customer_accounts"]
    assert [row["account_id"] for row in relations if row["account_id"] not in captured] == ["sim-ig-9997"]
    assert sum(row["valid_to"] != "" and row["valid_to"] < row["valid_from"] for row in relations) == 1
    holders = defaultdict(set)
    for row in relations:
        holders[row["account_id"]].add(row["customer_id"])
    assert sum(len(each) > 1 for each in holders.values()) >= 1
    of_first = [row for row in relations if row["customer_id"] == "sim-cust-voice-001"]
    spans = sorted((row["valid_from"], row["valid_to"] or "9999") for row in of_first)
    assert any(after[0] < before[1] for before, after in pairwise(spans))


def test_codes_are_used_while_they_are_valid_and_rates_stand_by(rows: Rows, commerce: Rows) -> None:
    owners = {row["promo_code"]: row for row in rows["collaborations"]}
    rates = {(row["currency"], row["rate_date"]) for row in commerce["fx_rates"]}
    for row in rows["orders"]:
        day = row["ordered_at"][:10]
        if row["promo_code"]:
            owner = owners[row["promo_code"]]
            assert owner["start_date"] <= day <= (owner["end_date"] or "9999"), row["order_id"]
        near = (date.fromordinal(datetime.fromisoformat(day).toordinal() - nth) for nth in range(6))
        assert row["currency"] == "USD" or any((row["currency"], str(each)) in rates for each in near)
