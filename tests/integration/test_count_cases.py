"""Situations from public bug reports about counts and names, run as two nights: what is right, worked by hand."""

from datetime import date

import duckdb
import pytest

from ingestion.config import Settings
from tests.conftest import digits

from . import night, small
from .conftest import reading

pytestmark = pytest.mark.usefixtures("accounts_alone")

ACCOUNTS = "platform,account_id,captured_at,followers,handle,niche,country\n"
POSTS = "platform,post_id,account_id,captured_at,published_at,likes,comments,views\n"


def rows(header: str, *lines: str) -> str:
    return header + "\n".join(lines) + "\n"


# A crawl at 18:30 in Chicago: over midnight UTC twice a year, 1,200 followers more at each.
SPRING = {
    "2026-03-06T00:30": 10_000,
    "2026-03-07T00:30": 11_200,
    "2026-03-08T00:30": 12_400,
    "2026-03-08T23:30": 13_600,
}
AUTUMN = {"2025-10-31T23:30": 20_000, "2025-11-01T23:30": 21_200, "2025-11-03T00:30": 22_400}
# One day's count is a 0, another's has lost its unit.
UNREAD = {"gone": (50_200, 0, 50_300), "misread": (9_160_000, 916, 9_160_000)}
HIDDEN = {"kim": "-1", "lea": "3", "mia": "hidden"}

FIRST_NIGHT = {
    "account_snapshots/first_2026-03-05.csv": rows(
        ACCOUNTS,
        "instagram,111,2026-03-05T06:00:00Z,5000,kim.old,food,FR",
        "instagram,222,2026-03-05T06:00:00Z,7000,lea,,",
        "tiktok,111,2026-03-05T06:00:00Z,9000,other,,",
        *(f"youtube,autumn,{at}:00Z,{followers},,," for at, followers in AUTUMN.items()),
    ),
    # Of a system of one's own, and long before.
    "accounts/crm_2026-01-01.csv": (
        "platform,account_id,handle,niche,updated_at\ninstagram,111,kim.old,beauty,2026-01-01T00:00:00Z\n"
    ),
}
SECOND_NIGHT = {
    "account_snapshots/second_2026-03-20.csv": rows(
        ACCOUNTS,
        "instagram,111,2026-03-20T06:00:00Z,5100,kim.new,fashion,DE",
        "instagram,222,2026-03-20T06:00:00Z,7100,kim.old,,",
        "tiktok,111,2026-03-20T06:00:00Z,9100,other,,",
        *(f"youtube,spring,{at}:00Z,{followers},,," for at, followers in SPRING.items()),
        *(
            f"tiktok,{account},2026-03-0{number}T06:00:00Z,{followers},,,"
            for account, counts in UNREAD.items()
            for number, followers in zip((5, 6, 7), counts, strict=True)
        ),
        *(f"instagram,{account},2026-03-20T06:00:00Z,20000,,," for account in HIDDEN),
    ),
    "post_snapshots/posts_2026-03-20.csv": rows(
        POSTS,
        *(
            f"instagram,{account}-{number:02d},{account},2026-03-20T06:00:00Z,2026-03-{number:02d}T06:00:00Z,{likes},30,9000"
            for account, likes in HIDDEN.items()
            for number in range(1, 13)
        ),
    ),
}


def bring(settings: Settings, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = settings.landing / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = small.world(tmp_path_factory.mktemp("cases"), "cases")
    bring(settings, FIRST_NIGHT)
    night.run(settings, "first", date(2026, 3, 5))
    bring(settings, SECOND_NIGHT)
    night.run(settings, "second", date(2026, 3, 20))
    return settings


@pytest.fixture
def marts(world: Settings) -> "duckdb.DuckDBPyConnection":
    with reading(world) as connection:
        yield connection


def test_a_renamed_account_has_its_new_handle_and_the_other_attributes_of_the_feed(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    assert marts.execute(
        "select platform, account_id, handle, niche, country from marts.dim_account"
        " where account_id in ('111', '222') order by 1, 2"
    ).fetchall() == [
        # A row of January names him still, and has his niche; of a country it says nothing.
        ("instagram", "111", "kim.new", "beauty", "DE"),
        ("instagram", "222", "kim.old", None, None),
        ("tiktok", "111", "other", None, None),
    ]


def test_a_crawl_over_midnight_is_measured_by_the_hours_between(marts: duckdb.DuckDBPyConnection) -> None:
    found = marts.execute(
        "select account_id, cast(snapshot_date as varchar), followers_change_per_day from marts.fct_account_daily"
        " where account_id in ('spring', 'autumn') and followers_change_per_day is not null order by 1, 2"
    ).fetchall()
    assert found == [
        ("autumn", "2025-11-01", 1200.0),
        # 1,200 in 25 hours; the 2nd has no capture in UTC.
        ("autumn", "2025-11-03", digits(1200 * 24 / 25)),
        ("spring", "2026-03-07", 1200.0),
        # The last capture of the 8th lies 47 hours after that of the 7th.
        ("spring", "2026-03-08", digits(2400 * 24 / 47)),
    ]


def test_a_count_of_0_or_without_its_unit_is_no_loss(marts: duckdb.DuckDBPyConnection) -> None:
    found = marts.execute(
        "select account_id, day(snapshot_date), followers, followers_null_reason, followers_held, followers_change_per_day"
        " from marts.fct_account_daily where account_id in ('gone', 'misread') and day(snapshot_date) > 5 order by 1, 2"
    ).fetchall()
    assert found == [
        ("gone", 6, None, "implausible", 0, None),
        ("gone", 7, 50_300, None, None, 50.0),
        ("misread", 6, None, "implausible", 916, None),
        ("misread", 7, 9_160_000, None, None, 0.0),
    ]


def test_hidden_likes_are_unknown_however_they_are_written(marts: duckdb.DuckDBPyConnection) -> None:
    posts = marts.execute(
        "select distinct account_id, likes, likes_null_reason, comments, views from marts.fct_post_daily order by 1"
    ).fetchall()
    # Three is what was captured; that it is no count shows beside the account's other posts.
    assert posts == [("kim", None, "hidden", 30, 9000), ("lea", 3, None, 30, 9000), ("mia", None, "hidden", 30, 9000)]
    rates = marts.execute(
        "select account_id, posts_in_window, er_followers_mean_12, er_views_median_30"
        " from marts.fct_account_engagement_daily where account_id in ('kim', 'lea', 'mia') order by 1"
    ).fetchall()
    assert rates == [(account, 12, None, None) for account in HIDDEN]
