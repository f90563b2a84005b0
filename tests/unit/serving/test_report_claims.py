"""The scorecard of claims: verdicts, what is compared, what is missing, and that nothing landed is run."""

from typing import Any

import pytest

from ingestion.config import Settings
from serving.report.build import render
from serving.report.sections.claims import significant

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import Page

DAY = "2026-03-01"


def check(claim: str, verdict: str, **more: Any) -> Row:
    return {
        "claim": claim, "platform": "*", "claimed": f"the words of {claim}", "tested_as": "a ratio: above 1",
        "claimed_low": 1, "unit_type": "accounts", "unit_count": 70, "claimed_unit_count": 30, "other_unit_count": 40, "min_unit_count": 30, "verdict": verdict,
        "interval_side": "claimed", "as_of_date": DAY, **more,
    }  # fmt: skip


def show(settings: Settings, checks: list[Row], sides: list[Row] = []) -> Page:  # noqa: B006
    publish(
        settings,
        dim_account=[account("a")],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on(DAY, "a", 5_000, tier="nano")],
        fct_claim_check=checks,
        fct_claim_side=sides,
    )
    return Page(render(settings, "run-1"))


def test_a_scorecard_says_verdict_figure_interval_and_sides(settings: Settings) -> None:
    checks = [
        check("late", "not enough data", interval_side="unknown", missing="orders of live sessions", unit_count=0),
        check("first", "holds", platform="youtube", observed=2.123, interval_low=1.5, interval_high=1234.5),
    ]
    sides = [
        {
            "claim": "first",
            "platform": "youtube",
            "side": "a",
            "side_name": "micro",
            "unit_count": 30,
            "observed": 0.04246,
        },
        {"claim": "first", "platform": "youtube", "side": "b", "side_name": "mega", "unit_count": 40, "observed": 0.02},
    ]
    text = " ".join(show(settings, checks, sides).text.split())
    assert text.index("the words of first") < text.index("the words of late")
    assert "2.12 1.5 to 1,234" in text
    assert "micro: 0.0425 (30); mega: 0.02 (40)" in text
    assert "orders of live sessions" in text
    assert "1 holds" in text
    assert "1 not enough data" in text


def test_simulated_data_is_never_said_to_hold(settings: Settings) -> None:
    made_up = check("made", "simulated", observed=2, interval_low=1.5, interval_high=3, data_origin="simulated")
    text = " ".join(show(settings, [made_up]).text.split())
    assert "0 holds" in text
    assert "Simulated on the claimed side" in text


def test_a_label_is_text_and_never_markup(settings: Settings) -> None:
    sides = [{"claim": "one", "platform": "*", "side": "a", "side_name": "<script>alert(1)</script>", "unit_count": 1}]
    page = show(settings, [check("one", "holds")], sides)
    assert "<script>alert(1)</script>: unknown (1)" in page.text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "unknown"), (0.012345, "0.0123"), (12.345, "12.3"), (1234.4, "1,234"), (-0.5, "-0.5")]
)
def test_a_figure_has_three_significant_digits(value: float | None, text: str) -> None:
    assert significant(value) == text
