"""The trust section: verdicts by tier, the accounts with evidence, and words that accuse nobody."""

from typing import Any

from ingestion.config import Settings
from serving.report.build import render
from serving.report.sections.trust import _curve

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page

DAY = "2026-03-01"


def evaluated(account_id: str, verdict: str, day: str = DAY, **more: Any) -> Row:
    return {
        "platform": "instagram", "account_id": account_id, "snapshot_date": day, "verdict": verdict,
        "engagement_verdict": "insufficient_data", **more,
    }  # fmt: skip


def flag(account_id: str, signal: str, explanation: str, points: int = 30) -> Row:
    return {
        "platform": "instagram", "account_id": account_id, "signal": signal, "window_start": "2026-02-20",
        "window_end": "2026-02-21", "first_flagged": "2026-02-21", "points": points, "explanation": explanation,
    }  # fmt: skip


def show(settings: Settings, verdicts: list[Row], flags: list[Row], **more: list[Row]) -> Page:
    base: dict[str, list[Row]] = {
        "dim_account": [account("a"), account("b"), account("c", display_name=HOSTILE)],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [
            *(on(DAY, name, 5_000, tier="nano") for name in "abc"),
            on("2026-02-20", "a", 3_000, tier="nano"),
        ],
        "fct_follower_trust_daily": verdicts,
        "fct_follower_flag": flags,
    }
    publish(settings, **(base | more))
    return Page(render(settings, "run-1"))


SUSPECT = evaluated(
    "a", "suspicious", trust_score=30, evidence_window_start="2026-02-20", evidence_window_end="2026-02-21"
)


def test_without_a_verdict_there_is_no_section(settings: Settings) -> None:
    page = show(settings, [], [])
    assert not [attrs for tag, attrs in page.tags if attrs.get("id") == "trust"]


def test_an_account_with_evidence_is_shown_with_its_curve_and_its_words(settings: Settings) -> None:
    words = "+2,000 followers in one day. Looks like followers that arrived at once; could also be a viral post."
    page = show(settings, [SUSPECT, evaluated("b", "trusted", trust_score=100)], [flag("a", "burst", words)])
    assert words in page.text
    assert "Look bought" in page.text
    assert "A verdict on numbers, not on people" in page.text
    (line,) = [attrs for tag, attrs in page.tags if tag == "path" and (attrs.get("d") or "").startswith("M0.0 ")]
    # From 3,000 on the first day at the bottom of the box to 5,000 on the last at its top.
    assert line["d"] == "M0.0 38.0L100.0 2.0"
    assert "evidence 20 Feb 2026 to 21 Feb 2026" in page.text


def test_the_share_that_nothing_explains_is_shown_with_its_interval_and_since_when(settings: Settings) -> None:
    shares = {"unexplained_share": 0.25, "unexplained_share_least": 0.1, "unexplained_share_most": 0.31}
    blind = {"unexplained_share_least": 0.0, "unexplained_share_most": 0.4}
    early = flag("a", "growth_without_activity", "g") | {"first_flagged": "2026-02-19"}
    page = show(
        settings,
        [SUSPECT | shares, evaluated("b", "watch", trust_score=65, **blind)],
        [flag("a", "burst", "b"), early],
    )
    assert "since 19 Feb 2026" in page.text
    assert "unexplained: 25 % of its followers (10 % to 31 %)" in page.text.replace("\u202f", " ")
    assert "unexplained: up to 40 % of its followers" in page.text.replace("\u202f", " ")


def test_what_was_explained_since_is_not_shown(settings: Settings) -> None:
    ended = flag("a", "growth_without_activity", "explained since") | {"ended_on": "2026-02-28"}
    page = show(settings, [SUSPECT], [flag("a", "burst", "still stands"), ended])
    assert "still stands" in page.text
    assert "explained since" not in page.text


def test_verdicts_are_counted_by_tier(settings: Settings) -> None:
    page = show(
        settings, [SUSPECT, evaluated("b", "trusted", trust_score=100), evaluated("c", "insufficient_data")], []
    )
    # Nano: three accounts, one trusted, none on watch, one suspicious, one without enough data.
    assert "Nano 3 1 0 1 1" in page.text


def test_nobody_with_evidence_is_said(settings: Settings) -> None:
    page = show(settings, [evaluated("b", "trusted", trust_score=100)], [])
    assert "No account's counts show enough" in page.text


def test_a_day_on_which_nobody_can_be_evaluated_shows_the_one_before(settings: Settings) -> None:
    page = show(
        settings,
        [SUSPECT, evaluated("a", "insufficient_data", "2026-03-02")],
        [],
        fct_account_daily=[on(DAY, "a", 5_000, tier="nano"), on("2026-03-02", "a", None)],
    )
    assert "as of 1 Mar 2026, the latest day on which anybody could be evaluated" in page.text


def test_what_people_wrote_is_escaped(settings: Settings) -> None:
    page = show(settings, [evaluated("c", "watch", trust_score=70)], [flag("c", "burst", HOSTILE)])
    assert not [tag for tag, attrs in page.tags if tag == "img"]


def test_a_single_point_is_no_curve() -> None:
    assert _curve([{"day": None, "followers": 1}], None, None) is None
