"""Whose a post is does not depend on the order in which captures, links and brands come."""

from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.config import Settings

from . import night, small
from .conftest import content, reading
from .small import day

pytestmark = pytest.mark.usefixtures("accounts_alone")

POSTS = "platform,post_id,account_id,author_account_id,captured_at,published_at,likes,comments\n"
LAST = day(4)


def captures(number: int, *rows: tuple[str, str, str]) -> str:
    """Post, who shows it, whom the capture names."""
    lines = [
        f"tiktok,{post},{by},{author},2026-01-{number:02d}T0{place}:00:00Z,2025-12-20T03:00:00Z,{100 * number + place},5"
        for place, (post, by, author) in enumerate(rows)
    ]
    return POSTS + "\n".join(lines) + "\n"


# By (feed, file): what is known of each post, day by day. Cid alone never shows what he is paid for.
FILES = {
    ("post_snapshots", f"day1_{day(1)}.csv"): captures(1, ("early", "ann", ""), ("paid", "bob", ""), ("brand", "hq", "")),
    ("post_snapshots", f"day2_{day(2)}.csv"): captures(2, ("early", "bob", ""), ("paid", "ann", ""), ("brand", "ann", "")),
    ("post_snapshots", f"day3_{day(3)}.csv"): captures(3, ("early", "bob", ""), ("named", "bob", ""), ("alone", "ann", "")),
    ("post_snapshots", f"day4_{day(4)}.csv"): captures(4, ("named", "ann", "ann"), ("early", "ann", ""), ("paid", "bob", "")),
    ("collaborations", f"agreed_{day(1)}.csv"): (
        "collaboration_id,brand,platform,account_id,partner_type,start_date\nK,acme,tiktok,cid,paid,2026-01-01\n"
    ),
    ("collaboration_posts", f"links_{day(1)}.csv"): "collaboration_id,platform,post_id\nK,tiktok,paid\nK,tiktok,alone\n",
    ("brands", f"brands_{day(1)}.csv"): "brand,own_accounts\nacme,tiktok:hq\n",
}  # fmt: skip
BY_HAND = [
    ("alone", 3, "cid", "ann"),
    ("brand", 1, "hq", None), ("brand", 2, "ann", "hq"),
    ("early", 1, "ann", None), ("early", 2, "ann", "bob"), ("early", 3, "ann", "bob"), ("early", 4, "ann", "bob"),
    ("named", 3, "bob", None), ("named", 4, "ann", "bob"),
    ("paid", 1, "cid", "bob"), ("paid", 2, "cid", "ann|bob"), ("paid", 4, "cid", "ann|bob"),
]  # fmt: skip


def bring(settings: Settings, *names: tuple[str, str]) -> None:
    for feed, name in names:
        folder = settings.landing / feed
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(FILES[feed, name])


def authors(settings: Settings) -> list[tuple[object, ...]]:
    with reading(settings) as marts:
        return marts.execute(
            "select post_id, day(snapshot_date), account_id, co_authors from marts.fct_post_daily order by 1, 2"
        ).fetchall()


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = small.world(tmp_path_factory.mktemp("at_once"), "at_once")
    bring(settings, *FILES)
    night.run(settings, "one", LAST)
    return settings


def test_authors_are_those_worked_out_by_hand(at_once: Settings) -> None:
    assert authors(at_once) == BY_HAND


def test_late_captures_links_and_brands_give_equal_marts(at_once: Settings, tmp_path: Path) -> None:
    """Nights of their own: the last days, the first ones after them, then who is paid; a night without news plans none."""
    settings = small.world(tmp_path, "late")
    feeds = list(FILES)
    bring(settings, feeds[1], feeds[3])
    night.run(settings, "later days", LAST)
    assert ("early", 2, "bob", None) in authors(settings)
    bring(settings, feeds[0], feeds[2], feeds[4], feeds[6])
    night.run(settings, "earlier days", LAST)
    assert ("paid", 2, "ann", "bob") not in authors(settings)
    assert ("paid", 1, "bob", None) in authors(settings)
    bring(settings, feeds[5])
    night.run(settings, "links", LAST)
    assert authors(settings) == BY_HAND
    assert content(settings) == content(at_once)
    with ledger.read(settings) as connection:
        planned = connection.execute(
            "select snapshot_date from plan_dates where run_id = 'links' and mart = 'fct_post_daily' order by 1"
        ).fetchall()
    assert [row[0] for row in planned] == [str(day(number)) for number in (1, 2, 3, 4)]
