"""Worlds worked by hand, to the last digit: who is in a window, what is divided by what, what stays unknown."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from ingestion.config import Settings
from tests.conftest import digits

from . import night
from .conftest import make_settings, reading

pytestmark = pytest.mark.usefixtures("accounts_alone")

DAY = date(2026, 4, 1)
NOON = datetime(2026, 4, 1, 12)
POST_COLUMNS = (
    "platform", "post_id", "account_id", "captured_at", "published_at", "content_type", "likes", "comments",
    "creator_replies", "views", "reach", "is_sponsored", "is_pinned", "is_collab", "hashtags", "mentions",
)  # fmt: skip
SECOND, HOUR, DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def post(account: str, name: str, age: timedelta, /, captured: datetime = NOON, **values: Any) -> dict[str, Any]:
    """A capture of a post that is so old at noon of the day, however long before that it was captured."""
    row = {"platform": "instagram", "post_id": f"{account}-{name}", "account_id": account, "captured_at": captured}
    return row | {"published_at": NOON - age, "comments": 0} | values


def edges() -> list[dict[str, Any]]:
    """14 posts of one account with 1,000 followers. What is out would be 10.0 each, what is in is told beside it."""
    out = {"likes": 9_990, "comments": 10}
    return [
        post("edges", "01", 72 * HOUR - SECOND, **out),  # a second too young
        post("edges", "02", 72 * HOUR, likes=90, comments=10),  # 0.1
        post("edges", "03", 73 * HOUR, likes=190, comments=10),  # 0.2
        post("edges", "04", 90 * DAYS, likes=290, comments=10),  # 0.3
        post("edges", "05", 90 * DAYS + SECOND, **out),  # a second too old
        post("edges", "06", 89 * DAYS, likes=390, comments=10),  # 0.4
        # The last seven days are the 26th of March to the 1st of April.
        post("edges", "07", 16 * DAYS, captured=NOON - 6 * DAYS, likes=490, comments=10),  # 0.5
        post("edges", "08", 16 * DAYS, captured=NOON - 7 * DAYS, **out),  # captured too long ago
        # 67 hours old when captured, 187 on the day.
        post("edges", "09", 187 * HOUR, captured=NOON - 5 * DAYS, likes=590, comments=10),  # 0.6
        # 88 days old when captured, 91 on the day.
        post("edges", "10", 91 * DAYS, captured=NOON - 3 * DAYS, **out),
        post("edges", "11", -5 * DAYS, **out),  # published in the future
        post("edges", "12", 5 * DAYS, **out, published_at=""),  # nobody knows when
        post("edges", "13", 20 * DAYS, likes=690, comments=10),  # 0.7
        # Its likes fall: the last capture counts.
        post("edges", "14", 10 * DAYS, captured=NOON - DAYS, **out),
        post("edges", "14", 10 * DAYS, likes=50, comments=10),  # 0.06
    ]


def others() -> list[dict[str, Any]]:
    old = NOON - 20 * DAYS
    return [
        # 31 posts of 0.01, 0.02 .. 0.31, the latest first.
        *(post("many", f"{n:02d}", (3 + n) * DAYS, likes=10 * n) for n in range(1, 32)),
        post("hidden", "a", 10 * DAYS, likes=100, comments=20, views=1_000, reach=600),
        post("hidden", "b", 11 * DAYS, comments=50, views=1_000),
        post("hidden", "c", 12 * DAYS, likes=300, comments=40, views=2_000),
        post("pinned", "a", 10 * DAYS, likes=100),
        post("pinned", "b", 11 * DAYS, likes=5_000, is_pinned="true"),
        post("pinned", "c", 12 * DAYS, likes=5_000, is_collab="true"),
        # 400 engagements each. Followers: 500 on 12 March 10:00, 800 on the 13th 10:00, 900 at 20:00, 2,000 on the day.
        post("basis", "a", NOON - datetime(2026, 3, 13, 12), likes=400),  # / 800, not the day's last 900: 0.5
        post("basis", "b", NOON - datetime(2026, 3, 13, 9), likes=400),  # / 500: 0.8
        post("basis", "c", NOON - datetime(2026, 3, 20, 20), likes=400),  # 7 days to the second, / 900: 4 / 9
        post("basis", "d", NOON - datetime(2026, 3, 20, 20) - SECOND, likes=400),  # / 900
        post("basis", "e", NOON - datetime(2026, 3, 20, 20) + SECOND, likes=400),  # a second more: / 2,000: 0.2
        post("unseen", "a", 10 * DAYS, likes=90, comments=10, views=1_000),
        post("zero", "a", 10 * DAYS, likes=90, comments=10, views=0, reach=0),
        post("paid", "a", 10 * DAYS, likes=100, is_sponsored="true", comments=10, creator_replies=1),
        post("paid", "b", 11 * DAYS, likes=300, is_sponsored="true", comments=20, creator_replies=5),
        post("paid", "c", 12 * DAYS, likes=200, is_sponsored="false"),
        post("paid", "d", 13 * DAYS, likes=410, is_sponsored="false", comments=30),
        post("paid", "e", 14 * DAYS, likes=900),
        post("paid", "f", 88 * DAYS, captured=old, likes=1, is_sponsored="true"),  # in no window, but of the 90 days
        post("paid", "g", 91 * DAYS, captured=old, likes=1, is_sponsored="true"),  # in neither
        post("names", "a", 10 * DAYS, likes=1, hashtags="#ad|#ACME", mentions="@mine"),
        post("names", "b", 88 * DAYS, captured=old, likes=1, mentions="someone|@Zenith"),
        post("names", "c", 91 * DAYS, captured=old, likes=1, mentions="@third"),
        post("harmless", "a", 10 * DAYS, likes=1, hashtags="#sun", mentions="@mine"),
        # A post that changes its account between two captures.
        post("giver", "moved", 10 * DAYS, captured=NOON - DAYS, likes=100, post_id="moved"),
        post("taker", "moved", 10 * DAYS, likes=200, post_id="moved"),
    ]


def followers() -> Iterator[str]:
    """Every account has 1,000 followers each day, but those whose followers are the question."""
    for account in ("edges", "many", "hidden", "pinned", "paid", "names", "harmless", "giver", "taker"):
        for back in range(98):
            yield f"instagram,{account},{NOON - back * DAYS - 10 * HOUR:%Y-%m-%dT%H:%M:%SZ},1000,same handle"
    yield "instagram,basis,2026-03-12T10:00:00Z,500,"
    yield "instagram,basis,2026-03-13T10:00:00Z,800,"
    yield "instagram,basis,2026-03-13T20:00:00Z,900,"
    yield "instagram,basis,2026-04-01T02:00:00Z,2000,"
    yield "instagram,zero,2026-04-01T02:00:00Z,0,"


# Sixty nano accounts of 1,024 followers, each with one post of so many likes; their rates are sums of powers of two.
PEERS = {
    **{f"gaming-tw-{likes}": ("gaming", "TW", likes) for likes in range(1, 32)},
    **{f"gaming-jp-{likes}": ("gaming", "JP", likes) for likes in range(41, 50)},
    **{f"beauty-tw-{likes}": ("beauty", "TW", likes) for likes in range(51, 71)},
}


def peers() -> list[dict[str, Any]]:
    return [post(account, "p", 10 * DAYS, likes=likes, platform="tiktok") for account, (_, _, likes) in PEERS.items()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = make_settings(tmp_path_factory.mktemp("worlds"))
    texts = {
        "account_snapshots": [
            "platform,account_id,captured_at,followers,handle,niche,country",
            *(f"{line},," for line in followers()),
            *(f"tiktok,{name},2026-04-01T02:00:00Z,1024,,{niche},{at}" for name, (niche, at, _) in PEERS.items()),
        ],
        "post_snapshots": [
            ",".join(POST_COLUMNS),
            *(",".join(str(row.get(column, "")) for column in POST_COLUMNS) for row in [*edges(), *others(), *peers()]),
        ],
        "brands": [
            "brand,name,aliases,hashtags,own_accounts,is_rival",
            "acme,Acme Inc,,#acme,,true",
            "z,Zenith,,,,true",
            "third,,,,,true",
            "mine,,,,instagram:mine,false",
        ],
    }
    for feed, lines in texts.items():
        (settings.landing / feed).mkdir(parents=True)
        (settings.landing / feed / f"{feed}.csv").write_text("\n".join(lines) + "\n")
    night.run(settings, "worlds", DAY)
    return settings


@pytest.fixture(scope="module")
def marts(world: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading(world) as connection:
        yield connection


@pytest.fixture(scope="module")
def day(marts: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Engagement of the day by account, with its place among its peers."""
    found = marts.execute(
        "select rated.*, place.* exclude (platform, account_id, snapshot_date, tier, data_origin)"
        " from marts.fct_account_engagement_daily as rated"
        " join marts.fct_account_benchmark_daily as place using (platform, account_id, snapshot_date)"
        " where snapshot_date = ?",
        [DAY],
    )
    names = [column[0] for column in found.description]
    return {row[1]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def test_fourteen_posts_around_the_edges(day: dict[str, dict[str, Any]]) -> None:
    row = day["edges"]
    # In are 02, 03, 04, 06, 07, 09, 13 and 14: 0.1 .. 0.7 and 0.06, 2.86 together; the middle two are 0.3 and 0.4.
    assert row["posts_in_window"] == 8
    assert row["er_followers_mean_12"] == 0.3575
    assert row["er_followers_median_30"] == 0.35
    assert (row["er_followers_mean_12_posts"], row["er_followers_median_30_posts"]) == (8, 8)
    assert row["denominator_basis"] == "publication"
    # 10 comments on each of 8 posts: 80 x 7 / 90.
    assert row["comments_per_week"] == digits(560 / 90)
    assert row["comments_per_week_posts"] == 8


def test_only_the_latest_12_and_30_posts_count(day: dict[str, dict[str, Any]]) -> None:
    row = day["many"]
    assert row["posts_in_window"] == 31
    # 0.01 .. 0.12: 0.78 / 12. 0.01 .. 0.30: between 0.15 and 0.16.
    assert (row["er_followers_mean_12"], row["er_followers_mean_12_posts"]) == (0.065, 12)
    assert (row["er_followers_median_30"], row["er_followers_median_30_posts"]) == (0.155, 30)


def test_a_hidden_like_is_not_0(day: dict[str, dict[str, Any]]) -> None:
    row = day["hidden"]
    assert row["posts_in_window"] == 3
    # (100 + 20) / 1,000 and (300 + 40) / 1,000: 0.12 and 0.34; the post whose likes are hidden has none.
    assert (row["er_followers_mean_12"], row["er_followers_mean_12_posts"]) == (0.23, 2)
    # 0.12 and 340 / 2,000 = 0.17.
    assert (row["er_views_median_30"], row["er_views_median_30_posts"]) == (0.145, 2)
    # 0.1 and 0.15.
    assert (row["like_rate_views_median_30"], row["like_rate_views_median_30_posts"]) == (0.125, 2)
    # Reach is known of one post in three: 600 / 1,000 and 120 / 600. Views never stand in for it.
    assert (row["reach_rate_median_30"], row["er_reach_median_30"]) == (0.6, 0.2)
    assert row["reach_coverage"] == digits(1 / 3)
    # Comments of all three are known: 110 x 7 / 90. Beside likes those of two: 60 / 400.
    assert (row["comments_per_week"], row["comments_per_week_posts"]) == (digits(770 / 90), 3)
    assert (row["comment_like_ratio"], row["comment_like_ratio_posts"]) == (0.15, 2)


def test_pinned_and_collab_posts_are_left_out(day: dict[str, dict[str, Any]]) -> None:
    assert day["pinned"]["posts_in_window"] == 1
    assert day["pinned"]["er_followers_mean_12"] == 0.1


def test_a_post_is_divided_by_the_followers_it_had(day: dict[str, dict[str, Any]]) -> None:
    row = day["basis"]
    # 400 / 800, 400 / 500, 400 / 900 twice, and 400 / 2,000 for want of a capture in 7 days: the median is 4 / 9.
    assert row["er_followers_median_30"] == digits(400 / 900)
    assert (row["denominator_basis"], row["snapshot_date_basis_posts"]) == ("mixed", 1)
    assert row["er_followers_median_30_posts"] == 5


def test_an_account_that_was_never_captured_has_rates_of_its_posts_alone(day: dict[str, dict[str, Any]]) -> None:
    row = day["unseen"]
    assert (row["followers"], row["tier"], row["er_followers_mean_12"], row["denominator_basis"]) == (None,) * 4
    assert row["er_followers_mean_12_posts"] == 0
    assert row["er_views_median_30"] == 0.1
    assert row["er_percentile"] is None


def test_zero_followers_views_and_reach_divide_nothing(day: dict[str, dict[str, Any]]) -> None:
    row = day["zero"]
    assert (row["followers"], row["tier"], row["posts_in_window"]) == (0, "below", 1)
    rates = (
        "er_followers_mean_12", "er_followers_median_30", "er_views_median_30", "er_reach_median_30",
        "reach_rate_median_30", "like_rate_views_median_30",
    )  # fmt: skip
    assert {row[rate] for rate in rates} == {None}


def test_sponsored_against_organic(day: dict[str, dict[str, Any]]) -> None:
    row = day["paid"]
    # (100 + 10) / 1,000 and (300 + 20) / 1,000; 200 / 1,000 and (410 + 30) / 1,000; one post does not say.
    assert (row["er_sponsored"], row["er_sponsored_posts"]) == (0.215, 2)
    assert (row["er_organic"], row["er_organic_posts"]) == (0.32, 2)
    # Two of the window's four that say so, and one of 88 days that was last seen 20 days ago: 3 of 5.
    assert (row["sponsored_share_90d"], row["sponsored_share_90d_posts"]) == (0.6, 5)
    # Replies are known of two posts: 6 of their 30 comments.
    assert (row["reply_rate"], row["reply_rate_posts"]) == (0.2, 2)


def test_rivals_are_those_that_posts_of_90_days_name(day: dict[str, dict[str, Any]]) -> None:
    assert day["names"]["rival_brands_90d"] == 2  # acme by hashtag, Zenith by name; the third 91 days ago
    assert day["harmless"]["rival_brands_90d"] == 0  # names, none a rival's
    assert day["paid"]["rival_brands_90d"] is None  # no post names anything


def test_a_post_that_another_shows_later_stays_its_authors_and_is_a_collab(
    day: dict[str, dict[str, Any]], marts: duckdb.DuckDBPyConnection
) -> None:
    # A collab post is left out of rates, and is nobody else's.
    assert (day["giver"]["posts_in_window"], day["taker"]["posts_in_window"]) == (0, 0)
    rows = marts.execute(
        "select account_id, co_authors, is_collab, has_changed_account from marts.fct_post_daily"
        " where post_id = 'moved' order by snapshot_date"
    ).fetchall()
    assert rows == [("giver", None, None, False), ("giver", "taker", True, False)]


def test_a_post_tells_what_is_wrong_with_it(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select post_id, hours_since_publication, is_published_in_future, has_fallen, likes_change_per_day, gap_hours"
        " from marts.fct_post_daily where snapshot_date = ? and post_id in ('edges-11', 'edges-12', 'edges-14')"
        " order by 1",
        [DAY],
    ).fetchall()
    assert rows == [
        ("edges-11", None, True, None, None, None),
        ("edges-12", None, None, None, None, None),
        ("edges-14", 240.0, False, True, -9940.0, 24.0),
    ]


def test_two_accounts_with_one_handle_stay_two(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute("select count(*) from marts.dim_account where handle = 'same handle'").fetchone()
    assert rows == (9,)


def test_the_tier_is_that_of_the_daily_mart(marts: duckdb.DuckDBPyConnection) -> None:
    different = marts.execute(
        "select count(*),"
        " count(*) filter (where e.tier is distinct from d.tier or e.followers is distinct from d.followers)"
        " from marts.fct_account_engagement_daily e join marts.fct_account_daily d"
        " using (platform, account_id, snapshot_date)"
    ).fetchone()
    assert different == (9 * 98 + 3 + 1 + 60, 0)


def test_benchmarks_say_how_many_they_stand_on(marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select niche, country, merged_into, basis_niche, basis_country, own_account_count, account_count, er_followers_median_30_account_count,"
        " er_followers_median_30_p10, er_followers_median_30_p25, er_followers_median_30_p50,"
        " er_followers_median_30_p75, er_followers_median_30_p90, er_views_median_30_p50"
        " from marts.fct_tier_benchmark_daily"
        " where platform = 'tiktok' and scheme = 'standard' and snapshot_date = ? order by niche, country",
        [DAY],
    ).fetchall()
    # Likes 1 .. 31: ranks 3, 7.5, 15, 22.5 and 27 of 0 .. 30.
    own = (31, 31, 4.0, 8.5, 16.0, 23.5, 28.0)
    # 1 .. 31 and 41 .. 49: ranks 3.9, 9.75, 19.5, 29.25 (between 30 and 31) and 35.1 (44, 45) of 0 .. 39.
    gaming = (40, 40, 4.9, 10.75, 20.5, 30.25, 45.1)
    # And 51 .. 70: ranks 5.9, 14.75, 29.5 (30, 31), 44.25 (55, 56) and 53.1 (64, 65) of 0 .. 59; 41 .. 49 are 31 .. 39.
    tier = (60, 60, 6.9, 15.75, 30.5, 55.25, 64.1)
    # Without Japan: 1 .. 31 and 51 .. 70, ranks 5, 12.5, 25, 37.5 (57, 58) and 45 of 0 .. 50.
    taiwan = (51, 51, 6.0, 13.5, 26.0, 57.5, 65.0)
    assert [row[:6] for row in rows] == [
        ("*", "*", "none", "*", "*", 60),
        ("*", "JP", "tier", "*", "*", 9),
        ("*", "TW", "none", "*", "TW", 51),
        ("beauty", "*", "tier", "*", "*", 20),
        ("beauty", "TW", "tier", "*", "*", 20),
        ("gaming", "*", "none", "gaming", "*", 40),
        ("gaming", "JP", "niche", "gaming", "*", 9),
        ("gaming", "TW", "none", "gaming", "TW", 31),
    ]
    shown = [tier, tier, taiwan, tier, tier, gaming, gaming, own]
    assert [row[6:8] for row in rows] == [values[:2] for values in shown]
    # A tenth is no sum of powers of two: at a half of the ninth digit it may fall to either side.
    rates = [pytest.approx(tuple(likes / 1024 for likes in values[2:]), rel=5e-9) for values in shown]
    assert [row[8:13] for row in rows] == rates
    assert {row[13] for row in rows} == {None}


def test_an_account_stands_at_its_percentile_of_its_cell(day: dict[str, dict[str, Any]]) -> None:
    def place(account: str) -> tuple[Any, ...]:
        row = day[account]
        return row["benchmark_niche"], row["benchmark_country"], row["benchmark_account_count"], row["er_percentile"]

    assert place("gaming-tw-1") == ("gaming", "TW", 31, digits(100 / 31))
    assert place("gaming-tw-31") == ("gaming", "TW", 31, 100.0)
    assert place("gaming-jp-41") == ("gaming", "*", 40, 80.0)  # 32 of 40 are at most as high
    assert place("beauty-tw-51") == ("*", "*", 60, digits(4100 / 60))  # 41 of 60
    assert day["beauty-tw-51"]["like_rate_percentile"] is None
    assert place("edges") == (None, None, None, None)  # nano too, but seven on Instagram are no cell


def test_the_setting_lets_pinned_posts_in(world: Settings) -> None:
    changed = world.model_copy(update={"left_out_posts": ("collab",)})
    night.run(changed, "with pinned", DAY)
    with reading(changed) as connection:
        row = connection.execute(
            "select posts_in_window, er_followers_mean_12 from marts.fct_account_engagement_daily"
            " where account_id = 'pinned' and snapshot_date = ?",
            [DAY],
        ).fetchone()
    assert row == (2, 2.55)  # (0.1 + 5.0) / 2
