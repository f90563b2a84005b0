"""One account's page: made of the published marts alone, escaped, and an unknown account is met with near ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from serving.report.account import NoSuchAccount, build_account, file_name

from .hand_made import STANDARD, Row, account, on, publish
from .test_report import HOSTILE, Page

PEERS = {"p10": 0.01, "p25": 0.02, "p50": 0.03, "p75": 0.035, "p90": 0.06}
DAYS = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-02-01"]


def world(settings: Settings, **more: list[Row]) -> None:
    """Account `a` with four captures, two of them with a count, and its neighbours."""
    followers = [9_000, None, 9_500, 11_000]
    base: dict[str, list[Row]] = {
        "dim_account": [
            account("a", handle="ann.bakes", display_name="Ann"),
            account("b", handle="ann.runs", display_name="Bea"),
            account("c", platform="tiktok", handle="ann.bakes", display_name="Cy"),
        ],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [
            on(day, "a", count, followers_null_reason=None if count else "hidden", tier="nano")
            for day, count in zip(DAYS, followers, strict=True)
        ],
    }
    publish(settings, **(base | more))


def show(settings: Settings, account_id: str = "a", platform: str = "instagram") -> Page:
    return Page(build_account(settings, platform, account_id).read_text(encoding="utf-8"))


def engaged(**more: Any) -> Row:
    """Engagement of `a`: every count of posts is 0 unless the test says otherwise."""
    counts = ("er_followers_mean_12", "er_followers_median_30", "er_views_median_30", "er_reach_median_30",
              "reach_rate_median_30", "like_rate_views_median_30", "er_sponsored", "er_organic")  # fmt: skip
    return {
        "platform": "instagram", "account_id": "a", "snapshot_date": "2026-02-01", "tier": "nano", "posts_in_window": 5,
        **{f"{name}_posts": 0 for name in counts}, **more,
    }  # fmt: skip


def test_the_page_stands_under_the_accounts_folder(settings: Settings) -> None:
    world(settings)
    path = build_account(settings, " Instagram ", "a")
    assert path == settings.reports / "accounts" / "instagram_a.html"
    assert [file.name for file in path.parent.iterdir()] == ["instagram_a.html"]


def test_unknown_counts_break_the_curve_and_are_said(settings: Settings) -> None:
    world(settings)
    page = show(settings)
    assert "11,000 followers on 1 Feb 2026, nano that day." in page.text
    assert "2 Jan 2026 unknown: hidden" in page.text
    paths = {attrs["class"]: attrs["d"] for tag, attrs in page.tags if tag == "path"}
    # 32 days on a width of 1000: a day is 31.25, its middle 15.625 after its start. Three points and no line, for the
    # 2nd is unknown and the last is 29 days away: 9,000 at 92, 11,000 at 8, 9,500 at 92 - 84 / 4.
    assert paths["line dots"] == "M15.62 92.0h0M78.12 71.0h0M984.38 8.0h0"
    assert paths["line"] == ""


def test_joined_days_make_a_line(settings: Settings) -> None:
    publish(
        settings,
        dim_account=[account("a")],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on("2026-01-01", "a", 100), on("2026-01-03", "a", 200)],
    )
    assert 'd="M166.67 92.0L833.33 8.0"' in build_account(settings, "instagram", "a").read_text()


def test_a_small_move_is_drawn_small(settings: Settings) -> None:
    publish(
        settings,
        dim_account=[account("a")],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on("2026-01-01", "a", 10_000), on("2026-01-02", "a", 10_010)],
    )
    # The scale spans at least 2 % of the highest count, 200.2 here, around the middle: 10 of them are 84 * 10 / 200.2,
    # so 4.2 high, 2.1 to either side of 50.
    assert 'd="M250.0 52.1L750.0 47.9"' in build_account(settings, "instagram", "a").read_text()


def test_a_long_gap_makes_two_periods(settings: Settings) -> None:
    publish(
        settings,
        dim_account=[account("a")],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on("2024-01-01", "a", 100), on("2026-01-01", "a", 200)],
    )
    page = show(settings)
    assert len([tag for tag, attrs in page.tags if tag == "div" and attrs.get("class") == "period"]) == 2
    # 2024 has 366 days and 2025 has 365: 731 from one capture to the other, 730 between them.
    assert "730 days before 1 Jan 2026" in page.text


def test_tiers_are_the_held_ones_and_those_of_every_scheme(settings: Settings) -> None:
    spell: Row = {"platform": "instagram", "account_id": "a", "scheme": "standard"}
    world(
        settings,
        dim_account_tier_history=[
            spell | {"valid_from": "2026-01-01", "valid_to": "2026-02-01", "tier": "below", "direction": "entry",
                     "days_in_tier": 31},
            spell | {"valid_from": "2026-02-01", "tier": "nano", "previous_tier": "below", "direction": "up"},
        ],
        fct_account_tier_daily=[
            {"platform": "instagram", "account_id": "a", "snapshot_date": DAYS[-1], "scheme": "kol", "tier": "micro"}
        ],
    )  # fmt: skip
    page = show(settings)
    assert "Nano 1 Feb 2026 still held – ↑ up" in page.text
    assert "Below the lowest tier 1 Jan 2026 1 Feb 2026 31 first seen in it" in page.text
    assert "Micro kol" in page.text


def test_the_percentile_names_its_peers(settings: Settings) -> None:
    world(
        settings,
        fct_account_engagement_daily=[
            engaged(er_followers_median_30=0.04, er_followers_median_30_posts=5, denominator_basis="mixed",
                    reach_coverage=0.0),
            # Later, but nothing stands on posts any more: the earlier day is the one to show.
            engaged(snapshot_date="2026-06-01", posts_in_window=0),
        ],
        fct_account_benchmark_daily=[
            {"platform": "instagram", "account_id": "a", "snapshot_date": day, "tier": "nano", "er_percentile": percentile,
             "benchmark_niche": "*", "benchmark_country": "*", "benchmark_account_count": 64}
            for day, percentile in (("2026-02-01", 82.4), ("2026-06-01", 11.0))
        ],
        fct_tier_benchmark_daily=[
            {"platform": "instagram", "scheme": "standard", "tier": "nano", "niche": "*", "country": "*", "account_count": 64,
             "snapshot_date": "2026-02-01",
             **{f"er_followers_median_30_{name}": value for name, value in PEERS.items()}}
        ],
    )  # fmt: skip
    page = show(settings)
    assert "On 1 Feb 2026, over the 5 posts then" in page.text
    assert "at publication where captured, else of that day" in page.text
    assert "4.00\u202f% median of 5 posts" in page.text
    assert "82 of 100, among 64 nano accounts, all niches, all countries" in page.text
    (own,) = (attrs["style"] for tag, attrs in page.tags if tag == "i" and attrs.get("class") == "own")
    # The scale ends at 8 %: 4 % is its middle.
    assert own == "left:50.0%"


def test_without_posts_no_rate_is_known(settings: Settings) -> None:
    world(settings, fct_account_engagement_daily=[engaged(posts_in_window=0)])
    page = show(settings)
    assert "so no rate is known" in page.text
    assert "No post of this account has been captured." in page.text


def test_posts_show_their_last_capture_and_what_is_hidden(settings: Settings) -> None:
    def post(name: str, day: str, likes: int | None, **more: Any) -> Row:
        return {
            "platform": "instagram",
            "account_id": "a",
            "post_id": name,
            "snapshot_date": day,
            "likes": likes,
            **more,
        }

    world(
        settings,
        fct_post_daily=[
            post("p1", "2026-01-01", 5, comments=1, published_at="2025-12-30 10:00:00"),
            post("p1", "2026-01-02", 7, comments=2, published_at="2025-12-30 10:00:00", is_sponsored=True),
            post("p2", "2026-01-02", None, comments=0, published_at="2026-01-01 10:00:00"),
            {**post("p3", "2026-01-02", 99), "account_id": "b"},
        ],
    )
    page = show(settings)
    assert "All 2 posts" in page.text
    assert (
        "1 Jan 2026, 10:00 – – 0 – – – 2 Jan 2026 p2 30 Dec 2025, 10:00 – 7 2 – – – 2 Jan 2026 sponsored p1"
        in page.text
    )


def test_what_is_simulated_is_said(settings: Settings) -> None:
    world(settings)
    assert "Simulated data" not in show(settings).text
    other = settings.model_copy(update={"data": settings.data / "other"})
    publish(
        other,
        dim_account=[account("a", data_origin="simulated")],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on("2026-01-01", "a", 1, data_origin="simulated"), on("2026-01-02", "a", 2)],
    )
    assert "made up: who the account is; its counts on 1 of 2 days." in show(other).text


def test_hostile_text_is_text_and_nothing_runs_or_loads(settings: Settings) -> None:
    publish(
        settings,
        dim_account=[account("../../x", display_name=HOSTILE, handle=HOSTILE, niche=HOSTILE)],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on("2026-01-01", "../../x", 1, tier=HOSTILE, followers_null_reason=HOSTILE)],
    )
    path = build_account(settings, "instagram", "../../x")
    assert path.parent == settings.reports / "accounts"
    page = Page(path.read_text(encoding="utf-8"))
    assert not [tag for tag, attrs in page.tags if tag in ("script", "img") or "onerror" in attrs]
    policy = next(attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


@pytest.mark.parametrize("account_id", ["../../etc/passwd", "..", "a/b", "a\\b", "%2e", "ä", "a b"])
def test_a_file_name_is_one_name(account_id: str) -> None:
    name = file_name("youtube", account_id)
    assert Path(name).name == name
    assert file_name("youtube", account_id + "x") != name


def test_a_monstrous_id_is_refused() -> None:
    with pytest.raises(NoSuchAccount, match="180 characters"):
        file_name("youtube", "x" * 300)


def test_an_unknown_account_is_met_with_near_ones(settings: Settings) -> None:
    world(settings)
    with pytest.raises(NoSuchAccount) as refused:
        build_account(settings, "instagram", "@Ann.Bake")
    lines = str(refused.value).split("\n")
    assert lines[0] == "no account @Ann.Bake on instagram in the published marts."
    # The one of that platform first; the handle of another platform's account is as near, but it is another platform.
    assert lines[2] == "  make account PLATFORM=instagram ID=a  (ann.bakes · Ann)"
    assert "  make account PLATFORM=tiktok ID=c  (ann.bakes · Cy)" in lines


def test_an_account_that_nobody_captured_has_no_page_and_is_near_to_none(settings: Settings) -> None:
    named = account("ann", handle="ann.bakes", first_seen_date=None, last_seen_date=None)
    world(settings, dim_account=[account("a", handle="ann.bakes"), named])
    with pytest.raises(NoSuchAccount) as refused:
        build_account(settings, "instagram", "ann")
    assert [line for line in str(refused.value).split("\n") if "ID=" in line] == [
        "  make account PLATFORM=instagram ID=a  (ann.bakes · A)"
    ]


def test_an_account_like_no_other_is_said_so(settings: Settings) -> None:
    world(settings)
    with pytest.raises(NoSuchAccount, match="None of its 3 accounts has an id or handle like it"):
        build_account(settings, "instagram", "zzzzzzzz")


def test_a_suggestion_cannot_speak_to_the_terminal_or_the_shell(settings: Settings) -> None:
    publish(
        settings,
        dim_account=[account("ann; rm -rf /", display_name="\x1b[2Jann")],
        dim_tier_scheme=STANDARD,
        fct_account_daily=[on("2026-01-01", "ann; rm -rf /", 1)],
    )
    with pytest.raises(NoSuchAccount) as refused:
        build_account(settings, "instagram", "ann; rm -rf")
    assert "ID='ann; rm -rf /'  (?[2Jann)" in str(refused.value)


def test_without_a_release_it_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(NoSuchAccount, match="run `make nightly` first"):
        build_account(settings, "instagram", "a")


def test_the_command_prints_where_the_page_is(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    groundswell: Callable[..., int],
) -> None:
    world(settings)
    monkeypatch.setattr("ingestion.config.get_settings", lambda: settings)
    assert groundswell("account", "instagram", "a") == 0
    assert f"account page: {settings.reports / 'accounts' / 'instagram_a.html'}" in capsys.readouterr().out
    assert groundswell("account", "instagram", "nobody") == 1
    assert "no account nobody on instagram" in capsys.readouterr().err
    assert groundswell("account", "", "") == 2
    assert "make account PLATFORM=youtube ID=UC..." in capsys.readouterr().err


def test_the_page_says_verdict_score_and_what_is_unexplained_since_when(settings: Settings) -> None:
    trust = {"platform": "instagram", "account_id": "a"}
    flags = [
        {**trust, "signal": "burst", "window_start": "2026-01-20", "window_end": "2026-01-21", "points": 30,
         "first_flagged": "2026-01-21", "explanation": "+2,000 followers in one day."},
        {**trust, "signal": "burst", "window_start": "2026-01-10", "window_end": "2026-01-11", "points": 30,
         "first_flagged": "2026-01-11", "ended_on": "2026-01-15", "explanation": "explained since"},
    ]  # fmt: skip
    verdict = {**trust, "snapshot_date": "2026-02-01", "verdict": "watch", "trust_score": 65, "unexplained_share": 0.25,
               "unexplained_share_least": 0.1, "unexplained_share_most": 0.31, "coverage_reason": "no_views_no_posts"}  # fmt: skip
    unseen = {**trust, "snapshot_date": "2026-02-02", "verdict": "insufficient_data"}
    world(settings, fct_follower_trust_daily=[verdict, unseen], fct_follower_flag=flags)
    text = show(settings).text.replace("\u202f", " ")
    assert "Read from public counts on 1 Feb 2026" in text
    assert "neither views nor posts of the time are known" in text
    assert "worth a look" in text
    assert "Score, of 100 65" in text
    assert "25 % 10 % to 31 % of today's Since 21 Jan 2026" in text
    assert "+2,000 followers in one day." in text
    assert "explained since" not in text


def test_a_page_without_a_verdict_has_no_word_of_trust(settings: Settings) -> None:
    world(settings)
    assert not [attrs for tag, attrs in show(settings).tags if attrs.get("id") == "trust"]
