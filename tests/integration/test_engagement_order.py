"""Posts, accounts, brands and mentions: built day by day, in one pass, and with late files, the marts are equal."""

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, timedelta
from math import inf
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings
from warehouse.build import passes

from . import night, small
from .conftest import content, make_settings, nights_that_know

FIRST = date(2026, 2, 1)
DAYS = 12
PUBLISHED_UPTO_DAYS_BEFORE = 95
ACCOUNTS = "platform,account_id,captured_at,followers,country,niche"
POSTS = (
    "platform,post_id,account_id,captured_at,published_at,content_type,likes,comments,creator_replies,views,reach,"
    "is_sponsored,is_pinned,is_collab,hashtags,mentions"
)
MARTS = (
    "bridge_post_hashtag",
    "dim_account",
    "dim_account_tier_history",
    "fct_account_benchmark_daily",
    "fct_account_engagement_daily",
    "fct_account_latest",
    "fct_commerce_issue",
    "fct_hashtag_daily",
    "fct_hashtag_tier_daily",
    "fct_post",
    "fct_post_daily",
    "fct_share_of_voice_daily",
    "fct_tier_benchmark_daily",
    "fct_tier_equivalence",
    "fct_tier_graduation",
)


pytestmark = pytest.mark.usefixtures("these_alone")


@pytest.fixture(scope="module")
def these_alone() -> Iterator[None]:
    """The nights of this file know the marts that its world fills, and trust, which reads posts."""
    with nights_that_know(small.read_marts(*small.OF_TIERS, *small.OF_SNAPSHOTS, *MARTS), trust=True):
        yield


def files_of(seed: int = 7) -> dict[tuple[str, int], str]:
    """A world by (feed, day): accounts near a cut-off, posts seen on two days of three, some that change.

    Seeded: the same text on every machine.
    """
    draw = random.Random(seed)
    followers = {f"a{number}": draw.choice([9_700, 990, 52_000, 300_000]) for number in range(70)}
    posts = {
        f"{account}-{number}": [account, FIRST - timedelta(days=draw.randint(-8, PUBLISHED_UPTO_DAYS_BEFORE)), False]
        for account in followers
        for number in range(draw.randint(0, 8))
    }
    files = {}
    for day in range(DAYS):
        today = FIRST + timedelta(days=day)
        rows = [ACCOUNTS]
        for account in followers:
            followers[account] = round(followers[account] * draw.uniform(0.98, 1.03))
            known = followers[account] if draw.random() < 0.95 else ""
            if draw.random() < 0.92:
                country = "JP" if account.endswith(("1", "2", "3")) else "TW"
                rows.append(f"instagram,{account},{today}T03:00:00Z,{known},{country},gaming")
            if draw.random() < 0.1:
                rows.append(f"instagram,{account},{today}T{draw.randint(4, 23)}:30:00Z,{known},TW,gaming")
        files["account_snapshots", day] = "\n".join(rows) + "\n"
        rows = [POSTS]
        for post, (account, published, sponsored) in posts.items():
            posts[post][2] = sponsored or draw.random() < 0.02
            if published <= today and draw.random() < 0.67:
                likes = draw.randint(0, 900) if draw.random() < 0.9 else ""
                reach = draw.randint(100, 9000) if draw.random() < 0.5 else ""
                rows.append(
                    f"instagram,{post},{account},{today}T05:00:00Z,{published}T{len(post):02d}:00:00Z,reel,{likes},"
                    f"{draw.randint(0, 90)},{draw.randint(0, 9)},{draw.randint(1000, 90000)},{reach},"
                    f"{str(posts[post][2]).lower()},{str(post.endswith('-0')).lower()},false,"
                    f"{draw.choice(['', '#mine', '#Acme|#ad'])},{draw.choice(['', '@zenith'])}"
                )
        files["post_snapshots", day] = "\n".join(rows) + "\n"
    files["accounts", 9] = "platform,account_id,niche,city,updated_at\n" + "".join(
        f"instagram,a{number},beauty,Taipei,{FIRST + timedelta(days=4)}T00:00:00Z\n" for number in range(35)
    )
    files["brands", 0] = "brand,name,hashtags,is_rival\nacme,Acme Inc,#acme,true\nzenith,,,true\nmine,,,false\n"
    return files | mentions_of()


def mentions_of(seed: int = 8) -> dict[tuple[str, int], str]:
    """Mentions by (feed, day), some told again on a later day as of another, and some of a brand that is not tracked."""
    draw = random.Random(seed)
    files = {}
    for day in range(DAYS):
        rows = ["mention_id,brand,platform,account_id,mentioned_at,likes,comments,reach"]
        for number in range(draw.randint(0, 9)):
            at = FIRST + timedelta(days=max(day - (number == 0), 0))
            likes = draw.randint(0, 90) if draw.random() < 0.8 else ""
            rows.append(
                f"m{day - draw.randint(0, 1)}-{number},{draw.choice(['acme', 'zenith', 'mine', 'nobody'])},instagram,"
                f"a{draw.randint(0, 69)},{at}T09:00:00Z,{likes},{draw.randint(0, 9)},{draw.randint(0, 900)}"
            )
        files["mentions", day] = "\n".join(dict.fromkeys(rows)) + "\n"
    return {key: text for key, text in files.items() if text.count("\n") > 1}


def deliver(settings: Settings, files: dict[tuple[str, int], str]) -> None:
    for (feed, day), text in files.items():
        # The day in its name is the time that it speaks of, whenever it is written.
        target: Path = settings.landing / feed / f"{feed}_{FIRST + timedelta(days=day)}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Everything delivered, one run."""
    settings = make_settings(tmp_path_factory.mktemp("at_once"))
    deliver(settings, files_of())
    night.run(settings, "one", FIRST + timedelta(days=DAYS - 1))
    marts = content(settings)
    assert all(marts[name][0] > 0 for name in MARTS)
    return marts


def test_day_by_day_equals_one_pass(at_once: dict[str, tuple[int, str]], tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    files = files_of()
    # The first seven days together, so that the 7th and 8th days of a run are nights of their own.
    for upto in (6, 7, 8, 9, 11):
        deliver(settings, {key: text for key, text in files.items() if key[1] <= upto})
        night.run(settings, f"run {upto}", FIRST + timedelta(days=upto))
    assert content(settings) == at_once


def test_late_files_in_any_order_equal_one_pass(at_once: dict[str, tuple[int, str]], tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    files = files_of()
    late = [("account_snapshots", 2), ("post_snapshots", 3), ("brands", 0), ("accounts", 9), ("post_snapshots", 8)]
    late += [("mentions", 4), ("mentions", 5)]
    deliver(settings, {key: text for key, text in files.items() if key not in late})
    night.run(settings, "first", FIRST + timedelta(days=DAYS - 1))
    assert content(settings) != at_once
    for number, key in enumerate(reversed(late)):
        deliver(settings, {key: files[key]})
        night.run(settings, f"late {number}", FIRST + timedelta(days=DAYS - 1))
    assert content(settings) == at_once


def test_a_pass_for_each_planned_day_equals_one_pass(
    at_once: dict[str, tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that are made in passes, and then replaced in passes from the day of a late file on."""
    monkeypatch.setattr(passes, "passes", a_pass_a_day)
    settings = make_settings(tmp_path)
    files = files_of()
    late = [("account_snapshots", 2), ("post_snapshots", 3)]
    deliver(settings, {key: text for key, text in files.items() if key not in late})
    night.run(settings, "first", FIRST + timedelta(days=DAYS - 1))
    assert content(settings) != at_once
    assert passes_of(settings, "fct_post_daily", "fct_account_daily", "int_equivalence__equivalents_sampled") == [
        11,
        11,
        12,
    ]
    # What goes on from its own rows is made at once.
    assert passes_of(settings, "int_snapshot__account_last_known_values", "int_snapshot__post_last_known_values") == [
        1,
        1,
    ]
    deliver(settings, {key: files[key] for key in late})
    night.run(settings, "late", FIRST + timedelta(days=DAYS - 1))
    assert content(settings) == at_once
    assert passes_of(settings, "fct_post_daily", "fct_account_daily", "int_equivalence__equivalents_sampled") == [
        9,
        10,
        10,
    ]


def a_pass_a_day(days: Iterable[str], _: object, most_rows: float, *__: object) -> dict[str, int]:
    """As if the look-back of a pass cost nothing."""
    return {day: 1 if most_rows == inf else number for number, day in enumerate(sorted(days), 1)}


def passes_of(settings: Settings, *models: str) -> list[int]:
    """In how many passes the last run made models."""
    with closing(duckdb.connect(str(settings.build_db), read_only=True)) as build:
        numbers = dict(build.execute("select model, max(pass_number) from meta.plan group by all").fetchall())
    return [numbers[model] for model in models]
