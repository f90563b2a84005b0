"""Take landed files in: look twice, open without following links, copy and hash, read only the copy.

A landed file is hostile until proved otherwise. Whatever is wrong with one file never stops the others.
"""

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ingestion import ledger, parse, raw
from ingestion.config import Settings, utc_now
from ingestion.contracts import Mapping, choose_mapping, load_feeds, load_mappings
from ingestion.errors import FileNotReady, FileRefused

BLOCK = 1 << 20
READABLE = (".csv", ".csv.gz")
# Names that senders give to files still under way, and notes beside a delivery: not deliveries themselves.
NOT_DELIVERIES = (".part", ".tmp", ".crdownload", ".filepart")
# A file that changed within this many seconds is looked at twice.
FRESH_SECONDS = 60


@dataclass(frozen=True)
class Candidate:
    """A name in landing as the first look saw it."""

    path: str
    info: os.stat_result


@dataclass
class Landed:
    """What one look at landing did. Counts of files, and of rows of the batches that are new."""

    files_seen: int = 0
    files_new: int = 0
    files_quarantined: int = 0
    files_waiting: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    days: list[str] = field(default_factory=list)

    def add(self, batch: ledger.Batch) -> None:
        self.files_new += 1
        self.files_quarantined += batch.state == "quarantined"
        self.rows_read += batch.rows_read
        self.rows_accepted += batch.rows_accepted
        self.rows_quarantined += batch.rows_quarantined
        self.rows_duplicate += batch.rows_duplicate
        self.days = sorted({*self.days, *(file.snapshot_date for file in batch.raw_files)})


def scan(landing: Path) -> Iterator[Candidate]:
    """Every name under landing in a fixed order, links not followed, notes and half-uploads left out."""
    for folder, subfolders, names in os.walk(landing, followlinks=False):
        subfolders.sort()
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            if name.startswith((".", "_")) or name.endswith(NOT_DELIVERIES):
                continue
            full = Path(folder) / name
            try:
                yield Candidate(full.relative_to(landing).as_posix(), full.lstat())
            except FileNotFoundError:
                continue


def open_inside(landing: Path, relative_path: str) -> int:
    """A read-only descriptor of a regular file inside landing; no part of its path may be a link.

    Raises FileRefused for `..`, absolute paths, links and anything that is no regular file.
    """
    parts = PurePosixPath(relative_path).parts
    if not parts or relative_path.startswith("/") or ".." in parts:
        raise FileRefused("the path leads out of landing; put the file itself under landing/<feed>/")
    folder = os.open(landing, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = deeper
        descriptor = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError as error:
        raise FileNotReady("it vanished before it could be read") from error
    except OSError as error:
        raise FileRefused("it is a link or no plain file; put the file itself under landing/<feed>/") from error
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileRefused("it is no regular file; put the file itself under landing/<feed>/")
    return descriptor


def copy_in(settings: Settings, relative_path: str) -> tuple[Path, str, int]:
    """Copy a landed file to `build/inbox/<sha-256>` while hashing it. Returns copy, hash, bytes.

    Raises FileNotReady when the file changed under the copy.
    """
    settings.inbox.mkdir(parents=True, exist_ok=True)
    partial = settings.inbox / f"copy-{os.getpid()}.partial"
    digest = hashlib.sha256()
    with os.fdopen(open_inside(settings.landing, relative_path), "rb") as source, partial.open("wb") as target:
        before = os.fstat(source.fileno())
        while block := source.read(BLOCK):
            digest.update(block)
            target.write(block)
        after = os.fstat(source.fileno())
        copied = target.tell()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or copied != after.st_size:
        partial.unlink()
        raise FileNotReady("it changed while it was read")
    copy = settings.inbox / digest.hexdigest()
    partial.replace(copy)
    return copy, digest.hexdigest(), copied


def unpack(copy: Path, limit: int) -> Path:
    """The plain text of a copy: itself, or beside it what gzip holds, with length and checksum verified.

    DuckDB reads a cut or corrupt gzip without a word, so Python's gzip does the unpacking, under a limit of bytes.
    """
    with copy.open("rb") as source:
        packed = source.read(2) == b"\x1f\x8b"
    if not packed:
        if copy.stat().st_size > limit:
            raise FileRefused(f"larger than {limit:,} bytes; split it, or raise GROUNDSWELL_MAX_UNPACKED_BYTES")
        return copy
    plain = copy.with_name(f"{copy.name}.unpacked")
    size = lines = 0
    try:
        with gzip.open(copy, "rb") as source, plain.open("wb") as target:
            while block := source.read(BLOCK):
                size += len(block)
                lines += block.count(b"\n")
                if size > limit:
                    raise FileRefused(
                        f"unpacks to more than {limit:,} bytes; if that is honest, raise GROUNDSWELL_MAX_UNPACKED_BYTES"
                    )
                target.write(block)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        detail = "it is cut off" if isinstance(error, EOFError) else str(error)
        raise FileRefused(f"gzip is damaged ({detail}); send the file again", rows_read=max(0, lines - 1)) from error
    return plain


def land_files(settings: Settings, run_id: str, say: Callable[[str], None] = print) -> Landed:
    """Land every new file; returns what was done. Nothing is lost: each row is accepted, quarantined or duplicate."""
    settings.landing.mkdir(parents=True, exist_ok=True)
    raw.write_empty_schemas(settings)
    mappings = load_mappings()
    summary = Landed()
    fresh = []
    with ledger.read(settings) as connection:
        known = {row["path"]: tuple(row)[1:5] for row in connection.execute("select * from deliveries")}
    for candidate in scan(settings.landing):
        summary.files_seen += 1
        mapping, refusal = _mapping_of(candidate, mappings)
        if known.get(candidate.path) != (*_identity(candidate.info), mapping.fingerprint if mapping else ""):
            fresh.append((candidate, mapping, refusal))
    _let_settle(settings, [candidate for candidate, _, _ in fresh])
    reader = parse.connect(settings)
    try:
        for number, (candidate, mapping, refusal) in enumerate(fresh, start=1):
            try:
                batch = _land_one(settings, reader, candidate, mapping, refusal, run_id)
            except FileNotReady as error:
                summary.files_waiting.append(candidate.path)
                say(f"[{number}/{len(fresh)}] {candidate.path}: waits for the next look: {error}")
                continue
            if batch is None:
                say(f"[{number}/{len(fresh)}] {candidate.path}: the same delivery again, nothing to do")
                continue
            summary.add(batch)
            verdict = f"{batch.rows_accepted:,} of {batch.rows_read:,} rows accepted"
            say(f"[{number}/{len(fresh)}] {candidate.path}: {verdict}{f' ({batch.reason})' if batch.reason else ''}")
    finally:
        reader.close()
        shutil.rmtree(settings.inbox, ignore_errors=True)
    return summary


def _identity(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_size, info.st_mtime_ns, info.st_ino


def _mapping_of(candidate: Candidate, mappings: list[Mapping]) -> tuple[Mapping | None, FileRefused | None]:
    try:
        return choose_mapping(candidate.path, mappings), None
    except FileRefused as error:
        return None, error


def _let_settle(settings: Settings, candidates: list[Candidate]) -> None:
    """Pause once when a file was written to just now, so that the second look can tell whether it still grows."""
    if any(time.time() - candidate.info.st_mtime < FRESH_SECONDS for candidate in candidates):
        time.sleep(settings.settle_seconds)


def _land_one(
    settings: Settings,
    reader: parse.Reader,
    candidate: Candidate,
    mapping: Mapping | None,
    refusal: FileRefused | None,
    run_id: str,
) -> ledger.Batch | None:
    """One file to raw or quarantine and into the ledger; null when the same delivery was landed before."""
    now = utc_now()
    copy: Path | None = None
    # A name that is never opened (a link, a device) is known by its path alone.
    sha256, size = hashlib.sha256(f"unread:{candidate.path}".encode()).hexdigest(), 0
    file_time: datetime | None = None
    try:
        second = os.stat(settings.landing / candidate.path, follow_symlinks=False)
        if _identity(second) != _identity(candidate.info):
            raise FileNotReady("it is still growing")
        copy, sha256, size = copy_in(settings, candidate.path)
        if refusal or mapping is None:
            raise refusal or FileRefused("no mapping")
        if not candidate.path.lower().endswith(READABLE):
            raise FileRefused(f"not one of {', '.join(READABLE)}; convert it or correct its name")
        file_time = mapping.file_time_of(PurePosixPath(candidate.path).name)
    except FileNotFoundError as error:
        raise FileNotReady("it vanished before it could be read") from error
    except FileRefused as error:
        refusal = error

    feed = mapping.feed if mapping else candidate.path.partition("/")[0]
    batch_id = _batch_id(sha256, feed, mapping, file_time)
    if _is_known(settings, candidate, mapping, batch_id):
        return None

    landed_at = datetime.fromtimestamp(candidate.info.st_mtime, UTC).replace(tzinfo=None)
    delivery = parse.Delivery(
        batch_id=batch_id,
        sha256=sha256,
        file=candidate.path,
        as_of=file_time or landed_at,
        file_time=file_time,
        loaded_at=now,
    )
    outcome: parse.Outcome
    try:
        if refusal or mapping is None or copy is None:
            raise refusal or FileRefused("it could not be opened")
        plain = unpack(copy, settings.max_unpacked_bytes)
        outcome = parse.read_file(reader, plain, load_feeds()[mapping.feed], mapping, delivery)
    except FileRefused as error:
        outcome = parse.Outcome(state="quarantined", reason=error.reason, rows_read=error.rows_read, rows_quarantined=error.rows_read)
        raw.quarantine_file(settings, feed, candidate.path, sha256, copy, error.reason)

    if outcome.rows_quarantined and outcome.has_rejects:
        raw.write_rejects(settings, reader, feed, batch_id, candidate.path)
    raw_files = raw.write_batch(settings, reader, feed, batch_id) if outcome.rows_accepted else []
    batch = ledger.Batch(
        batch_id=batch_id,
        feed=feed,
        mapping=mapping.mapping if mapping else "(none)",
        mapping_fingerprint=mapping.fingerprint if mapping else "",
        sha256=sha256,
        file=candidate.path,
        bytes=size,
        header=outcome.header,
        file_time=file_time,
        as_of=delivery.as_of,
        landed_at=now,
        data_origin=mapping.origin if mapping else "observed",
        state=outcome.state,
        reason=outcome.reason,
        rows_read=outcome.rows_read,
        rows_accepted=outcome.rows_accepted,
        rows_quarantined=outcome.rows_quarantined,
        rows_duplicate=outcome.rows_duplicate,
        run_id=run_id,
        raw_files=raw_files,
    )
    with ledger.write(settings) as connection:
        ledger.record_batch(connection, batch)
        _record_delivery(connection, candidate, mapping, batch_id)
    for leftover in (copy, copy and copy.with_name(f"{copy.name}.unpacked")):
        if leftover:
            leftover.unlink(missing_ok=True)
    return batch


def _batch_id(sha256: str, feed: str, mapping: Mapping | None, file_time: datetime | None) -> str:
    parts = [sha256, feed, mapping.mapping if mapping else "", mapping.fingerprint if mapping else "", str(file_time)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _is_known(settings: Settings, candidate: Candidate, mapping: Mapping | None, batch_id: str) -> bool:
    """Whether this delivery has its batch already; if so only where it lies is noted."""
    with ledger.write(settings) as connection:
        known = ledger.revive_batch(connection, batch_id)
        if known:
            _record_delivery(connection, candidate, mapping, batch_id)
        return known


def _record_delivery(
    connection: sqlite3.Connection, candidate: Candidate, mapping: Mapping | None, batch_id: str
) -> None:
    connection.execute(
        "insert or replace into deliveries values (?, ?, ?, ?, ?, ?, ?)",
        (
            candidate.path,
            *_identity(candidate.info),
            mapping.fingerprint if mapping else "",
            batch_id,
            ledger.stamp(),
        ),
    )
