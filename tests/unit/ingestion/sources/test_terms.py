"""What is past the terms of its source is found, removed on a person's word, and nothing else is."""

from datetime import datetime

import pytest
from click.testing import CliRunner

from ingestion import ledger
from ingestion.config import Settings
from ingestion.lease import hold
from ingestion.sources.catalog import SOURCES
from ingestion.sources.kept import lines
from serving.report.build import build_report
from serving.report.sections import terms as section
from tests.unit.conftest import Yard
from warehouse import retention
from warehouse.doctor import sources as doctor
from warehouse.doctor.landing import Context
from warehouse.doctor.sources import check_sources

from .conftest import World
from .test_capture import bluesky

NOW = datetime(2026, 1, 10, 8)


def land_two_days(world: World) -> World:
    """Captures of the 5th and the 6th that have landed."""
    bluesky(world)
    world.watch("anna.test", "ben.test")
    for day in (5, 6):
        world.time.at = datetime(2026, 1, day, 22)
        world.capture()
    Yard(world.settings).land()
    return world


@pytest.fixture
def days(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two days that have landed, at the 10th of the month."""
    for module in (retention, doctor, section):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)
    return land_two_days(world)


def keep(world: World, days: int | None, more: str = "") -> None:
    """Let Bluesky's answers be kept for so many days, null for no end, with more lines of its entry."""
    kept_for = f"  retention_days: {days}\n" if days else ""
    world.sources(f"bluesky:\n  base_url: SERVER\n{kept_for}{more}")


def expire(settings: Settings, dry_run: bool = False) -> str:
    said: list[str] = []
    retention.expire(settings, dry_run, said.append)
    return "\n".join(said)


def raw_days(settings: Settings) -> set[str]:
    return {file.parent.name[-2:] for file in settings.raw.rglob("*.parquet") if file.name != "_schema.parquet"}


def past(world: World) -> list[str]:
    """What the doctor says of answers that are past."""
    with ledger.read_copy(world.settings) as connection:
        found = check_sources(Context(world.settings, connection))
        return [finding.text for finding in found if "past the" in finding.text]


def page(world: World) -> str:
    return build_report(world.settings, "run").read_text()


def test_what_is_past_is_said_until_a_person_removes_it(days: World) -> None:
    settings, before = days.settings, days.bytes_landed()
    # Bluesky's terms do not end; then all is within them.
    for within in (None, 5):
        if within:
            keep(days, within)
        assert expire(settings) == "nothing is past the terms of its source"
        assert (past(days), "Past the terms" in page(days)) == ([], False)
    keep(days, 4)
    assert past(days) == ["bluesky: 4 files of answers past the 4 days of its terms, since midnight"]
    assert "Past the terms" in page(days)
    said = expire(settings, dry_run=True)
    assert said.startswith("bluesky: from before 2026-01-06 2 files in landing and 2 in raw; 4 days are allowed (https")
    assert (days.bytes_landed(), raw_days(settings)) == (before, {"05", "06"})

    later = {name: held for name, held in days.landed().items() if "2026-01-05" not in name}
    with ledger.write(settings) as connection:
        connection.execute("delete from dirty_dates")
    expire(settings)
    assert (days.landed(), raw_days(settings)) == (later, {"06"})
    with ledger.read(settings) as connection:
        dirty = connection.execute("select feed, snapshot_date, cause from dirty_dates order by 1").fetchall()
        batches = ledger.batches_with_rows_in_raw(connection)
        gone = [(row["feed"], row["snapshot_date"], row["files"]) for row in ledger.let_go(connection)]
    # Its day is never rebuilt, and every row that was read is still accounted for.
    assert [tuple(row) for row in dirty] == []
    # Of each feed that the source fills, also of one of which nothing had come.
    feeds = {"account_snapshots": 1, "follower_arrivals": 0, "post_snapshots": 1}
    assert gone == [(feed, "2026-01-05", files) for feed, files in feeds.items()]
    assert sorted((row["file"].rpartition("_")[2][:10], row["state"]) for row in batches) == [
        ("2026-01-05", "rejected"), ("2026-01-05", "rejected"), ("2026-01-06", "accepted"), ("2026-01-06", "accepted"),
    ]  # fmt: skip
    assert all(row["rows_accepted"] == row["in_raw"] for row in batches)
    # What is gone is not read again, and there is no more to remove.
    assert Yard(settings).land().files_new == 0
    assert expire(settings) == "nothing is past the terms of its source"
    assert (past(days), "Past the terms" in page(days)) == ([], False)


def told(world: World, source: str) -> list[str]:
    """What `groundswell terms` prints of a source."""
    text = "\n".join(lines(world.settings))
    [part] = [part for part in text.split("\n\n") if part.startswith(f"{source} (")]
    return [line.strip() for line in part.splitlines()]


def test_terms_of_each_source_are_told(world: World) -> None:
    for name, source in SOURCES.items():
        first, kept_line, *feeds, how_long, by, change = (
            line for line in told(world, name) if not line.startswith("after that: ")
        )
        assert first == f"{name} ({'asked' if name == 'bluesky' else 'not in config/sources.yml'})"
        assert len(kept_line) > len("kept: ")
        assert by.startswith("by: ")
        assert by.endswith(f" ({source.terms})")
        assert source.terms.startswith("https://")
        assert len(change) > len("what would change it: ")
        assert feeds
        assert how_long == ("for: 30 days" if name == "youtube" else "for: as long as you keep it")
    # By hand from the mapping: a transaction's commission and fee fill these.
    assert told(world, "awin")[2] == ("costs: cost_id, collaboration_id, cost_date, cost_type, amount, currency")
    assert told(world, "youtube")[-1].startswith("what would change it: an audit by YouTube with its written agreement")


def test_days_of_ones_own_are_told_and_are_those_that_expire_reads(days: World) -> None:
    keep(days, 4)
    assert told(days, "bluesky")[-4:-1] == [
        "for: 4 days", "after that: tiers, rates and verdicts of them stay (`keep_derived`)", f"by: `retention_days` of config/sources.yml ({SOURCES['bluesky'].terms})",
    ]  # fmt: skip
    assert "; 4 days are allowed (" in expire(days.settings, dry_run=True)


def test_what_a_source_brought_is_under_its_terms_also_when_it_is_asked_no_longer(
    days: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SOURCES["bluesky"], "retention_days", 4)
    days.sources("ecb:\n")
    assert told(days, "bluesky")[0] == "bluesky (not in config/sources.yml)"
    assert past(days) == ["bluesky: 4 files of answers past the 4 days of its terms, since midnight"]
    expire(days.settings)
    assert raw_days(days.settings) == {"06"}


def test_the_command_prints_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.cli.main import cli

    monkeypatch.setattr("ingestion.config.get_settings", lambda: world.settings)
    done = CliRunner().invoke(cli, ["terms"])
    assert (done.exit_code, "shopify (not in config/sources.yml)" in done.output) == (0, True)


@pytest.mark.parametrize("step", ["record_let_go", "let_batch_go", "forget_raw_file", "take_off_rows"])
def test_a_removal_that_is_killed_goes_on(days: World, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    keep(days, 4)
    with monkeypatch.context() as killed:
        killed.setattr(ledger, step, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            expire(days.settings)
    expire(days.settings)
    assert raw_days(days.settings) == {"06"}
    assert expire(days.settings) == "nothing is past the terms of its source"


def test_a_run_at_work_is_not_disturbed(days: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.cli.main import cli

    keep(days, 4)
    impatient = days.settings.model_copy(update={"lease_wait_seconds": 0.0})
    monkeypatch.setattr("ingestion.config.get_settings", lambda: impatient)
    with hold(days.settings, "other", "build_marts", lambda _: None):
        done = CliRunner().invoke(cli, ["expire"])
    assert (done.exit_code, "build_marts" in done.output) == (1, True)
    assert raw_days(days.settings) == {"05", "06"}
