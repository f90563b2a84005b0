"""What lies longer than the terms of its platform allow, and its removal on a person's word.

An answer is past its terms by the day on which it came, which stands in its file's name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ingestion import ledger
from ingestion.config import Settings, utc_now
from ingestion.lease import hold
from ingestion.sources.capture import note_what_is_there
from ingestion.sources.catalog import SOURCES
from ingestion.sources.kept import kept

WHY = "past the days that the terms of {} allow"


@dataclass(frozen=True)
class Past:
    """Answers of one source that are past its terms.

    Args:
        terms: where the terms stand.
        kept_days: days that they allow, or that `retention_days` says.
        first_day: the day from which on answers may be kept.
        landed: files in landing.
        raw: rows of the ledger, one for each file of raw.
    """

    source: str
    terms: str
    kept_days: int
    first_day: date
    landed: tuple[Path, ...]
    raw: tuple[ledger.Row, ...]


def past_terms(settings: Settings, connection: ledger.Connection, today: date) -> list[Past]:
    """Of each source whose answers end, what is past; sources of which nothing is are left out.

    Also of one that `sources.yml` no longer asks: what it brought is under the same terms.
    """
    found = []
    for name, held_by in kept(settings).items():
        if held_by.days is None:
            continue
        first_day = today - timedelta(days=held_by.days)
        files = sorted((settings.landing / name).glob("*.jsonl.gz"))
        landed = tuple(file for file in files if _day_of(file.name) < str(first_day))
        held = ledger.raw_files_of_mappings(connection, SOURCES[name].mappings)
        raw = tuple(row for row in held if _day_of(row["file"]) < str(first_day))
        if landed or raw:
            found.append(Past(name, held_by.terms, held_by.days, first_day, landed, raw))
    return found


def _day_of(name: str) -> str:
    return name.rpartition("_")[2][:10]


def remove_past(settings: Settings, past: Past, run_id: str, log: Callable[[str], None]) -> None:
    """Remove what is past; its days leave the marts with the next run. Killed half-way, a second call goes on.

    Raises LeaseLost while a run is at work.
    """
    with hold(settings, run_id, "expire", log):
        for file in past.landed:
            file.unlink(missing_ok=True)
        if past.landed:
            note_what_is_there(past.landed[0].parent)
        batches = {row["batch_id"]: row for row in past.raw}
        with ledger.write(settings) as connection:
            for batch_id, row in batches.items():
                if row["state"] == "accepted":
                    ledger.retire_batch(connection, batch_id, "rejected", WHY.format(past.source))
        for row in past.raw:
            (settings.raw / row["path"]).unlink(missing_ok=True)
        for batch_id, row in batches.items():
            (settings.quarantine / row["feed"] / f"{batch_id}.parquet").unlink(missing_ok=True)
        with ledger.write(settings) as connection:
            for row in past.raw:
                ledger.forget_raw_file(connection, row["path"])
                ledger.take_off_rows(connection, row["batch_id"], accepted=row["rows"])
            for batch_id, row in batches.items():
                ledger.take_off_rows(connection, batch_id, quarantined=row["rows_quarantined"])


def expire(settings: Settings, dry_run: bool, log: Callable[[str], None]) -> None:
    """Say what is past its terms, and remove it unless it is a dry run."""
    with ledger.read_copy(settings) as connection:
        found = past_terms(settings, connection, utc_now().date())
    for past in found:
        held = f"{len(past.landed):,} files in landing and {len(past.raw):,} in raw"
        log(f"{past.source}: from before {past.first_day} {held}; {past.kept_days} days are allowed ({past.terms})")
        if not dry_run:
            remove_past(settings, past, f"expire__{utc_now():%Y%m%dT%H%M%S}", log)
    if not found:
        log("nothing is past the terms of its source")
    elif dry_run:
        log("nothing is removed; leave out --dry-run to remove it")
    else:
        log("removed; the days leave the marts with the next run: groundswell nightly")
        log(f"releases from before it still hold them, until {settings.keep_releases} newer ones are made")
