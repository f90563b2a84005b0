"""Whose a post is that several accounts show, worked out on paper, and that it is counted once."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from tests.dbt.commerce import Compiled, World
from warehouse.build import dbt

AS_OF = date(2026, 1, 5)
PUBLISHED = "2025-12-24 12:00:00"


def shown(post: str, by: str, day: int, author: str | None = None, hour: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "platform": "instagram", "post_id": post, "account_id": by, "author_account_id": author,
        "captured_at": f"2026-01-{day:02d} {hour:02d}:00:00", "published_at": PUBLISHED,
        "likes": 100 * day, "comments": 10, **more,
    }  # fmt: skip


def agreed(name: str, account: str, platform: str = "instagram") -> dict[str, Any]:
    return {
        "collaboration_id": name, "brand": "acme", "platform": platform, "account_id": account, "partner_type": "paid",
        "start_date": "2026-01-01", "end_date": "2026-01-31",
    }  # fmt: skip


def link(name: str, post: str) -> dict[str, Any]:
    return {"collaboration_id": name, "platform": "instagram", "post_id": post}


POSTS = [
    # Ann's, whoever was crawled last: her capture is the earliest.
    shown("earliest", "ann", 1), shown("earliest", "bob", 2), shown("earliest", "bob", 3), shown("earliest", "ann", 3),
    # Bob shows it first; from the 2nd on it is known that it is Ann's.
    shown("named", "bob", 1), shown("named", "ann", 2, "ann"), shown("named", "bob", 3),
    # Only the brand was crawled, and names its author.
    shown("named_elsewhere", "acme_hq", 1, "ann"),
    # Two captures name different authors: the earlier one speaks.
    shown("disputed", "bob", 1, "ann"), shown("disputed", "ann", 2, "bob"),
    # Cid's by his collaboration, though the brand and Bob alone show it.
    shown("linked", "bob", 1), shown("linked", "acme_hq", 2),
    # What is named weighs more than a link.
    shown("named_and_linked", "bob", 1, "ann"),
    # A link of another platform says nothing.
    shown("linked_elsewhere", "bob", 1),
    # A brand's own account comes last, even with the earliest capture.
    shown("of_brand", "acme_hq", 1), shown("of_brand", "bob", 2), shown("of_brand", "ann", 3),
    # Nobody else shows it: the brand's.
    shown("brand_alone", "acme_hq", 1),
    # Both at one instant: the smaller id, and its own counts.
    shown("at_once", "bob", 1, likes=7), shown("at_once", "ann", 1, likes=8),
    # The source says that it is one; nobody else is known.
    shown("as_captured", "ann", 1, is_collab="true"),
    shown("alone", "ann", 1, is_collab="false"),
]  # fmt: skip
FEEDS: dict[str, list[dict[str, Any]]] = {
    "post_snapshots": POSTS,
    "account_snapshots": [
        {
            "platform": "instagram",
            "account_id": account,
            "captured_at": f"2026-01-{day:02d} 02:00:00",
            "followers": 1000,
        }
        for account in ("ann", "bob", "acme_hq")
        for day in (1, 2, 3)
    ],
    "brands": [{"brand": "acme", "own_accounts": "instagram:acme_hq|tiktok:acme"}],
    "collaborations": [agreed("K1", "cid"), agreed("K2", "cid"), agreed("K3", "cid", "tiktok")],
    "collaboration_posts": [link("K1", "linked"), link("K2", "named_and_linked"), link("K3", "linked_elsewhere")],
}
# Post, day, author, co-authors, whether it is a collab, its likes, whether its author changed.
BY_HAND: dict[str, list[tuple[int, str, str | None, bool | None, int, bool]]] = {
    "earliest": [(1, "ann", None, None, 100, False), (2, "ann", "bob", True, 200, False), (3, "ann", "bob", True, 300, False)],
    "named": [(1, "bob", None, None, 100, False), (2, "ann", "bob", True, 200, True), (3, "ann", "bob", True, 300, False)],
    "named_elsewhere": [(1, "ann", "acme_hq", True, 100, False)],
    "disputed": [(1, "ann", "bob", True, 100, False), (2, "ann", "bob", True, 200, False)],
    "linked": [(1, "cid", "bob", True, 100, False), (2, "cid", "acme_hq|bob", True, 200, False)],
    "named_and_linked": [(1, "ann", "bob", True, 100, False)],
    "linked_elsewhere": [(1, "bob", None, None, 100, False)],
    "of_brand": [
        (1, "acme_hq", None, None, 100, False),
        (2, "bob", "acme_hq", True, 200, True),
        (3, "bob", "acme_hq|ann", True, 300, False),
    ],
    "brand_alone": [(1, "acme_hq", None, None, 100, False)],
    "at_once": [(1, "ann", "bob", True, 8, False)],
    "as_captured": [(1, "ann", None, True, 100, False)],
    "alone": [(1, "ann", None, False, 100, False)],
}  # fmt: skip


@pytest.fixture(scope="module")
def empty_world(manifest: dict[str, Any], empty: Any) -> World:
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    return World(Compiled(manifest, folder, ("snapshot", "engagement", "fct_commerce_issue")))


@pytest.fixture(scope="module")
def built(empty_world: World) -> World:
    return empty_world.build(FEEDS, AS_OF)


def days_of(world: World, post: str) -> list[tuple[Any, ...]]:
    return world.query(
        "select day(snapshot_date), account_id, co_authors, is_collab, likes, has_changed_account"
        f" from groundswell.marts.fct_post_daily where post_id = '{post}' order by 1"
    )


@pytest.mark.parametrize("post", BY_HAND)
def test_a_post_belongs_to_its_author_and_is_one_row_a_day(built: World, post: str) -> None:
    assert days_of(built, post) == BY_HAND[post]


def test_authors_that_differ_are_an_issue(built: World) -> None:
    assert built.query(
        "select record_id, activity_date, explanation from groundswell.marts.fct_commerce_issue"
        " where issue = 'several authors named'"
    ) == [
        (
            "instagram/disputed", date(2026, 1, 2),
            "captures name ann, bob as its author: it belongs to ann, who was named first",
        )
    ]  # fmt: skip


def test_a_co_authors_engagement_holds_none_of_it(built: World) -> None:
    """Collab posts are in here. Cid's one was not captured on the 3rd, nor was she; each of the others counts once."""
    rated = built.query(
        "select account_id, posts_in_window from groundswell.marts.fct_account_engagement_daily"
        " where snapshot_date = '2026-01-03' order by 1"
    )
    assert rated == [("acme_hq", 1), ("ann", 8), ("bob", 2)]
    assert sum(posts for _, posts in rated) + 1 == len(BY_HAND)


def test_the_order_of_rows_is_nothing(empty_world: World) -> None:
    rows = [row for row in POSTS if row["post_id"] in ("at_once", "disputed", "named")]
    found = []
    for number, order in enumerate(permutations(rows[:3])):
        world = empty_world.build({**FEEDS, "post_snapshots": [*order, *rows[3:]][:: -1 if number % 2 else 1]}, AS_OF)
        found.append({post: days_of(world, post) for post in ("at_once", "disputed", "named")})
    assert found == [{post: BY_HAND[post] for post in ("at_once", "disputed", "named")}] * len(found)
