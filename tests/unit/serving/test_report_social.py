"""The social section: contests, hashtags, share of voice and live sessions, of marts made by hand."""

from typing import Any

from ingestion.config import Settings
from serving.report.build import render

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page

DAY = "2026-03-01"


def contest(campaign: str, **more: Any) -> Row:
    return {
        "campaign_id": campaign, "brand": "acme", "start_date": "2026-02-01", "end_date": "2026-02-10", "is_over": True,
        "days_elapsed": 10, "entries": 9, "entries_outside_dates": 0, "participants": 8, "new_participants": 5,
        "new_participants_per_day": 0.5, "referred_participants": 2, "base_currency": "USD", "as_of_date": DAY, **more,
    }  # fmt: skip


def hashtag(name: str, day: str, **more: Any) -> Row:
    return {
        "platform": "tiktok", "hashtag": name, "snapshot_date": day, "is_tracked": False, "posts": 2, "accounts": 2,
        "posts_7d": 4, "posts_previous_7d": 2, "growth_7d": 1.0, "tiers": 1, "largest_tier": "nano",
        "largest_tier_share": 1.0, **more,
    }  # fmt: skip


def said(brand: str, day: str, mentions: int, engagements: int | None, **more: Any) -> Row:
    return {
        "brand": brand, "snapshot_date": day, "is_rival": brand != "acme", "mentions": mentions,
        "engagements": engagements, "mentions_with_engagements": 0 if engagements is None else mentions, "reach": 0,
        "mentions_with_reach": mentions, **more,
    }  # fmt: skip


def live(name: str, host_type: str | None, **more: Any) -> Row:
    return {
        "live_session_id": name, "host_type": host_type, "is_ended": True, "is_window_open": False,
        "unique_viewers": 100, "orders_in_session": 4, "gmv_in_session_base": 80, "gmv_after_base": 20,
        "refunded_base": 5, "base_currency": "USD", "as_of_date": DAY, **more,
    }  # fmt: skip


def show(settings: Settings, **marts: list[Row]) -> Page:
    base: dict[str, list[Row]] = {
        "dim_account": [account("a")],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [on(DAY, "a", 5_000, tier="nano")],
    }
    publish(settings, **(base | marts))
    return Page(render(settings, "run-1"))


def words(page: Page) -> str:
    return " ".join(page.text.replace("\u202f", " ").split())


def test_contests_show_who_came_and_at_what_cost(settings: Settings) -> None:
    rows = [
        contest("C1", campaign_name="Spring prize", reach=12_000, entries_with_reach=7, cost_per_participant_base=2.5),
        contest("C2", start_date="2026-01-01", entries_outside_dates=3, data_origin="simulated"),
        contest("C3", is_over=False, days_elapsed=0, new_participants_per_day=None, start_date="2026-04-01"),
    ]
    text = words(show(settings, fct_contest=rows))
    assert "Spring prize 1 Feb 2026 to 10 Feb 2026 9 8 5 0.5 2 12,000 of 7 entries 2.50" in text
    assert "C2 simulated" in text
    assert "3 outside its dates" in text
    assert "not begun" in text
    # The latest first; nobody knows the reach and the cost of the others.
    assert text.index("C3") < text.index("Spring prize") < text.index("C2 simulated")
    assert "0.5 2 unknown unknown" in text


def test_hashtags_show_their_latest_day_of_a_week(settings: Settings) -> None:
    rows = [
        hashtag("fun", "2026-02-20", posts_7d=9),
        hashtag("fun", "2026-02-18", posts_7d=7),
        hashtag("new", "2026-02-15", is_tracked=True, growth_7d=None),
        hashtag("gone", "2026-02-13"),
    ]
    text = words(show(settings, fct_hashtag_daily=rows))
    assert "#fun TikTok 9 +100 % 2 1 Nano 100 % 20 Feb 2026" in text
    assert "#new tracked TikTok 4 no base 2 1 Nano 100 % 15 Feb 2026" in text
    assert "#gone" not in text
    assert text.count("#fun") == 1


def test_a_share_of_voice_is_of_the_sums_of_thirty_days(settings: Settings) -> None:
    rows = [
        said("acme", "2026-02-20", 1, 10),
        said("zenith", "2026-02-20", 3, 10),
        said("acme", "2026-02-01", 5, 20),
        said("zenith", "2026-02-01", 3, None),
        said("acme", "2026-01-21", 900, 900),
        said("zenith", "2026-01-21", 0, 0),
    ]
    text = words(show(settings, fct_share_of_voice_daily=rows))
    assert "1 Feb 2026 to 20 Feb 2026" in text
    # 6 of 12 mentions; 30 of 40 engagements, which zenith knows of three of its six. Nobody reached anybody.
    assert "acme 6 50.0 % 75.0 % known of 6 unknown known of 6" in text
    assert "zenith rival 6 50.0 % 25.0 % known of 3" in text
    unknown = [said("acme", "2026-02-20", 1, 10), said("zenith", "2026-02-20", 3, None)]
    settings.published.joinpath("groundswell.duckdb").unlink()
    assert "acme 1 25.0 % unknown known of 1" in words(show(settings, fct_share_of_voice_daily=unknown))


def test_live_sessions_stand_by_host(settings: Settings) -> None:
    rows = [
        live("s1", "trained_host"),
        live("s2", "trained_host", unique_viewers=300, orders_in_session=4, gmv_in_session_base=120),
        live("s3", "creator", unique_viewers=None, is_ended=False, is_window_open=True, gmv_after_base=None),
        live("s4", None, data_origin="simulated"),
    ]
    text = words(show(settings, fct_live_session=rows))
    # 8 orders and 200 of GMV of 400 viewers.
    assert "Trained host 2 200.00 40.00 10.00 2.0 % of 2 with viewers 0.50" in text
    assert "Creator 1 1 without an end, 1 may still sell 80.00 unknown 5.00 unknown of 0 with viewers unknown" in text
    assert "Not given simulated 1" in text


def test_what_people_landed_is_shown_and_never_run(settings: Settings) -> None:
    page = show(
        settings,
        fct_contest=[contest("C1", campaign_name=HOSTILE)],
        fct_hashtag_daily=[hashtag(HOSTILE, DAY)],
        fct_share_of_voice_daily=[said(HOSTILE, DAY, 1, 1)],
    )
    assert page.text.count(HOSTILE[:20]) >= 3
    assert not [attrs for tag, attrs in page.tags if tag == "img"]


def test_a_warehouse_without_social_has_no_section(settings: Settings) -> None:
    page = show(settings)
    assert "social" not in {attrs.get("id") for tag, attrs in page.tags if tag == "section"}
