"""What a source may keep no longer goes: out of landing, raw, quarantine, what is built, reports, and the releases.

A night lets go before it lands files, and of releases after it has published. Nothing is built for it: rows of past
days leave the tables where they stand, and those of later days stay as they were made. Where a gate kept the night from
publishing, what readers see is made anew from itself, without the rows.
"""

import shutil
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion import ledger
from ingestion.config import Settings, utc_now
from ingestion.lease import Lease, hold
from ingestion.sources.kept import kept
from ingestion.sources.terms import Past, past_terms, remove_past
from warehouse import integrity
from warehouse.release import anew, releases
from warehouse.rows_let_go import days_let_go, remove_rows, write_anew

# Lists and exports of people, by their folder or name under reports/: they hold values of the days before them.
OF_PEOPLE = ("shortlists", "quarantine.csv")


def let_go(settings: Settings, log: Callable[[str], None] = print) -> list[Past]:
    """Remove what is past from files, state and what is built; returns it. Under the writer's lease.

    Killed anywhere, the next call completes it.
    """
    with ledger.read(settings) as connection:
        found = past_terms(settings, connection, utc_now().date())
        known = ledger.let_go(connection)
    for past in found:
        for line in lines(past):
            log(line)
        remove_past(settings, past, lambda past: _out_of_builds(settings, {row["path"] for row in past.raw}))
    if _no_longer_derived(settings, known):
        _out_of_builds(settings)
    if found:
        _remove_lists(settings, found)
        _remove_left_over(settings)
    return found


def lines(past: Past) -> list[str]:
    """What of a source is past, for people."""
    held = f"{len(past.landed):,} files in landing and {len(past.raw):,} in raw"
    return [f"{past.source}: from before {past.first_day} {held}; {past.kept_days} days are allowed ({past.terms})"]


def let_go_of_releases(
    settings: Settings, run_id: str, log: Callable[[str], None] = print, held: Lease | None = None
) -> list[str]:
    """Remove releases that hold what was let go, and make what readers see anew where it does; returns their ids.

    Args:
        held: the writer's lease; null to take it, where there is anything to do.

    Raises LeaseLost while another writer works.
    """
    past = _past_releases(settings)
    if not past:
        return []
    if held is None:
        with hold(settings, run_id, "expire", log) as taken:
            return let_go_of_releases(settings, run_id, log, taken)
    releases.reconcile(settings, log)
    past = _past_releases(settings)
    seen = releases.latest(settings)
    if seen is not None and seen in past:
        with ledger.read(settings) as connection:
            # Whether another file brings a row as well is for the next build to say: here it goes.
            days = [replace(each, kept={}, gone={}) for each in days_let_go(settings, connection)]
        release_id = anew.make_anew(settings, seen, lambda release: remove_rows(release, days), held, run_id)
        log(f"what readers see is made anew as {release_id}, without what was let go")
    for release in past:
        shutil.rmtree(release, ignore_errors=True)
    with ledger.write(settings) as connection:
        ledger.record_let_go_releases(connection, [release.name for release in past])
    return [release.name for release in past]


def _past_releases(settings: Settings) -> list[Path]:
    """Releases that were published before the last day was let go, the oldest first."""
    if not settings.ledger.exists():
        return []
    with ledger.read(settings) as connection:
        last = max((row["let_go_at"] for row in ledger.let_go(connection) if row["files"]), default=None)
    if last is None:
        return []
    return [release for release in releases.whole(settings) if releases.read_note(release)["published_at"] < last]


def expire(settings: Settings, dry_run: bool, log: Callable[[str], None]) -> None:
    """Say what is past its terms, and remove it unless it is a dry run. Raises LeaseLost while a run is at work."""
    if dry_run:
        with ledger.read_copy(settings) as connection:
            found = past_terms(settings, connection, utc_now().date())
        for past in found:
            for line in lines(past):
                log(line)
        log("nothing is removed; leave out --dry-run to remove it" if found else NOTHING)
        return
    run_id = f"expire__{utc_now():%Y%m%dT%H%M%S}"
    with hold(settings, run_id, "expire", log) as held:
        found = let_go(settings, log)
        gone = let_go_of_releases(settings, run_id, log, held)
    if not found and not gone:
        log(NOTHING)
    else:
        log(f"removed, with {len(gone):,} releases that held it")


NOTHING = "nothing is past the terms of its source"


def _no_longer_derived(settings: Settings, known: list[ledger.Row]) -> bool:
    """Whether what is derived of days that were let go may no longer stay; it is noted."""
    now = {name: held.keeps_derived for name, held in kept(settings).items()} if known else {}
    changed = [row for row in known if row["keeps_derived"] and not now.get(row["source"], True)]
    if changed:
        with ledger.write(settings) as connection:
            ledger.drop_derived(connection, {row["source"] for row in changed})
    return bool(changed)


def _out_of_builds(settings: Settings, going: Collection[str] = ()) -> None:
    """Take rows of days that were let go out of the private databases; what is damaged there is built anew from raw.

    Args:
        going: paths of raw files that are about to go.
    """
    if not settings.build_db.exists() or not settings.marts_db.exists():
        return
    with ledger.read(settings) as connection:
        days = days_let_go(settings, connection, going)
    if not days:
        return
    changed: dict[str, set[str] | None] = {}
    try:
        for database in (settings.build_db, settings.marts_db):
            with closing(duckdb.connect(str(database), config=settings.duckdb_config)) as build:
                changed |= remove_rows(build, days)
                if database == settings.build_db:
                    # Whatever is made of them is made anew by the next run, and left alone by none.
                    build.execute("create schema if not exists meta")
                    build.execute("create or replace table meta.rows_let_go as select true as is_so")
                build.execute("checkpoint")
        write_anew(settings, settings.build_db, settings.marts_db)
        write_anew(settings, settings.marts_db)
    except duckdb.Error:
        if integrity.remove_damaged(settings) is None:
            raise
        return
    with ledger.write(settings) as connection:
        for table, lost in changed.items():
            schema, _, mart = table.partition(".")
            if schema == "marts":
                ledger.forget_parts(connection, mart, lost)


def _remove_left_over(settings: Settings) -> None:
    """Remove copies under build/ of runs that were killed."""
    shutil.rmtree(settings.inbox, ignore_errors=True)
    for copy in settings.build_db.parent.glob("before-*.duckdb"):
        if not Path(f"/proc/{copy.stem.split('-')[1]}").exists():
            copy.unlink()


def _remove_lists(settings: Settings, found: list[Past]) -> None:
    """Remove what people wrote of releases before the first day that is kept."""
    oldest = min(str(past.first_day) for past in found)
    for name in OF_PEOPLE:
        path = settings.reports / name
        for file in [path] if path.is_file() else sorted(path.glob("*")):
            written = file.stat().st_mtime
            if file.is_file() and str(datetime.fromtimestamp(written, UTC).date()) <= oldest:
                file.unlink()
