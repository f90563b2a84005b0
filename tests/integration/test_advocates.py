"""Advocates from landed files to the release, worked out by hand; and one of them forgotten in every feed that names it."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings
from ingestion.contracts import load_feeds
from warehouse import pipeline

from . import night, small
from .conftest import reading
from .test_erasure import holders_of, values

GONE = "gone_of.all"
FIRST, LAST = date(2026, 1, 1), date(2026, 2, 10)
Row = dict[str, object]

pytestmark = pytest.mark.usefixtures("one_parse")


def captures() -> list[Row]:
    """`stays` has 5,000 followers for ten days and 12,000 from the 11th of January on; the other always 2,000."""
    rows = []
    # Nine days until the 7th over 10,000, and the last one.
    for nth in (0, 8, *range(10, 17), (LAST - FIRST).days):
        day = FIRST + timedelta(days=nth)
        for account, followers in (("stays", 5_000 if nth < 10 else 12_000), (GONE, 2_000)):
            rows.append({"account_id": account, "captured_at": f"{day}T03:00:00Z", "followers": followers})
    return rows


def post(post_id: str, account: str, published: str, captured: str, **more: object) -> Row:
    return {
        "post_id": post_id, "account_id": account, "published_at": f"{published}T12:00:00Z",
        "captured_at": f"{captured}T12:00:00Z", **more,
    }  # fmt: skip


FEEDS: dict[str, list[Row]] = {
    "account_snapshots": captures(),
    "post_snapshots": [
        # Before the first day as a customer.
        post("s0", "stays", "2026-01-01", "2026-01-05", likes=9, comments=9, reach=999, hashtags="#acme"),
        post("s1", "stays", "2026-01-02", "2026-01-05", likes=10, comments=2, reach=100, hashtags="#Acme"),
        post("s2", "stays", "2026-02-04", "2026-02-09", likes=30, comments=3, mentions="@acme.hq"),
        post("s3", "stays", "2026-01-20", "2026-01-25", likes="hidden", comments=4, reach=50, hashtags="#other"),
        post("s4", "stays", "2026-01-21", "2026-01-25", likes=5, comments=4, reach=50, hashtags="#other"),
        post("g1", GONE, "2026-01-03", "2026-01-05", likes=1, comments=1, hashtags="#acme"),
        post("g2", GONE, "2026-02-05", "2026-02-09", likes=1, comments=1, hashtags="#acme"),
    ],
    "brands": [{"brand": "acme", "name": "Acme", "hashtags": "acme", "own_accounts": f"instagram:acme.hq|instagram:{GONE}"}],
    "customer_accounts": [
        {"customer_id": "c1", "brand": "acme", "account_id": "stays", "relationship": "customer",
         "valid_from": "2026-01-02", "valid_to": "2026-01-10"},
        {"customer_id": "c1", "brand": "acme", "account_id": "stays", "relationship": "advocate",
         "valid_from": "2026-01-10", "consented_at": "2026-01-10T08:00:00Z"},
        {"customer_id": "c2", "brand": "acme", "account_id": GONE, "relationship": "ambassador",
         "valid_from": "2026-01-01"},
    ],
    "collaborations": [
        # Ends 32 days before the last capture of a post of hers, on the 9th of February.
        {"collaboration_id": "k1", "brand": "acme", "account_id": "stays", "partner_type": "gifted", "promo_code": "s10",
         "start_date": "2026-01-02", "end_date": "2026-01-08"},
        {"collaboration_id": "k2", "brand": "acme", "account_id": GONE, "partner_type": "advocate", "promo_code": "g10",
         "start_date": "2026-01-01"},
    ],
    "collaboration_posts": [{"collaboration_id": "k1", "post_id": "s3"}, {"collaboration_id": "k2", "post_id": "g1"}],
    "orders": [
        {"order_id": "o1", "customer_id": "x1", "ordered_at": "2026-01-06T10:00:00Z", "gross_amount": 50,
         "currency": "USD", "promo_code": "S10"},
        {"order_id": "o2", "customer_id": "x2", "ordered_at": "2026-01-06T10:00:00Z", "gross_amount": 70,
         "currency": "USD", "promo_code": "G10"},
    ],
    "mentions": [
        {"mention_id": "m1", "brand": "acme", "account_id": GONE, "mentioned_at": "2026-01-03T12:00:00Z"},
        {"mention_id": "m2", "brand": "acme", "post_id": "g2", "mentioned_at": "2026-02-05T12:00:00Z"},
        {"mention_id": "m3", "brand": "acme", "account_id": "stays", "mentioned_at": "2026-01-03T12:00:00Z"},
    ],
    "live_sessions": [
        {"live_session_id": "l1", "host_id": GONE, "started_at": "2026-01-07T12:00:00Z"},
        {"live_session_id": "l2", "host_id": "trainer", "account_id": GONE, "started_at": "2026-01-08T12:00:00Z"},
        {"live_session_id": "l3", "host_id": "trainer", "started_at": "2026-01-09T12:00:00Z"},
    ],
    "contest_entries": [
        {"entry_id": "e1", "campaign_id": "w", "account_id": "stays", "entered_at": "2026-01-07T12:00:00Z",
         "referrer_account_id": GONE},
        {"entry_id": "e2", "campaign_id": "w", "account_id": GONE, "entered_at": "2026-01-07T13:00:00Z"},
        {"entry_id": "e3", "campaign_id": "w", "account_id": "stays", "entered_at": "2026-01-08T12:00:00Z"},
    ],
}  # fmt: skip
# What stays without the account: rows about others lose the reference alone.
OF_OTHERS = {"e1": {"referrer_account_id": None}, "acme": {"own_accounts": "instagram:acme.hq"}}
OF_ITS_POSTS = ("m2", "g1")


def without(rows: list[Row]) -> list[Row]:
    kept = []
    for row in rows:
        name = str(row.get("entry_id") or row.get("name", "").lower())
        if name in OF_OTHERS:
            kept.append(row | OF_OTHERS[name])
        elif GONE not in row.values() and not set(OF_ITS_POSTS) & set(row.values()):
            kept.append(row)
    return kept


def deliver(settings: Settings, name: str, feeds: dict[str, list[Row]]) -> None:
    """A file a feed, with the columns of the contract. Its name carries its `as_of`."""
    for feed, rows in feeds.items():
        folder = settings.landing / feed
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}_{FIRST}.csv").open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, list(load_feeds()[feed].columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {"platform": "instagram", **row} if "platform" in writer.fieldnames else row for row in rows
            )


def is_late(feed: str, row: Row) -> bool:
    """The relationships, the agreements and a post come when the rest has long been published."""
    return feed in ("customer_accounts", "collaborations", "collaboration_posts") or row.get("post_id") == "s1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, one_parse: None) -> tuple[Settings, Settings]:
    """A world that came in two nights, and one of a single night in which the account never was."""
    folder = tmp_path_factory.mktemp("advocates")
    with_it, without_it = small.world(folder, "with"), small.world(folder, "without")
    early = {feed: [row for row in rows if not is_late(feed, row)] for feed, rows in FEEDS.items()}
    late = {feed: [row for row in rows if is_late(feed, row)] for feed, rows in FEEDS.items()}
    deliver(with_it, "early", {feed: rows for feed, rows in early.items() if rows})
    night.run(with_it, "first", LAST - timedelta(days=1))
    deliver(with_it, "late", {feed: rows for feed, rows in late.items() if rows})
    night.run(with_it, "second", LAST)
    deliver(without_it, "all", {feed: without(rows) for feed, rows in FEEDS.items()})
    night.run(without_it, "only", LAST)
    return with_it, without_it


def test_an_advocate_is_worked_out_by_hand(made: tuple[Settings, Settings]) -> None:
    with reading(made[0]) as marts:
        row = marts.execute(
            "select relationship, relationship_since, is_current, customer_since, advocate_since, partner_type,"
            " contract_end_date, tier, posts_about_brand, first_post_date, last_post_date, months_active, reach,"
            " posts_with_reach, engagements, posts_with_engagements, orders_by_code, net_revenue_by_code_base,"
            " posts_after_contract, is_still_posting, as_of_date, data_origin"
            " from marts.fct_advocate where customer_id = 'c1'"
        ).fetchall()
    # Posts s1 and s2, which name the brand, and s3, which was made for it: reach 100 + 50, engagements 12 + 33, for the
    # likes of s3 are hidden. Micro since the 7th day over 10,000. After the contract there is s2; s3 was work.
    assert row == [(
        "advocate", date(2026, 1, 10), True, date(2026, 1, 2), date(2026, 1, 10), "gifted", date(2026, 1, 8), "micro", 3,
        date(2026, 1, 2), date(2026, 2, 4), 2, 150, 2, 45, 2, Decimal(1), Decimal(50), 1, True, LAST, "observed",
    )]  # fmt: skip


def test_the_ladder_and_the_programme_are_worked_out_by_hand(made: tuple[Settings, Settings]) -> None:
    with reading(made[0]) as marts:
        ladder = marts.execute(
            "select step_number, step, previous_step, valid_from, valid_to, days_in_step from marts.fct_advocate_ladder"
            " where customer_id = 'c1' order by 1"
        ).fetchall()
        programme = marts.execute(
            "select relationship, advocates, advocates_with_consent, posts_about_brand, orders_by_code,"
            " net_revenue_by_code_base, still_posting, contracts_ended from marts.fct_advocate_programme order by 1"
        ).fetchall()
    # 12,000 from the 11th on: the 7th such day is the 17th. To the 10th of February: 31 and 24 days.
    assert ladder == [
        (1, "customer", None, date(2026, 1, 2), date(2026, 1, 10), 8),
        (2, "nano", "customer", date(2026, 1, 2), date(2026, 1, 17), 15),
        (3, "advocate", "nano", date(2026, 1, 10), None, 31),
        (4, "micro", "advocate", date(2026, 1, 17), None, 24),
    ]
    assert programme == [
        ("*", 2, 1, 5, Decimal(2), Decimal(120), 1, 1),
        ("advocate", 1, 1, 3, Decimal(1), Decimal(50), 1, 1),
        ("ambassador", 1, 0, 2, Decimal(1), Decimal(70), 0, 0),
    ]


def test_the_account_is_in_every_feed_before(made: tuple[Settings, Settings]) -> None:
    raw = {path.split("/")[1] for path in holders_of(made[0], GONE) if path.startswith("raw/")}
    assert raw == set(FEEDS) - {"collaboration_posts", "orders"}


def test_an_erased_advocate_is_in_none_of_them_and_the_rest_is_as_if_it_never_was(
    made: tuple[Settings, Settings], tmp_path: Path
) -> None:
    world = small.copy_of(made[0], tmp_path)
    pipeline.erase(world, "instagram", GONE, night.quiet)
    assert holders_of(world, GONE) == []
    assert values(world) == values(made[1])
    with duckdb.connect() as connection:
        for feed, key, kept in (
            ("mentions", "mention_id", ["m3"]),
            ("live_sessions", "live_session_id", ["l3"]),
            ("contest_entries", "entry_id", ["e1", "e3"]),
            ("customer_accounts", "customer_id", ["c1", "c1"]),
        ):
            files = [str(path) for path in (world.raw / feed).rglob("*.parquet") if path.name != "_schema.parquet"]
            rows = connection.execute(
                f"select {key} from read_parquet($files, union_by_name = true, hive_partitioning = false) order by 1",
                {"files": files},
            ).fetchall()
            assert [row[0] for row in rows] == kept, feed
