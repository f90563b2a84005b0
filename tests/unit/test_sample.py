"""A sample comes only to an empty warehouse, and names the day of a first run."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingestion import sample
from ingestion.config import Settings, utc_now
from ingestion.mapping.in_use import Mappings, library_mappings
from warehouse.cli.main import cli

# Nothing is switched on: the sample needs no `config/`.
LIBRARY = Mappings(library=library_mappings())


def test_an_empty_warehouse_gets_the_world_and_its_last_utc_day(settings: Settings) -> None:
    # A simulated file for each of nineteen feeds, one that comes late, and the real curves.
    assert sample.copy_if_empty(settings) == 19 + 1 + 1
    assert sample.default_day(settings) == date(2023, 10, 31)
    assert sample.copy_if_empty(settings) == 0


def test_the_other_sample_comes_where_it_is_named(settings: Settings) -> None:
    # 17 real files, one of the simulation for each of fifteen feeds, and eleven that its social feeds add.
    assert sample.copy_if_empty(settings, "vtuber") == 17 + 15 + 11
    assert sample.default_day(settings) == date(2024, 5, 17)
    assert sample.copy_if_empty(settings) == 0


@pytest.mark.parametrize(("name", "files"), [("world", 19 + 1 + 1), ("vtuber", 17 + 15 + 11)])
def test_the_last_day_is_that_of_the_latest_file(name: str, files: int) -> None:
    bundled = sample.SAMPLES[name]
    days = [
        moment.date()
        for path in bundled.folder.rglob("*.csv.gz")
        if (moment := LIBRARY.choose(path.relative_to(bundled.folder).as_posix()).file_time_of(path.name))
    ]
    assert len(days) == files
    assert max(days) == bundled.last_day


def test_what_is_left_out_is_claimed_by_a_mapping_all_the_same() -> None:
    bundled = sample.SAMPLES["vtuber"]
    for folder in bundled.left_out:
        files = sorted(path.relative_to(bundled.folder).as_posix() for path in (bundled.folder / folder).glob("*.csv"))
        assert len(files) == 4
        for file in files:
            assert LIBRARY.choose(file).mapping == Path(file).stem


def test_no_name_is_of_both_samples() -> None:
    """A file is known by its path: one of both would be read as the other's."""
    world, vtuber = (
        {path.relative_to(bundled.folder) for path in bundled.folder.rglob("*.gz")}
        for bundled in sample.SAMPLES.values()
    )
    assert not world & vtuber


def test_the_command_copies_the_sample_that_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.config.get_settings", lambda: settings)
    unknown = CliRunner().invoke(cli, ["sample", "vtubers"])
    assert (unknown.exit_code, unknown.output.strip()) == (2, "no sample is named 'vtubers'; did you mean 'vtuber'?")
    copied = CliRunner().invoke(cli, ["sample", "vtuber"])
    assert (copied.exit_code, copied.output.split(";")[0]) == (0, "copied the sample vtuber, 43 files")
    again = CliRunner().invoke(cli, ["sample"])
    assert again.exit_code == 1
    assert "holds data already" in again.output


def test_a_file_of_ones_own_keeps_the_sample_out(settings: Settings) -> None:
    own = settings.landing / "account_snapshots" / "mine.csv"
    own.parent.mkdir(parents=True)
    own.write_text("x\n")
    assert sample.copy_if_empty(settings) == 0
    assert sample.default_day(settings) == utc_now().date() - timedelta(days=1)


def test_a_ledger_that_landed_something_keeps_the_sample_out(settings: Settings) -> None:
    from ingestion import landing

    own = settings.landing / "account_snapshots" / "mine.csv"
    own.parent.mkdir(parents=True)
    own.write_text("platform,account_id,captured_at\nyoutube,a,2026-01-05\n")
    landing.land_files(settings, "run", lambda _: None)
    own.unlink()
    assert sample.copy_if_empty(settings) == 0
