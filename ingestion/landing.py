"""Take landed files in: look twice, open without following links, copy and hash, read only the copy.

A landed file is hostile until proved otherwise. Whatever is wrong with one file never stops the others.
"""

import errno
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO

from ingestion import containers, erasure, ledger, let_go, manifest, parse, raw, trial
from ingestion.config import Settings, utc_now
from ingestion.contracts import load_feeds
from ingestion.errors import FileNotReady, FileRefused, too_large
from ingestion.mapping.grammar import FORMATS, CanonicalMapping, FeedPart, Mapping
from ingestion.mapping.in_use import Mappings, load_mappings
from ingestion.moments import MAX_HOURS_AHEAD
from ingestion.readers.table import Reader, Table
from ingestion.readers.xlsx import verify_zip
from ingestion.text import shown
from ingestion.user_config import load as user_config

BLOCK = 1 << 20
# Names that senders give to files still under way, and notes beside a delivery: not deliveries themselves.
NOT_DELIVERIES = (".part", ".tmp", ".crdownload", ".filepart")
# A file that changed within this many seconds is looked at twice.
FRESH_SECONDS = 60
# Where a file is quarantined that no feed claims.
UNKNOWN_FEED = "unknown"


@dataclass(frozen=True)
class Candidate:
    """A name in landing as the first look saw it, or a part of a file that holds several.

    Args:
        path: its name under landing; of a part `<container>/<part>`, with the container's `info`.
        container: the file that holds it; null where it is a file itself.
        member: its name within a zip; null otherwise.
        mapping: what reads it, where that is more than its name can tell.
        refusal: why its container cannot be opened.
        is_closed: whether it is a container that cannot be opened, for that reason or for now.
    """

    path: str
    info: os.stat_result
    container: str | None = None
    member: str | None = None
    mapping: Mapping | None = None
    refusal: FileRefused | None = None
    is_closed: bool = False

    @property
    def on_disk(self) -> str:
        """The file under landing in which it lies."""
        return self.container or self.path

    @property
    def label(self) -> str:
        """The path as text that can be stored and shown, also when its bytes are not UTF-8."""
        return os.fsencode(self.path).decode("utf-8", errors="backslashreplace")

    @property
    def identity(self) -> tuple[int, int, int]:
        """What tells this file from another, and from itself once it is changed."""
        return raw.identity_of(self.info)

    def is_of(self, delivery: ledger.Row) -> bool:
        """Whether a delivery is this very file, by what its name tells without opening it."""
        return (delivery["bytes"], delivery["mtime_ns"], delivery["inode"]) == self.identity


@dataclass(frozen=True)
class IngestedFile:
    """A landed file as it was taken in, or why it is refused; `copy` is null where it was never opened.

    `plain` is the copy unpacked, which only a delivery that is new needs; `named` is what its rows take from its name.
    `as_of` is the instant that a manifest, the mapping or its name tells, also where it is refused; `companions` are
    the files of its delivery by its manifest, which may say that it `says_full`.
    """

    copy: Path | None
    sha256: str
    size: int
    file_time: datetime | None = None
    refusal: FileRefused | None = None
    note: manifest.Entry | None = None
    plain: Path | None = None
    named: tuple[str, ...] = ()
    as_of: datetime | None = None
    says_full: bool | None = None
    companions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """The cells of a file, to be read for one feed, and its header as it lasts; or why it cannot be opened."""

    table: Table | None
    header: list[str] | None = None
    refusal: FileRefused | None = None


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

    def add(self, batches: list[ledger.Batch]) -> None:
        """Count a new file: its batches, one per feed that it fills."""
        self.files_new += 1
        self.files_quarantined += all(batch.state == "quarantined" for batch in batches)
        for batch in batches:
            self.rows_read += batch.rows_read
            self.rows_accepted += batch.rows_accepted
            self.rows_quarantined += batch.rows_quarantined
            self.rows_duplicate += batch.rows_duplicate
            self.days = sorted({*self.days, *(file.snapshot_date for file in batch.raw_files)})


def scan(landing: Path) -> Iterator[Candidate]:
    """Every name under landing in a fixed order, links not followed, notes and half-uploads left out.

    A folder that this user may not list or enter stands there itself, refused, and so does a path that is too long.
    """
    closed: list[OSError] = []
    for folder, subfolders, names in os.walk(landing, onerror=closed.append, followlinks=False):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "_")))
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*names, *links]):
            if name.startswith((".", "_")) or name.endswith(NOT_DELIVERIES):
                continue
            full = Path(folder) / name
            try:
                yield Candidate(full.relative_to(landing).as_posix(), full.lstat())
            except FileNotFoundError:
                continue
            except OSError as error:
                closed.append(OSError(error.errno, error.strerror, folder))
    yield from _closed_folders(landing, closed)


def _closed_folders(landing: Path, faults: list[OSError]) -> Iterator[Candidate]:
    """The folders in which something could not be read, each once; the one above where a folder is hidden itself."""
    named = set()
    for fault in faults:
        path = Path(str(fault.filename))
        while path != landing and not os.path.lexists(path):
            path = path.parent
        # What is gone meanwhile is nobody's fault.
        if fault.errno in (errno.ENOENT, errno.ENOTDIR) or path in named:
            continue
        named.add(path)
        refusal = FileRefused(
            f"what lies in it cannot be read ({fault.strerror}); let this user list and enter it or shorten its path"
        )
        yield Candidate(path.relative_to(landing).as_posix(), path.lstat(), refusal=refusal, is_closed=True)


def expand(settings: Settings, mappings: Mappings) -> Iterator[Candidate]:
    """Every name under landing, and in place of a zip or a workbook of several sheets what is read of it."""
    for candidate in scan(settings.landing):
        claims = [] if containers.is_zip(candidate.path) else mappings.claims(candidate.label)
        is_shared = len(claims) > 1 and reads_parts(claims)
        if not stat.S_ISREG(candidate.info.st_mode):
            yield candidate
        elif containers.is_zip(candidate.path) or is_shared or (len(claims) == 1 and claims[0].has_sheets):
            yield from _parts_of(settings, candidate, claims, mappings)
        else:
            yield candidate


def reads_parts(claims: list[Mapping]) -> bool:
    """Whether mappings that claim one file each read another part of it: a sheet, or a table found by its header."""
    places = [(mapping.sheet, mapping.header) for mapping in claims]
    return len(set(places)) == len(places) and all(sheet is not None or header for sheet, header in places)


def _parts_of(
    settings: Settings, candidate: Candidate, claims: list[Mapping], mappings: Mappings
) -> Iterator[Candidate]:
    """What is read of a container, part by part; the container itself where it cannot be opened."""
    try:
        with os.fdopen(open_inside(settings.landing, candidate.path), "rb") as file:
            if containers.is_zip(candidate.path):
                names = containers.members(file, settings.max_unpacked_bytes)
                names = containers.wanted(candidate.label, names, [*mappings.in_use.values()])
                parts = [
                    replace(candidate, path=f"{candidate.path}/{name}", container=candidate.path, member=name)
                    for name in names
                ]
            else:
                parts = [part for mapping in claims for part in _parts_under(candidate, file, mapping)]
        yield from parts
    except (FileRefused, FileNotReady) as error:
        refusal = error if isinstance(error, FileRefused) else None
        yield replace(candidate, refusal=refusal, is_closed=True)


def _parts_under(candidate: Candidate, file: IO[bytes], mapping: Mapping) -> Iterator[Candidate]:
    """The sheets that a mapping reads of a workbook, or the one table that it reads of a file."""
    format_too = {"format": mapping.format_of(candidate.path)}
    for sheet in [None] if mapping.sheet is None else containers.sheets(file, mapping):
        names = [sheet.replace("/", "_")] if sheet else []
        names += [mapping.mapping] if mapping.header else []
        yield replace(
            candidate,
            path=f"{candidate.path}/{' '.join(names)}",
            container=candidate.path,
            mapping=mapping.model_copy(update={"sheet": sheet, **format_too}),
        )


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
    except PermissionError as error:
        raise FileNotReady("this user may not read it; correct its permissions") from error
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
        # What is refused is kept all the same, so that it can be read again, but where the disk would fill: a file with
        # holes takes no room where it lies.
        is_hollow = before.st_blocks * 512 < before.st_size
        if before.st_size > settings.max_unpacked_bytes and (
            is_hollow or before.st_size > shutil.disk_usage(settings.inbox).free
        ):
            raise FileRefused(_larger_than(settings.max_unpacked_bytes))
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


def unpack(copy: Path, limit: int, file_format: str = "csv") -> Path:
    """The plain bytes of a copy: itself, or beside it what gzip or Zstandard holds, length and checksum verified.

    DuckDB reads a cut or corrupt one without a word, so Python unpacks it, under a limit of bytes.
    """
    with copy.open("rb") as source:
        head = source.read(4)
    if head[:2] == b"\x1f\x8b":
        return _unpacked_to(copy, limit, containers.gzip_blocks(copy))
    if head == containers.ZSTD:
        return _unpacked_to(copy, limit, containers.zstd_blocks(copy))
    if file_format == "xlsx":
        verify_zip(copy, limit)
    if copy.stat().st_size > limit:
        raise FileRefused(_larger_than(limit))
    return copy


def _larger_than(limit: int) -> str:
    return f"larger than {limit:,} bytes; split it, or raise GROUNDSWELL_MAX_UNPACKED_BYTES"


def _unpacked_to(copy: Path, limit: int, blocks: Iterator[bytes]) -> Path:
    """What a packed copy holds, beside it. Raises FileRefused where it is damaged or too large."""
    plain = copy.with_name(f"{copy.name}.unpacked")
    size = lines = 0
    try:
        with plain.open("wb") as target:
            for block in blocks:
                size += len(block)
                lines += block.count(b"\n")
                if size > limit:
                    raise too_large(limit)
                target.write(block)
    except FileRefused as error:
        raise FileRefused(error.reason, error.rows_read or max(0, lines - 1) if size <= limit else 0) from error
    return plain


def land_files(settings: Settings, run_id: str, log: Callable[[str], None] = print, is_rebuild: bool = False) -> Landed:
    """Land every new file; returns what was done. Nothing is lost: each row is accepted, quarantined or duplicate.

    Args:
        is_rebuild: whether the ledger was just made anew, and so knows of nothing on purpose.

    Raises ConfigError before anything is landed where `config/` is not in order, ContractError where the key of the
    list of erased accounts, or the ledger, is lost.
    """
    user_config.load(settings)
    if not is_rebuild:
        ledger.require_history(settings)
    erasure.require_key(settings)
    settings.landing.mkdir(parents=True, exist_ok=True)
    raw.write_empty_schemas(settings)
    mappings = load_mappings(settings)
    summary = Landed()
    fresh = []
    with ledger.read(settings) as connection:
        known = {row["path"]: row for row in ledger.deliveries(connection)}
    candidates = list(expand(settings, mappings))
    stale, kept = _read_otherwise(candidates, known, mappings)
    for candidate in candidates:
        summary.files_seen += 1
        row = known.get(candidate.label)
        if candidate.label in kept:
            continue
        mapping, refusal = _mapping_of(candidate, mappings, row)
        if mapping is None and refusal is None:
            continue
        if row is None or not candidate.is_of(row) or row["mapping_fingerprint"] != fingerprint_of(mapping, row):
            fresh.append((candidate, mapping, refusal))
    _wait_until_stable(settings, [candidate for candidate, _, _ in fresh])
    suspect = trial.suspect(settings)
    reader = parse.connect(settings)
    try:
        for number, (candidate, mapping, refusal) in enumerate(fresh, start=1):
            where = f"[{number}/{len(fresh)}] {shown(candidate.label)}"
            if not parse.is_usable(reader):
                reader.close()
                reader = parse.connect(settings)
            try:
                batches = _land_one(settings, reader, candidate, mapping, refusal, run_id, mappings, suspect)
            except FileNotReady as error:
                summary.files_waiting.append(candidate.label)
                log(f"{where}: waits for the next look: {shown(str(error))}")
                continue
            if not batches:
                log(f"{where}: the same delivery again, nothing to do")
                continue
            summary.add(batches)
            for batch in batches:
                into = f" into {batch.feed}" if len(batches) > 1 else ""
                verdict = f"{batch.rows_accepted:,} of {batch.rows_read:,} rows accepted{into}"
                log(f"{where}: {verdict}{f' ({shown(batch.reason)})' if batch.reason else ''}")
    finally:
        reader.close()
        shutil.rmtree(settings.inbox, ignore_errors=True)
    if stale:
        with ledger.write(settings) as connection:
            for path in stale:
                ledger.retire_delivery(connection, path, "its file is read in other parts now")
    trial.end(settings)
    return summary


def _read_otherwise(
    candidates: list[Candidate], known: dict[str, ledger.Row], mappings: Mappings
) -> tuple[list[str], set[str]]:
    """Names under which a file was read whole, or in parts, that lies there untouched and is read otherwise now.

    Returns them, and the files that stay as they are loaded: the mapping that took them apart is switched off.
    """
    files = {(replace(candidate, path=candidate.on_disk)).label: candidate for candidate in candidates}
    now = {candidate.label for candidate in candidates}
    stale: list[str] = []
    kept: set[str] = set()
    for path in known.keys() - now:
        holders = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
        file = next((name for name in holders if name in files), None)
        if file is None or files[file].is_closed or not files[file].is_of(known[path]):
            continue
        if mappings.is_off(known[path]["loaded_under"]):
            kept.add(file)
        else:
            stale.append(path)
    return sorted(stale), kept


def _mapping_of(
    candidate: Candidate, mappings: Mappings, row: ledger.Row | None
) -> tuple[Mapping | None, FileRefused | None]:
    """The mapping of a file, or why nobody claims it; neither where it stays as it is loaded."""
    if candidate.mapping is not None:
        return candidate.mapping, None
    try:
        return mappings.choose(candidate.label, loaded_under(candidate, row)), None
    except FileRefused as error:
        return None, error


def loaded_under(candidate: Candidate, row: ledger.Row | None) -> str | None:
    """Name of the mapping under which this very file is loaded; null where it is new or its rows do not count."""
    return row["loaded_under"] if row is not None and candidate.is_of(row) else None


def _wait_until_stable(settings: Settings, candidates: list[Candidate]) -> None:
    """Pause once when a file was written to just now, so that the second look can tell whether it still grows."""
    if any(time.time() - candidate.info.st_mtime < FRESH_SECONDS for candidate in candidates):
        time.sleep(settings.settle_seconds)


def _land_one(
    settings: Settings,
    reader: Reader,
    candidate: Candidate,
    mapping: Mapping | None,
    refusal: FileRefused | None,
    run_id: str,
    mappings: Mappings,
    suspect: str | None,
) -> list[ledger.Batch]:
    """One file to raw or quarantine and into the ledger; no batch when the same delivery was landed before.

    All feeds that a file fills are read under one fingerprint, for which it is opened before its batches have a name.

    Args:
        suspect: sha-256 of the file that an earlier run was reading when it ended.
    """
    now = utc_now()
    taken = _take_in(settings, candidate, mapping, refusal, now)
    if taken.sha256 == suspect and taken.refusal is None:
        taken = _tried(settings, candidate, taken)
    trial.begin(settings, taken.sha256)
    taken = _with_delivery(taken, settings, candidate, mapping, mappings)
    parts: dict[str, tuple[FeedPart, ...]] = mapping.parts_by_feed if mapping else {UNKNOWN_FEED: ()}
    feeds = list(parts)
    asked = {feed: ledger.times_requested(settings, taken.sha256, feed) for feed in feeds}
    try:
        with ledger.read(settings) as connection:
            before = ledger.batches_of_bytes(connection, taken.sha256)
        known = _known_readings(before, taken, mapping, asked)
        read_with = {known[feed]["mapping_fingerprint"] if feed in known else None for feed in feeds}
        batches: list[ledger.Batch] = []
        if len(read_with) == 1 and None not in read_with:
            fingerprint = str(read_with.pop())
        else:
            delivery = delivery_of(candidate, taken, mapping, now)
            plain = _unpacked(settings, taken, mapping, candidate.label)
            opened = _open(reader, plain, mapping, parts[feeds[0]], delivery)
            fingerprint = mapping.fingerprint_of(opened.header) if mapping else ""
            for number, feed in enumerate(feeds):
                if feed in known and known[feed]["mapping_fingerprint"] == fingerprint:
                    continue
                batch_id = _batch_id(taken, feed, mapping, fingerprint, asked[feed])
                delivery = replace(delivery, batch_id=batch_id, is_full=_is_full(taken, parts[feed]))
                opened = _open(reader, plain, mapping, parts[feed], delivery) if number else opened
                hint = mappings.hint(candidate.label) if isinstance(mapping, CanonicalMapping) else None
                outcome, raw_files, keys = _read_and_write(
                    settings, reader, plain, opened, feed, parts[feed], mapping, delivery, hint
                )
                arrival = _arrival_of(delivery, taken, candidate, parts[feed], outcome)
                batch = _batch_of(delivery, taken, feed, mapping, fingerprint, outcome, raw_files, run_id)
                batches.append(replace(batch, arrival=arrival, key_file=keys, key_dates=outcome.key_dates))
        ids = {feed: row["batch_id"] for feed, row in known.items()} | {batch.feed: batch.batch_id for batch in batches}
        with ledger.write(settings) as connection:
            _record(connection, candidate, [ids[feed] for feed in feeds], batches, fingerprint)
            for feed in feeds:
                if feed in known:
                    again = replace(delivery_of(candidate, taken, mapping, now), is_full=_is_full(taken, parts[feed]))
                    arrival = _arrival_of(again, taken, candidate, parts[feed], None)
                    ledger.record_arrival(connection, ids[feed], arrival)
            written = {
                file.path: raw.identity_of((settings.raw / file.path).stat())
                for batch in batches
                for file in batch.raw_files
            }
            ledger.record_verified(connection, run_id, written)
            for batch in batches:
                why = _still_rejected(before, taken, batch, mapping, asked[batch.feed])
                if why is not None:
                    ledger.retire_batch(connection, batch.batch_id, "rejected", why)
        return batches
    finally:
        for leftover in settings.inbox.glob(f"{taken.copy.name if taken.copy else taken.sha256}*"):
            leftover.unlink()


def _tried(settings: Settings, candidate: Candidate, taken: IngestedFile) -> IngestedFile:
    """A file that an earlier run was reading when it ended, or why it is not read again."""
    try:
        trial.run(settings, Path(candidate.on_disk))
    except FileRefused as error:
        return replace(taken, refusal=error)
    return taken


def delivery_of(candidate: Candidate, taken: IngestedFile, mapping: Mapping | None, now: datetime) -> parse.Delivery:
    """What every row of a file that was taken in carries besides its cells; its batch has no id yet."""
    note = taken.note or manifest.Entry(name=candidate.label)
    named = note.as_of or (mapping.as_of if mapping else None) or taken.file_time or taken.as_of
    return parse.Delivery(
        batch_id="",
        sha256=taken.sha256,
        file=candidate.label,
        as_of=named or _written_at(candidate),
        file_time=taken.file_time,
        loaded_at=now,
        origin=note.origin or (mapping.origin if mapping else "observed"),
        is_whole=note.bytes is not None or note.sha256 is not None,
    )


def _written_at(candidate: Candidate) -> datetime:
    """When a file was last written, UTC without zone; a clock ahead counts as now."""
    seconds = max(0.0, min(candidate.info.st_mtime, time.time()))
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _is_full(taken: IngestedFile, parts: tuple[FeedPart, ...]) -> bool:
    """Whether a file is all that there is of a feed, as its manifest says, else its mapping."""
    if not parts or not load_feeds()[parts[0].feed].absence:
        return False
    return parts[0].delivers == "full" if taken.says_full is None else taken.says_full


def _arrival_of(
    delivery: parse.Delivery,
    taken: IngestedFile,
    candidate: Candidate,
    parts: tuple[FeedPart, ...],
    outcome: parse.Outcome | None,
) -> ledger.Arrival:
    """What this coming of a file says beside its rows; without an outcome its bytes are known."""
    of_each = [part.fixed_in(candidate.label).items() for part in parts]
    shared = dict(item for item in of_each[0] if all(item in others for others in of_each)) if parts else None
    return ledger.Arrival(
        file=candidate.label,
        as_of=delivery.as_of,
        written_at=_written_at(candidate),
        scope=json.dumps(shared, sort_keys=True) if parts else None,
        is_full=delivery.is_full,
        is_signed=parts[0].signed if parts else False,
        keys_unread=outcome.keys_unread if outcome else 0,
        companions=taken.companions,
    )


def _with_delivery(
    taken: IngestedFile, settings: Settings, candidate: Candidate, mapping: Mapping | None, mappings: Mappings
) -> IngestedFile:
    """A file with what is told of its delivery: as of when, whether it is all, and which files belong to it.

    One that is refused belongs to a delivery as well, which withdraws nothing while it does.
    """
    if mapping is None or not any(load_feeds()[part.feed].absence for part in mapping.parts):
        return taken
    try:
        note = taken.note or read_note(settings, candidate, mapping)
    except (FileNotReady, FileRefused):
        note = None
    as_of = _announced(note, mapping, candidate.label, candidate.container)
    if note is None:
        return replace(taken, as_of=as_of)
    folder = PurePosixPath(candidate.container or candidate.label).parent
    beside = []
    for entry in note.beside:
        path = (folder / PurePosixPath(entry.name).name).as_posix()
        try:
            # What a zip holds is not known before it comes.
            other = mapping if containers.is_zip(path) else mappings.choose(path)
        except FileRefused:
            continue
        if other is not None and other.mapping == mapping.mapping and _announced(entry, other, path) == as_of:
            beside.append(path)
    says_full = None if note.delivers is None else note.delivers == "full"
    return replace(taken, as_of=as_of, says_full=says_full, companions=tuple(beside))


def _announced(
    note: manifest.Entry | None, mapping: Mapping, path: str, container: str | None = None
) -> datetime | None:
    """The `as_of` that a manifest, the mapping or the name of a file tells; null where only the file itself does."""
    in_name = None
    for name in (path, container):
        with suppress(FileRefused):
            in_name = in_name or (mapping.file_time_of(PurePosixPath(name).name) if name else None)
    return (note.as_of if note else None) or mapping.as_of or in_name


def _take_in(
    settings: Settings, candidate: Candidate, mapping: Mapping | None, refusal: FileRefused | None, now: datetime
) -> IngestedFile:
    """Look a second time, copy, and read the time in the name. Raises FileNotReady for a file still under way."""
    try:
        second = os.lstat(settings.landing / candidate.on_disk)
        if Candidate(candidate.path, second).identity != candidate.identity:
            raise FileNotReady("it is still growing")
        note = read_note(settings, candidate, mapping)
        copy, sha256, size = _copy_of(settings, candidate, note)
    except FileNotFoundError as error:
        raise FileNotReady("it vanished before it could be read") from error
    except FileRefused as error:
        # A name that is never opened (a link, a device) is known by its path alone.
        why = candidate.refusal or error
        return IngestedFile(None, hashlib.sha256(f"unread:{candidate.label}".encode()).hexdigest(), 0, None, why)
    if candidate.member is not None and note is not None:
        # It speaks of the zip, whose bytes are as it says.
        note = note.model_copy(update={"bytes": size, "sha256": sha256, "rows": None})
    try:
        if candidate.refusal or refusal or mapping is None:
            raise candidate.refusal or refusal or FileRefused("no mapping")
        if mapping.format_of(candidate.label) is None:
            packed = ("csv", "jsonl")
            known = ", ".join(f"{end}, {end}.gz" if form in packed else end for end, form in FORMATS.items())
            known = f"{known}, .zip"
            raise FileRefused(f"not one of {known}; convert it or correct its name")
        if note is not None:
            note.check_bytes(size, sha256, time.time() - candidate.info.st_mtime)
        file_time = file_time_of(candidate, mapping, now)
        named = mapping.taken_from(candidate.label)
    except FileRefused as error:
        return IngestedFile(copy, sha256, size, None, error)
    except FileNotReady:
        copy.unlink()
        raise
    if candidate.mapping is not None:
        sha256 = containers.identity_of_part(sha256, candidate.label.removeprefix(f"{candidate.container}/"))
    return IngestedFile(copy, sha256, size, file_time, None, note, named=named)


def file_time_of(candidate: Candidate, mapping: Mapping, now: datetime) -> datetime | None:
    """The time in the file's name; that of the container where a part of it has none.

    Raises FileRefused where the mapping asks for one and there is none, or it lies ahead.
    """
    found = _time_in_name(candidate, mapping)
    if found and found > now + timedelta(hours=MAX_HOURS_AHEAD):
        raise FileRefused(f"the time in its name is more than {MAX_HOURS_AHEAD} h ahead; correct its name")
    return found


def _time_in_name(candidate: Candidate, mapping: Mapping) -> datetime | None:
    if candidate.container is None:
        return mapping.file_time_of(PurePosixPath(candidate.label).name)
    try:
        found = mapping.file_time_of(PurePosixPath(candidate.label).name)
    except FileRefused:
        found = None
    return found or mapping.file_time_of(PurePosixPath(candidate.container).name)


def _copy_of(settings: Settings, candidate: Candidate, note: manifest.Entry | None) -> tuple[Path, str, int]:
    """Copy a candidate in; a zip is copied once, and each member unpacked from that copy."""
    if candidate.member is None:
        return copy_in(settings, candidate.on_disk)
    key = hashlib.sha256(f"{candidate.container}:{candidate.identity}".encode()).hexdigest()[:16]
    archive = next(settings.inbox.glob(f"zip-{key}-*"), None)
    if archive is None:
        for other in settings.inbox.glob("zip-*"):
            other.unlink()
        whole, sha256, size = copy_in(settings, candidate.on_disk)
        if note is not None:
            note.check_bytes(size, sha256, time.time() - candidate.info.st_mtime)
        archive = whole.rename(settings.inbox / f"zip-{key}-{sha256}")
    partial = settings.inbox / f"copy-{os.getpid()}.partial"
    sha256, size = containers.extract(archive, candidate.member, partial, settings.max_unpacked_bytes)
    copy = settings.inbox / sha256
    partial.replace(copy)
    return copy, sha256, size


def read_note(settings: Settings, candidate: Candidate, mapping: Mapping | None) -> manifest.Entry | None:
    """What a manifest beside the file says of it. Raises FileNotReady where one is asked for and missing."""
    feeds = {part.feed for part in mapping.parts} if mapping else set()
    required = bool(feeds & set(settings.manifest_feeds))
    return manifest.read(lambda path: open_inside(settings.landing, path), candidate.on_disk, required)


def _unpacked(settings: Settings, taken: IngestedFile, mapping: Mapping | None, label: str) -> IngestedFile:
    """A delivery with its bytes unpacked once for all the feeds that it fills, or with why that failed."""
    if taken.refusal or mapping is None or taken.copy is None:
        return taken
    try:
        return replace(taken, plain=unpack(taken.copy, settings.max_unpacked_bytes, _format(mapping, label)))
    except FileRefused as error:
        return replace(taken, refusal=error)


def _format(mapping: Mapping, label: str) -> str:
    """How a file is read; a name that says nothing was refused before."""
    return mapping.format_of(label) or "csv"


def _open(
    reader: Reader, taken: IngestedFile, mapping: Mapping | None, parts: tuple[FeedPart, ...], delivery: parse.Delivery
) -> Opened:
    """The cells of a file that was taken in and unpacked, for one feed."""
    if taken.refusal or mapping is None or taken.plain is None:
        return Opened(None, refusal=taken.refusal or FileRefused("it could not be opened"))
    try:
        file_format = _format(mapping, delivery.file)
        table = parse.open_file(reader, taken.plain, mapping, parts, file_format, delivery.is_whole)
        return Opened(table, mapping.lasting(table.header))
    except FileRefused as error:
        return Opened(None, refusal=error)


def _read_and_write(
    settings: Settings,
    reader: Reader,
    taken: IngestedFile,
    opened: Opened,
    feed: str,
    parts: tuple[FeedPart, ...],
    mapping: Mapping | None,
    delivery: parse.Delivery,
    hint: str | None,
) -> tuple[parse.Outcome, list[ledger.RawFile], ledger.KeyFile | None]:
    """Rows to raw and to quarantine, or the whole file to quarantine: all on disk, nothing in the ledger yet.

    Args:
        hint: what else could read a file that is refused; null for nothing.
    """
    try:
        if opened.table is None or mapping is None:
            raise opened.refusal or FileRefused("it could not be opened")
        outcome = parse.read_table(reader, opened.table, mapping, parts, delivery)
        if taken.note is not None:
            taken.note.check_rows(outcome.rows_read)
    except FileRefused as error:
        reason = f"{error.reason}; {hint}" if hint else error.reason
        raw.quarantine_file(settings, feed, delivery.file, taken.sha256, taken.copy, reason)
        rows = error.rows_read
        refused = parse.Outcome("quarantined", reason, opened.header, rows_read=rows, rows_quarantined=rows)
        return refused, [], None
    withheld = erasure.withhold(settings, reader, load_feeds()[feed]) if outcome.rows_accepted else 0
    if withheld:
        left = outcome.rows_accepted - withheld
        state = "accepted" if left else "quarantined"
        outcome = replace(outcome, state=state, rows_read=outcome.rows_read - withheld, rows_accepted=left)
    left_out = let_go.leave_out(settings, reader, load_feeds()[feed]) if outcome.rows_accepted else 0
    if left_out:
        left = outcome.rows_accepted - left_out
        reason = f"{left_out:,} rows are of days that were let go (`groundswell terms`), and are left out"
        outcome = replace(
            outcome, state="accepted" if left else "quarantined", reason=reason,
            rows_read=outcome.rows_read - left_out, rows_accepted=left,
        )  # fmt: skip
    if outcome.has_rejects:
        raw.write_rejects(settings, reader, feed, delivery.batch_id, delivery.file)
    if outcome.has_keys:
        erasure.withhold_keys(settings, reader, load_feeds()[feed])
    keys = raw.write_keys(settings, reader, feed, delivery.batch_id) if outcome.has_keys else None
    files = raw.write_batch(settings, reader, feed, delivery.batch_id) if outcome.rows_accepted else []
    return outcome, files, keys


def _batch_of(
    delivery: parse.Delivery,
    taken: IngestedFile,
    feed: str,
    mapping: Mapping | None,
    fingerprint: str,
    outcome: parse.Outcome,
    raw_files: list[ledger.RawFile],
    run_id: str,
) -> ledger.Batch:
    return ledger.Batch(
        batch_id=delivery.batch_id,
        feed=feed,
        mapping=mapping.mapping if mapping else "(none)",
        mapping_fingerprint=fingerprint,
        sha256=taken.sha256,
        file=delivery.file,
        bytes=taken.size,
        header=outcome.header,
        file_time=delivery.file_time,
        as_of=delivery.as_of,
        landed_at=delivery.loaded_at,
        data_origin=delivery.origin,
        state=outcome.state,
        reason=outcome.reason,
        rows_read=outcome.rows_read,
        rows_accepted=outcome.rows_accepted,
        rows_quarantined=outcome.rows_quarantined,
        rows_duplicate=outcome.rows_duplicate,
        rows_left_out=outcome.rows_left_out,
        run_id=run_id,
        raw_files=raw_files,
        layout=mapping.own_fingerprint if mapping else "",
        invalid_cells=outcome.invalid_cells,
    )


def _batch_id(taken: IngestedFile, feed: str, mapping: Mapping | None, fingerprint: str, asked: int) -> str:
    """Id of bytes, feed, mapping, what the name says and replays asked for: the same delivery twice has one id.

    A file that is refused for its name has an id of its own, or the same bytes under a good name would count as known.
    """
    parts = [taken.sha256, feed, mapping.mapping if mapping else "", fingerprint]
    parts += [str(taken.file_time), taken.refusal.reason if taken.refusal else ""]
    if taken.note and (taken.note.as_of or taken.note.origin):
        parts += [str(taken.note.as_of), taken.note.origin or ""]
    parts += [f"named {name}" for name in taken.named]
    parts += [str(asked)] if asked else []
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def fingerprint_of(mapping: Mapping | None, known: ledger.Row) -> str:
    """What a delivery or batch would be read with today, by the columns that its file had; empty for no mapping."""
    return mapping.fingerprint_of(ledger.header_of(known)) if mapping else ""


def _still_rejected(
    before: list[ledger.Row], taken: IngestedFile, batch: ledger.Batch, mapping: Mapping | None, asked: int
) -> str | None:
    """Why a new reading does not count: a person rejected this delivery, and only its feed has changed since.

    A mapping that a person has corrected, or a replay that a person asked for, counts.
    """
    why = None
    for row in before:
        read_alike = row["batch_id"] == _batch_id(taken, batch.feed, mapping, row["mapping_fingerprint"], asked)
        if mapping and row["feed"] == batch.feed and read_alike and _is_of_layout(mapping, row):
            why = row["reason"] if row["state"] == "rejected" else None
    return why


def _is_of_layout(mapping: Mapping, row: ledger.Row) -> bool:
    """Whether a batch was read under this mapping as it is now. Batches of v0.1.0 name it together with its feeds."""
    if row["layout"] is None:
        return bool(row["mapping_fingerprint"] == mapping.first_fingerprint)
    return bool(row["layout"] == mapping.own_fingerprint)


def _known_readings(
    before: list[ledger.Row], taken: IngestedFile, mapping: Mapping | None, asked: dict[str, int]
) -> dict[str, ledger.Row]:
    """By feed the batch that this delivery was read into before, where it would be read in the same way today."""
    known = {}
    for row in before:
        if row["feed"] in asked:
            fingerprint = fingerprint_of(mapping, row)
            if row["batch_id"] == _batch_id(taken, row["feed"], mapping, fingerprint, asked[row["feed"]]):
                known[row["feed"]] = row
    return known


def _record(
    connection: ledger.Connection, candidate: Candidate, ids: list[str], batches: list[ledger.Batch], fingerprint: str
) -> None:
    """Write what is new of a delivery, let what is known count again, and note where it lies."""
    for batch in batches:
        ledger.record_batch(connection, batch)
    for batch_id in set(ids) - {batch.batch_id for batch in batches}:
        ledger.revive_batch(connection, batch_id)
    ledger.record_delivery(connection, candidate.label, candidate.identity, fingerprint, ids[0])
