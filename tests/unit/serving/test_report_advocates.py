"""The section on advocates: programme, ladder and those who did most, of marts made by hand."""

from typing import Any

from ingestion.config import Settings
from serving.report.build import render

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page

DAY = "2026-03-01"


def advocate(account_id: str, **more: Any) -> Row:
    return {
        "brand": "acme", "customer_id": f"c-{account_id}", "platform": "instagram", "account_id": account_id,
        "relationship": "advocate", "relationship_since": "2026-01-05", "is_current": True, "is_first_claim": True,
        "collaborations": 1, "tier": "nano", "posts_about_brand": 3, "months_active": 2, "base_currency": "USD",
        "as_of_date": DAY, **more,
    }  # fmt: skip


def total(relationship: str, **more: Any) -> Row:
    return {
        "brand": "acme", "relationship": relationship, "customers": 2, "advocates": 2, "advocates_with_consent": 1,
        "share_with_consent": 0.5, "advocates_current": 2, "accounts_posting": 1, "accounts_unknown": 0,
        "posts_about_brand": 3, "base_currency": "USD", "contracts_ended": 0, "still_posting": 0, "as_of_date": DAY,
        **more,
    }  # fmt: skip


def step(account_id: str, number: int, ladder: str, name: str, days: int, **more: Any) -> Row:
    return {
        "brand": "acme", "customer_id": f"c-{account_id}", "platform": "instagram", "account_id": account_id,
        "step_number": number, "ladder": ladder, "step": name, "valid_from": "2026-01-05", "days_in_step": days,
        "as_of_date": DAY, **more,
    }  # fmt: skip


def show(settings: Settings, **marts: list[Row]) -> Page:
    base: dict[str, list[Row]] = {
        "dim_account": [account("a"), account("b")],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [on(DAY, name, 5_000, tier="nano") for name in "ab"],
        "fct_advocate_programme": [total("advocate"), total("*")],
    }
    publish(settings, **(base | marts))
    return Page(render(settings, "run-1"))


def words(page: Page) -> str:
    return " ".join(page.text.split())


def test_the_programme_says_what_is_known_and_what_is_not(settings: Settings) -> None:
    text = words(show(settings, fct_advocate_programme=[
        total("advocate", orders_by_code=12, net_revenue_by_code_base=845.5, contracts_ended=4, still_posting=3),
        total("ambassador", posts_about_brand=None),
    ]))  # fmt: skip
    assert "845.50" in text
    assert "3 of 4" in text
    assert "none observed" in text
    assert "unknown" in text


def test_the_ladder_counts_steps_with_the_days_before_them(settings: Settings) -> None:
    # Advocate after 10, 30 and 50 days: 30 in the middle. Nano for 40 days, though it became advocate in between.
    rows = []
    for name, days in (("a", 10), ("b", 30), ("c", 50)):
        rows += [step(name, 1, "relationship", "customer", days), step(name, 3, "relationship", "advocate", 5)]
    rows += [step("a", 2, "tier", "nano", 40), step("a", 4, "tier", "micro", 7, data_origin="simulated")]
    text = words(show(settings, fct_advocate_ladder=rows))
    assert "Customer → Advocate 3 30" in text
    assert "Nano → Micro simulated 1 40" in text


def test_who_did_most_comes_first_and_an_account_once(settings: Settings) -> None:
    page = show(settings, fct_advocate=[
        advocate("a", orders_by_code=1, posts_about_brand=9),
        advocate("b", orders_by_code=7, is_still_posting=True, er_followers_median=0.043),
        advocate("b", customer_id="another", is_first_claim=False, orders_by_code=7),
        advocate("c", posts_about_brand=None, orders_by_code=None),
    ])  # fmt: skip
    text = words(page).partition("Who did most")[2]
    assert 0 < text.index("Instagram b") < text.index("Instagram a")
    # The second claim of `b` and the account without a post or an order are left out.
    assert text.count("Instagram b") == 1
    assert "Instagram c" not in text
    assert text.count("no consent") == 2
    assert "4.3" in text


def test_nothing_landed_is_run(settings: Settings) -> None:
    page = show(
        settings,
        dim_account=[account("a", display_name=HOSTILE)],
        fct_advocate=[advocate("a", brand=HOSTILE, orders_by_code=1)],
        fct_advocate_programme=[total("advocate", brand=HOSTILE)],
    )
    assert HOSTILE[:20] in page.text
    assert not [attrs for tag, attrs in page.tags if tag == "img"]


def test_without_a_customers_account_there_is_no_section(settings: Settings) -> None:
    page = show(settings, fct_advocate_programme=[])
    assert "advocates" not in {attrs.get("id") for tag, attrs in page.tags if tag == "section"}
