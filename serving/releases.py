"""Releases on disk and in state: which one readers see, what each holds, which may go.

The link `published/latest` is the commit point. A crash between the link and the ledger is mended by `reconcile`,
from the note that every release carries.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingestion import ledger, plan
from ingestion.config import Settings
from ingestion.raw import sync_folder

DATABASE = "groundswell.duckdb"
NOTE = "release.json"


def folder_of(settings: Settings) -> Path:
    """Where releases lie."""
    return settings.published / "releases"


def latest(settings: Settings) -> Path | None:
    """Folder of the release that readers see, null before the first."""
    link = settings.published / "latest"
    return link.resolve() if link.is_symlink() and (link / NOTE).exists() else None


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


def record(connection: sqlite3.Connection, note: dict[str, Any]) -> None:
    """Write a release into state: what it holds, which dates it frees, which model code it stands for."""
    release_id = note["release_id"]
    connection.execute(
        "insert into releases values (?, ?, ?, ?, ?, ?, ?)",
        [
            note[key]
            for key in ("release_id", "run_id", "day", "window_start", "window_end", "published_at", "code_version")
        ],
    )
    connection.executemany(
        "insert into release_marts values (?, ?, ?, ?)",
        [(release_id, mart, held["row_count"], held["content_hash"]) for mart, held in note["marts"].items()],
    )
    for mart, parts in note["replaced"].items():
        connection.executemany(
            "delete from partition_hashes where mart = ? and part = ?", [(mart, part) for part in parts]
        )
    for mart in note["changed"]:
        connection.execute("delete from partition_hashes where mart = ?", (mart,))
    connection.executemany(
        "insert into partition_hashes values (?, ?, ?, ?)",
        [(mart, part, rows, digest) for mart, parts in note["parts"].items() for part, (rows, digest) in parts.items()],
    )
    connection.executemany(
        "insert or replace into released_dates values (?, ?)", [(day, release_id) for day in note["dates"]]
    )
    # All that the plan knew up to its last day; a file that was landed while the run was under way stays dirty.
    undated = sorted(plan.undated_feeds())
    connection.execute(
        f"delete from dirty_dates where id <= ? and (snapshot_date <= ? or feed in ({', '.join('?' * len(undated))}))",
        (note["dirty_upto"], note["cap"], *undated),
    )
    connection.executemany(
        "update mart_state set released = ? where mart = ?",
        [(digest, mart) for mart, digest in note["fingerprints"].items()],
    )
    connection.execute("update plans set state = 'published' where run_id = ?", (note["run_id"],))


def reconcile(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Write the release that readers see into state when a crash came between the two. Under the writer's lease."""
    release = latest(settings)
    if release is None:
        return
    note = read_note(release)
    with ledger.write(settings) as connection:
        known = connection.execute("select 1 from releases where release_id = ?", (note["release_id"],)).fetchone()
        if known is None:
            record(connection, note)
            say(f"release {note['release_id']} was published just before a crash: recorded now")


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
