"""Releases on disk and in state: which one readers see, what each holds, which may go.

The link `published/latest` is the commit point. A crash between the link and the ledger is mended by `reconcile`,
from the note that every release carries.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingestion import ledger
from ingestion.config import Settings, utc_now
from ingestion.contracts import load_feeds, undated_feeds
from ingestion.raw import sync_folder

DATABASE = "groundswell.duckdb"
NOTE = "release.json"


def folder_of(settings: Settings) -> Path:
    """Where releases lie."""
    return settings.published / "releases"


def latest(settings: Settings) -> Path | None:
    """Folder of the release that readers see, null before the first.

    It is one of those under `folder_of`, named as they are there: the way to the data folder may hold links and `..`.
    """
    link = settings.published / "latest"
    return folder_of(settings) / link.readlink().name if link.is_symlink() and (link / NOTE).exists() else None


def read_note(release: Path) -> dict[str, Any]:
    """What a release says of itself."""
    note: dict[str, Any] = json.loads((release / NOTE).read_text(encoding="utf-8"))
    return note


def point_readers_to(settings: Settings, release_id: str) -> None:
    """Replace the one link; readers keep the release that they opened."""
    _relink(settings.published / "latest", Path("releases") / release_id)
    database = settings.published / DATABASE
    if not database.is_symlink() or database.readlink() != Path("latest") / DATABASE:
        _relink(database, Path("latest") / DATABASE)
    sync_folder(settings.published)


def _relink(link: Path, target: Path) -> None:
    partial = link.with_name(f".{link.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    os.replace(partial, link)


def move_stray_logs(settings: Settings, log: Callable[[str], None] = print) -> None:
    """Move a write-ahead log that lies beside what readers open out of the way, before the link changes.

    Someone opened a release for writing: DuckDB would replay the log into the next release, or refuse to open it.
    """
    for folder in (settings.published, settings.published / "latest"):
        wal = folder / f"{DATABASE}.wal"
        if wal.exists() or wal.is_symlink():
            aside = settings.published / f".stray-{utc_now():%Y%m%dT%H%M%S}.wal"
            os.replace(wal, aside)
            log(f"{wal} was left by someone who opened a release for writing; it is moved to {aside.name}")


def record(connection: ledger.Connection, note: dict[str, Any]) -> None:
    """Write a release into state: what it holds, which dates it frees, which model code it stands for."""
    release_id = note["release_id"]
    keys = ("release_id", "run_id", "day", "window_start", "window_end", "published_at", "code_version")
    marts = [(mart, held["row_count"], held["content_hash"]) for mart, held in note["marts"].items()]
    ledger.record_release(connection, tuple(note[key] for key in keys), marts)
    ledger.replace_parts(connection, note["replaced"], note["changed"], note["parts"])
    ledger.record_released_dates(connection, note["dates"], release_id)
    # All that the plan knew up to its last day; a file that was landed while the run was under way stays dirty.
    undated, left_out = sorted(undated_feeds()), note.get("left_out", [])
    ledger.clear_dirty_dates(connection, note["dirty_upto"], note["cap"], undated, left_out)
    ledger.record_released(connection, note["fingerprints"].items())
    ledger.set_plan_state(connection, note["run_id"], "published")


def reconcile(settings: Settings, log: Callable[[str], None] = print) -> None:
    """Write what readers see into state when a crash came between the two. Under the writer's lease."""
    release = latest(settings)
    if release is None:
        return
    note = read_note(release)
    release_id = note["release_id"]
    with ledger.write(settings) as connection:
        if not ledger.is_known_release(connection, release_id):
            record(connection, note)
            log(f"release {release_id} was published just before a crash: recorded now")
        elif ledger.current_release(connection) != release_id:
            record_rollback(connection, settings, release_id, "found after a crash")
            log(f"readers were rolled back to {release_id} just before a crash: recorded now")


def record_rollback(connection: ledger.Connection, settings: Settings, release_id: str, why: str) -> list[str]:
    """Write a rollback into state; returns the dates that are dirty by it.

    Whatever a later release replaced is behind raw for readers again, so the next run builds, checks and publishes it
    anew. `partition_hashes` stay those of the newest release, which is what the private marts file holds.
    """
    days = ledger.record_rollback(connection, release_id, why)
    ledger.mark_dates_dirty(connection, sorted(set(load_feeds()) - undated_feeds()), days, "rolled back")
    # A later release may have changed models without dates alone; those are rebuilt whole by any run that has work.
    ledger.forget_released_models(connection)
    return days


def prune(settings: Settings) -> None:
    """Keep the newest releases, and never remove the one that readers see."""
    folder = folder_of(settings)
    seen = latest(settings)
    for leftover in folder.glob(".partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    whole = sorted(path for path in folder.iterdir() if (path / NOTE).exists())
    for old in whole[: -settings.keep_releases]:
        if old != seen:
            shutil.rmtree(old, ignore_errors=True)


def remove_others(settings: Settings) -> int:
    """Remove every release but the one that readers see; returns how many went. Where they see none, none goes."""
    seen = latest(settings)
    if seen is None:
        return 0
    others = [path for path in folder_of(settings).iterdir() if path != seen]
    for path in others:
        shutil.rmtree(path)
    return len(others)
