"""`groundswell config show`, and the examples that `groundswell init` writes."""

from pathlib import Path

import pytest

from expectations import thresholds
from ingestion.config import Settings
from ingestion.errors import ConfigError
from ingestion.sources.settings import load_sources
from ingestion.user_config.load import load
from ingestion.user_config.watchlist import load_watchlist
from warehouse.cli.config import examples, show
from warehouse.notify import Channels, load_channels


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    folder = tmp_path / "config"
    folder.mkdir()
    return settings.model_copy(update={"config": folder, "base_currency": "EUR"})


def shown(own: Settings, tmp_path: Path) -> list[str]:
    return list(show(own, tmp_path / ".env"))


def uncommented(text: str, first: str) -> str:
    """A file with everything from this line on uncommented."""
    lines = [line.removeprefix("#").removeprefix(" ") for line in text.splitlines()]
    return "\n".join(lines[next(i for i, line in enumerate(lines) if line.startswith(first)) :]) + "\n"


def test_each_value_is_shown_with_what_it_is_from(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own.config
    (own.config / "tier_schemes.csv").write_text(
        "scheme,tier,tier_rank,min_followers,source_note\nkol,all,1,0,our own\n"
    )
    (own.config / "thresholds.yml").write_text(
        "- check: freshness_hours\n  feed: post_snapshots\n  value: 60\n  reason: weekly\n"
    )
    (own.config / "mappings").mkdir()
    (own.config / "mappings" / "vtuber.yml").write_text("use: vtuber\npattern: ours_*.csv\n")
    (tmp_path / ".env").write_text("GROUNDSWELL_BASE_CURRENCY=EUR\n# GROUNDSWELL_KEEP_RELEASES=3\n")
    monkeypatch.setenv("GROUNDSWELL_DATA", str(own.data))
    lines = shown(own, tmp_path)
    assert lines[0] == f"config folder: {own.config}"
    assert f"  GROUNDSWELL_DATA={own.data}  (environment)" in lines
    assert f"  GROUNDSWELL_BASE_CURRENCY=EUR  ({tmp_path / '.env'})" in lines
    assert "  GROUNDSWELL_KEEP_RELEASES=7  (package)" in lines
    # The three rows of the package's kol are gone.
    assert "tier_schemes: 29 rows, 1 of them yours" in lines
    kol = [line for line in lines if line.startswith("  scheme=kol ")]
    assert kol == [
        "  scheme=kol platform=* tier=all tier_rank=1 min_followers=0 valid_from=1970-01-01 source_note=our own"
        f"  ({own.config / 'tier_schemes.csv'}:2)"
    ]
    assert "  verdict=watch min_score=41 max_score=76 reason=25 to 59 points: one strong signal, or two weak ones  (package)" in lines  # fmt: skip
    assert "  vtuber: ours_*.csv  (use:)" in lines
    assert f"  post_snapshots freshness_hours: at most 60  ({own.config / 'thresholds.yml'}:1)" in lines
    assert "  account_snapshots freshness_hours: at most 36  (package)" in lines


def test_a_folder_that_is_not_in_order_is_not_shown(own: Settings, tmp_path: Path) -> None:
    assert own.config
    (own.config / "tier_scheme.csv").touch()
    with pytest.raises(ConfigError, match="nobody reads a file of this name"):
        shown(own, tmp_path)


def test_the_examples_change_nothing_as_they_are_written(own: Settings) -> None:
    assert own.config
    before = load(own).digests
    for name, text in examples(own).items():
        assert all(line.startswith("#") for line in text.splitlines())
        (own.config / name).write_text(text)
    assert load(own).digests == before
    assert load(own).thresholds == ()


def test_an_example_that_is_uncommented_says_what_the_package_says(own: Settings) -> None:
    assert own.config
    before = load(own)
    first = {
        "tier_schemes.csv": "scheme,", "trust_signals.csv": "signal,", "trust_verdicts.csv": "verdict,", "channel_aliases.csv": "alias,",
        "house_codes.csv": "code,", "shops.csv": "shop,", "trust_weights.csv": "weight,",
        "rate_cards.csv": "card,", "benchmarks.csv": "source,", "thresholds.yml": "- check",
        "platforms.csv": "spelling,", "countries.csv": "spelling,",
    }  # fmt: skip
    written = examples(own)
    # What is asked and who is told has no package's values: see below.
    assert set(first) == set(written) - {"sources.yml", "watchlist.csv", "notify.yml"}
    for name, start in first.items():
        (own.config / name).write_text(uncommented(written[name], start))
    after = load(own)
    assert all(after.rows(name) == before.rows(name) for name in after.names)
    bounds = thresholds.own_thresholds(own)
    for feed, checks in thresholds.all_checks(own).items():
        for check in checks:
            limit = thresholds.bounded(check.threshold, bounds[feed, check.name])
            assert (limit.minimum, limit.maximum) == (check.threshold.minimum, check.threshold.maximum)


def test_examples_of_sources_and_notices_are_in_order_once_uncommented(own: Settings) -> None:
    assert own.config
    starts = {"sources.yml": "bluesky:", "watchlist.csv": "platform,", "notify.yml": "mail:"}
    for name in starts:
        (own.config / name).write_text(examples(own)[name])
    assert not load_sources(own)
    assert not load_watchlist(own).placed
    assert load_channels(own) == Channels()
    for name, start in starts.items():
        (own.config / name).write_text(uncommented(examples(own)[name], start))
    assert list(load_sources(own)) == [
        "bluesky", "ecb", "mastodon", "youtube", "instagram", "tiktok", "shopify", "awin", "impact", "google_sheets",
    ]  # fmt: skip
    assert [row.account for row in load_watchlist(own).rows] == ["anna.example.org"]
    channels = load_channels(own)
    assert channels.mail
    assert channels.webhook
    text = "\n".join(show(own))
    assert "sources: 10 of 10 are asked" in text
    assert "  youtube: connection=groundswell_youtube latest_posts=30" in text
    assert "answers may be kept 30 days" in text
    assert "watchlist: 1 accounts" in text
    assert "notices: mail and webhook" in text
