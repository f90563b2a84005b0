"""What lies longer than the terms of its platform allow, and its removal: landing, raw, quarantine, state.

An answer is past its terms by the day on which it came, which stands in its file's name. Its file of raw goes whole,
and the ledger knows it as let go. A day that was let go takes nothing in any more, whoever delivers it.
"""

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import LeaseLost
from ingestion.sources.capture import folder_of, note_what_is_there
from ingestion.sources.catalog import SOURCES
from ingestion.sources.journal import JOURNAL, Journal
from ingestion.sources.kept import kept

WHY = "past the days that the terms of {} allow"
DAY = re.compile(r"_(\d{4}-\d{2}-\d{2})[^_/]*$")


@dataclass(frozen=True)
class Past:
    """Answers of one source that are past its terms.

    Args:
        platform: what its accounts are filed under; empty for a source without accounts.
        terms: where the terms stand.
        kept_days: days that they allow, or that `retention_days` says.
        keeps_derived: whether tiers, rates and verdicts of these days may stay.
        first_day: the day from which on answers may be kept.
        landed: files in landing.
        raw: rows of the ledger, one for each file of raw.
        batches: batches of which anything is left, in raw, in quarantine or as counting.
        state: what a source keeps in state: a capture that was killed, answers that the platform may call unchanged.
    """

    source: str
    platform: str
    terms: str
    kept_days: int
    keeps_derived: bool
    first_day: date
    landed: tuple[Path, ...] = ()
    raw: tuple[ledger.Row, ...] = ()
    batches: tuple[ledger.Row, ...] = ()
    state: tuple[Path, ...] = ()

    @property
    def days(self) -> list[tuple[str, str]]:
        """Feed and day of all that is past."""
        feeds = kept_feeds(self.source)
        landed = {(feed, day) for file in self.landed if (day := _day_of(file.name)) for feed in feeds}
        return sorted(landed | {(row["feed"], _day_of(row["file"])) for row in (*self.raw, *self.batches)})


def kept_feeds(source: str) -> list[str]:
    """Feeds that a source's mappings fill."""
    from ingestion.mapping.in_use import library_mappings

    return sorted({part.feed for name in SOURCES[source].mappings for part in library_mappings()[name].parts})


def past_terms(settings: Settings, connection: ledger.Connection, today: date) -> list[Past]:
    """Of each source whose answers end, what is past; sources of which nothing is are left out.

    Also of one that `sources.yml` no longer asks: what it brought is under the same terms.
    """
    found = []
    for name, held_by in kept(settings).items():
        if held_by.days is None:
            continue
        first_day = today - timedelta(days=held_by.days)

        def is_past(file: str, first_day: date = first_day) -> bool:
            return "" < _day_of(file) < str(first_day)

        landed = tuple(
            sorted(file for file in (settings.landing / name).rglob("*") if file.is_file() and is_past(file.name))
        )
        raw = ledger.raw_files_of_mappings(connection, SOURCES[name].mappings)
        batches = ledger.batches_of_source(connection, name, SOURCES[name].mappings)
        past = Past(
            name, held_by.platform, held_by.terms, held_by.days, held_by.keeps_derived, first_day, landed,
            tuple(row for row in raw if is_past(row["file"])),
            tuple(row for row in batches if is_past(row["file"]) and _is_left(settings, row)),
            tuple(_state(settings, name, first_day)),
        )  # fmt: skip
        if past.landed or past.raw or past.batches or past.state:
            found.append(past)
    return found


def _day_of(name: str) -> str:
    """The day in a file's name; empty for a file that has none."""
    found = DAY.search(name)
    return found[1] if found else ""


def _is_left(settings: Settings, batch: ledger.Row) -> bool:
    """Whether anything of a batch's rows is kept, or it counts."""
    return batch["state"] == "accepted" or any(path.exists() for path in _quarantined(settings, batch))


def _quarantined(settings: Settings, batch: ledger.Row) -> tuple[Path, Path, Path]:
    """Where rows of a batch, its whole file, and the keys of rows that were not loaded lie, if they do."""
    folder, name = settings.quarantine / batch["feed"], f"{batch['batch_id']}.parquet"
    return folder / name, folder / "files" / batch["sha256"], settings.raw / batch["feed"] / "set_aside" / name


def _state(settings: Settings, source: str, first_day: date) -> list[Path]:
    """A journal of a past day, what was being written for landing then, and answers of before the first day."""
    found, folder = [], folder_of(settings, source)
    journal = folder / JOURNAL
    oldest = datetime.combine(first_day, time(), UTC)
    if journal.exists():
        with suppress(LeaseLost), Journal(folder) as held:
            # One that does not say its day is of the day on which it was last written.
            written = datetime.fromtimestamp(journal.stat().st_mtime, UTC).date()
            if str((held.head() or {}).get("day") or written) < str(first_day):
                found.append(journal)
    left_over = [*(settings.landing / source).glob(".*.part"), *(folder / "etags").glob("*")]
    return found + [file for file in left_over if file.stat().st_mtime < oldest.timestamp()]


def remove_past(settings: Settings, past: Past, out_of_marts: Callable[[Past], None]) -> None:
    """Remove what is past. Under the writer's lease. Killed anywhere, a second call completes it.

    Args:
        out_of_marts: takes it out of what is built, while raw still tells whose it is.
    """
    reason = WHY.format(past.source)
    with ledger.write(settings) as connection:
        ledger.record_let_go(
            connection,
            (ledger.LetGo(past.source, past.platform, *day, past.kept_days, past.keeps_derived) for day in past.days),
        )
        for batch in past.batches:
            if batch["state"] != "accepted":
                continue
            if past.platform:
                ledger.let_batch_go(connection, batch["batch_id"], reason)
            else:
                ledger.retire_batch(connection, batch["batch_id"], "rejected", reason)
    out_of_marts(past)
    for file in (*past.landed, *past.state):
        file.unlink(missing_ok=True)
    if past.landed:
        note_what_is_there(settings.landing / past.source)
    for row in past.raw:
        file = settings.raw / row["path"]
        file.unlink(missing_ok=True)
        with suppress(OSError):
            # The folder of a day of which another file is left stays.
            file.parent.rmdir()
    with ledger.write(settings) as connection:
        for row in past.raw:
            ledger.forget_raw_file(connection, row["path"])
            ledger.take_off_rows(connection, row["batch_id"], accepted=row["rows"])
            ledger.count_let_go(connection, past.source, row["feed"], _day_of(row["file"]), row["rows"])
    for batch in past.batches:
        rows, whole, keys = _quarantined(settings, batch)
        with ledger.write(settings) as connection:
            ledger.forget_raw_file(connection, keys.relative_to(settings.raw).as_posix())
            ledger.take_off_rows(connection, batch["batch_id"], quarantined=batch["rows_quarantined"])
        rows.unlink(missing_ok=True)
        keys.unlink(missing_ok=True)
        shutil.rmtree(whole, ignore_errors=True)
    with ledger.write(settings) as connection:
        ledger.forget_dirty_days(connection)
