"""Sections on tiers and engagement: what they show of marts made by hand, and what they leave unsaid."""

from typing import Any

import pytest

from ingestion.config import Settings
from serving.report import ranges
from serving.report.build import render

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page, assert_runs_our_script_alone

DAY = "2026-03-01"


def spell(account_id: str, valid_from: str, tier: str, direction: str, **more: Any) -> Row:
    return {
        "platform": "instagram",
        "account_id": account_id,
        "scheme": "standard",
        "valid_from": valid_from,
        "tier": tier,
        "direction": direction,
        **more,
    }


def cell(tier: str, n: int, **more: Any) -> Row:
    """A benchmark row of a whole tier on Instagram."""
    counts = {f"{measure}_account_count": 0 for measure in ("er_followers_median_30", "reach_rate_median_30")}
    return {
        "platform": "instagram", "scheme": "standard", "tier": tier, "niche": "*", "country": "*", "snapshot_date": DAY,
        "merged_into": "none", "account_count": n, "own_account_count": n, "suspicious_account_count": 0, **counts, **more,
    }  # fmt: skip


def quantiles(measure: str, *values: float) -> Row:
    return {f"{measure}_{name}": value for name, value in zip(("p10", "p25", "p50", "p75", "p90"), values, strict=True)}


def band(name: str, low: float, high: float, least: int, most: int | None, compare_with: str) -> Row:
    return {
        "source": "Vendor", "platform": "instagram", "denominator": "followers", "statistic": "median_30",
        "as_of_date": "2025-11-01", "band": name, "level": "average", "min_followers": least, "max_followers": most,
        "low": low, "high": high, "compare_with": compare_with, "source_note": "its calculator",
    }  # fmt: skip


def show(settings: Settings, **marts: list[Row]) -> Page:
    base: dict[str, list[Row]] = {
        "dim_account": [account("a"), account("b"), account("c")],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [on(DAY, name, 5_000, tier="nano") for name in "abc"],
    }
    publish(settings, **(base | marts))
    return Page(render(settings, "run-1"))


def sections(page: Page) -> set[str | None]:
    return {attrs.get("id") for tag, attrs in page.tags if tag == "section"}


def test_empty_marts_say_so_or_show_nothing(settings: Settings) -> None:
    page = show(settings)
    assert "No account has changed tier yet." in page.text
    assert not {"engagement", "reach", "graduation"} & sections(page)


def test_turns_are_those_of_the_held_tier(settings: Settings) -> None:
    page = show(
        settings,
        dim_account_tier_history=[
            spell("a", "2026-01-01", "nano", "entry", valid_to="2026-02-01", days_in_tier=31),
            spell("a", "2026-02-01", "micro", "up", previous_tier="nano"),
            spell("b", "2026-01-01", "micro", "entry", valid_to="2026-01-11", days_in_tier=10),
            spell("b", "2026-01-11", "nano", "down", previous_tier="micro", valid_to="2026-01-31", days_in_tier=20),
            spell("b", "2026-01-31", "micro", "up", previous_tier="nano", data_origin="simulated"),
            # Another scheme's change is not of this page.
            {**spell("c", "2026-01-31", "micro", "up", previous_tier="nano"), "scheme": "kol"},
        ],
    )
    assert "3 tier changes in all, 3 of them in the 90 days up to 1 Mar 2026" in page.text
    assert "Nano Micro ↑ up 2 2 1 simulated" in page.text
    assert "Micro Nano ↓ down 1 1 0" in page.text
    # The first spell began before anybody looked: at least 31 days. The second one's 20 days are whole.
    assert "A Instagram a Nano → Micro 1 Feb 2026 ≥ 31" in page.text
    assert "B Instagram b simulated Nano → Micro 31 Jan 2026 20" in page.text


def test_held_tiers_count_an_account_until_its_last_capture(settings: Settings) -> None:
    page = show(
        settings,
        dim_account=[account("a"), account("b", last_seen_date="2026-01-15")],
        fct_account_daily=[on("2026-01-10", "a", 5_000, tier="nano"), on(DAY, "a", 5_000, tier="nano")],
        dim_account_tier_history=[
            spell("a", "2026-01-01", "nano", "entry"),
            spell("b", "2026-01-01", "nano", "entry"),
        ],
    )
    assert "Tier 10 Jan 2026 1 Mar 2026 Nano 2 1 All 2 1" in page.text


def test_a_changed_scheme_is_no_movement_of_accounts(settings: Settings) -> None:
    page = show(
        settings,
        dim_account_tier_history=[
            spell("a", "2026-01-01", "nano", "entry", valid_to="2026-02-01", days_in_tier=31),
            spell("a", "2026-02-01", "micro", "rescheme", previous_tier="nano"),
        ],
    )
    assert "0 tier changes in all" in page.text
    assert "Nano Micro cut-offs changed 1" in page.text
    assert "No account has moved up." in page.text


def test_engagement_stands_beside_bands_of_the_same_formula_alone(settings: Settings) -> None:
    er = "er_followers_median_30"
    page = show(
        settings,
        fct_tier_benchmark_daily=[
            cell(
                "nano",
                40,
                suspicious_account_count=2,
                er_followers_median_30_account_count=38,
                **quantiles(er, 0.01, 0.02, 0.03, 0.04, 0.06),
            ),
            cell("micro", 29, merged_into="too_few"),
            # An older day, and a niche, are not the tier's latest figures.
            {**cell("nano", 50, **quantiles(er, 0.5, 0.5, 0.5, 0.5, 0.5)), "snapshot_date": "2026-02-01"},
            {**cell("nano", 50, **quantiles(er, 0.7, 0.7, 0.7, 0.7, 0.7)), "niche": "beauty"},
        ],
        dim_er_benchmark=[
            band("1-5K", 0.0338, 0.0442, 1_000, 5_000, er),
            band("10-50K", 0.0084, 0.0111, 10_000, 50_000, er),
            band("1-5K by views", 0.12, 0.14, 1_000, 5_000, "er_views_median_30"),
        ],
    )
    assert "Nano 40 2 38 1.00\u202f% 2.00\u202f% 3.00\u202f% 4.00\u202f% 6.00\u202f% – – –" in page.text
    assert "Vendor , 1-5K 3.38\u202f%–4.42\u202f%" in page.text
    assert "by views" not in page.text
    assert "1 published band of another formula is not shown beside it." in page.text
    assert "Vendor as of 1 Nov 2025 ( its calculator )" in page.text
    # Micro's own 10-50K band stands below micro, of whose accounts too few are known.
    assert "Micro fewer than 30 accounts with this rate –" in page.text
    assert "50.00" not in page.text
    assert "70.00" not in page.text


def test_a_source_without_comments_is_shown_by_its_like_rate(settings: Settings) -> None:
    likes = "like_rate_views_median_30"
    page = show(
        settings,
        fct_tier_benchmark_daily=[
            cell(
                "nano", 30, like_rate_views_median_30_account_count=30, **quantiles(likes, 0.02, 0.03, 0.04, 0.05, 0.06)
            )
        ],
        dim_er_benchmark=[band("1-5K", 0.0338, 0.0442, 1_000, 5_000, "er_followers_median_30")],
    )
    assert "Likes / views, median of the latest 30 posts (the source counts no comments)." in page.text
    assert "1 published band of another formula" in page.text
    assert "Vendor" not in page.text


def test_too_few_accounts_are_named_by_the_rate_that_they_have(settings: Settings) -> None:
    page = show(settings, fct_tier_benchmark_daily=[cell("nano", 10, like_rate_views_median_30_account_count=10)])
    assert "Likes / views, median of the latest 30 posts" in page.text
    assert "Nano fewer than 30 accounts with this rate –" in page.text


def test_reach_says_how_much_of_it_is_known(settings: Settings) -> None:
    def engaged(name: str, reach_rate: float | None, coverage: float) -> Row:
        return {
            "platform": "instagram", "account_id": name, "snapshot_date": DAY, "tier": "nano", "posts_in_window": 4,
            "reach_rate_median_30": reach_rate, "reach_coverage": coverage,
        }  # fmt: skip

    page = show(
        settings,
        fct_tier_benchmark_daily=[cell("nano", 30), cell("micro", 30)],
        fct_account_engagement_daily=[
            engaged("a", 0.3, 0.5), engaged("b", None, 0.0), engaged("c", None, 0.0), engaged("d", 0.5, 1.0),
        ],
    )  # fmt: skip
    # 2 of 4 accounts show their reach, on 0.5 and 1.0 of their posts; 2 are too few for a rate.
    assert "Instagram Nano 4 2 50.0\u202f% 75.0\u202f% – – –" in page.text
    assert "Instagram Micro 0 0 – – – – –" in page.text


def test_graduation_is_of_those_observed_so_long(settings: Settings) -> None:
    def step(days: int, accounts: int, turned: int) -> Row:
        return {
            "platform": "instagram", "scheme": "standard", "from_tier": "nano", "to_tier": "micro",
            "horizon_days": days, "accounts": accounts, "turned": turned,
            "share_turned": turned / accounts if accounts else None,
            "median_days_in_tier": 61.5, "closed_spells": 6,
        }  # fmt: skip

    page = show(settings, fct_tier_graduation=[step(90, 40, 6), step(180, 20, 5), step(365, 0, 0)])
    said = "Instagram Nano → Micro 15.0\u202f% 6 of 40 25.0\u202f% 5 of 20 none observed so long 61.5 6"
    assert said in page.text
    assert "Too early to say" not in page.text


def test_graduation_without_time_is_too_early_not_zero(settings: Settings) -> None:
    row = {
        "platform": "instagram", "scheme": "standard", "from_tier": "nano", "to_tier": "micro", "horizon_days": 90,
        "accounts": 0, "turned": 0, "closed_spells": 0,
    }  # fmt: skip
    page = show(settings, fct_tier_graduation=[row])
    assert "Too early to say: no account has been observed for 90 days" in page.text
    assert "Nano → Micro none observed so long – 0" in page.text


def test_simulated_rows_carry_their_label(settings: Settings) -> None:
    er, reach = "er_followers_median_30", "reach_rate_median_30"
    marts = {
        "fct_tier_benchmark_daily": [
            cell("nano", 40, **quantiles(er, 0.01, 0.02, 0.03, 0.04, 0.06), **quantiles(reach, 0.1, 0.2, 0.3, 0.4, 0.5))
        ],
        "fct_account_engagement_daily": [
            {"platform": "instagram", "account_id": "a", "snapshot_date": DAY, "tier": "nano", "posts_in_window": 4,
             "reach_rate_median_30": 0.3, "reach_coverage": 1.0}
        ],
        "fct_tier_graduation": [
            {"platform": "instagram", "scheme": "standard", "from_tier": "nano", "to_tier": "micro", "horizon_days": 90,
             "accounts": 4, "turned": 1, "share_turned": 0.25, "closed_spells": 0}
        ],
    }  # fmt: skip
    assert "simulated" not in show(settings, **marts).text
    settings = settings.model_copy(update={"data": settings.data / "simulated"})
    labelled = {mart: [{**row, "data_origin": "simulated"} for row in rows] for mart, rows in marts.items()}
    page = show(settings, **labelled)
    assert "Instagram, 1 Mar 2026 simulated" in page.text
    assert "Nano simulated 40" in page.text
    assert "Instagram simulated Nano 1 1 100.0" in page.text
    assert "Instagram simulated Nano → Micro" in page.text
    assert "1 row of fct_tier_graduation" in page.text


def test_hostile_text_is_text(settings: Settings) -> None:
    page = show(
        settings,
        dim_account=[account("a", display_name=HOSTILE)],
        dim_account_tier_history=[
            spell("a", "2026-01-01", "nano", "entry", valid_to="2026-02-01", days_in_tier=31),
            spell("a", "2026-02-01", HOSTILE, "up", previous_tier=HOSTILE),
        ],
        fct_tier_benchmark_daily=[
            {**cell(HOSTILE, 40, **quantiles("er_followers_median_30", 0.1, 0.2, 0.3, 0.4, 0.5)), "platform": HOSTILE}
        ],
        fct_tier_graduation=[
            {"platform": HOSTILE, "scheme": "standard", "from_tier": HOSTILE, "to_tier": HOSTILE, "horizon_days": 90,
             "accounts": 4, "turned": 1, "share_turned": 0.25, "closed_spells": 0}
        ],
    )  # fmt: skip
    assert {"engagement", "tier_changes", "graduation"} <= sections(page)
    assert not [tag for tag, attrs in page.tags if tag == "img" or "onerror" in attrs]
    assert_runs_our_script_alone(page)


@pytest.mark.parametrize(
    ("values", "top"), [([0.06], 0.08), ([0.0442, None], 0.08), ([0.9, 1.0], 1.0), ([], 1.0), ([0.0], 1.0), ([37], 40)]
)
def test_a_scale_ends_on_a_round_step(values: list[float | None], top: float) -> None:
    # Four steps of 1, 2, 2.5, 5 or 10 times a power of ten: 0.06 needs 0.015 a step, so 0.02, and ends at 0.08.
    assert ranges.scale_top(values) == pytest.approx(top)


def test_places_stay_on_the_scale() -> None:
    assert ranges.at(0.02, 0.08) == 25.0
    assert ranges.at(None, 0.08) is None
    assert ranges.at(9.0, 0.08) == 100.0
    assert ranges.span(0.02, 0.04, 0.08) == {"from": 25.0, "width": 25.0}
    assert ranges.span(0.06, None, 0.08) == {"from": 75.0, "width": 25.0}
    assert ranges.span(None, None, 0.08) is None
