"""The first night of an empty folder: the sample world through the real DAG, held against what is planted in it."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest

from ingestion.config import PROJECT_DIR
from tests.unit.serving.test_report import Page, assert_runs_our_script_alone
from tests.unit.serving.test_report_first import KITCHEN

from .conftest import Night, reading

TRUTHS = list(csv.DictReader((PROJECT_DIR / "sample" / "truth.csv").open(encoding="utf-8")))
LAST_DAY = date(2023, 10, 31)


def truths(*facts: str) -> list[dict[str, str]]:
    return [row for row in TRUTHS if row["fact"] in facts]


@pytest.fixture(scope="module")
def marts(world_night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    assert world_night.code == 0, world_night.printed
    with reading(world_night.settings) as connection:
        yield connection


def test_an_empty_folder_takes_the_world_and_says_what_setting_up_took(world_night: Night) -> None:
    assert world_night.code == 0, world_night.printed
    assert "landing was empty: copied the bundled sample, 21 files" in world_night.printed
    assert re.search(
        r"^set up Airflow's own database and dbt's reading of its project, once: \d+ s$",
        world_night.printed,
        re.MULTILINE,
    )
    assert re.search(r"^took +\d+ s$", world_night.printed, re.MULTILINE)
    assert "nightly for 2023-10-31" in world_night.printed


def test_the_days_are_unbroken_and_the_last_is_whole(marts: duckdb.DuckDBPyConnection) -> None:
    days = marts.execute(
        "select min(snapshot_date), max(snapshot_date), count(distinct snapshot_date) from marts.fct_account_daily"
    ).fetchone()
    assert days == (date(2023, 7, 4), LAST_DAY, 120)
    by_platform = marts.execute(
        "select platform, count(*), count(followers) from marts.fct_account_daily where snapshot_date = $day"
        " group by platform",
        {"day": LAST_DAY},
    ).fetchall()
    assert {platform for platform, _, _ in by_platform} == {"bluesky", "instagram", "tiktok", "youtube"}
    assert all(known >= 0.98 * rows for _, rows, known in by_platform)


def wrong_verdicts(verdicts: dict[str, tuple[Iterable[str], Iterable[str]]]) -> set[str]:
    """Accounts whose verdicts since what was planted in them began contradict it.

    Only what is clear is held: followers bought where views show that nobody looked, likes bought where views show the
    same, and who is honest.

    Args:
        verdicts: on the audience and on the engagement, of each account.
    """
    found = set()
    for row in truths("purchase", "look_alike", "misread"):
        audience, engagement = (set(each) for each in verdicts[row["subject"]])
        if row["is_bought"] == "false":
            is_right = "suspicious" not in audience | engagement
        elif "likes" in row["words"] and row["platform"] == "tiktok":
            is_right = bool(engagement & {"suspicious", "watch"})
        elif row["has_views"] == "true":
            is_right = bool(audience & {"suspicious", "watch"})
        else:
            continue
        if not is_right:
            found.add(row["subject"])
    return found


def test_verdicts_agree_with_what_is_planted(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select account_id, list(distinct verdict), list(distinct engagement_verdict)"
        " from marts.fct_follower_trust_daily where account_id like 'sim-%-02__'"
        " and snapshot_date > date '2023-10-31' - 14 group by account_id"
    ).fetchall()
    verdicts = {account: (audience, engagement) for account, audience, engagement in rows}
    assert wrong_verdicts(verdicts) == set()


def test_a_wrong_verdict_is_found() -> None:
    """The same test, where everybody is trusted, and where everybody is suspicious."""
    trusted = {row["subject"]: (["trusted"], ["trusted"]) for row in TRUTHS}
    bought = {"sim-yt-0201", "sim-yt-0202", "sim-yt-0203", "sim-yt-0204", "sim-tt-0210"}
    assert wrong_verdicts(trusted) == bought
    suspicious = {row["subject"]: (["suspicious"], ["trusted"]) for row in TRUTHS}
    honest = {"sim-yt-0212", "sim-tt-0213", "sim-ig-0214", "sim-yt-0215", "sim-ig-0216"}
    assert wrong_verdicts(suspicious) == {*honest, "sim-tt-0210"}


def test_hardly_a_real_channel_is_suspicious(marts: duckdb.DuckDBPyConnection) -> None:
    """Those that jumped are left out of the world; of the others one in a hundred is a model's error at most."""
    ((suspicious, channels),) = marts.execute(
        "select count(distinct account_id) filter (verdict = 'suspicious'), count(distinct account_id)"
        " from marts.fct_follower_trust_daily where data_origin = 'observed'"
    ).fetchall()
    assert channels >= 200
    assert suspicious <= channels / 100


def test_returns_agree_with_the_makers_books(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select campaign_id, spend_base, net_revenue_base, roi_net from marts.fct_campaign_roi"
        " where attribution_model = 'code_or_last_click' and campaign_id in (select campaign_id from marts.dim_campaign)"
    ).fetchall()
    found = {campaign: figures for campaign, *figures in rows}
    for row in truths("campaign_return"):
        spend, net_revenue, roi = (float(figure) for figure in found[row["subject"]])
        # The books are kept in cents.
        assert spend == pytest.approx(float(row["spend"]), abs=0.05), row["subject"]
        assert net_revenue == pytest.approx(float(row["net_revenue"]), abs=0.05), row["subject"]
        assert roi == pytest.approx(float(row["roi"]), abs=0.0002), row["subject"]


def test_what_else_is_planted_is_where_it_was_put(marts: duckdb.DuckDBPyConnection) -> None:
    (leak,) = truths("leaked_code")
    leaks = marts.execute("select promo_code, activity_date from marts.fct_promo_code_daily where is_leak").fetchall()
    assert leaks == [(leak["subject"], date.fromisoformat(leak["first_day"]))]
    (outage,) = truths("outage")
    unknown = marts.execute(
        "select count(*) from marts.fct_account_daily where platform = 'tiktok' and snapshot_date = $day"
        " and followers is null",
        {"day": outage["first_day"]},
    ).fetchall()
    assert unknown == [(int(outage["size"]),)]
    (late,) = truths("late_file")
    came = marts.execute(
        "select count(*) > 0 from marts.fct_account_daily where platform = 'bluesky' and snapshot_date = $day",
        {"day": late["first_day"]},
    ).fetchall()
    assert came == [(True,)]
    (changed,) = truths("changed_agreement")
    versions = marts.execute(
        "select rule_id from marts.dim_collaboration_version where collaboration_id = $name order by valid_from",
        {"name": changed["subject"]},
    ).fetchall()
    assert versions == [("sim-r10",), ("sim-r15",)]


def page_of(night: Night, name: str) -> Page:
    return Page((night.settings.reports / name).read_text(encoding="utf-8"))


def test_the_report_answers_a_marketer_first(world_night: Night) -> None:
    """All on the first screen, in the order of the questions, all campaigns in a table, no word of the kitchen."""
    page = page_of(world_night, "index.html")
    first = page.text[: page.text.index("What the money returned")]
    assert re.search(r"[\d,]+ USD out, [\d,]+ back: ROI [−+]\d+\.\d\u202f%", first)
    asked = (
        "Best campaigns",
        "Worst campaigns",
        "Creators to keep",
        "Creators to question",
        "look bought",
        "Moved since",
    )
    places = [first.index(question, first.index("Money out")) for question in asked]
    assert places == sorted(places)
    planted = {row["subject"] for row in truths("campaign_return")}
    assert {row[0][1] for row in page.data["campaigns"]["rows"]} == planted | {"(always-on)"}
    assert len(page.data["creators"]["rows"]) > 500
    for_people, _, for_engineers = page.text.partition("For engineers: ")
    # Two are people's: somebody's name, and a series that releases on a schedule.
    assert set(KITCHEN.findall(for_people.replace("For engineers", ""))) <= {"runs", "releases"}
    assert for_engineers
    assert (world_night.settings.reports / "index.html").stat().st_size < 1_500_000
    assert_runs_our_script_alone(page)


def test_every_link_of_the_report_leads_somewhere(world_night: Night) -> None:
    """On the report, on the page of checks, on each account's page and in Data Docs."""
    pages = sorted(world_night.settings.reports.rglob("*.html"))
    assert {"index.html", "quality.html"} <= {page.name for page in pages}
    assert any(page.parent.name == "accounts" for page in pages)
    assert {link for page in pages for link in dead_links(page)} == set()


def dead_links(path: Path) -> set[str]:
    """Links of a page to a file or a part of it that is not there."""
    page = Page(path.read_text(encoding="utf-8"))
    ids = {attrs["id"] for _, attrs in page.tags if attrs.get("id")}
    links = {attrs["href"] or "" for tag, attrs in page.tags if tag == "a" and "href" in attrs}
    inside = {link for link in links if len(link) > 1 and link[0] == "#" and link[1:].partition("?")[0] not in ids}
    local = {link for link in links if not re.match(r"#|[a-z]+:", link)}
    return inside | {link for link in local if not (path.parent / unquote(re.split("[#?]", link)[0])).exists()}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """Negative test."""
    (tmp_path / "there.html").write_text("")
    page = tmp_path / "page.html"
    page.write_text("<p id=a></p><a href='#a'></a><a href='#b'></a><a href='there.html#x'></a><a href='gone.html'></a>")
    assert dead_links(page) == {"#b", "gone.html"}
