"""Every guard of landed posts with a world in which it passes and one in which it fires."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from expectations.run import check_landing
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.landing import land_files

FIRST_DAY = date(2026, 1, 1)


@pytest.fixture
def posts(settings: Settings) -> Callable[..., None]:
    """Land one file of posts of one day, captured at 20:00 UTC."""

    def land(day: int, rows: int, more: str = "") -> None:
        on = FIRST_DAY + timedelta(days=day)
        folder = settings.landing / "post_snapshots"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"tiktok,p{number},a,{on}T20:00:00Z{',1' if more else ''}" for number in range(rows)]
        header = f"platform,post_id,account_id,captured_at{more}"
        if lines:
            (folder / f"{on}.csv").write_text("\n".join([header, *lines, ""]))
        land_files(settings, "r1", log=lambda _: None)

    return land


def check(settings: Settings, day: int) -> dict[str, dict]:
    results = check_landing(settings, "r1", FIRST_DAY + timedelta(days=day), log=lambda _: None)
    return {row["expectation"]: row for row in results if row["suite"] == "landing.post_snapshots"}


def failed(results: dict[str, dict]) -> set[str]:
    return {name for name, row in results.items() if not row["passed"]}


def requiring(settings: Settings) -> Settings:
    return settings.model_copy(update={"required_feeds": ("post_snapshots",)})


def test_good_nights_pass(settings, posts):
    for number in range(5):
        posts(number, 100)
    results = check(settings, 4)
    assert len(results) == 11
    assert failed(results) == set()
    # From 20:00 to midnight.
    assert results["freshness_hours"]["observed"] == "4 (1)"


def test_a_new_column_of_posts_is_named_as_drift(settings, posts):
    posts(0, 100)
    posts(1, 100, more=",likes")
    assert failed(check(settings, 1)) == {"header_drift"}


def test_who_captures_no_posts_is_told_nothing_about_them(settings, night):
    night(0, [1000] * 100)
    assert check(settings, 0) == {}


def test_a_night_without_posts_is_noticed(settings, posts):
    posts(0, 100)
    results = check(settings, 1)
    assert failed(results) == {"arrival"}
    assert results["arrival"]["severity"] == "warning"
    # From 20:00 on the first to the end of the third: 52 hours.
    assert failed(check(settings, 2)) == {"arrival", "freshness_hours"}


@pytest.mark.parametrize("ever", [True, False])
def test_it_blocks_where_posts_are_required(settings, posts, ever):
    if ever:
        posts(0, 100)
    with pytest.raises(ContractError, match=r"landing\.post_snapshots is blocked.*\n- arrival: 0"):
        check(requiring(settings), 1)


def test_a_file_set_aside_and_bad_rows_are_noticed(settings, posts):
    folder = settings.landing / "post_snapshots"
    folder.mkdir(parents=True)
    (folder / "no_id.csv").write_text("platform,account_id,captured_at\ntiktok,a,2026-01-01T20:00:00Z\n")
    header, good = "platform,post_id,account_id,captured_at,likes", "a,2026-01-01T21:00:00Z,1"
    lines = [f"tiktok,p{number},{good}" for number in range(98)]
    bad = "tiktok,q{},a,at nine,1"
    (folder / "bad.csv").write_text("\n".join([header, *lines, bad.format(1), bad.format(2), ""]))
    posts(0, 0)
    results = check(settings, 0)
    assert failed(results) == {"files_quarantined_whole", "share_of_rows_quarantined"}


@pytest.mark.parametrize(("rows", "fires"), [(50, False), (49, True), (200, False), (201, True)])
def test_half_and_twice_the_usual_posts(settings, posts, rows, fires):
    for number in range(3):
        posts(number, 100)
    posts(3, rows)
    results = check(settings, 3)
    assert failed(results) == ({"volume_change"} if fires else set())
    assert results["volume_change"]["severity"] == "warning"
