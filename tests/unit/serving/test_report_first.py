"""The first screen: what went out and came back, compared with before, who was best and worst, and in which words."""

import re
from typing import Any

import pytest

from ingestion import ledger
from ingestion.config import Settings
from serving.report import returns
from serving.report.build import render, render_pages
from serving.report.formatting import cash, points, returned
from serving.report.words import GLOSSARY, MODELS

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page, check, plan

DAY = "2026-03-01"
# What an engineer calls things: it may stand in the part for engineers, which is folded and last.
KITCHEN = re.compile(rf"\b(marts?|releases?|runs?|schemes?|dbt|dim_\w+|fct_\w+|{'|'.join(MODELS)})\b", re.IGNORECASE)


def entry(day: str, spend: float, back: float, campaign: str, name: str = "K", **more: Any) -> Row:
    """What one campaign spent and got back on a day."""
    return {
        "collaboration_id": name, "campaign_id": campaign, "brand": "b", "attribution_model": "linear", "activity_date": day,
        "base_currency": "USD", "spend_base": spend, "net_revenue_base": back, "cost_entries": 1, "unrated_costs": 0,
        "unvalued_orders": 0, **more,
    }  # fmt: skip


def campaign(name: str, spend: float, back: float, **more: Any) -> Row:
    return {
        "campaign_id": name, "campaign_name": f"Campaign {name}", "attribution_model": "linear", "base_currency": "USD",
        "spend_base": spend, "spend_known_base": spend, "net_revenue_base": back, "roi_net": (back - spend) / spend,
        "as_of_date": DAY, "brand": "b", "posts": 1, "collaborations": 1, "cost_entries": 1, "unrated_costs": 0,
        "missing_fees": 0, "unvalued_orders": 0, "uncosted_orders": 0, "orders": 1, "roi_basis": "complete", **more,
    }  # fmt: skip


def latest(name: str, verdict: str | None, **more: Any) -> Row:
    return {"platform": "instagram", "account_id": name, "display_name": f"Name {name}", "followers": 5_000,
            "tier": "nano", "verdict": verdict, "collaborations": 0, **more}  # fmt: skip


def agreed(account_id: str, spend: float, back: float) -> Row:
    return {
        "collaboration_id": f"K-{account_id}", "attribution_model": "linear", "platform": "instagram", "brand": "b",
        "account_id": account_id, "partner_type": "paid", "base_currency": "USD", "spend_base": spend,
        "net_revenue_base": back, "roi_net": (back - spend) / spend, "as_of_date": DAY, "roi_basis": "open", "orders": 3,
        "cost_entries": 1, "unrated_costs": 0, "missing_fees": 0, "unvalued_orders": 0, "uncosted_orders": 0,
    }  # fmt: skip


WORLD: dict[str, list[Row]] = {
    "dim_tier_scheme": STANDARD,
    "dim_account": [account(name) for name in "abcd"],
    "fct_account_daily": [on(DAY, name, 5_000, tier="nano") for name in "abcd"],
    "fct_campaign_roi": [campaign("C1", 100, 250), campaign("C2", 400, 100), campaign("C3", 1, 10)],
    "fct_return_daily": [
        entry("2026-01-15", 100, 0, "C1"), entry("2026-02-01", 0, 50, "C1"), entry("2026-02-25", 0, 200, "C1"),
        entry("2026-02-20", 400, 0, "C2"), entry("2026-02-28", 0, 100, "C2"), entry("2026-01-10", 1, 10, "C3"),
        entry("2026-02-28", 0, 70, "(unattributed)", "(unattributed)"),
        entry("2026-01-15", 501, 501, "C1", attribution_model="last_touch"),
    ],
    "fct_account_latest": [
        latest("a", "trusted", collaborations=1), latest("b", "suspicious", collaborations=1),
        latest("c", "trusted", collaborations=1), latest("d", "watch"),
    ],
    "fct_collaboration_roi": [agreed("a", 100, 250), agreed("b", 100, 900), agreed("c", 100, 40)],
}  # fmt: skip


def show(settings: Settings, **changed: list[Row]) -> Page:
    publish(settings, **(WORLD | changed))
    return Page(render(settings, "run-1"))


def first_screen(page: Page) -> str:
    return page.text[: page.text.index("What the money returned")]


def test_money_out_and_in_with_its_change(settings: Settings) -> None:
    """501 out and 360 back now; 501 and 60 by 22 February, 101 and 10 by 30 January."""
    text = first_screen(show(settings))
    assert "501.00 USD out, 360.00 back: ROI −28.1\u202f%" in text  # (360 - 501) / 501
    # (60 - 501) / 501 = -0.8802 and (10 - 101) / 101 = -0.9010
    assert "+59.9 points in 7 days, +62.0 points in 30 days" in text
    assert "−28.1\u202f% to 0\u202f% by other ways of crediting" in text
    assert "Last 30 days 350.00 in for 400.00 out; 10.00 for 101.00 in the 30 days before" in text


def test_an_unknown_cost_leaves_no_return_and_is_said(settings: Settings) -> None:
    entries = [*WORLD["fct_return_daily"], entry("2026-02-28", 0, 0, "C2", unrated_costs=1)]
    text = first_screen(show(settings, fct_return_daily=entries))
    assert "without 1 costs of unknown rate" in text
    assert "ROI unknown" in text
    assert "out, " not in text[: text.index("Money out")]


def test_best_and_worst_campaigns_leave_out_a_tiny_one(settings: Settings) -> None:
    """C3 spent 1 of 501, less than 1 %: its +900 % is in the table alone."""
    page = show(settings)
    text = first_screen(page)
    assert "Best campaigns Campaign C1 +150\u202f% Worst campaigns Campaign C2 −75\u202f%" in text
    assert "C3" not in text
    assert [row[0][1] for row in page.data["campaigns"]["rows"]] == ["C2", "C1", "C3"]


def test_a_campaign_stands_beside_itself_of_some_days_before(settings: Settings) -> None:
    """C1 had 50 of 100 back by 22 February and nothing by 30 January; C2 had not begun by then."""
    table = show(settings).data["campaigns"]
    heads = [column["label"] for column in table["columns"]]
    week, month = heads.index("ROI 7 days before"), heads.index("ROI 30 days before")
    before = {row[0][1]: (row[week], row[month]) for row in table["rows"]}
    assert before == {"C1": (-0.5, -1.0), "C2": (-1.0, None), "C3": (9.0, 9.0)}


def test_who_to_keep_who_to_question_and_whose_counts_look_bought(settings: Settings) -> None:
    """b returned most and looks bought; c lost 60 of 100; d is worth a look and was never paid."""
    text = first_screen(show(settings))
    assert "Creators to keep Name a +150\u202f% Creators to question Name b looks bought Name c −60\u202f%" in text
    assert "1 of 4 accounts, 1 of them paid; 1 more worth a look. Name b" in text


def test_each_block_leads_down(settings: Settings) -> None:
    page = show(settings)
    ids = {attrs["id"] for _, attrs in page.tags if attrs.get("id")}
    links = {attrs["href"] or "" for tag, attrs in page.tags if tag == "a"}
    inside = {link[1:].partition("?")[0] for link in links if link.startswith("#")}
    assert {"campaigns", "creators", "guide", "posts"} <= inside
    assert inside - ids <= {"posts", "trust", "movers", "tier_changes"}  # of what this world has not
    assert links - {link for link in links if link.startswith("#")} == {
        "quality.html", *(f"accounts/instagram_{name}.html" for name in "abcd")
    }  # fmt: skip


def test_a_link_leads_to_the_page_of_an_account_that_has_one(settings: Settings) -> None:
    from serving.report.source import open_source
    from serving.report.tiers import Common

    publish(settings, **WORLD)
    common = Common({"latest_day": DAY}, [], None, {}, {("instagram", "b"): "accounts/instagram_b.html"})
    with open_source(settings, "run-1") as source:
        found = {row["account_id"]: row["name_href"] for row in returns.accounts(source, common)}
    assert found == {"a": None, "b": "accounts/instagram_b.html", "c": None, "d": None}


def test_a_blocked_night_says_so_before_anything_else(settings: Settings) -> None:
    publish(settings, **WORLD)
    plan(settings, "run-2", "planned")
    check(settings, "run-2", "critical", False)
    page = Page(render(settings, "run-2"))
    assert page.text.index("Blocked.") < page.text.index("501.00 USD out")
    assert "Readers keep the figures of the last good night." in page.text


@pytest.mark.parametrize("names", [("a",), tuple("abcd")])
def test_a_world_without_money_and_posts_has_a_first_screen(settings: Settings, names: tuple[str, ...]) -> None:
    accounts = [latest(name, "trusted") for name in names]
    page = show(
        settings, fct_campaign_roi=[], fct_return_daily=[], fct_collaboration_roi=[], fct_account_latest=accounts,
        fct_account_daily=[on(DAY, name, 5_000, tier="nano") for name in names],
    )  # fmt: skip
    assert f"{len(names)} of {len(names)} accounts showed a follower count that day" in page.text
    assert f"Nobody’s, of {len(names)} accounts" in page.text
    assert "Money out" not in page.text
    assert set(page.data) == {"creators"}


def test_names_of_any_script_and_length_are_text(settings: Settings) -> None:
    names = [HOSTILE, "ابن بطوطة", "名" * 300, "</script><script>alert(1)</script>", "=HYPERLINK(1)"]
    accounts = [latest("bcdea"[n], "suspicious", display_name=name, collaborations=1) for n, name in enumerate(names)]
    page = show(settings, fct_account_latest=accounts, fct_campaign_roi=[campaign("C1", 5, 9, campaign_name=HOSTILE)])
    shown = {row[0][0] for row in page.data["creators"]["rows"]}
    assert shown == {*names} - {"名" * 300} | {"名" * 79 + "…"}
    assert not [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(page.scripts) == 1


def test_no_kitchen_word_stands_before_the_part_for_engineers(settings: Settings) -> None:
    text = show(settings).text
    for_people, _, for_engineers = text.partition("For engineers: ")
    assert KITCHEN.findall(for_people.replace("For engineers", "")) == []
    assert KITCHEN.findall(for_engineers)  # negative test: there they are


def test_the_glossary_explains_what_the_tables_head(settings: Settings) -> None:
    terms = " ".join(term for term, _ in GLOSSARY)
    assert all(word in terms for word in ("ROI", "ER", "EMV", "Tier", "Unknown", "Looks bought", "Worth a look"))
    assert all(meaning for _, meaning in GLOSSARY)
    assert "How to read this" in show(settings).text


def test_the_page_of_checks_shows_pass_and_fail_at_a_glance(settings: Settings) -> None:
    publish(settings, **WORLD)
    outcomes = [("critical", False), ("warning", False), ("warning", True)]
    checks: list[dict[str, object]] = [
        {"suite": "marts.fct_account_daily", "expectation": f"{severity}_{passed}", "severity": severity,
         "observed": HOSTILE, "threshold": "at most 5 %", "passed": passed, "detail": HOSTILE}
        for severity, passed in outcomes
    ]  # fmt: skip
    ledger.record_checks(settings, "run-1", checks)
    docs = settings.reports / "data_docs" / "validations" / "marts" / "fct_account_daily"
    for name in ("2026-01-01", "2026-01-02"):
        (docs / "run" / name).mkdir(parents=True)
        (docs / "run" / name / "page.html").write_text("docs")
    page = Page(render_pages(settings, "run-1")["quality.html"])
    assert "1 of 3 checks failed" in page.text
    assert "✕ Results: followers by day 1 failed, 1 to look at, 1 passed" in page.text
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    newest = "data_docs/validations/marts/fct_account_daily/run/2026-01-02/page.html"
    assert newest in links
    assert (settings.reports / newest).is_file()
    assert page.scripts == []
    assert not [attrs for tag, attrs in page.tags if tag == "img"]


def test_a_group_without_data_docs_has_no_link(settings: Settings) -> None:
    publish(settings, **WORLD)
    check(settings, "run-1", "warning", True)
    page = Page(render_pages(settings, "run-1")["quality.html"])
    assert "All 1 checks passed" in page.text
    assert not [attrs for tag, attrs in page.tags if tag == "a" and "data_docs" in (attrs["href"] or "")]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "unknown"), (0.0, "0\u202f%"), (0.5, "+50\u202f%"), (-0.156, "−15.6\u202f%"), (-1.0, "−100\u202f%"),
        (-0.9996, "−99.96\u202f%"), (-0.99995, "−99.995\u202f%"), (-0.993, "−99.3\u202f%"), (25.337, "+2,534\u202f%"),
    ],
)  # fmt: skip
def test_a_return_has_a_decimal_where_it_says_something(value: float | None, said: str) -> None:
    assert returned(value) == said


def test_amounts_and_points() -> None:
    assert [cash(value) for value in (None, 12.5, -9_999.99, 10_000.4)] == ["unknown", "12.50", "−9,999.99", "10,000"]
    assert [points(value) for value in (None, 0.031, -0.2, 0.0)] == [
        "unknown",
        "+3.1 points",
        "−20.0 points",
        "±0.0 points",
    ]


def returned_row(name: str, roi: float | None, spend: float = 10) -> Row:
    return {"name_id": name, "roi_net": roi, "spend": spend}


def test_no_loss_is_among_the_best_while_somebody_gained() -> None:
    rows = [returned_row("a", 0.5), returned_row("b", -0.1), returned_row("c", -0.2), returned_row("d", None)]
    best, worst = returns.best_and_worst(rows, "spend", 10, 2)
    assert ([row["name_id"] for row in best], [row["name_id"] for row in worst]) == (["a"], ["c"])
    best, worst = returns.best_and_worst(rows[1:], "spend", 10, 2)
    assert ([row["name_id"] for row in best], [row["name_id"] for row in worst]) == (["b"], ["c"])
    assert returns.best_and_worst(rows, "spend", 11, 2) == ([], [])
    assert returns.best_and_worst(rows, "spend", None, 2) == ([], [])


def test_the_least_spend_is_what_half_spent() -> None:
    assert returns.least_spend([{"spend": value} for value in (None, 0, 10, 30, 500)], "spend") == 30
    assert returns.least_spend([{"spend": None}], "spend") is None
