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


def set_aside_logs(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Move a write-ahead log that lies beside what readers open out of the way, before the link changes.

    Someone opened a release for writing: DuckDB would replay the log into the next release, or refuse to open it.
    """
    for folder in (settings.published, settings.published / "latest"):
        log = folder / f"{DATABASE}.wal"
        if log.exists() or log.is_symlink():
            aside = settings.published / f".stray-{utc_now():%Y%m%dT%H%M%S}.wal"
            os.replace(log, aside)
            say(f"{log} was left by someone who opened a release for writing; it is set aside as {aside.name}")


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
    undated = sorted(undated_feeds())
    left_out = note.get("left_out", [])
    connection.execute(
        f"delete from dirty_dates where id <= ? and (snapshot_date <= ? or feed in ({', '.join('?' * len(undated))}))"
        f" and snapshot_date not in ({', '.join('?' * len(left_out))})",
        (note["dirty_upto"], note["cap"], *undated, *left_out),
    )
    connection.executemany(
        "update mart_state set released = ? where mart = ?",
        [(digest, mart) for mart, digest in note["fingerprints"].items()],
    )
    connection.execute("update plans set state = 'published' where run_id = ?", (note["run_id"],))


def current_in_state(connection: sqlite3.Connection) -> str | None:
    """The release that state believes readers see: the last one published or rolled back to."""
    row = connection.execute(
        "select release_id from (select release_id, published_at as at from releases"
        " union all select to_release, rolled_back_at from rollbacks) order by at desc limit 1"
    ).fetchone()
    return row["release_id"] if row else None


def reconcile(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Write what readers see into state when a crash came between the two. Under the writer's lease."""
    release = latest(settings)
    if release is None:
        return
    note = read_note(release)
    release_id = note["release_id"]
    with ledger.write(settings) as connection:
        known = connection.execute("select 1 from releases where release_id = ?", (release_id,)).fetchone()
        if known is None:
            record(connection, note)
            say(f"release {release_id} was published just before a crash: recorded now")
        elif current_in_state(connection) != release_id:
            record_rollback(connection, settings, release_id, "found after a crash")
            say(f"readers were rolled back to {release_id} just before a crash: recorded now")


def record_rollback(connection: sqlite3.Connection, settings: Settings, release_id: str, why: str) -> list[str]:
    """Write a rollback into state; returns the dates that are dirty by it.

    Whatever a later release replaced is behind raw for readers again, so the next run builds, checks and publishes it
    anew. `partition_hashes` stay those of the newest release, which is what the private marts file holds.
    """
    current = current_in_state(connection)
    connection.execute(
        "insert into rollbacks (from_release, to_release, rolled_back_at, why) values (?, ?, ?, ?)",
        (current, release_id, ledger.stamp(), why),
    )
    later = [
        row["release_id"]
        for row in connection.execute(
            "select release_id from releases where published_at >"
            " (select published_at from releases where release_id = ?)",
            (release_id,),
        )
    ]
    marks = ", ".join("?" * len(later))
    days = [
        row["snapshot_date"]
        for row in connection.execute(
            "select distinct d.snapshot_date from plan_dates d join releases r using (run_id)"
            f" where r.release_id in ({marks}) order by 1",
            later,
        )
    ]
    feeds = sorted(set(load_feeds()) - undated_feeds())
    connection.executemany(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since) values (?, ?, '', 'rolled back', ?)",
        [(feed, day, ledger.stamp()) for day in days for feed in feeds],
    )
    connection.execute(f"delete from released_dates where release_id in ({marks})", later)
    # A later release may have changed models without dates alone; those are rebuilt whole by any run that has work.
    connection.execute("update mart_state set released = null where mart not in (select mart from plan_dates)")
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
    """Remove every release but the one that readers see; returns how many went."""
    seen = latest(settings)
    others = [path for path in folder_of(settings).iterdir() if path != seen]
    for path in others:
        shutil.rmtree(path)
    return len(others)
