"""Three public campaign sets: the marts equal a recomputation straight from their files, influencer by influencer."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from ingestion.config import PROJECT_DIR
from tests.dbt.commerce import Compiled, World

FOLDER = PROJECT_DIR / "tests" / "fixtures" / "campaigns"
SETS = ("abhy", "sathvi", "dransing")
LAST_DAY = date(2025, 12, 31)
Row = dict[str, str]


@cache
def read(name: str, file: str) -> list[Row]:
    (path,) = (FOLDER / name).glob(f"{file}*.csv")
    with path.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def influencer_of(row: Row) -> str:
    """The id of a row under any of its headers."""
    return next(row[header] for header in ("influencer_id", "ID", "id") if header in row)


def recomputed(name: str) -> dict[str, tuple[Decimal, int, Decimal | None, float | None]]:
    """Revenue, orders, payout and return on it by influencer, from the files alone; null where nobody was paid."""
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    orders: dict[str, int] = defaultdict(int)
    paid: dict[str, Decimal] = {}
    for row in read(name, "tracking"):
        revenue[influencer_of(row)] += Decimal(row["revenue"])
        orders[influencer_of(row)] += int(row["orders"])
    for row in read(name, "payouts"):
        paid[influencer_of(row)] = paid.get(influencer_of(row), Decimal(0)) + Decimal(row["total_payout"])
    return {
        one: (revenue[one], orders[one], paid.get(one), float(revenue[one] / paid[one]) if paid.get(one) else None)
        for one in (influencer_of(row) for row in read(name, "influencers"))
    }


def contradictions(name: str) -> set[str]:
    """Influencers whose payout is for another number of orders than was tracked."""
    tracked = {one: orders for one, (_, orders, _, _) in recomputed(name).items()}
    return {
        influencer_of(row)
        for row in read(name, "payouts")
        if row["orders"].strip() and float(row["orders"]) != tracked[influencer_of(row)]
    }


def canonical(name: str) -> dict[str, list[dict[str, Any]]]:
    """The files as rows of the feeds. An influencer is a collaboration with a promo code of its own: its id."""
    collaborations = [
        {
            "collaboration_id": f"{name}-{influencer_of(row)}",
            "brand": "healthkart",
            "platform": row["platform"].lower(),
            "account_id": f"{name}-{influencer_of(row)}",
            "partner_type": "paid",
            "promo_code": f"{name}-{influencer_of(row)}",
            "start_date": "2024-01-01",
        }
        for row in read(name, "influencers")
    ]
    orders = [
        {
            "order_id": f"{name}-{row['user_id']}",
            "customer_id": f"{name}-{row['user_id']}",
            "ordered_at": row["date"],
            "order_count": row["orders"],
            "gross_amount": row["revenue"],
            "currency": "INR",
            "promo_code": f"{name}-{influencer_of(row)}",
        }
        for row in read(name, "tracking")
    ]
    costs = [
        {
            "cost_id": f"{name}-{influencer_of(row)}",
            "collaboration_id": f"{name}-{influencer_of(row)}",
            "cost_date": "2025-07-31",
            "cost_type": "commission" if "order" in row["basis"].lower() else "fee",
            "amount": row["total_payout"],
            "currency": "INR",
            "extra": f'{{"orders": "{row["orders"]}"}}',
        }
        for row in read(name, "payouts")
    ]
    posts = [
        {
            "platform": row["platform"].lower(),
            "account_id": f"{name}-{influencer_of(row)}",
            "post_id": row.get("post_id") or f"{name}-{influencer_of(row)}-{row['date']}",
            "captured_at": row["date"],
            "published_at": row["date"],
            "reach": row["reach"],
            "likes": row["likes"],
            "comments": row["comments"],
        }
        for row in read(name, "posts")
    ]
    linked = [
        {"collaboration_id": row["account_id"], "platform": row["platform"], "post_id": row["post_id"]} for row in posts
    ]
    return {
        "collaborations": collaborations,
        "orders": orders,
        "costs": costs,
        "post_snapshots": posts,
        "collaboration_posts": linked,
    }


@pytest.fixture(scope="module", params=SETS)
def built(request: pytest.FixtureRequest, compiled: Compiled) -> tuple[str, World]:
    # Rupees are the base, for no rate to another currency belongs to the sets.
    return request.param, World(compiled).build(canonical(request.param), LAST_DAY, base="INR")


def test_revenue_orders_payouts_and_roas_of_each_influencer(built: tuple[str, World]) -> None:
    name, world = built
    rows = world.query(
        "select collaboration_id, net_revenue_base, orders, spend_base, roas"
        " from groundswell.marts.fct_collaboration_roi where model = 'promo_code'"
    )
    found = {one.removeprefix(f"{name}-"): figures for one, *figures in rows}
    expected = recomputed(name)
    assert set(found) == set(expected)
    for one, (revenue, orders, paid, roas) in expected.items():
        assert found[one] == [revenue, orders, paid, pytest.approx(roas) if roas is not None else None], one


def test_nothing_is_lost_on_the_way(built: tuple[str, World]) -> None:
    name, world = built
    totals = world.query(
        "select sum(net_revenue_base), sum(orders), sum(spend_base), sum(posts)"
        " from groundswell.marts.fct_collaboration_roi where model = 'promo_code'"
    )
    tracking = read(name, "tracking")
    assert totals == [
        (
            sum(Decimal(row["revenue"]) for row in tracking),
            sum(int(row["orders"]) for row in tracking),
            sum(Decimal(row["total_payout"]) for row in read(name, "payouts")),
            len(read(name, "posts")),
        )
    ]


def test_payouts_that_contradict_tracked_orders_are_reported_and_nothing_changes(built: tuple[str, World]) -> None:
    name, world = built
    flagged = world.query("select feed, record_id, issue from groundswell.marts.fct_commerce_issue")
    assert set(flagged) == {
        ("costs", f"{name}-{one}", "payout contradicts tracked orders") for one in contradictions(name)
    }
    assert len(flagged) == len(set(flagged)) == {"abhy": 55, "sathvi": 0, "dransing": 0}[name]


def test_a_payout_changed_by_one_order_is_reported(compiled: Compiled) -> None:
    feeds = canonical("sathvi")
    feeds["costs"][0]["extra"] = '{"orders": "21.0"}'
    world = World(compiled).build(feeds, LAST_DAY, base="INR")
    assert world.query("select record_id, explanation from groundswell.marts.fct_commerce_issue") == [
        ("sathvi-1", "it is for 21 orders, tracked are 20: counted as delivered")
    ]
