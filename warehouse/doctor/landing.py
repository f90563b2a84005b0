"""What is wrong between landing and the ledger, and the command that mends it. Looks only, changes nothing.

Each check is a function that returns findings. They work on a copy of the ledger in memory, take no lease and wait for
no run, so `make doctor` may be asked at any time; what a run under way has half done is told apart by its lease.
`serving.doctor` adds the checks of releases, disk and versions, and prints.
"""

import difflib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Literal

import duckdb

from expectations.thresholds import own_thresholds
from ingestion import contracts, erasure, inventory, landing, lease, ledger, required
from ingestion.config import Settings, unread_keys, utc_now
from ingestion.errors import ConfigError, ContractError, FileNotReady, FileRefused

Level = Literal["ok", "note", "WRONG"]

# An upload under another name until it is whole takes minutes; after an hour its sender has given up.
UPLOAD_SECONDS = 3600
# Two nights: one may be blocked honestly, by a check that somebody is looking at.
DIRTY_HOURS = 48
SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """One line for people: what was looked at, how it is, and below it the details and the command that mends it."""

    level: Level
    area: str
    text: str
    details: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True)
class Listing:
    """Paths under raw/ and quarantine/, relative to each."""

    raw: frozenset[str] = frozenset()
    quarantine: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Context:
    """What all checks look at. `is_running`: a live writer holds the lease, so unfinished work is its own.

    `files` was listed before the ledger was copied, so a file that a run commits in between is no orphan.
    """

    settings: Settings
    ledger: ledger.Connection
    is_quick: bool = False
    is_running: bool = False
    files: Listing = Listing()


def list_files(settings: Settings) -> Listing:
    """Every file of raw and of quarantine."""
    return Listing(frozenset(_under(settings.raw)), frozenset(_under(settings.quarantine)))


def _under(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(place, name), folder)


def status(path: Path) -> os.stat_result | None:
    """Of a name itself, not of what it links to; null where it is gone, as after an upload that was just renamed."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def some(lines: Iterable[str]) -> tuple[str, ...]:
    """The first details, and how many more there are."""
    listed = list(lines)
    left = len(listed) - SHOWN
    return (*listed[:SHOWN], *([f"and {left:,} more"] if left > 0 else []))


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


# --- landing


def check_landing(context: Context) -> Iterator[Finding]:
    """Names that the next run will refuse, wait for or read; uploads that broke off."""
    settings = context.settings
    try:
        names = inventory.landed_names(settings, context.ledger)
    except ContractError as error:
        yield Finding(
            "WRONG", "landing", "a mapping cannot be read: no run can land", (str(error),), "correct that file"
        )
        return
    kinds = sorted(names.values(), key=lambda seen: seen.candidate.label)
    links = [seen for seen in kinds if not stat.S_ISREG(seen.candidate.info.st_mode)]
    plain = [seen for seen in kinds if stat.S_ISREG(seen.candidate.info.st_mode)]
    unclaimed = [seen for seen in plain if seen.refusal is not None]
    locked = [seen for seen in plain if not os.access(settings.landing / seen.candidate.on_disk, os.R_OK)]
    due = [seen for seen in plain if seen.is_due and seen.refusal is None]
    fresh = [seen for seen in due if time.time() - seen.candidate.info.st_mtime < landing.FRESH_SECONDS]
    if unclaimed:
        yield Finding(
            "WRONG", "landing", f"{counted(len(unclaimed), 'file')} that no feed claims",
            some(f"{seen.candidate.label}: {seen.refusal}" for seen in unclaimed),
            "move it to landing/<feed>/, or map it: a YAML in config/mappings/; then: make nightly",
        )  # fmt: skip
    else:
        yield Finding("ok", "landing", f"each of {counted(len(plain), 'file')} is claimed by one feed")
    off = sorted({seen.loaded_by for seen in plain if seen.loaded_by})
    if off:
        files = sum(seen.loaded_by is not None for seen in plain)
        yield Finding(
            "note", "landing", f"{counted(files, 'file')} loaded by mappings that are switched off or gone: their rows"
            " count, and no new file is read by them",
            some(off), "switch it on again: write `use: <name>` into config/mappings/<name>.yml",
        )  # fmt: skip
    if links:
        yield Finding(
            "WRONG", "landing", f"{counted(len(links), 'name')} that no run opens: links, or no regular files",
            some(seen.candidate.label for seen in links), "put the file itself there: cp --dereference",
        )  # fmt: skip
    if locked:
        yield Finding(
            "WRONG", "landing", f"{counted(len(locked), 'file')} that this user may not read",
            some(seen.candidate.label for seen in locked), f"chmod u+r, or chown, under {settings.landing}",
        )  # fmt: skip
    if due:
        yield Finding(
            "note", "landing", f"{counted(len(due), 'file')} for the next run to read"
            + (f"; {len(fresh):,} written within a minute, and one that grows waits a run" if fresh else ""),
            some(seen.candidate.label for seen in due), "make nightly",
        )  # fmt: skip
    yield from _without_manifest(settings, due)
    yield from _half_uploads(settings)


def _without_manifest(settings: Settings, due: list[inventory.Seen]) -> Iterator[Finding]:
    """Files that wait for a manifest, or for one that can be read."""
    waiting = []
    for seen in due:
        try:
            landing.read_note(settings, seen.candidate, seen.mapping)
        except FileNotReady as error:
            waiting.append(f"{seen.candidate.label}: {error}")
        except FileRefused:
            continue
    if waiting:
        yield Finding(
            "WRONG", "landing", f"{counted(len(waiting), 'file')} that no run reads until a manifest names it",
            some(waiting), "have the manifest sent or corrected (docs/data-contract.md), or take the feed out of"
            " GROUNDSWELL_MANIFEST_FEEDS",
        )  # fmt: skip


def _half_uploads(settings: Settings) -> Iterator[Finding]:
    old: list[str] = []
    young: list[str] = []
    for name in sorted(_under(settings.landing)):
        if not name.endswith(landing.NOT_DELIVERIES):
            continue
        info = status(settings.landing / name)
        if info is None:
            continue
        age = time.time() - info.st_mtime
        (old if age > UPLOAD_SECONDS else young).append(f"{name}: last written {age / 3600:,.1f} h ago")
    if old:
        yield Finding(
            "WRONG", "landing", f"{counted(len(old), 'upload')} that broke off", some(old),
            "have it sent again, and remove the leftover; it is never read under this name",
        )  # fmt: skip
    if young:
        yield Finding("note", "landing", f"{counted(len(young), 'upload')} under way", some(young))


# --- quarantine


def check_quarantine(context: Context) -> Iterator[Finding]:
    """Files quarantined whole, rows quarantined, and whether quarantine and ledger agree."""
    settings, batches = context.settings, ledger.batches_with_rejects(context.ledger)
    whole = [batch for batch in batches if batch["state"] == "quarantined"]
    there = [batch for batch in whole if _still_lies_there(settings, batch)]
    if whole:
        lines = [f"{batch['batch_id'][:12]}  {batch['feed']}  {batch['file']}: {batch['reason']}" for batch in whole]
        yield Finding(
            "WRONG" if there else "note", "quarantine",
            f"{counted(len(whole), 'file')} quarantined whole, {len(there):,} of them still in landing", some(lines),
            "mend the mapping, or deliver a corrected file and remove this one; then: make nightly."
            " After anything else was mended: make replay",
        )  # fmt: skip
    else:
        yield Finding("ok", "quarantine", "no file is quarantined whole")
    yield from _rows(settings, batches)
    yield from _lost_evidence(context, batches)
    yield from _orphans_of_quarantine(context)


def _still_lies_there(settings: Settings, batch: ledger.Row) -> bool:
    path = settings.landing / batch["file"]
    info = status(path)
    if info is None:
        # A part of a file: a member of a zip, a sheet of a workbook.
        return any((settings.landing / parent).is_file() for parent in PurePosixPath(batch["file"]).parents)
    return not batch["bytes"] or info.st_size == batch["bytes"]


def _rows(settings: Settings, batches: list[ledger.Row]) -> Iterator[Finding]:
    paths = inventory.kept_rows(settings, batches)
    try:
        found = inventory.reasons(paths)
    except duckdb.Error as error:
        yield Finding(
            "WRONG", "quarantine", "quarantined rows cannot be read", (str(error).splitlines()[0],),
            "restore quarantine/ from a backup; or, while the file lies in landing: make replay BATCH=<its name>",
        )  # fmt: skip
        return
    if not found:
        yield Finding("ok", "quarantine", "no row is quarantined")
        return
    yield Finding(
        "note", "quarantine",
        f"{counted(sum(kind.rows for kind in found), 'row')} quarantined, of {counted(len(paths), 'file')}",
        some(f"{kind.rows:>8,}  {kind.where}: {kind.reason}  (as in {kind.example})" for kind in found),
        "make quarantine writes them as CSV, with line and reason",
    )  # fmt: skip


def _lost_evidence(context: Context, batches: list[ledger.Row]) -> Iterator[Finding]:
    """Batches whose quarantined rows, or whose file, quarantine does not hold although the ledger says so."""
    settings = context.settings
    lost = [
        batch
        for batch in batches
        if not inventory.quarantined_rows_file(settings, batch["feed"], batch["batch_id"]).exists()
        and not (
            batch["state"] == "quarantined"
            and inventory.note_of_file(settings, batch["feed"], batch["sha256"]).exists()
        )
    ]
    if lost:
        yield Finding(
            "WRONG", "quarantine", f"{counted(len(lost), 'batch', 'batches')} whose record in quarantine is gone",
            some(f"{batch['batch_id'][:12]}  {batch['file']}" for batch in lost),
            f"restore quarantine/ from a backup, or, while the file lies in landing:"
            f" make replay BATCH={lost[0]['batch_id'][:12]}",
        )  # fmt: skip


def _orphans_of_quarantine(context: Context) -> Iterator[Finding]:
    keys = ledger.batch_keys(context.ledger)
    known = {row["batch_id"] for row in keys}
    hashes = {(row["feed"], row["sha256"]) for row in keys}
    orphans = set()
    for name in context.files.quarantine:
        parts = Path(name).parts
        if len(parts) == 4 and parts[1] == "files":
            if (parts[0], parts[2]) not in hashes:
                orphans.add(str(Path(name).parent))
        elif name.removesuffix(".parquet").rpartition("/")[2] not in known:
            orphans.add(name)
    if orphans and not context.is_running:
        yield Finding(
            "note", "quarantine", f"{counted(len(orphans), 'leftover')} of a crash: no batch in the ledger names them",
            some(sorted(orphans)), f"harmless; to be rid of them, remove them under {context.settings.quarantine}",
        )  # fmt: skip


# --- ledger and raw


def check_ledger(context: Context) -> Iterator[Finding]:
    """Integrity of the file, its references, the one equation, and raw against it."""
    restore = "restore state/ and raw/ from one backup"
    broken = ledger.problems(context.ledger)
    if broken:
        yield Finding("WRONG", "ledger", "the file is damaged", some(broken), restore)
    strays = ledger.dangling(context.ledger)
    if strays:
        yield Finding(
            "WRONG", "ledger", f"{counted(len(strays), 'row')} without what they refer to", some(strays), restore
        )
    if not broken and not strays:
        yield Finding("ok", "ledger", "the file is whole and its references hold")
    yield from _equation(context)
    yield from _raw_files(context)
    yield from _orphans_of_raw(context)
    yield from _gone_from_landing(context)


def _equation(context: Context) -> Iterator[Finding]:
    rows = ledger.batches_with_rows_in_raw(context.ledger)
    wrong = [
        f"{row['batch_id'][:12]}  {row['file']}: {row['rows_read']:,} read; {row['rows_accepted']:,} accepted"
        f" ({row['in_raw']:,} in raw) + {row['rows_quarantined']:,} quarantined + {row['rows_duplicate']:,} duplicate"
        for row in rows
        if row["rows_read"] != row["rows_accepted"] + row["rows_quarantined"] + row["rows_duplicate"]
        or row["rows_accepted"] != row["in_raw"]
    ]
    if wrong:
        yield Finding(
            "WRONG", "ledger",
            f"read = accepted + quarantined + duplicate fails in {len(wrong):,} of {len(rows):,} readings",
            some(wrong), "restore state/ and raw/ from one backup, or take the batch back: make reject BATCH=<id>",
        )  # fmt: skip
    else:
        yield Finding(
            "ok", "ledger", f"read = accepted + quarantined + duplicate in each of {counted(len(rows), 'reading')}"
        )


def _raw_files(context: Context) -> Iterator[Finding]:
    """Raw files that are gone or differ from the ledger: by size alone when quick, else by SHA-256."""
    rows = ledger.raw_files_with_state(context.ledger)
    bad = [(row, why) for row in rows if (why := _damage(context, row))]
    counting = [(row, why) for row, why in bad if row["state"] == "accepted"]
    how = "sizes" if context.is_quick else "SHA-256"
    if not bad:
        yield Finding("ok", "raw", f"{counted(len(rows), 'file')} as the ledger has them ({how})")
        return
    batch = (counting or bad)[0][0]["batch_id"][:12]
    yield Finding(
        "WRONG" if counting else "note", "raw",
        f"{counted(len(bad), 'file')} of {len(rows):,} damaged or gone, {len(counting):,} of them accepted",
        some(f"{row['batch_id'][:12]}  raw/{row['path']}: {why}" for row, why in bad),
        f"restore raw/ from a backup; or, while its file lies in landing, read it anew: make replay BATCH={batch};"
        f" or take it back: make reject BATCH={batch}",
    )  # fmt: skip


def _damage(context: Context, row: ledger.Row) -> str:
    path = context.settings.raw / row["path"]
    try:
        size = path.stat().st_size
        if size != row["bytes"]:
            return f"{size:,} bytes, {row['bytes']:,} were written"
        if context.is_quick:
            return ""
        with path.open("rb") as source:
            return "" if hashlib.file_digest(source, "sha256").hexdigest() == row["sha256"] else "its bytes differ"
    except FileNotFoundError:
        return "gone"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _orphans_of_raw(context: Context) -> Iterator[Finding]:
    known = ledger.raw_paths(context.ledger)
    orphans = sorted(name for name in context.files.raw if name not in known and not name.endswith("/_schema.parquet"))
    if orphans and context.is_running:
        yield Finding("ok", "raw", f"{counted(len(orphans), 'file')} of the run that is under way")
    elif orphans:
        yield Finding(
            "note", "raw", f"{counted(len(orphans), 'leftover')} of a crash: not in the ledger, so no model sees them",
            some(orphans), f"harmless; to be rid of them, remove them under {context.settings.raw}",
        )  # fmt: skip


def _gone_from_landing(context: Context) -> Iterator[Finding]:
    rows = ledger.accepted_files(context.ledger)
    gone = [row for row in rows if not os.path.lexists(context.settings.landing / row["file"])]
    if gone:
        yield Finding(
            "note", "landing", f"{counted(len(gone), 'landed file')} no longer there: raw keeps their"
            f" {sum(row['rows_accepted'] for row in gone):,} rows, but a corrected mapping cannot read them again",
            some(row["file"] for row in gone), "keep landed files, or put them back before a mapping is corrected",
        )  # fmt: skip


# --- dirty dates, lease, settings


def check_dirty_dates(context: Context) -> Iterator[Finding]:
    """Dates whose rows changed and that no release holds yet."""
    rows = ledger.dirty_dates_by_cause(context.ledger)
    if not rows:
        yield Finding("ok", "dirty dates", "none: the last release holds all that was landed")
        return
    before = ledger.stamp(utc_now() - timedelta(hours=DIRTY_HOURS))
    today = str(utc_now().date())
    stuck = [row for row in rows if row["since"] < before and row["first"] < today]
    lines = [
        f"{row['feed']}: {counted(row['dates'], 'date')}, {row['first']} .. {row['last']}, {row['cause']},"
        f" since {row['since'][:16]} UTC"
        for row in rows
    ]
    total = ledger.count_dirty_dates(context.ledger)
    yield Finding(
        "WRONG" if stuck else "note", "dirty dates",
        f"{counted(total, 'date')} wait for a release"
        + (f", some for more than {DIRTY_HOURS} h" if stuck else ""),
        some(lines),
        "make nightly; if it is blocked, the failing checks say by what (docs/runbooks/nightly.md)",
    )  # fmt: skip


def check_lease(context: Context) -> Iterator[Finding]:
    """Who writes now, and whether that process is alive."""
    row = ledger.writer_of(context.ledger)
    if row is None:
        yield Finding("ok", "lease", "free: nobody writes")
        return
    who = (
        f"{row['holder']} of run {row['run_id']}, process {row['pid']} on {row['host']},"
        f" since {row['acquired_at'][:19]} UTC"
    )
    if not lease.is_dead(row, context.settings.lease_ttl_seconds):
        yield Finding("ok", "lease", f"a run is under way: {who}")
    else:
        yield Finding(
            "note", "lease", "its holder is dead", (who, f"last heartbeat {row['heartbeat_at'][:19]} UTC"),
            "the next run takes it over by itself: make nightly",
        )  # fmt: skip


def check_erasures(context: Context) -> Iterator[Finding]:
    """Whether the list of erased accounts can be read: without its key they would come back."""
    erased = len(ledger.suppressed(context.ledger))
    try:
        erasure.require_key(context.settings)
    except ContractError as error:
        what, _, remedy = str(error).partition(". ")
        yield Finding("WRONG", "erasures", "no run can land: the key of erased accounts is lost", (what,), remedy)
        return
    if erased:
        yield Finding("ok", "erasures", f"{counted(erased, 'account or post', 'accounts and posts')} kept out")


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Keys that nobody reads, feeds that are required but do not exist, and a `config/` that cannot be."""
    known = [f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields]
    unread = unread_keys()
    if unread:
        lines = []
        for key, place in unread.items():
            near = difflib.get_close_matches(key.upper(), known, n=1)
            lines.append(f"{key} in {place}" + (f": did you mean {near[0]}?" if near else ""))
        yield Finding(
            "WRONG", "settings", f"{counted(len(unread), 'key')} that nobody reads", some(lines),
            "correct or remove it; .env.example explains every key",
        )  # fmt: skip
    strange = sorted(set(settings.manifest_feeds) - set(contracts.load_feeds()))
    if strange:
        yield Finding(
            "WRONG", "settings", "GROUNDSWELL_MANIFEST_FEEDS names feeds that do not exist", some(strange),
            f"known: {', '.join(contracts.load_feeds())}",
        )  # fmt: skip
    try:
        required.required(settings)
    except ConfigError as error:
        yield Finding("WRONG", "settings", str(error), (), "correct it: until then no run begins")
        return
    try:
        own_thresholds(settings)
    except ConfigError as error:
        first, *lines = str(error).splitlines()
        yield Finding(
            "WRONG", "settings", first, some(lines), "correct that file; groundswell config show prints what is read"
        )
    else:
        if not unread and not strange:
            yield Finding("ok", "settings", "every key is read, and config/ is in order")


def age_of(stamp: str) -> timedelta:
    """Time since an instant of the ledger."""
    return utc_now() - datetime.fromisoformat(stamp)


# Every check of this module that needs data, in the order of the flow.
CHECKS: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    check_lease,
    check_landing,
    check_quarantine,
    check_ledger,
    check_dirty_dates,
    check_erasures,
)
