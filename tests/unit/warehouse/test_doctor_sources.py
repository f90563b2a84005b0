"""The doctor of sources: each finding fires on what it is for."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.config import Settings, utc_now
from ingestion.ledger.captures import Outcome
from ingestion.sources.capture import folder_of
from warehouse.doctor.landing import Context, Finding
from warehouse.doctor.sources import check_sources


@pytest.fixture
def asked(tmp_path: Path) -> Settings:
    config = tmp_path / "config"
    config.mkdir()
    (config / "sources.yml").write_text("youtube: {connection: yt}\n")
    return Settings(_env_file=None, data=tmp_path / "data", config=config)  # type: ignore[call-arg]


def examine(settings: Settings) -> list[Finding]:
    with ledger.read_copy(settings) as connection:
        return list(check_sources(Context(settings, connection)))


def captured(settings: Settings, hours_ago: int, **outcomes: int) -> None:
    rows = [Outcome("youtube", "account", f"{what}{n}", what) for what, count in outcomes.items() for n in range(count)]
    with ledger.write(settings) as connection:
        when = utc_now() - timedelta(hours=hours_ago)
        ledger.record_capture(connection, "youtube", when, (1, 1, Decimal(0)), rows)


def test_a_source_that_was_never_captured(asked: Settings) -> None:
    [found] = examine(asked)
    assert (found.level, found.text) == ("note", "youtube was never captured")
    assert not asked.data.exists()


@pytest.mark.parametrize(
    ("hours", "outcomes", "level"),
    [(1, {"received": 19, "throttled": 1}, "ok"), (1, {"received": 3, "throttled": 7}, "note"), (50, {"received": 9}, "note")],
)  # fmt: skip
def test_what_the_last_capture_brought(asked: Settings, hours: int, outcomes: dict[str, int], level: str) -> None:
    captured(asked, hours, **outcomes)
    [found] = examine(asked)
    assert found.level == level
    assert found.text.startswith("youtube: ")


def test_answers_past_the_terms_are_wrong_and_a_capture_that_did_not_end_is_a_note(asked: Settings) -> None:
    captured(asked, 1, received=1)
    folder = asked.landing / "youtube"
    folder.mkdir(parents=True)
    for days in (30, 31, 32):
        (folder / f"channels_{utc_now() - timedelta(days=days):%Y-%m-%dT%H%M%S}Z.jsonl.gz").write_bytes(b"")
    journal = folder_of(asked, "youtube") / "capture.journal"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    ok, note, wrong = examine(asked)
    assert (ok.level, note.level, wrong.level) == ("ok", "note", "WRONG")
    assert wrong.text == "youtube: 2 files of answers past the 30 days of its terms"
    oldest = min(folder.iterdir())
    oldest.unlink()
    ok, note, since = examine(asked)
    assert (since.level, since.text) == (
        "note", "youtube: 1 file of answers past the 30 days of its terms, since midnight",
    )  # fmt: skip


def test_a_file_that_is_not_in_order(asked: Settings) -> None:
    assert asked.config
    (asked.config / "sources.yml").write_text("youtub:\n")
    [found] = examine(asked)
    assert (found.level, "did you mean 'youtube'" in found.text) == ("WRONG", True)


def test_no_source_is_nothing_to_say(asked: Settings) -> None:
    assert asked.config
    (asked.config / "sources.yml").unlink()
    assert examine(asked) == []
