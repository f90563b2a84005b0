"""One row never stops the build: each number of each feed at the largest value that landing lets in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ingestion.contracts import load_feeds
from tests.dbt.commerce import Compiled, World
from tests.dbt.conftest import Warehouse
from warehouse.build import dbt

AS_OF = date(2026, 1, 20)
# As `ingestion/values.py` bounds them: a count by its own limit, a decimal by its type.
LARGEST = {
    "count": "1000000000000",
    "integer": "1000000000000",
    "amount": "99999999999999.999999",
    "rate": "9999999999.99999999",
    "figure": "999999999999999999.99999999",
}
DAY = "2026-01-10 03:00:00"
ROWS: dict[str, list[dict[str, Any]]] = {
    "account_snapshots": [
        {"platform": "youtube", "account_id": "a", "captured_at": f"2026-01-{day:02} 03:00:00", "followers": "5000",
         "following": "10", "posts": "9", "likes_total": "100", "views_total": "1000"}
        for day in range(1, 19)
    ],
    "post_snapshots": [
        {"platform": "youtube", "post_id": "p", "account_id": "a", "captured_at": f"2026-01-{day:02} 03:00:00",
         "published_at": "2026-01-05 00:00:00", "content_type": "video", "likes": "9", "comments": "1", "shares": "1",
         "saves": "1", "views": "90", "reach": "80", "impressions": "95", "is_sponsored": "true"}
        for day in range(6, 19)
    ],
    "follower_arrivals": [
        {"platform": "youtube", "account_id": "a", "captured_at": DAY, "arrival_date": "2026-01-08", "followers": "1"},
    ],
    "accounts": [{"platform": "youtube", "account_id": "a", "creator_id": "c", "updated_at": DAY}],
    "brands": [{"brand": "acme", "name": "Acme", "hashtags": "acme"}],
    "customer_accounts": [
        {"customer_id": "k", "brand": "acme", "platform": "youtube", "account_id": "a", "relationship": "advocate",
         "valid_from": "2025-12-01"},
    ],
    "campaigns": [
        {"campaign_id": "C", "brand": "acme", "objective": "contest", "start_date": "2026-01-01",
         "end_date": "2026-01-31", "budget": "100", "currency": "USD", "hashtags": "acme",
         "attribution_window_days": "30", "target_value": "1"},
    ],
    "collaborations": [
        {"collaboration_id": "K", "campaign_id": "C", "brand": "acme", "platform": "youtube", "account_id": "a",
         "partner_type": "affiliate", "promo_code": "CODE", "link_id": "l", "cookie_window_days": "30",
         "rule_id": "R", "agreed_fee": "50", "posts_agreed": "1", "currency": "EUR", "start_date": "2026-01-01"},
        {"collaboration_id": "K2", "campaign_id": "C", "brand": "acme", "platform": "youtube", "account_id": "a",
         "partner_type": "paid", "agreed_fee": "50", "posts_agreed": "1", "currency": "EUR",
         "start_date": "2026-01-01"},
    ],
    "collaboration_posts": [{"collaboration_id": "K", "platform": "youtube", "post_id": "p"}],
    "commission_rules": [
        {"rule_id": "R", "valid_from": "2025-01-01", "kind": "percent", "rate": "10", "applies_to": "first_x",
         "first_x": "2"},
        {"rule_id": "F", "valid_from": "2025-01-01", "kind": "fixed", "rate": "10", "currency": "EUR",
         "applies_to": "lifetime"},
    ],
    "rate_cards": [
        {"platform": "youtube", "account_id": "a", "content_type": "video", "price": "10", "currency": "EUR",
         "valid_from": "2025-01-01"},
    ],
    "costs": [
        {"cost_id": "1", "brand": "acme", "campaign_id": "C", "collaboration_id": "K", "cost_date": "2026-01-02",
         "cost_type": "fee", "amount": "10", "currency": "EUR"},
    ],
    "link_clicks": [{"click_id": "1", "clicked_at": "2026-01-11 00:00:00", "link_id": "l", "visitor_id": "k"}],
    "touches": [
        {"touch_id": "1", "customer_id": "k", "touched_at": "2026-01-11 00:00:00", "touch_type": "click",
         "collaboration_id": "K"},
        {"touch_id": "2", "customer_id": "k", "touched_at": "2026-01-11 02:00:00", "touch_type": "click",
         "collaboration_id": "K2"},
    ],
    "orders": [
        {"order_id": "1", "customer_id": "k", "ordered_at": "2026-01-12 00:00:00", "order_count": "1",
         "gross_amount": "100", "discount_amount": "0", "tax_amount": "0", "shipping_amount": "0",
         "product_cost": "10", "currency": "EUR", "promo_code": "CODE", "subscription_id": "s",
         "renewal_number": "0", "country": "DE"},
        {"order_id": "2", "customer_id": "k", "ordered_at": "2026-01-13 00:00:00", "gross_amount": "100",
         "currency": "EUR", "subscription_id": "s", "renewal_number": "1"},
    ],
    "refunds": [
        {"refund_id": "1", "order_id": "1", "refunded_at": "2026-01-14 00:00:00", "amount": "10",
         "goods_amount": "8", "tax_amount": "1", "shipping_amount": "1", "currency": "EUR"},
    ],
    "mentions": [
        {"mention_id": "1", "brand": "acme", "platform": "youtube", "account_id": "a", "post_id": "p",
         "mentioned_at": DAY, "likes": "1", "comments": "1", "reach": "1", "hashtags": "acme"},
    ],
    "live_sessions": [
        {"live_session_id": "1", "platform": "youtube", "host_id": "h", "account_id": "a", "campaign_id": "C",
         "started_at": DAY, "ended_at": "2026-01-10 04:00:00", "peak_viewers": "10", "unique_viewers": "20",
         "host_type": "creator"},
    ],
    "contest_entries": [
        {"entry_id": "1", "campaign_id": "C", "platform": "youtube", "account_id": "a", "post_id": "p",
         "entered_at": DAY, "customer_id": "k", "reach": "10"},
    ],
    "fx_rates": [{"rate_date": "2026-01-10", "currency": "EUR", "rate_to_base": "1.1"}],
    "vendor_metrics": [
        {"platform": "youtube", "account_id": "a", "source": "v", "metric": "average_views", "as_of_date": "2026-01-10",
         "value": "1", "unit": "views"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def everything(empty: Warehouse, manifest: dict[str, Any]) -> World:
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    domains = {node["fqn"][2] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    return World(Compiled(manifest, folder, domains - {"operations", "meta"}))


def test_each_feed_has_a_row() -> None:
    assert set(ROWS) == set(load_feeds())


def largest(feed: str) -> list[dict[str, Any]]:
    """The rows of a feed with each of its numbers at its largest."""
    kinds = {name: column.type for name, column in load_feeds()[feed].columns.items()}
    return [row | {name: LARGEST[kind] for name, kind in kinds.items() if kind in LARGEST} for row in ROWS[feed]]


def test_the_largest_values_of_money_are_built(everything: World) -> None:
    """Orders, refunds, costs and prices in a currency whose rate is the largest, too."""
    feeds = ("orders", "refunds", "costs", "collaborations", "commission_rules", "rate_cards", "campaigns", "fx_rates")
    everything.build(ROWS | {feed: largest(feed) for feed in feeds}, AS_OF)


@pytest.mark.parametrize(
    ("rate", "in_base"),
    [("1.1", "109999999999999.999999"), (LARGEST["rate"], "999999999999999998990000.000000")],
    ids=["usual rate", "largest rate"],
)
def test_the_largest_sale_is_built(everything: World, rate: str, in_base: str) -> None:
    """Nothing is taken off it, so it is a sale of credits and commissions; its price and its product cost are as large."""
    sale = {"gross_amount": LARGEST["amount"], "product_cost": LARGEST["amount"]}
    everything.build(
        ROWS
        | {
            "orders": [row | sale for row in ROWS["orders"]],
            "refunds": [],
            "fx_rates": [ROWS["fx_rates"][0] | {"rate_to_base": rate}],
        },
        AS_OF,
    )
    valued = "select net_revenue_base, product_cost_base, issue from build.intermediate.int_order__orders_valued"
    assert everything.query(valued) == [(Decimal(in_base), Decimal(in_base), None)] * 2
    credited = "select distinct round(sum(credited_net_revenue_base), 6) from groundswell.marts.fct_attribution"
    assert everything.query(f"{credited} where attribution_model <> 'any_touch' group by attribution_model") == [
        (2 * Decimal(in_base),)
    ]


def test_the_largest_counts_are_built(everything: World) -> None:
    feeds = [name for name in ROWS if not any(kind.type == "amount" for kind in load_feeds()[name].columns.values())]
    everything.build(ROWS | {feed: largest(feed) for feed in feeds if feed != "fx_rates"}, AS_OF)


def test_all_of_them_at_once_are_built(everything: World) -> None:
    everything.build({feed: largest(feed) for feed in ROWS}, AS_OF)
