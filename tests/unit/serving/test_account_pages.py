"""The accounts' pages of a night: whom they are of, where the report links them, what they warn of, and who is gone."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import Settings
from serving.report import accounts
from serving.report.build import build_report

from .hand_made import STANDARD, Row, account, columns_by_mart, on, publish
from .test_account_page import engaged
from .test_report import HOSTILE, Page

DAY = "2026-03-01"
# Releases name it in either way.
RAISED = next(name for name in ("first_flagged", "first_raised_date") if name in columns_by_mart()["fct_follower_flag"])


def latest(account_id: str, **more: Any) -> Row:
    """A row of fct_account_latest: nothing speaks against it and nobody paid it, unless the test says so."""
    return {
        "platform": "instagram", "account_id": account_id, "verdict": "trusted", "engagement_verdict": "trusted",
        "collaborations": 0, **more,
    }  # fmt: skip


def verdict(account_id: str, **more: Any) -> Row:
    """A verdict of the last day."""
    return {
        "platform": "instagram", "account_id": account_id, "snapshot_date": DAY, "verdict": "trusted",
        "trust_score": 100, "engagement_verdict": "trusted", "engagement_score": 100, **more,
    }  # fmt: skip


def flag(account_id: str, start: str, end: str, **more: Any) -> Row:
    """Evidence against the followers, seen on the last day that it covers."""
    return {
        "platform": "instagram", "account_id": account_id, "signal": "burst", "side": "audience", "points": 30,
        "window_start": start, "window_end": end, RAISED: end, "explanation": f"came {start}", **more,
    }  # fmt: skip


def agreed(name: str, account_id: str, **more: Any) -> Row:
    """A collaboration."""
    return {
        "collaboration_id": name, "platform": "instagram", "account_id": account_id, "campaign_id": "C1",
        "brand": "tidewell", "partner_type": "paid", "start_date": "2026-01-01", "posts_agreed": 2,
        "posts_delivered": 1, **more,
    }  # fmt: skip


def returned(name: str, account_id: str, spend: float | None, revenue: float, roi: float | None) -> Row:
    """What a collaboration returned under the model that the report shows."""
    return {
        "collaboration_id": name, "attribution_model": "linear", "platform": "instagram", "account_id": account_id,
        "base_currency": "USD", "spend_base": spend, "net_revenue_base": revenue, "roi_net": roi, "orders": 4,
        "as_of_date": DAY, "cost_entries": 1, "unrated_costs": 0, "missing_fees": 0, "unvalued_orders": 0,
        "uncosted_orders": 0, "posts": 0, "posts_with_emv": 0, "posts_with_early_emv": 0, "has_orders_landed": True,
        "is_campaign_unknown": False, "is_attribution_open": spend is None, "is_refund_possible": False,
    }  # fmt: skip


def world(settings: Settings, **more: list[Row]) -> None:
    """`bought` looks bought, `watched` is worth a look, `old` had a flag, `paid` is paid, `other` is none of these."""
    names = ("bought", "watched", "old", "paid", "other")
    base: dict[str, list[Row]] = {
        "dim_account": [account(name) for name in names],
        "dim_tier_scheme": STANDARD,
        "fct_account_daily": [
            on(day, name, followers, tier="nano") for name in names for day, followers in (("2026-02-28", 5_000), (DAY, 5_500))
        ],
        "fct_account_latest": [
            latest("bought", verdict="suspicious", spend_base=1),
            latest("watched", engagement_verdict="watch"),
            latest("old"),
            latest("paid", collaborations=1),
            latest("other"),
        ],
        "fct_follower_trust_daily": [
            verdict("bought", verdict="suspicious", trust_score=30),
            verdict("watched", engagement_verdict="watch", engagement_score=60),
            *(verdict(name) for name in ("old", "paid", "other")),
        ],
        "fct_follower_flag": [flag("bought", "2026-02-01", "2026-02-03"), flag("old", "2025-01-01", "2025-01-02")],
        "dim_collaboration": [agreed("K1", "paid"), agreed("K2", "paid", start_date="2026-02-01")],
        "fct_collaboration_roi": [returned("K1", "paid", 100, 250, 1.5), returned("K2", "paid", 300, 150, -0.5)],
        "dim_campaign": [{"campaign_id": "C1", "campaign_name": "Spring"}],
        "dim_account_price": [
            {"platform": "instagram", "account_id": "paid", "followers": 5_500, "price_base": 200, "price_low_base": 100,
             "price_high_base": 300, "price_basis": "observed", "price_source": "spend on 2 posts", "base_currency": "USD"}
        ],
    }  # fmt: skip
    publish(settings, **(base | more))


def pages(settings: Settings) -> dict[str, Page]:
    """What the night writes, by the account."""
    build_report(settings, "run-1", lambda line: None)
    files = (settings.reports / "accounts").glob("*.html")
    return {file.stem.removeprefix("instagram_"): Page(file.read_text(encoding="utf-8")) for file in files}


def links(settings: Settings) -> set[str | None]:
    index = Page((settings.reports / "index.html").read_text(encoding="utf-8"))
    return {
        attrs["href"] for tag, attrs in index.tags if tag == "a" and (attrs.get("href") or "").startswith("accounts/")
    }


def test_watched_flagged_and_paid_accounts_have_a_page_and_others_none(settings: Settings) -> None:
    world(settings)
    assert set(pages(settings)) == {"bought", "watched", "old", "paid"}


def test_the_report_links_each_page_that_there_is_and_no_other(settings: Settings) -> None:
    movers = [
        on(day, name, followers, tier="nano", followers_change_per_day=change, gap_days=1, gap_hours=24)
        for name in ("bought", "paid", "other")
        for day, followers, change in (("2026-02-28", 5_000, None), (DAY, 5_500, 500))
    ]
    world(settings, fct_account_daily=movers)
    made = pages(settings)
    found = links(settings)
    assert found >= {"accounts/instagram_bought.html", "accounts/instagram_paid.html"}
    assert all((settings.reports / str(link)).is_file() for link in found)
    assert "other" not in made
    assert "OTHER" in Page((settings.reports / "index.html").read_text()).text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bought", "Its followers look bought , as of 1 Mar 2026. It is not recommended"),
        ("watched", "Its likes and comments are worth a look , as of 1 Mar 2026. It is not recommended"),
    ],
)
def test_who_is_watched_or_suspicious_is_never_recommended(settings: Settings, name: str, said: str) -> None:
    world(settings)
    made = pages(settings)
    assert said in made[name].text
    assert "not recommended" not in made["paid"].text


def test_a_high_rate_of_a_watched_account_is_called_no_merit(settings: Settings) -> None:
    rates = [engaged(account_id=name, er_followers_median_30=0.3) for name in ("watched", "bought", "paid")]
    world(settings, fct_account_engagement_daily=rates)
    made = pages(settings)
    assert "A high rate is no merit here:" in made["watched"].text
    assert "A rate per follower says little here:" in made["bought"].text
    assert "here:" not in made["paid"].text


def test_flags_say_what_became_of_them_and_stand_in_the_curve(settings: Settings) -> None:
    days = [on(f"2026-02-{day:02}", "bought", 5_000 + day) for day in range(1, 29)] + [on(DAY, "bought", 5_100)]
    flags = [
        flag("bought", "2026-02-03", "2026-02-04"),
        flag("bought", "2026-02-05", "2026-02-06", signal="drip", points=20),
        flag("bought", "2026-02-15", "2026-02-16", misread_on="2026-02-20"),
        flag("bought", "2026-02-21", "2026-02-28", side="engagement", explanation="likes without views"),
        flag("bought", "2025-11-01", "2025-11-02"),
    ]
    world(settings, fct_account_daily=days, fct_follower_flag=flags)
    page = pages(settings)["bought"]
    assert "3 Feb 2026 to 4 Feb 2026 followers 30 weighs came 2026-02-03" in page.text
    assert "a misread, known on 20 Feb 2026" in page.text
    assert "1 Nov 2025 to 2 Nov 2025 followers 30 over 90 days old" in page.text
    assert "Since 4 Feb 2026" in page.text
    drawn = [(attrs["class"], attrs["x"], attrs["width"]) for tag, attrs in page.tags if tag == "rect"]
    # 29 days on 1000: a day is 34.48. The 3rd to the 6th, which touch, are one: from 68.97, 137.93 wide. The 15th and
    # 16th begin at 482.76. The last flag is about likes, and that of November lies before the curve.
    assert drawn == [("window explained", "482.8", "69.0"), ("window flagged", "69.0", "137.9")]


@pytest.mark.parametrize(("evaluated", "state"), [("2026-02-20", "weighs"), (DAY, "explained on 25 Feb 2026")])
def test_an_explained_flag_is_said_to_be_when_the_release_knows_it(
    settings: Settings, evaluated: str, state: str
) -> None:
    """Columns that a release may have: when evidence was first seen, when it ended, and what is unexplained."""
    world(
        settings,
        fct_account_daily=[on(day, "bought", 5_000, tier="nano") for day in ("2026-02-20", DAY)],
        fct_follower_trust_daily=[verdict("bought", verdict="suspicious", snapshot_date=evaluated)],
    )
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        if RAISED != "first_flagged":
            marts.execute("alter table marts.fct_follower_flag rename first_raised_date to first_flagged")
        marts.execute("alter table marts.fct_follower_flag add column if not exists ended_on date")
        marts.execute("update marts.fct_follower_flag set ended_on = '2026-02-25'")
        marts.execute("alter table marts.fct_follower_trust_daily add column if not exists unexplained_share double")
        marts.execute("update marts.fct_follower_trust_daily set unexplained_share = 0.25")
    page = pages(settings)["bought"]
    assert f"followers 30 {state}" in page.text
    assert "Unexplained followers, 400 days 25\u202f%" in page.text


def test_the_unexplained_share_is_left_out_of_a_release_without_it(settings: Settings) -> None:
    world(settings)
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        held = {row[0] for row in marts.execute("describe marts.fct_follower_trust_daily").fetchall()}
    shown = "Unexplained followers" in pages(settings)["bought"].text
    assert shown == ("unexplained_share" in held)


def test_price_and_returns_are_those_of_its_collaborations(settings: Settings) -> None:
    world(settings)
    text = pages(settings)["paid"].text
    assert "A post costs about 200.00 USD , from 100.00 to 300.00: what its own posts cost (spend on 2 posts)." in text
    # 100 and 300 spent brought 250 and 150: 400 for 400.
    assert "Spend, USD 400.00 2 collaborations" in text
    assert "Net revenue 400.00 8.0 credited orders" in text
    assert "ROI 0.0\u202f% up to 1 Mar 2026" in text
    assert text.index("1 Feb 2026, open") < text.index("1 Jan 2026, open")
    assert "Spring tidewell K2 paid 1 Feb 2026, open 1 of 2 agreed 300.00 4.0 150.00 −50.0\u202f% –" in text


def test_one_unknown_part_leaves_the_total_unknown(settings: Settings) -> None:
    rows = [returned("K1", "paid", None, 250, None), returned("K2", "paid", 300, 150, -0.5)]
    world(settings, fct_collaboration_roi=rows)
    text = pages(settings)["paid"].text
    assert "Spend, USD unknown 2 collaborations" in text
    assert "ROI unknown" in text
    assert "attribution window still open" in text


def test_a_paid_account_that_was_never_captured_has_its_page(settings: Settings) -> None:
    """A podcast has agreements and no counts."""
    world(
        settings,
        dim_account=[account("pod", platform="web", first_seen_date=None, last_seen_date=None)],
        fct_account_latest=[latest("pod", platform="web", collaborations=1), latest("ghost", verdict="watch")],
        dim_collaboration=[agreed("K9", "pod", platform="web")],
    )
    build_report(settings, "run-1", lambda line: None)
    (file,) = (settings.reports / "accounts").iterdir()
    assert file.name == "web_pod.html"
    assert "It was never captured." in Page(file.read_text()).text


def test_more_accounts_than_pages_are_said_the_most_urgent_first(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(settings)
    monkeypatch.setattr(accounts, "MAX_PAGES", 2)
    said: list[str] = []
    build_report(settings, "run-1", said.append)
    assert {file.name for file in (settings.reports / "accounts").iterdir()} == {
        "instagram_bought.html", "instagram_watched.html",
    }  # fmt: skip
    assert "account pages: 2 of 4 accounts that look bought, are worth a look or are paid" in said
    assert (
        ", of 4 such, the most urgent and best paid first" in Page((settings.reports / "index.html").read_text()).text
    )


def test_an_erased_account_leaves_no_page_no_link_and_no_word(settings: Settings) -> None:
    """Erasure publishes marts without it; the night that follows removes what earlier ones and `make account` wrote."""
    world(settings)
    assert "bought" in pages(settings)
    (settings.published / "groundswell.duckdb").unlink()
    without = {
        mart: [row for row in rows if row.get("account_id") != "bought"]
        for mart, rows in {
            "dim_account": [account(name) for name in ("watched", "paid")],
            "fct_account_latest": [latest("watched", verdict="watch"), latest("paid", collaborations=1)],
        }.items()
    }
    world(
        settings,
        **without,
        fct_account_daily=[on(DAY, "watched", 5)],
        fct_follower_trust_daily=[],
        fct_follower_flag=[],
    )
    assert set(pages(settings)) == {"watched", "paid"}
    for file in Path(settings.reports).rglob("*"):
        assert "bought" not in file.name
        if file.is_file():
            assert "BOUGHT" not in file.read_text(encoding="utf-8")


def test_pages_are_written_only_when_they_changed(settings: Settings) -> None:
    world(settings)
    pages(settings)
    before = {file: file.stat().st_mtime_ns for file in (settings.reports / "accounts").iterdir()}
    pages(settings)
    assert {file: file.stat().st_mtime_ns for file in (settings.reports / "accounts").iterdir()} == before


@pytest.mark.parametrize("name", ["../../x", "a/b", "%2e", "x" * 300, "שלום", "a b"])
def test_an_id_is_never_a_path_and_its_link_leads_to_its_file(settings: Settings, name: str) -> None:
    world(
        settings,
        dim_account=[account(name, display_name=HOSTILE)],
        fct_account_latest=[latest(name, verdict="suspicious")],
        fct_account_daily=[on(DAY, name, 5_000, tier="nano")],
        fct_follower_trust_daily=[verdict(name, verdict="suspicious")],
        fct_follower_flag=[flag(name, "2026-02-01", "2026-02-03", explanation=HOSTILE)],
    )
    build_report(settings, "run-1", lambda line: None)
    folder = settings.reports / "accounts"
    files = list(folder.iterdir()) if folder.is_dir() else []
    # An id of which no file can be named has no page, and no link.
    assert len(files) == len(links(settings)) == (0 if len(name) == 300 else 1)
    for file in files:
        page = Page(file.read_text(encoding="utf-8"))
        assert not [tag for tag, attrs in page.tags if tag in ("script", "img") or "onerror" in attrs]


def test_a_release_of_older_code_has_its_report_and_no_pages(settings: Settings) -> None:
    world(settings)
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("drop table marts.fct_account_latest")
    assert pages(settings) == {}
    assert (settings.reports / "index.html").is_file()
