"""The world of docs/money-by-hand.md: every figure is worked out there on paper, and must come out to the cent.

Orders net, in USD: o1 90, o2 99.95, o3 99.95 - 20 refunded, o4 60 - 24 refunded (EUR at 1.20, the order's rate),
o5 58.50 (JPY at 0.0065), o6 to o10 10 each, o11 20, o12 200, o13 40 - 15 refunded: 659.40 together.
"""

import json
import os
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion import landing
from ingestion.config import Settings
from tests.dbt.commerce import Compiled, World
from tests.dbt.conftest import Warehouse
from tests.dbt.money import BY_HAND, LAST_DAY, MODELS, cents, quiet

# Net revenue by model: K1, K2, K3, K4, (unattributed). Each row but the last sums to 659.40.
CREDITED = {
    "first_touch": ("505.90", None, None, "20.00", "133.50"),
    "last_touch": ("36.00", "90.00", "200.00", "20.00", "313.40"),
    "last_non_direct": ("36.00", "269.90", "200.00", "20.00", "133.50"),
    "linear": ("240.97", "154.97", "50.00", "20.00", "193.47"),
    "position_40_20_40": ("252.96", "100.98", "80.00", "20.00", "205.46"),
    "time_decay": ("158.37", "138.07", "106.67", "20.00", "236.30"),
    "promo_code": (None, "179.90", "58.50", "70.00", "351.00"),
    "code_or_last_click": ("326.00", "179.90", "58.50", "70.00", "25.00"),
    "any_touch": ("505.90", "469.90", "200.00", "20.00", "313.40"),
}
OWNERS = ("K1", "K2", "K3", "K4", "(unattributed)")

# Credits of o12, a path of K1 (21 days before), K2 (14), K1 (7), K3 (0). Decay weights 1/8, 1/4, 1/2, 1 of 15/8; the
# first three shares are rounded to eight digits and the last has the rest.
O12 = {
    "first_touch": {"K1": "1"},
    "last_touch": {"K3": "1"},
    "last_non_direct": {"K3": "1"},
    "linear": {"K1": "0.5", "K2": "0.25", "K3": "0.25"},
    "position_40_20_40": {"K1": "0.5", "K2": "0.1", "K3": "0.4"},
    "time_decay": {"K1": "0.33333334", "K2": "0.13333333", "K3": "0.53333333"},
    "promo_code": {"(unattributed)": "1"},
    "code_or_last_click": {"K1": "1"},
    "any_touch": {"K1": "1", "K2": "1", "K3": "1"},
}


def rows_of(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    return warehouse.query(sql.replace("marts.", "groundswell.marts."))


def test_net_revenue_under_all_nine_models(by_hand: Warehouse) -> None:
    rows = rows_of(
        by_hand,
        "select attribution_model, collaboration_id, sum(credited_net_revenue_base) from marts.fct_attribution group by all",
    )
    expected = {
        (model, owner): Decimal(amount)
        for model, amounts in CREDITED.items()
        for owner, amount in zip(OWNERS, amounts, strict=True)
        if amount is not None
    }
    assert {(model, owner): cents(amount) for model, owner, amount in rows} == expected
    totals = rows_of(
        by_hand, "select attribution_model, sum(credited_net_revenue_base) from marts.fct_attribution group by 1"
    )
    assert {model for model, total in totals if total == Decimal("659.40")} == set(MODELS) - {"any_touch"}


def test_credits_of_a_path_of_four(by_hand: Warehouse) -> None:
    rows = rows_of(
        by_hand, "select attribution_model, collaboration_id, credit from marts.fct_attribution where order_id = 'o12'"
    )
    expected = {(model, owner): Decimal(credit) for model, credits in O12.items() for owner, credit in credits.items()}
    assert {(model, owner): credit for model, owner, credit in rows} == expected


def test_a_renewal_has_its_first_orders_credits(by_hand: Warehouse) -> None:
    sql = "select attribution_model, collaboration_id, credit from marts.fct_attribution where order_id = '{}' order by all"
    first, renewal = rows_of(by_hand, sql.format("o2")), rows_of(by_hand, sql.format("o3"))
    assert first == renewal
    # K1 14 days before, K2 7, direct 0: weights 1/4, 1/2, 1 of 7/4.
    assert [row for row in first if row[0] == "time_decay"] == [
        ("time_decay", "(unattributed)", Decimal("0.57142857")),
        ("time_decay", "K1", Decimal("0.14285714")),
        ("time_decay", "K2", Decimal("0.28571429")),
    ]


def test_commissions_are_39_98_a_month_and_a_refund_takes_its_share_back(by_hand: Warehouse) -> None:
    rows = rows_of(
        by_hand,
        "select order_id, entry_type, collaboration_id, earned_by, activity_date, base_amount, amount"
        " from marts.fct_commission_ledger where rule_id = 'R40' order by activity_date",
    )
    # 40 % of 99.95 is 39.98; of the renewal 20.00 is given back, and 40 % of that is 8.00.
    assert rows == [
        ("o2", "accrual", "K2", "code", date(2026, 1, 10), Decimal("99.95"), Decimal("39.98")),
        ("o3", "accrual", "K2", "renewal", date(2026, 2, 10), Decimal("99.95"), Decimal("39.98")),
        ("o3", "reversal", "K2", "renewal", date(2026, 2, 15), Decimal("99.95"), Decimal("-8.00")),
    ]
    # K4 had 5 USD an order, and has 20 per cent from the 15th on.
    of_versions = rows_of(
        by_hand,
        "select order_id, rule_id, amount from marts.fct_commission_ledger where collaboration_id = 'K4' order by order_id",
    )
    assert of_versions == [("o10", "R20", 2), ("o11", "R5", 5)] + [(f"o{nth}", "R20", 2) for nth in (6, 7, 8, 9)]


def test_versions_of_an_agreement(by_hand: Warehouse) -> None:
    rows = rows_of(
        by_hand,
        "select valid_from, valid_to, rule_id, is_current, is_undated from marts.dim_collaboration_version"
        " where collaboration_id = 'K4' order by 1",
    )
    assert rows == [
        (date(2026, 1, 1), date(2026, 1, 15), "R5", False, False),
        (date(2026, 1, 15), None, "R20", True, False),
    ]
    assert rows_of(by_hand, "select count(*) from marts.dim_collaboration_version") == [(5,)]


def test_commission_is_spent_as_the_larger_of_accrued_and_paid(by_hand: Warehouse) -> None:
    spent = rows_of(
        by_hand,
        "select collaboration_id, activity_date, sum(amount_base) from marts.fct_spend_ledger"
        " where is_spend and cost_type = 'commission' group by all order by all",
    )
    # K4: 5 accrued, then 15, then 20 paid. K2: 39.98 paid of 39.98 accrued, so it is what accrues.
    assert spent == [
        ("K2", date(2026, 1, 10), Decimal("39.98")),
        ("K2", date(2026, 2, 10), Decimal("39.98")),
        ("K2", date(2026, 2, 15), Decimal("-8.00")),
        ("K4", date(2026, 1, 12), 5),
        ("K4", date(2026, 1, 20), 10),
        ("K4", date(2026, 2, 1), 5),
    ]
    balances = rows_of(
        by_hand,
        "select collaboration_id, commission_accrued_base, commission_paid_base, commission_balance_base"
        " from marts.fct_collaboration_roi where attribution_model = 'linear' order by 1",
    )
    assert balances == [
        ("K1", 0, 0, 0),
        ("K2", Decimal("71.96"), Decimal("39.98"), Decimal("31.98")),
        ("K3", 0, 0, 0),
        ("K4", 15, 20, -5),
    ]


def test_spend_of_each_and_of_all(by_hand: Warehouse) -> None:
    rows = rows_of(
        by_hand,
        "select collaboration_id, campaign_id, cost_type, sum(amount_base) from marts.fct_spend_ledger"
        " where is_spend group by all order by all",
    )
    # EUR of 6 January at 1.10 of the 5th, JPY of the 20th at 0.0065 of the 16th; k5 settles o2 and is not spent again.
    assert rows == [
        ("(campaign)", "C1", "ads", Decimal(50)),
        ("(campaign)", "C2", "tools", Decimal("6.5")),
        ("K1", "C1", "fee", Decimal(100)),
        ("K2", "C1", "commission", Decimal("71.96")),
        ("K3", "C2", "product", Decimal(22)),
        ("K3", "C2", "shipping", Decimal("5.5")),
        ("K4", "(always-on)", "commission", Decimal(20)),
    ]
    settled = rows_of(by_hand, "select cost_id from marts.fct_spend_ledger where not is_spend order by 1")
    assert settled == [("k5",), ("k7",)]


ROI = "select {} from marts.fct_collaboration_roi where collaboration_id = '{}' and attribution_model = '{}'"


def test_return_of_collaborations(by_hand: Warehouse) -> None:
    columns = "spend_base, orders, net_revenue_base, gross_profit_base, roi_net, roi_profit, roas, cpa, payback_days"
    # K1, first touch: o1, o2, o3, o4, o12; goods 30 + 10 + 10 + 18 + 80 = 148. Profit 60 on 8 January and 149.95 on the
    # 10th reach the 100 spent on the 2nd: 8 days.
    assert rows_of(by_hand, ROI.format(columns, "K1", "first_touch")) == [
        (100, 5, Decimal("505.90"), Decimal("357.90"), pytest.approx(4.059), pytest.approx(2.579), pytest.approx(5.059),
         20, 8)
    ]  # fmt: skip
    # K2, promo code: 179.90 on 40 % of it less nothing: spend 71.96, exactly 2.5 times back. Both on the same day.
    assert rows_of(by_hand, ROI.format(columns, "K2", "promo_code")) == [
        (Decimal("71.96"), 2, Decimal("179.90"), Decimal("159.90"), pytest.approx(1.5),
         pytest.approx((159.90 - 71.96) / 71.96), pytest.approx(2.5), Decimal("35.98"), 0)
    ]  # fmt: skip
    # K1, linear: 1/2 of o1, 1/3 of o2 and o3, o4, 1/2 of o12; profit 30, 59.98, 101.98 on the 15th: 13 days.
    assert rows_of(by_hand, ROI.format("cpa, payback_days", "K1", "linear")) == [(Decimal("37.5"), 13)]
    # K3, promo code: o5 does not say what its goods cost.
    assert rows_of(
        by_hand,
        ROI.format("net_revenue_base, roi_profit, payback_days, roi_basis, uncosted_orders", "K3", "promo_code"),
    ) == [(Decimal("58.50"), None, None, "incomplete", 1)]


def test_unit_costs_and_earned_media_value(by_hand: Warehouse) -> None:
    columns = "posts, views, engagements, impressions, clicks, cpm, cpm_views, cpe, cpc, emv, emv_ratio"
    # p1 at its latest: 500 + 25 engagements, 12,000 views. EMV of 4 February, 30 days after 5 January:
    # 400 x 0.21 + 20 x 3.17 + 10,000 x 0.09 = 84 + 63.40 + 900.
    assert rows_of(by_hand, ROI.format(columns, "K1", "linear")) == [
        (1, 12000, 525, None, 2, None, Decimal("8.333333"), Decimal("0.190476"), 50, Decimal("1047.40"),
         pytest.approx(10.474))
    ]  # fmt: skip


def test_return_of_campaigns_and_tiers(by_hand: Warehouse) -> None:
    campaigns = rows_of(
        by_hand,
        "select campaign_id, spend_base, orders, net_revenue_base from marts.fct_campaign_roi"
        " where attribution_model = 'any_touch' order by 1",
    )
    # An order that two of a campaign touched counts once: o1, o2, o3, o4, o12.
    assert campaigns == [
        ("(always-on)", 20, 1, 20),
        ("C1", Decimal("221.96"), 5, Decimal("505.90")),
        ("C2", 34, 1, 200),
    ]
    tiers = rows_of(
        by_hand,
        "select tier, partner_type, campaign_id, spend_base, net_revenue_base, roi_basis, is_attribution_open,"
        " is_refund_possible from marts.fct_tier_roi"
        " where scheme = 'standard' and attribution_model = 'first_touch' order by 1, 2, 3",
    )
    # anna had 9,000 followers on 4 January, the day before her post, and 20,000 on the 20th.
    assert tiers == [
        ("macro", "affiliate", "C1", Decimal("71.96"), 0, "open", True, False),
        ("nano", "paid", "C1", 100, Decimal("505.90"), "open", True, True),
        ("unallocated", "unallocated", "C1", 50, None, "incomplete", False, False),
        ("unallocated", "unallocated", "C2", Decimal("6.5"), None, "incomplete", False, False),
        ("unknown", "affiliate", "(always-on)", 20, 20, "open", True, False),
        ("unknown", "gifted", "C2", Decimal("27.5"), 0, "complete", False, False),
    ]


def test_days_of_a_campaign(by_hand: Warehouse) -> None:
    rows = rows_of(
        by_hand,
        "select activity_date, spend_base, net_revenue_base, gross_profit_base, is_payback_date"
        " from marts.fct_campaign_daily where campaign_id = 'C1' and attribution_model = 'first_touch'"
        " and (spend_base <> 0 or net_revenue_base <> 0) order by 1",
    )
    # Profit of 60 + 89.95 + 42 = 191.95 reaches the 189.98 spent by the 15th.
    assert rows == [
        (date(2026, 1, 2), 100, 0, 0, False),
        (date(2026, 1, 3), 50, 0, 0, False),
        (date(2026, 1, 8), 0, 90, 60, False),
        (date(2026, 1, 10), Decimal("39.98"), Decimal("99.95"), Decimal("89.95"), False),
        (date(2026, 1, 15), 0, 60, 42, True),
        (date(2026, 1, 21), 0, -24, -24, False),
        (date(2026, 1, 25), 0, 200, 120, False),
        (date(2026, 2, 10), Decimal("39.98"), Decimal("99.95"), Decimal("89.95"), False),
        (date(2026, 2, 15), -8, -20, -20, False),
    ]
    every_day = (
        "select count(*) from marts.fct_campaign_daily where campaign_id = 'C1' and attribution_model = 'first_touch'"
    )
    assert rows_of(by_hand, every_day) == [(45,)]  # 2 January to 15 February


def test_the_leaked_code_and_spoken_codes(by_hand: Warehouse) -> None:
    days = rows_of(
        by_hand,
        "select promo_code, day(activity_date), orders, orders_without_click, usual_orders, is_leak"
        " from marts.fct_promo_code_daily order by all",
    )
    # The usual day has none; a leak begins at 5 x (0 + 1).
    assert days == [
        ("BEN20", 10, 1, 0, 0, False),
        ("CLEO", 18, 1, 1, 0, False),
        ("DORA", 12, 1, 0, 0, False),
        ("DORA", 20, 5, 5, 0, True),
    ]
    flags = rows_of(
        by_hand,
        "select order_id, code_without_click, is_code_leak from marts.fct_attribution where attribution_model = 'linear'"
        " and (code_without_click or is_code_leak) group by all order by 1",
    )
    assert flags == [("o10", True, True), ("o5", True, False)] + [(f"o{n}", True, True) for n in (6, 7, 8, 9)]


def test_nothing_is_flagged(by_hand: Warehouse) -> None:
    assert rows_of(by_hand, "select * from marts.fct_commerce_issue") == []


def test_a_refund_by_parts_takes_its_goods(by_hand: Warehouse) -> None:
    # The shipping of o12 came back, not its goods; of o13 goods of 15, and 3 of tax on them.
    assert rows_of(
        by_hand,
        "select refund_id, net_lowered from intermediate.int_order__refunds_applied where refund_id in ('r3', 'r4')"
        " order by 1",
    ) == [("r3", 0), ("r4", 15)]


def test_a_full_delivery_takes_an_order_back(compiled: Compiled, tmp_path: Path) -> None:
    """On 28 February the shop sends all its orders, without o13: what it was, and its refund, are gone."""
    settings = Settings(_env_file=None, data=tmp_path / "data", settle_seconds=0.0)  # type: ignore[call-arg]
    for path in sorted(BY_HAND.glob("*.csv")):
        drop(settings, path, path.stem, path.name, 27)
    drop(settings, BY_HAND / "full" / "orders.csv", "orders", "all_orders.csv", 28)
    note = {"files": [{"name": "all_orders.csv", "delivers": "full"}]}
    (settings.landing / "orders" / "_manifest.json").write_text(json.dumps(note))
    landing.land_files(settings, "run", quiet)
    world = World(compiled).build_landed(settings, LAST_DAY)
    totals = world.query(
        "select attribution_model, sum(credited_net_revenue_base) from groundswell.marts.fct_attribution group by 1"
    )
    assert {model for model, total in totals if total == Decimal("634.40")} == set(MODELS) - {"any_touch"}
    assert set(world.query("select feed, record_id, issue, amount from groundswell.marts.fct_commerce_issue")) == {
        ("orders", "o13", "gone from a full delivery", 50),
        ("refunds", "r4", "order withdrawn", 18),
    }


def drop(settings: Settings, source: Path, feed: str, name: str, day: int) -> None:
    """A file in landing that was written on a day of February."""
    target = settings.landing / feed / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    at = datetime(2026, 2, day, tzinfo=UTC).timestamp()
    os.utime(target, (at, at))


def test_price_of_a_post(by_hand: Warehouse) -> None:
    prices = rows_of(
        by_hand, "select account_id, tier, round(price_base, 2), price_basis from marts.dim_account_price order by 1"
    )
    # anna: a fee of 100 for one post. ben was paid commission alone: the band from 2,000 at 100,000 followers to 500,000
    # at 50M, straight in logarithms, is 2,000 x 1.5^(ln 250 / ln 500) = 2,000 x 1.5^0.888465 = 2,867.35 at 150,000.
    assert prices == [
        ("anna", "micro", Decimal("100.00"), "observed"),
        ("ben", "macro", Decimal("2867.35"), "price band"),
    ]
