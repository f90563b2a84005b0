"""Section on equivalence: the latest day of each platform, with what is known and what is not."""

from typing import Any

from ingestion.config import Settings

from .hand_made import Row
from .test_report_engagement import DAY, sections, show


def pair(from_tier: str = "nano", to_tier: str = "mega", **more: Any) -> Row:
    return {
        "platform": "instagram", "snapshot_date": DAY, "scheme": "standard", "from_tier": from_tier, "to_tier": to_tier,
        "account_count_followers": 470, "account_count_followers_low": 430, "account_count_followers_high": 510, "unreached_draws_followers": 0,
        "from_account_count_followers": 65, "to_account_count_followers": 34, "from_account_count_reach": 30, "to_account_count_reach": 12, "from_account_count_engagements": 60,
        "to_account_count_engagements": 31, "unreached_draws_engagements": 200, "from_suspicious_account_count": 2, "to_suspicious_account_count": 1,
        "reach_basis": "not deduplicated", "price_from_base": 23500, "price_from_low_base": 8600,
        "price_from_high_base": 51000, "price_from_basis": "observed", "price_from_collaborations": 4,
        "price_to_base": 15470.18, "price_to_low_base": 2000, "price_to_high_base": None, "price_to_basis": "price band",
        "price_to_collaborations": 0, "base_currency": "USD", **more,
    }  # fmt: skip


def test_without_two_tiers_there_is_no_section(settings: Settings) -> None:
    assert "equivalence" not in sections(show(settings))


def test_a_row_says_numbers_intervals_prices_and_their_basis(settings: Settings) -> None:
    older = pair(
        snapshot_date="2026-02-01",
        account_count_followers=9,
        account_count_followers_low=8,
        account_count_followers_high=10,
    )
    later = pair(
        snapshot_date="2026-03-02",
        account_count_followers=None,
        account_count_followers_low=None,
        account_count_followers_high=None,
    )
    page = show(settings, fct_tier_equivalence=[pair(), older, later])
    # On the 2nd of March nothing is known, so the 1st is the latest day that tells something.
    assert "On 1 Mar 2026 (Instagram)" in page.text
    assert "Instagram Mega Nano 470 430 – 510 – 30 and 12 known over 5,000" in page.text
    assert "23,500 8,600 – 51,000, 4 observed 15,470 2,000 – open, price band" in page.text
    assert "Nothing is deduplicated" in page.text
    assert "3 accounts that look bought are left out" in page.text
    assert "simulated" not in page.text


def test_larger_tiers_come_first_and_simulated_rows_carry_their_label(settings: Settings) -> None:
    page = show(
        settings, fct_tier_equivalence=[pair(to_tier="micro"), pair(data_origin="simulated"), pair(from_tier="macro")]
    )
    order = [
        page.text.index(words)
        for words in ("Instagram simulated Mega Nano", "Instagram Mega Macro", "Instagram Micro Nano")
    ]
    assert order == sorted(order)
