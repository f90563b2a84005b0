"""The maker of the simulated commerce: its files are what it makes now, and hold what they are there for."""

import csv
import gzip
import io
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ingestion.contracts import load_feeds
from sample import simulate, simulate_commerce

from .simulated import require_own_layout

FEEDS = tuple(simulate_commerce.HEADERS)
Rows = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return simulate_commerce.make(simulate.make_accounts(simulate.read_channels()))


@pytest.fixture(scope="module")
def rows(made: dict[str, str]) -> Rows:
    return {path.partition("/")[0]: list(csv.DictReader(io.StringIO(text))) for path, text in made.items()}


def test_the_committed_files_are_what_the_maker_makes(made: dict[str, str]) -> None:
    committed = {
        path.relative_to(simulate.LANDING).as_posix(): path
        for feed in FEEDS
        for path in (simulate.LANDING / feed).rglob("simulated_*_2022-10-31.*")
    }
    assert set(committed) == set(made)
    for name, path in committed.items():
        assert gzip.decompress(path.read_bytes()).decode() == made[name], f"{name}: run `make sample`"


@pytest.mark.parametrize("feed", FEEDS)
def test_the_layout_is_the_feeds_own_and_claimed_as_simulated(feed: str) -> None:
    require_own_layout(feed, simulate_commerce.HEADERS[feed])


def test_keys_are_unique_and_required_cells_are_there(rows: Rows) -> None:
    for feed in FEEDS:
        contract = load_feeds()[feed]
        keys = Counter(tuple(row.get(column) for column in contract.key) for row in rows[feed])
        assert max(keys.values()) == 1, feed
        assert all(row[column] for row in rows[feed] for column in contract.required), feed


def test_rows_belong_together(rows: Rows) -> None:
    collaborations = {row["collaboration_id"] for row in rows["collaborations"]}
    assert {row["collaboration_id"] for row in rows["collaboration_posts"]} == collaborations
    assert {row["collaboration_id"] for row in rows["costs"] if row["collaboration_id"]} <= collaborations
    assert {row["order_id"] for row in rows["refunds"]} <= {row["order_id"] for row in rows["orders"]}
    assert {row["rule_id"] for row in rows["collaborations"] if row["rule_id"]} <= {
        row["rule_id"] for row in rows["commission_rules"]
    }
    assert {row["campaign_id"] for row in rows["collaborations"]} - {""} == {
        row["campaign_id"] for row in rows["campaigns"]
    }
    codes = Counter(row["promo_code"] for row in rows["collaborations"])
    assert max(codes.values()) == 1


def test_the_plan_of_99_95_under_a_rule_of_40_per_cent_is_there(rows: Rows) -> None:
    of_rule = {row["promo_code"] for row in rows["collaborations"] if row["rule_id"] == "sim-r40"}
    (rule,) = (row for row in rows["commission_rules"] if row["rule_id"] == "sim-r40")
    assert (rule["kind"], rule["rate"], rule["applies_to"]) == ("percent", "40", "all_renewals")
    orders = [row for row in rows["orders"] if row["promo_code"] in of_rule]
    assert {
        (row["gross_amount"], row["discount_amount"], row["tax_amount"], row["shipping_amount"]) for row in orders
    } == {("99.95", "", "", "")}
    assert Decimal("99.95") * 40 / 100 == Decimal("39.98")
    assert max(int(row["renewal_number"]) for row in orders) >= 2


def test_each_kind_of_partner_price_and_refund_is_there(rows: Rows) -> None:
    assert {row["partner_type"] for row in rows["collaborations"]} == {"paid", "gifted", "affiliate", "advocate"}
    assert {row["cost_type"] for row in rows["costs"]} == {
        "fee", "product", "shipping", "production", "usage_rights", "ads", "commission", "agency", "tools",
    }  # fmt: skip
    assert {row["currency"] for row in rows["orders"]} == {"USD", "EUR", "JPY"}
    charged = {
        row["order_id"]: Decimal(row["gross_amount"]) - Decimal(row["discount_amount"] or 0) for row in rows["orders"]
    }
    parts = {Decimal(row["amount"]) == charged[row["order_id"]] for row in rows["refunds"]}
    assert parts == {True, False}
    assert any(row["promo_code"] == "" for row in rows["orders"])


def test_one_code_leaks_on_one_day(rows: Rows) -> None:
    days = Counter((row["promo_code"], row["ordered_at"][:10]) for row in rows["orders"] if row["promo_code"])
    leaked = [row for row in rows["orders"] if "leak" in row["order_id"]]
    assert {(row["promo_code"], row["ordered_at"][:10]) for row in leaked} == {days.most_common(1)[0][0]}
    assert len(leaked) == simulate_commerce.LEAKED_ORDERS


def test_a_rate_stands_within_five_days_before_any_amount(rows: Rows) -> None:
    rates = {(row["currency"], row["rate_date"]) for row in rows["fx_rates"]}
    dated = [(row["currency"], row["ordered_at"][:10]) for row in rows["orders"]]
    dated += [(row["currency"], row["cost_date"]) for row in rows["costs"]]
    for currency, day in dated:
        nearest = {(currency, str((datetime.fromisoformat(day) - timedelta(days=nth)).date())) for nth in range(6)}
        assert currency == "USD" or nearest & rates, (currency, day)
