"""What sources of money bring, from their servers' answers to the marts: two nights, the second of which corrects."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from ingestion.config import Settings
from tests.dbt import commerce
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources import conftest, test_google_sheets, test_networks, test_shopify

COLLABORATIONS = """collaboration_id,brand,platform,account_id,partner_type,start_date
awin-88,glow,web,88,affiliate,2025-01-01
k-1,glow,instagram,anna,paid,2025-01-01
"""
# An invented rate: whole numbers are easily followed.
RATES = "rate_date,currency,rate_to_base\n" + "".join(f"2026-01-0{day},EUR,2\n" for day in range(1, 7))


@pytest.fixture
def captured(tmp_path: Path, httpserver: HTTPServer) -> conftest.World:
    config = tmp_path / "config"
    config.mkdir()
    settings = Settings(_env_file=None, data=tmp_path / "data", config=config, settle_seconds=0.0)  # type: ignore[call-arg]
    return conftest.World(settings, config, httpserver)


def night(world: conftest.World, day: int, rows: Any, orders: Any, transactions: Any, actions: Any) -> None:
    """Capture each source by itself, all under one `sources.yml` when they land."""
    world.time.at = datetime(2026, 1, day, 22)
    told = ""
    for name, lay, key, login in (
        ("google_sheets", lambda: test_google_sheets.sheet(world, *rows), test_google_sheets.PEM, "4711"),
        ("shopify", lambda: test_shopify.shop(world, *orders), test_shopify.KEY, ""),
        ("awin", lambda: test_networks.awin(world, *transactions), test_networks.KEY, "4711"),
        ("impact", lambda: test_networks.impact(world, *actions), test_networks.KEY, "4711"),
    ):
        lay()
        assert world.capture(name, key, login=login).received == 1
        told += (world.config / "sources.yml").read_text()
    (world.config / "sources.yml").write_text(told)
    yard = Yard(world.settings)
    yard.drop("fx_rates/fx_2026-01-06.csv", RATES)
    yard.drop("collaborations/c_2025-01-01.csv", COLLABORATIONS)
    assert yard.land(f"night {day}").files_quarantined == 0


def test_two_nights_to_the_marts(captured: conftest.World, world: commerce.World) -> None:
    rows, orders = test_google_sheets.ROWS, test_shopify.ORDERS
    night(
        captured,
        5,
        rows,
        orders,
        test_networks.TRANSACTIONS,
        [test_networks.action(1), test_networks.action(2, "PENDING")],
    )
    # The ledger has lost a row of the middle, and its fee is another; an order is refunded; what was pending is
    # approved, what was approved is declined.
    later = [["c-1", "2026-01-03", "fee", 1000, "EUR", "spring", "k-1"], rows[3]]
    changed = [{**orders[0], "refunds": [test_shopify.refund(10, "119.00")]}]
    transactions = [test_networks.transaction(1, "declined"), test_networks.transaction(2)]
    night(captured, 6, later, changed, transactions, [test_networks.action(1, "REVERSED"), test_networks.action(2)])
    world.build_landed(captured.settings, date(2026, 1, 6))

    spend = world.query(
        "select cost_id, collaboration_id, cost_type, activity_date, amount_base from groundswell.marts.fct_spend_ledger"
        " where source = 'costs' order by 1"
    )
    third = date(2026, 1, 3)
    assert spend == [
        # 4.26 and 1.19 EUR at 2; the commission of the 5th of October, in the base currency, was not asked for again.
        ("awin-2", "awin-88", "commission", third, Decimal("8.52")),
        ("awin-2-fee", "awin-88", "agency", third, Decimal("2.38")),
        ("awin-4", "awin-88", "commission", date(2025, 10, 5), Decimal(10)),
        ("c-1", "k-1", "fee", third, Decimal(2000)),
        ("c-3", "(campaign)", "ads", date(2026, 1, 5), Decimal(-160)),
        # A partner without a collaboration: overhead, and a line among the issues.
        ("impact-1000.2", "(overhead)", "commission", third, Decimal(17)),
    ]
    issues = world.query("select record_id, issue from groundswell.marts.fct_commerce_issue order by all")
    assert {each for each, issue in issues if issue == "gone from a full delivery"} == {"42"}
    assert {each for each, issue in issues if "collaboration" in issue} == {"impact-1000.2"}

    placed = world.query(
        "select order_id, customer_id, status, net_revenue_base, refunded_base, promo_code"
        " from groundswell.marts.fct_order order by 1"
    )
    assert placed == [
        # 129 - 10 - 19 - 5 = 95 EUR at 2, and all of the 119 charged came back.
        ("1", "77", "paid", Decimal(0), Decimal(238), "GLOW10"),
        # Cancelled on the day after, so all of it is reversed.
        ("2", "2", "cancelled", Decimal(0), Decimal(238), None),
        # Of the 30.50 that went back 95 / 119 was net: 95 - 24.348739 EUR, at six decimals, at 2. The test order never was.
        ("4", "77", "paid", Decimal("141.302522"), Decimal(61), None),
    ]
