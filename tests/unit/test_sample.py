"""The sample comes only to an empty warehouse, and names the day of a first run."""

from datetime import date, timedelta
from pathlib import Path

from ingestion import sample
from ingestion.config import Settings, utc_now
from ingestion.mapping.in_use import Mappings, library_mappings

# Nothing is switched on: the sample needs no `config/`.
LIBRARY = Mappings(library=library_mappings())


def test_an_empty_warehouse_gets_the_sample_and_its_last_utc_day(settings: Settings) -> None:
    # 17 real files, one of the simulation for each of fifteen feeds, and eleven that its social feeds add.
    assert sample.copy_if_empty(settings) == 17 + 15 + 11
    assert sample.default_day(settings) == date(2024, 5, 17)
    assert sample.copy_if_empty(settings) == 0


def test_the_last_day_is_that_of_the_latest_file() -> None:
    days = [
        moment.date()
        for path in sample.SAMPLE.rglob("*.csv.gz")
        if (moment := LIBRARY.choose(path.relative_to(sample.SAMPLE).as_posix()).file_time_of(path.name))
    ]
    assert len(days) == 17 + 15 + 11
    assert max(days) == sample.LAST_DAY


def test_what_is_left_out_is_claimed_by_a_mapping_all_the_same() -> None:
    for folder in sample.LEFT_OUT:
        files = sorted(path.relative_to(sample.SAMPLE).as_posix() for path in (sample.SAMPLE / folder).glob("*.csv"))
        assert len(files) == 4
        for file in files:
            assert LIBRARY.choose(file).mapping == Path(file).stem


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
