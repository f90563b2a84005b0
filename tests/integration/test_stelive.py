"""StelLive's files to the published marts, equal to a recomputation from the files with csv alone."""

import csv
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median

import duckdb
import pytest

from ingestion.config import PROJECT_DIR, Settings

from . import night
from .conftest import make_settings, reading

pytestmark = pytest.mark.usefixtures("accounts_alone")

FILES = PROJECT_DIR / "sample" / "landing" / "stelive"
# The manifest says that the videos' counts are those of noon (UTC) of this day; a video's date is noon at Seoul, 03:00
# UTC, so on this day a video is (15 April - its date) days and 9 hours old.
VIDEOS_DAY = date(2026, 4, 15)
LAST_DAY = date(2026, 8, 22)


def read(name: str) -> list[dict[str, str]]:
    with (FILES / name).open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse with these four files and nothing else, built in one pass up to their last day."""
    settings = make_settings(tmp_path_factory.mktemp("stelive") / "data")
    shutil.copytree(FILES, settings.landing / "stelive")
    assert night.run(settings, "stelive", LAST_DAY) is not None
    return settings


@pytest.fixture
def marts(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading(settings) as connection:
        yield connection


def test_each_row_that_was_read_is_accounted_for(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute("select file, rows_read, rows_accepted, rows_quarantined, state from marts.fct_landed_file")
    found = {Path(file).name: rest for file, *rest in rows.fetchall()}
    assert set(found) == {path.name for path in FILES.glob("*.csv")}
    for name, (rows_read, accepted, quarantined, state) in found.items():
        assert (rows_read, quarantined, state) == (len(read(name)), 0, "accepted"), name
        assert accepted <= rows_read


@pytest.mark.parametrize(
    ("platform", "file", "column"),
    [
        ("chzzk", "stelive_followers.csv", "follower_count"),
        ("youtube", "stelive_subscribers.csv", "subscriber_count"),
    ],
)
def test_followers_per_member_and_day(marts: duckdb.DuckDBPyConnection, platform: str, file: str, column: str) -> None:
    # The mapping's words: of several captures of a day the last line, and 0 is a placeholder.
    expected = {(row["member_id"], date.fromisoformat(row["date"])): int(row[column]) or None for row in read(file)}
    rows = marts.execute(
        "select account_id, snapshot_date, followers from marts.fct_account_daily where platform = ?", [platform]
    ).fetchall()
    found = {(account, day): followers for account, day, followers in rows}
    assert len(found) == len(rows)
    assert {key: followers for key, followers in found.items() if key in expected} == expected
    assert set(found) == set(expected)


def test_like_rate_per_member(marts: duckdb.DuckDBPyConnection) -> None:
    by_member: dict[str, list[tuple[date, str, float]]] = {}
    for row in read("stelive_videos.csv"):
        published = date.fromisoformat(row["published_at"])
        # 72 hours are over from the third day on (3 d 9 h); the 90th day is 9 hours too late, the 89th is not.
        if 3 <= (VIDEOS_DAY - published).days <= 89:
            rate = int(row["like_count"]) / int(row["view_count"])
            by_member.setdefault(row["member_id"], []).append((published, row["video_id"], rate))
    expected = {
        member: (median(rate for *_, rate in sorted(videos, reverse=True)[:30]), min(len(videos), 30))
        for member, videos in by_member.items()
    }
    rows = marts.execute(
        "select account_id, like_rate_views_median_30, like_rate_views_median_30_posts"
        " from marts.fct_account_engagement_daily where platform = 'youtube' and snapshot_date = ?",
        [VIDEOS_DAY],
    ).fetchall()
    found = {account: (rate, posts) for account, rate, posts in rows}
    assert len(expected) == 10
    assert set(found) == set(expected)
    for member, (rate, posts) in expected.items():
        # A mart says nine digits of a rate.
        assert found[member] == (pytest.approx(rate, rel=5e-9), posts), member


def test_without_comments_no_engagement_rate_is_known(marts: duckdb.DuckDBPyConnection) -> None:
    known = marts.execute(
        "select count(er_followers_mean_12), count(er_followers_median_30), count(er_views_median_30),"
        " count(er_reach_median_30), count(reach_rate_median_30), count(comments_per_week),"
        " count(like_rate_views_median_30)"
        " from marts.fct_account_engagement_daily"
    ).fetchone()
    assert known is not None
    assert known[:6] == (0, 0, 0, 0, 0, 0)
    assert known[6] >= 10


def test_nothing_of_it_is_simulated(marts: duckdb.DuckDBPyConnection) -> None:
    for mart in ("fct_account_daily", "fct_post_daily", "fct_account_engagement_daily"):
        assert marts.execute(f"select distinct data_origin from marts.{mart}").fetchall() == [("observed",)]
