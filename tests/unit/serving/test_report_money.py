"""The section on money: what it shows of marts made by hand, what stays unknown, and that nothing landed is run."""

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from ingestion.config import Settings
from serving.report.build import render
from serving.report.sections import money
from serving.report.sections.money import gaps

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page

DAY = "2026-03-01"


def returns(**more: Any) -> Row:
    """Columns that all ROI marts share: 100 spent on a fee, 250 back."""
    return {
        "attribution_model": "linear", "base_currency": "USD", "spend_base": 100, "spend_fee_base": 75, "spend_ads_base": 25,
        "orders": 5, "net_revenue_base": 250, "roi_net": 1.5, "roas": 2.5, "cpa": 20, "roi_basis": "complete",
        "cost_entries": 2, "unrated_costs": 0, "spend_known_base": 100, "unvalued_orders": 0,
        "net_revenue_known_base": 250, "uncosted_orders": 0, "product_cost_known_base": 50, "missing_fees": 0,
        "as_of_date": DAY, **more,
    }  # fmt: skip


def curve(day: str, spend: float, profit: float | None, is_payback: bool = False) -> Row:
    return {
        "campaign_id": "C1", "attribution_model": "linear", "activity_date": day, "spend_base": spend,
        "gross_profit_base": profit, "is_payback_date": is_payback,
    }  # fmt: skip


def show(settings: Settings, **marts: list[Row]) -> Page:
    base: dict[str, list[Row]] = {
        "dim_account": [account("a"), account("b")],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [on(DAY, name, 5_000, tier="nano") for name in "ab"],
        "fct_campaign_roi": [returns(campaign_id="C1", campaign_name="Spring")],
        "fct_attribution": [
            {"order_id": "o1", "attribution_model": "linear", "collaboration_id": "K1", "credited_net_revenue_base": 250,
             "base_currency": "USD", "code_without_click": True, "is_code_leak": True},
            {"order_id": "o2", "attribution_model": "linear", "collaboration_id": "(unattributed)", "credited_net_revenue_base": 50,
             "base_currency": "USD", "code_without_click": False, "is_code_leak": False},
        ],
    }  # fmt: skip
    publish(settings, **(base | marts))
    return Page(render(settings, "run-1"))


def collaboration(name: str, account_id: str, roi: float | None, **more: Any) -> Row:
    return returns(
        collaboration_id=name, platform="instagram", account_id=account_id, partner_type="paid", roi_net=roi, **more
    )


def test_a_campaign_shows_spend_by_type_and_revenue_by_model(settings: Settings) -> None:
    campaigns = [
        returns(campaign_id="C1", campaign_name="Spring"),
        returns(campaign_id="C1", attribution_model="any_touch", net_revenue_base=400),
    ]
    page = show(settings, fct_campaign_roi=campaigns)
    text = page.text
    assert "Spring" in text
    assert "75.00" in text
    assert "25.00" in text
    assert "Everyone in full" in text
    assert "any_touch" not in text
    assert "400.00" in text
    assert "300.00" in text  # net revenue of all orders
    assert "1 on days of a leaked code" in text


def test_what_is_unknown_is_said_and_never_zero(settings: Settings) -> None:
    unknown = {"spend_base": None, "roi_net": None, "net_revenue_base": None, "cost_entries": 0}
    text = show(settings, fct_campaign_roi=[returns(campaign_id="C1", **unknown)]).text
    words = " ".join(text.split()).replace(" ,", ",").replace(" ;", ";")
    assert "Spend unknown, net revenue unknown, ROI unknown, on profit unknown; not paid back." in words
    assert "Missing or open: no cost." in words
    assert "not paid back" in text


def test_best_and_worst_stand_apart_with_their_reasons(settings: Settings) -> None:
    rows = [
        collaboration("K1", "a", 1.5),
        collaboration("K2", "b", -0.9, orders=1, cpa=100, unrated_costs=1),
        collaboration("K3", "b", None),
    ]
    leaks = [{"promo_code": "X", "activity_date": DAY, "collaboration_id": "K2", "is_leak": True}]
    text = show(settings, fct_collaboration_roi=rows, fct_promo_code_daily=leaks).text
    best, worst = text.index("Best collaborations"), text.index("Worst collaborations")
    assert best < text.index("K1") < worst < text.index("K2")
    assert "K3" not in text[text.index("What the money returned") : text.index("All campaigns")]
    assert "5.0 credited orders at 20.00 each, below the median of 60.00; 75% of its spend is fee" in text
    assert "above the median of 60.00; 75% of its spend is fee; its code leaked on 1 day; no rate for 1 costs" in text


def lines(page: Page) -> list[tuple[str, dict[str, str | None]]]:
    """Lines of the curves, spend before profit."""
    return [tag for tag in page.tags if tag[0] == "path" and (tag[1].get("class") or "").startswith("line ")]


def test_the_curve_shows_where_spend_is_met(settings: Settings) -> None:
    days = [curve("2026-01-01", 100, 0), curve("2026-01-11", 0, 120, is_payback=True), curve("2026-01-21", 0, 0)]
    page = show(settings, fct_campaign_daily=days)
    assert "they meet on 11 Jan 2026" in page.text
    paths = [attrs["d"] for tag, attrs in lines(page)]
    # 100 of 120 is a sixth from the top; profit climbs from the bottom to the top by the middle.
    assert paths == ["M0.0 16.67L500.0 16.67L1000.0 16.67", "M0.0 100.00L500.0 0.00L1000.0 0.00"]


def test_an_unknown_profit_draws_no_line(settings: Settings) -> None:
    page = show(settings, fct_campaign_daily=[curve("2026-01-01", 100, None), curve("2026-01-11", 0, None)])
    assert "gross profit is unknown" in page.text
    assert [attrs["class"] for _, attrs in lines(page)] == ["line spend"]


def test_the_numbers_behind_a_curve_stand_in_its_folded_table(settings: Settings) -> None:
    days = [curve(f"2026-01-{day:02}", 10, 20 if day > 1 else None) for day in range(1, 32)]
    page = show(settings, fct_campaign_daily=days)
    table = page.text[page.text.index("Up to Spend Gross profit") :]
    # 31 days in at most 15 rows are every third, the last one first; profit of the 1st is unknown, so no sum is known.
    assert "31 Jan 2026 310.00 unknown 28 Jan 2026 280.00 unknown 25 Jan 2026" in table
    assert table.count("Jan 2026") == 11
    assert "3 Jan 2026 30.00" not in table


@pytest.mark.parametrize(("low", "marks"), [(0, [0.0, 100.0]), (-100, [0.0, 50.0, 100.0]), (-4, [0.0, 96.15])])
def test_labels_of_a_scale_never_stand_on_each_other(low: int, marks: list[float]) -> None:
    """From 100 down to 0 the lowest is 0; -100 is half the height below it; the label of -4 would lie on that of 0."""
    days = [
        {"activity_date": date(2026, 1, day), "spend_so_far": Decimal(spend), "profit_so_far": Decimal(profit),
         "is_payback_date": False}
        for day, spend, profit in ((1, 100, low), (2, 100, 0))
    ]  # fmt: skip
    drawn = money._curve(days)
    assert drawn is not None
    assert [mark["at"] for mark in drawn["marks"]] == marks


def test_a_warehouse_without_money_has_no_section(settings: Settings) -> None:
    page = show(settings, fct_campaign_roi=[])
    assert "money" not in {attrs.get("id") for tag, attrs in page.tags if tag == "section"}


def test_a_release_with_other_column_names_has_no_section_and_a_page(settings: Settings) -> None:
    show(settings)
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("alter table marts.fct_campaign_roi rename attribution_model to model")
    page = Page(render(settings, "run-1"))
    assert {"money", "audience"} & {attrs.get("id") for tag, attrs in page.tags if tag == "section"} == {"audience"}


def test_tiers_stand_in_their_order_with_unallocated_last(settings: Settings) -> None:
    rows = [
        returns(scheme="standard", tier=tier, partner_type=kind, collaborations=1, orders=orders, roi_net=roi)
        for tier, kind, orders, roi in (
            ("unallocated", "unallocated", None, None),
            ("micro", "paid", 5, 0.5),
            ("nano", "gifted", 5, 2),
        )
    ]
    text = show(settings, fct_tier_roi=rows).text
    after = text[text.index("Return by tier and partner") :]
    assert after.index("Nano") < after.index("Micro") < after.index("Unallocated")


@pytest.mark.parametrize(
    ("unrated", "shown"),
    [(0, "Nano paid 2 200.00 10.0 600.00 +200 % +100 % 20.00"), (1, "Nano paid 2 unknown 10.0 600.00 unknown unknown")],
)
def test_a_tier_is_the_sum_of_its_platforms_brands_and_campaigns(settings: Settings, unrated: int, shown: str) -> None:
    """200 spent on two platforms brought 250 + 350 for 50 + 150: (600 - 200) / 200 and (400 - 200) / 200."""
    one = {"scheme": "standard", "tier": "nano", "partner_type": "paid", "collaborations": 1}
    rows = [
        returns(**one, platform="instagram"),
        returns(**one, platform="tiktok", net_revenue_known_base=350, product_cost_known_base=150)
        | {"unrated_costs": unrated},
    ]
    text = " ".join(show(settings, fct_tier_roi=rows).text.split())
    assert shown in text[text.index("Return by tier and partner") :]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"missing_fees": 2}, ["agreed fee not among the costs of 2"]),
        ({"unvalued_orders": 1, "uncosted_orders": 3}, ["no rate or impossible amounts in 1 orders", "product cost unknown in 3 orders"]),
        ({"has_orders_landed": False}, ["no orders landed"]),
        ({"collaborations": 0}, ["no collaboration"]),
        ({"posts": 5, "posts_with_emv": 3, "posts_with_early_emv": 1}, ["EMV of 2 posts not known yet", "EMV of 1 posts from counts of less than 23 days"]),
        ({"is_campaign_unknown": True, "is_attribution_open": True, "is_refund_possible": True}, ["campaign unknown", "attribution window still open", "refunds still possible"]),
        ({}, []),
    ],
)  # fmt: skip
def test_gaps_are_said_in_words(counts: Row, words: list[str]) -> None:
    known = {
        "collaborations": 1, "cost_entries": 1, "missing_fees": 0, "unrated_costs": 0, "has_orders_landed": True,
        "unvalued_orders": 0, "uncosted_orders": 0, "is_campaign_unknown": False, "posts": 2, "posts_with_emv": 2,
        "posts_with_early_emv": 0, "is_attribution_open": False, "is_refund_possible": False,
    }  # fmt: skip
    assert gaps(known | counts) == words


def test_landed_names_are_text_and_nothing_else(settings: Settings) -> None:
    page = show(settings, fct_campaign_roi=[returns(campaign_id="C1", campaign_name=HOSTILE)],
                fct_collaboration_roi=[collaboration(HOSTILE, "a", 1.0)])  # fmt: skip
    assert HOSTILE[:20] in page.text
    assert not [attrs for tag, attrs in page.tags if tag == "img"]


def test_the_model_shown_is_one_of_the_nine() -> None:
    from tests.dbt.money import MODELS

    assert money.MODEL in MODELS
