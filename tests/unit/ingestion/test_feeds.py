"""The feeds are those of the landing contract, column for column."""

import re

import pytest

from ingestion import contracts
from ingestion.config import PROJECT_DIR

from ..conftest import Yard

# The contract as it was agreed: column names in order, `*` where required, the values of a column in brackets.
CONTRACT = """
| `account_snapshots` | platform*, account_id*, captured_at*, followers, following, posts, likes_total, views_total, handle, display_name, country, language, niche |
| `post_snapshots` | platform*, post_id*, account_id*, author_account_id, captured_at*, published_at, content_type, likes, comments, creator_replies, shares, saves, views, reach, impressions, is_sponsored, is_pinned, is_collab, hashtags, mentions |
| `accounts` | platform*, account_id*, creator_id, handle, display_name, niche, country, city, language, updated_at* |
| `brands` | brand*, name, aliases, hashtags, own_accounts, is_rival |
| `customer_accounts` | shop, customer_id*, brand*, platform*, account_id*, relationship (customer, advocate, ambassador)*, valid_from*, valid_to, consented_at |
| `campaigns` | campaign_id*, brand*, name, objective (awareness, engagement, sales, contest, live), start_date*, end_date*, budget, currency, hashtags, attribution_window_days, target_kpi, target_value |
| `collaborations` | collaboration_id*, campaign_id, brand*, creator_id, platform*, account_id*, partner_type (paid, gifted, affiliate, advocate)*, promo_code, link_id, cookie_window_days, rule_id, agreed_fee, posts_agreed, currency, start_date*, end_date, valid_from |
| `collaboration_posts` | collaboration_id*, platform*, post_id* |
| `commission_rules` | rule_id*, valid_from*, valid_to, kind (percent, fixed)*, rate*, currency, applies_to (first_order, first_x, all_renewals, lifetime)*, first_x, renewals_at (own_day, first_order) |
| `rate_cards` | platform*, account_id*, content_type*, price*, currency*, valid_from*, valid_to |
| `costs` | cost_id*, brand, campaign_id, collaboration_id, cost_date*, cost_type (fee, product, shipping, production, usage_rights, ads, commission, agency, tools)*, amount*, currency* |
| `link_clicks` | shop, click_id*, clicked_at*, link_id*, visitor_id |
| `touches` | shop, touch_id*, customer_id*, touched_at*, touch_type (click, view, code, live), channel, link_id, promo_code, collaboration_id, campaign_id, live_session_id |
| `orders` | shop, order_id*, customer_id*, ordered_at*, status (paid, cancelled, test), cancelled_at, order_count, gross_amount*, discount_amount, tax_amount, shipping_amount, product_cost, currency*, promo_code, subscription_id, renewal_number, country, city, live_session_id |
| `refunds` | shop, refund_id*, refund_line_id, order_id*, refunded_at*, amount*, goods_amount, tax_amount, shipping_amount, currency* |
| `mentions` | mention_id*, brand*, platform*, account_id, post_id, mentioned_at*, hashtags, likes, comments, reach |
| `live_sessions` | live_session_id*, platform*, host_id*, account_id, campaign_id, started_at*, ended_at, peak_viewers, unique_viewers, host_type (creator, trained_host) |
| `contest_entries` | entry_id*, campaign_id*, platform*, account_id*, post_id, entered_at*, referrer_account_id, customer_id, reach |
| `fx_rates` | rate_date*, currency*, rate_to_base*, quote_currency |
| `follower_arrivals` | platform*, account_id*, captured_at*, arrival_date*, followers* |
| `vendor_metrics` | platform*, account_id*, source*, metric*, as_of_date*, period_days, value*, unit (count, fraction, percent, money, seconds, score)*, currency |
"""
COLUMN = re.compile(r"(\w+)(?: \(([^)]*)\))?(\*?)(?:, |$)")


def agreed() -> dict[str, list[tuple[str, bool, tuple[str, ...]]]]:
    """Name, whether it is required, and values, per column and feed of the contract."""
    feeds = {}
    for line in CONTRACT.strip().splitlines():
        _, name, columns, _ = line.split("|")
        feeds[name.strip(" `")] = [
            (column, bool(star), tuple(values.split(", ")) if values else ())
            for column, values, star in COLUMN.findall(columns.strip())
        ]
    return feeds


def test_feeds_are_those_of_the_contract() -> None:
    found = {
        name: [(column, rule.required, rule.values) for column, rule in feed.columns.items()]
        for name, feed in contracts.load_feeds().items()
    }
    assert found == agreed()


def test_the_reading_of_the_contract_sees_a_difference() -> None:
    """The comparison above can fail: a star and a value are part of it."""
    assert ("relationship", True, ("customer", "advocate", "ambassador")) in agreed()["customer_accounts"]
    assert ("valid_to", False, ()) in agreed()["customer_accounts"]
    assert len(agreed()["orders"]) == 19


# Parts of a key that may be empty: an agreement without versions names no day.
MAY_BE_EMPTY = {"collaborations": {"valid_from"}, "fx_rates": {"quote_currency"}}


@pytest.mark.parametrize("feed", contracts.load_feeds().values(), ids=lambda feed: feed.feed)
def test_keys_and_days_of_a_feed_are_required_columns(feed: contracts.Feed) -> None:
    # A shop that is not named is the one there is, and a line that is not named has a number.
    assert set(feed.identity) - {"shop", feed.line} - MAY_BE_EMPTY.get(feed.feed, set()) <= set(feed.required)
    assert set(feed.identity) <= set(feed.columns)
    assert feed.day is None or (feed.day in feed.required and feed.columns[feed.day].type in ("timestamp", "date"))
    assert (feed.visible == "planned_days") <= (feed.time is not None)


def test_each_feed_stands_in_the_data_contract_for_people() -> None:
    page = (PROJECT_DIR / "docs" / "data-contract.md").read_text(encoding="utf-8")
    for name, feed in contracts.load_feeds().items():
        shown = []
        for column, rule in feed.columns.items():
            values = f" ({', '.join(rule.values)})" if rule.values else ""
            shown.append(f"{column}{values}{'*' if rule.required else ''}")
        assert f"| `{name}` | {', '.join(shown)} |" in page, name


@pytest.mark.parametrize("feed", contracts.load_feeds().values(), ids=lambda feed: feed.feed)
def test_the_data_contract_says_by_what_a_row_is_known(feed: contracts.Feed) -> None:
    page = (PROJECT_DIR / "docs" / "data-contract.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{feed.feed}` \| [^|]+ \| {', '.join(feed.identity)} \|$", page, re.MULTILINE)


def test_the_examples_of_the_data_contract_land(yard: Yard) -> None:
    """Two accounts, one of them without a count of followers; and an order of 80.00 net."""
    page = (PROJECT_DIR / "docs" / "data-contract.md").read_text(encoding="utf-8")
    accounts, order = (
        next(block for block in page.split("```") if block.startswith(f"\n{first}"))
        for first in ("platform,account_id", "order_id,customer_id")
    )
    yard.drop("account_snapshots/crawl_2026-01-05.csv", accounts.lstrip())
    yard.drop("orders/orders_2026-05-01.csv", order.lstrip())
    yard.land()
    assert yard.rows("account_snapshots/crawl_2026-01-05.csv", "followers, posts") == [(12431, 301), (None, 77)]
    net = "gross_amount - discount_amount - tax_amount - shipping_amount"
    assert yard.rows("orders/orders_2026-05-01.csv", net) == [(80,)]
