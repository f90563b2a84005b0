"""A user's bound takes the place of the package's, and one that fits no check is refused with file, line and remedy."""

from datetime import date
from pathlib import Path

import pytest

from expectations import thresholds
from expectations.run import check_landing
from expectations.suites.landing import account_snapshots, post_snapshots
from expectations.suites.marts import fct_follower_trust_daily
from ingestion.config import Settings
from ingestion.errors import ConfigError
from ingestion.landing import land_files
from ingestion.user_config.load import load

OWN = "- check: {check}\n  feed: {feed}\n  value: {value}\n  reason: {reason}\n"
VOLUME = "volume_against_trailing_median"


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    folder = tmp_path / "config"
    folder.mkdir()
    return settings.model_copy(update={"config": folder})


def write(own: Settings, text: str) -> None:
    assert own.config
    (own.config / "thresholds.yml").write_text(text)


def bound(check: str = VOLUME, feed: str = "account_snapshots", value: str = "0.3", reason: str = "ours") -> str:
    return OWN.format(check=check, feed=feed, value=value, reason=reason)


def deliver(own: Settings, day: int, rows: int) -> None:
    folder = own.landing / "account_snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"tiktok,a{number},2026-01-0{day}T03:00:00Z,100" for number in range(rows)]
    (folder / f"{day}.csv").write_text("\n".join(["platform,account_id,captured_at,followers", *lines, ""]))


def volume_of_half(own: Settings) -> dict[str, object]:
    """The check of a night that brings two fifths of the nights before."""
    for day, rows in {1: 10, 2: 10, 3: 10, 4: 4}.items():
        deliver(own, day, rows)
    land_files(own, "r1", log=lambda _: None)
    results = check_landing(own, "r1", date(2026, 1, 4), log=lambda _: None)
    return next(row for row in results if row["expectation"] == VOLUME)


def test_a_lower_bound_lets_a_night_pass_that_the_packages_stops(own: Settings) -> None:
    write(own, bound())
    found = volume_of_half(own)
    assert (found["passed"], found["threshold"]) == (True, "at least 0.3")


def test_without_it_the_same_night_is_stopped(own: Settings) -> None:
    write(own, bound(check="volume_change", value="[0.1, 9]"))
    with pytest.raises(Exception, match=r"volume_against_trailing_median: 0.4.*set .* in config/thresholds.yml"):
        volume_of_half(own)


def test_a_bound_is_of_its_feed_alone_and_keeps_the_reason(own: Settings) -> None:
    write(own, bound(check="volume_change", feed="post_snapshots", value="[0.2, 5]", reason="posts come in waves"))
    placed = thresholds.own_thresholds(own)
    assert set(placed) == {("post_snapshots", "volume_change")}
    limit = thresholds.bounded(post_snapshots.VOLUME, placed["post_snapshots", "volume_change"])
    assert (limit.minimum, limit.maximum) == (0.2, 5)
    assert limit.reason.startswith("posts come in waves (")
    assert "thresholds.yml:1; the package says 0.5 .. 2: Half or twice" in limit.reason


def test_checks_of_marts_go_by_the_feed_that_they_are_made_of(own: Settings) -> None:
    write(own, bound(check="share_of_accounts_suspicious", value="0.2"))
    assert set(thresholds.own_thresholds(own)) == {("account_snapshots", "share_of_accounts_suspicious")}


WRONG = {
    "an unknown check": (bound(check="volumes_change"), "account_snapshots has no check volumes_change; did you mean"),
    "a check of another feed": (bound(feed="post_snapshots"), f"post_snapshots has no check {VOLUME}; there are"),
    "a feed that is not evaluated": (
        bound(feed="touches"),
        "no check evaluates feed touches; there are: account_snapshots",
    ),
    "one bound for two": (bound(check="volume_change"), "volume_change has two bounds: write value: [lower, upper]"),
    "two bounds for one": (bound(value="[0, 1]"), f"{VOLUME} has one bound, at least 0.5: write one number"),
    "bounds turned round": (bound(check="volume_change", value="[2, 1]"), "value: 2 lies above 1; write the lower"),
    "no number": (bound(value="low"), "thresholds.yml:3: value: write a number, or [lower, upper] for a check of"),
    "no reason": (bound(reason=""), "thresholds.yml:4: reason: write a text"),
    "no value": ("- check: a\n  feed: b\n  reason: c\n", "thresholds.yml:1: without value; a bound has check, feed"),
    "an unknown key": (bound() + "  max: 3\n", "thresholds.yml:5: unknown key 'max'; known are check, feed"),
    "a platform": (bound() + "  platform: tiktok\n", "thresholds.yml:5: platform: no check is made by platform yet"),
    "a bound twice": (bound() + bound(), f"thresholds.yml:5: {VOLUME} of account_snapshots is there already on line 1"),
    "no list": ("check: a\n", "thresholds.yml:1: no list; begin each bound with `- check:`"),
    "no bound": ("- a\n", "thresholds.yml:1: no bound; write check, feed, value and reason"),
    "no YAML": ("- check: [a\n  feed: b\n", "not valid YAML"),
    "too deep": ("[" * 5000, "thresholds.yml:1: not valid YAML: too many levels within each other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bound_that_cannot_be_is_refused(own: Settings, case: str) -> None:
    text, words = WRONG[case]
    write(own, text)
    with pytest.raises(ConfigError) as found:
        thresholds.own_thresholds(own)
    assert words in str(found.value)
    assert "nothing is built" in str(found.value)


def test_a_refused_bound_stops_the_night_before_anything_is_checked(own: Settings) -> None:
    write(own, bound(check="nothing"))
    with pytest.raises(ConfigError):
        check_landing(own, "r1", date(2026, 1, 4), log=lambda _: None)


def test_an_empty_file_and_comments_say_nothing(own: Settings) -> None:
    write(own, "# - check: x\n")
    assert load(own).thresholds == ()
    assert load(own).digests["thresholds"] == load(own.model_copy(update={"config": None})).digests["thresholds"]


def test_every_check_of_a_suite_can_be_bounded(own: Settings) -> None:
    known = thresholds.all_checks(own)
    assert set(known) == {account_snapshots.FEED, post_snapshots.FEED, "orders"}
    for checks in known.values():
        names = [check.name for check in checks]
        assert len(names) == len(set(names))


def test_accounts_are_named_by_the_verdict_that_the_user_sets(own: Settings) -> None:
    assert own.config
    (own.config / "trust_verdicts.csv").write_text(
        "verdict,min_score,max_score,reason\nsuspicious,0,50,a\nwatch,50,76,b\n"
    )
    checks = fct_follower_trust_daily._checks_by_account(own)
    assert {check.threshold.minimum for check in checks} == {50}
