"""`groundswell capture` and `groundswell watch`: what people see, and the exit codes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from ingestion.config import get_settings

Run = Callable[..., int]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("GROUNDSWELL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GROUNDSWELL_CONFIG", str(folder))
    get_settings.cache_clear()
    yield folder
    get_settings.cache_clear()


def test_nobody_to_ask_says_what_to_write(config: Path, groundswell: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert groundswell("capture") == 2
    assert "write `bluesky:` on a line of its own" in capsys.readouterr().err
    (config / "sources.yml").write_text("bluesky:\n")
    assert groundswell("capture", "--source", "blusky") == 2
    assert "did you mean 'bluesky'?" in capsys.readouterr().err


def test_the_watchlist_by_hand(config: Path, groundswell: Run, capsys: pytest.CaptureFixture[str]) -> None:
    add = (
        "watch",
        "add",
        "Bluesky",
        "anna.test",
        "--since",
        "2026-01-05",
        "--legal-basis",
        "contract",
        "--tags",
        "a|b,c",
    )
    assert groundswell(*add) == 0
    assert groundswell(*add) == 2
    assert "is there already" in capsys.readouterr().err
    assert groundswell("watch", "add", "bluesky", "with blank") == 2
    assert groundswell("watch", "list") == 0
    listed = capsys.readouterr().out
    assert "bluesky anna.test: not captured yet, since 2026-01-05, legal_basis contract, tags a|b,c" in listed
    assert (config / "watchlist.csv").read_text() == (
        'platform,account,since,legal_basis,latest_posts,tags\nbluesky,anna.test,2026-01-05,contract,,"a|b,c"\n'
    )
    assert groundswell("watch", "remove", "bluesky", "anna.test") == 0
    assert groundswell("watch", "remove", "bluesky", "anna.test") == 2
    (config / "watchlist.csv").write_text("platform,account\nbluesky,\n")
    assert groundswell("watch", "list") == 1
    assert "watchlist.csv:2: account is empty" in capsys.readouterr().err


def test_a_forecast_then_a_capture(
    config: Path, groundswell: Run, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / "sources.yml").write_text(f"bluesky:\n  base_url: {httpserver.url_for('')}\n")
    (config / "watchlist.csv").write_text("platform,account\nbluesky,anna.test\nbluesky,ghost.test\ntiktok,x\n")
    assert groundswell("capture", "--dry-run") == 0
    said = capsys.readouterr()
    assert "bluesky: 2 accounts, 0 posts by id: 3 calls, about 0.0 minutes" in said.out
    assert "1 accounts of tiktok are not asked for" in said.err
    assert httpserver.log == []
    profile = {"did": "did:plc:anna", "handle": "anna.test", "followersCount": 5}
    httpserver.expect_request("/xrpc/app.bsky.actor.getProfiles").respond_with_json({"profiles": [profile]})
    httpserver.expect_request("/xrpc/app.bsky.feed.getAuthorFeed").respond_with_json({"feed": []})
    assert groundswell("capture") == 0
    said = capsys.readouterr()
    assert "bluesky: 1 of 2 received; 2 calls" in said.out
    assert "did not come: 1 not_found" in said.out
    assert groundswell("watch", "list") == 0
    assert "tiktok x: " in (listed := capsys.readouterr().out)
    assert "not_supported" in listed
    assert groundswell("capture") == 0
    assert "nothing to ask for" in capsys.readouterr().out


def test_what_another_attempt_may_bring_ends_with_1(
    config: Path, groundswell: Run, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / "sources.yml").write_text(
        f"bluesky:\n  base_url: {httpserver.url_for('')}\nyoutube: {{connection: yt}}\n"
    )
    (config / "watchlist.csv").write_text("platform,account\nbluesky,anna.test\nyoutube,UC1\n")
    httpserver.expect_request("/xrpc/app.bsky.actor.getProfiles").respond_with_data("", 429, {"Retry-After": "99999"})
    assert groundswell("capture") == 1
    said = capsys.readouterr()
    assert "did not come: 1 throttled" in said.out
    assert "AIRFLOW_CONN_YT" in said.err
