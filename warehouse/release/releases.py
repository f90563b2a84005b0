"""Releases on disk and in state: which one readers see, what each holds, which may go.

The link `published/latest` is the commit point. A crash between the link and the ledger is mended by `reconcile`,
from the note that every release carries.
"""

import hashlib
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
from warehouse import integrity

DATABASE = "groundswell.duckdb"
NOTE = "release.json"
# Of each file of a release but the note: bytes, time of change and digest, by its path in the release.
FILES = "files.json"
Written = tuple[int, int, str]
# What is published is for people and tools of other users too.
READABLE_FOLDER, READABLE_FILE = 0o755, 0o444


def folder_of(settings: Settings) -> Path:
    """Where releases lie."""
    return settings.published / "releases"


def make_folder(settings: Settings) -> Path:
    """Where releases lie; what is made of the way there may be entered by readers, whatever umask this process has."""
    folder = folder_of(settings)
    for each in (settings.published, folder):
        if not each.exists():
            each.mkdir(parents=True)
            each.chmod(READABLE_FOLDER)
    return folder


def closed_to_readers(settings: Settings) -> list[Path]:
    """Folders on the way to the releases that no other user can enter: the data folder itself, and those below it."""
    return [
        folder
        for folder in (settings.data, settings.published, folder_of(settings))
        if folder.exists() and folder.stat().st_mode & 0o005 != 0o005
    ]


def latest(settings: Settings) -> Path | None:
    """Folder of the release that readers see, null before the first.

    It is one of those under `folder_of`, named as they are there: the way to the data folder may hold links and `..`.
    """
    link = settings.published / "latest"
    if not link.is_symlink() or not is_release(link):
        return None
    return folder_of(settings) / link.readlink().name


def is_release(folder: Path) -> bool:
    """Whether a folder is a release: a database and a note that can be read to its end."""
    try:
        return isinstance(read_note(folder), dict) and (folder / DATABASE).exists()
    except (OSError, ValueError):
        return False


def read_note(release: Path) -> dict[str, Any]:
    """What a release says of itself. Raises OSError or ValueError where it is gone or cut (`has_note`)."""
    note: dict[str, Any] = json.loads((release / NOTE).read_text(encoding="utf-8"))
    return note


def whole(settings: Settings) -> list[Path]:
    """Releases that are kept, the oldest first."""
    folder = folder_of(settings)
    return sorted(path for path in folder.iterdir() if is_release(path)) if folder.is_dir() else []


def written(file: Path) -> Written:
    """What is kept of a file that was just written, to know it by; of the database its digest is soon told."""
    info = file.stat()
    return info.st_size, info.st_mtime_ns, integrity.digest_of(file) if file.name == DATABASE else _sha256(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def files_of(release: Path) -> dict[str, Written]:
    """What a release's files were when they were written; empty of one of an earlier version, or where it is cut."""
    try:
        return {path: tuple(held) for path, held in json.loads((release / FILES).read_text(encoding="utf-8")).items()}
    except (OSError, ValueError):
        return {}


def is_as_written(file: Path, held: Written | None) -> bool:
    """Whether a file holds what was written: of the same bytes and time it is believed, else it is read."""
    try:
        info = file.stat()
        if held is None or info.st_size != held[0]:
            return False
        if info.st_mtime_ns == held[1]:
            return True
        return written(file)[2] == held[2] and (file.name != DATABASE or integrity.damage_of(file) is None)
    except OSError:
        return False


def damage_of(settings: Settings) -> str | None:
    """What is wrong with what readers open; null where all is well, or nothing was published yet."""
    with ledger.read(settings) as connection:
        if ledger.newest_release(connection) is None:
            return None
    seen, database = latest(settings), settings.published / DATABASE
    if seen is None:
        return "published/latest leads to no release"
    if not database.is_symlink() or database.readlink() != Path("latest") / DATABASE:
        return f"published/{DATABASE} is not the link to it"
    return next(
        (
            f"{path} of release {seen.name} is not what was written"
            for path, held in files_of(seen).items()
            if not is_as_written(seen / path, held)
        ),
        None,
    )


def publish_anew_if_damaged(settings: Settings, log: Callable[[str], None] = print) -> None:
    """Let the run publish, though nothing is new, where what readers open is damaged. Under the writer's lease."""
    damage = damage_of(settings)
    if damage is None:
        return
    log(f"{damage}: this run publishes anew")
    with ledger.write(settings) as connection:
        day = ledger.last_built_day(connection)
        if day is not None:
            ledger.mark_dates_dirty(connection, sorted(set(load_feeds()) - undated_feeds()), [day], "published again")


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
    for old in whole(settings)[: -settings.keep_releases]:
        if old != seen:
            shutil.rmtree(old, ignore_errors=True)
    # Without a database or a note that can be read: left by a kill, or damaged.
    for broken in folder.iterdir():
        if broken.is_dir() and not is_release(broken) and broken != seen:
            shutil.rmtree(broken, ignore_errors=True)


def remove_others(settings: Settings) -> int:
    """Remove every release but the one that readers see; returns how many went. Where they see none, none goes."""
    seen = latest(settings)
    if seen is None:
        return 0
    others = [path for path in folder_of(settings).iterdir() if path != seen]
    for path in others:
        shutil.rmtree(path)
    return len(others)
