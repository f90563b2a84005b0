"""`make replay`: have quarantined files read again, after what was wrong with them was mended.

Most of that needs no command: a mapping that was corrected has another fingerprint, so the next run reads its files
again and the older reading is superseded. A replay is for what a run cannot know of: a setting that was raised, a clock
that has moved on, a file whose bytes only quarantine still holds, a batch that was rejected by mistake.

Nothing is ever doubled: a reading that was requested replaces the one before it (`ledger.request_replay`), bytes that
count already are left alone, and a file is put back only where its name is free.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ingestion import containers, inventory, landing, ledger, raw
from ingestion.config import Settings, utc_now
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError, FileNotReady, FileRefused, UsageError
from ingestion.lease import hold
from ingestion.mapping.in_use import load_mappings
from ingestion.text import shown

# What may become of a batch, in the order in which people read it.
READ_AGAIN = "read again"
PUT_BACK = "put back"
REVIVE = "counts again"
BY_ITSELF = "by itself"
NAME_IT = "when named"
NOTHING = "nothing"
LOST = "bytes gone"
ACTIONS = (REVIVE, READ_AGAIN, PUT_BACK, BY_ITSELF, NAME_IT, NOTHING, LOST)
SHOWN = 20
CHANGES = (REVIVE, READ_AGAIN, PUT_BACK)


@dataclass(frozen=True)
class Step:
    """What a replay does with one batch, and why. `ask` says that the next run would not read its file by itself."""

    action: str
    batch_id: str
    feed: str
    file: str
    why: str
    ask: bool = False


def plan_replay(
    settings: Settings,
    connection: ledger.Connection,
    feed: str | None = None,
    batch_prefix: str | None = None,
    revive: bool = False,
) -> list[Step]:
    """What would be done, per batch that holds quarantined rows or was quarantined whole, or for the one that is named.

    Raises ContractError for an unknown feed, an id that names no batch or several, or a batch that cannot be revived.
    """
    if feed is not None and feed not in (known := [*load_feeds(), landing.UNKNOWN_FEED]):
        raise UsageError(f"no feed is named {feed!r}; known: {', '.join(known)}")
    if revive and batch_prefix is None:
        raise UsageError("name the batch that should count again: make replay BATCH=<start of its id> REVIVE=1")
    if batch_prefix is None:
        batches = ledger.batches_with_rejects(connection, feed)
    else:
        batches = [find_batch(connection, batch_prefix)]
        if revive or batches[0]["state"] in ("rejected", "superseded"):
            return [_step_of_retired(settings, connection, batches[0], revive)]
    seen = inventory.landed_names(settings, connection)
    is_named = feed is not None or batch_prefix is not None
    steps = [_step(settings, connection, batch, seen, is_named, batch_prefix is not None) for batch in batches]
    return sorted(steps, key=lambda step: (ACTIONS.index(step.action), step.feed, step.file, step.batch_id))


def find_batch(connection: ledger.Connection, prefix: str) -> ledger.Row:
    """The one batch whose id begins so. Raises ContractError when there is none, or more than one."""
    found = ledger.find_batches(connection, prefix)
    if len(found) != 1 or not prefix:
        raise UsageError(f"{len(found)} batches begin with {prefix!r}; make doctor and make quarantine name ids")
    return found[0]


def _step_of_retired(settings: Settings, connection: ledger.Connection, batch: ledger.Row, revive: bool) -> Step:
    """A batch that was rejected counts again on request; one that was replaced never does."""
    if batch["state"] == "superseded":
        return _made(batch, NOTHING, f"{batch['reason']}; that reading counts")
    if not revive:
        mend = f"if that was a mistake: make replay BATCH={batch['batch_id'][:12]} REVIVE=1"
        return _made(batch, NOTHING, f"it was rejected ({batch['reason']}); {mend}")
    ledger.check_revivable(connection, batch)
    raw.verify(settings, [file.seal for file in ledger.raw_files_of_batch(connection, batch["batch_id"])])
    return _made(batch, REVIVE, f"{batch['rows_accepted']:,} rows return to the marts with the next run")


def _step(
    settings: Settings,
    connection: ledger.Connection,
    batch: ledger.Row,
    names: dict[str, inventory.Seen],
    is_named: bool,
    is_alone: bool,
) -> Step:
    if batch["state"] == "accepted" and not batch["rows_quarantined"] and not is_alone:
        return _made(batch, NOTHING, "all of its rows are accepted")
    if batch["state"] == "quarantined" and (other := ledger.accepted_reading(connection, batch)):
        return _made(batch, NOTHING, f"the same bytes are in already, as {other}")
    seen = _where_it_lies(settings, connection, batch, names)
    if seen is not None:
        return _step_in_landing(batch, seen, is_named)
    if batch["file"] in names:
        return _made(batch, NOTHING, "another file lies under its name now; the next run reads that one")
    return _step_gone(settings, batch)


def _step_in_landing(batch: ledger.Row, seen: inventory.Seen, is_named: bool) -> Step:
    """The file still lies there: the next run reads it by itself, or must be asked to, or cannot."""
    if seen.is_requested:
        return _made(batch, BY_ITSELF, "requested already; the next run reads it")
    if not stat.S_ISREG(seen.candidate.info.st_mode):
        return _made(batch, NOTHING, f"it would be refused again: {batch['reason']}")
    if seen.refusal is not None:
        return _made(batch, NOTHING, f"it would be refused again: {seen.refusal}")
    if seen.mapping is None:
        return _made(batch, NOTHING, f"its mapping {seen.loaded_by} is gone from config/mappings/; put it back first")
    if landing.fingerprint_of(seen.mapping, batch) != batch["mapping_fingerprint"]:
        return _made(batch, BY_ITSELF, "its mapping has changed; the next run reads it again")
    if batch["state"] == "quarantined":
        return _made(batch, READ_AGAIN, "it was quarantined whole, under the mapping of today", ask=True)
    rows = f"{batch['rows_quarantined']:,} of {batch['rows_read']:,} rows are quarantined, under the mapping of today"
    if is_named:
        return _made(batch, READ_AGAIN, rows, ask=True)
    return _made(batch, NAME_IT, f"{rows}; to read it all the same: make replay BATCH={batch['batch_id'][:12]}")


def _step_gone(settings: Settings, batch: ledger.Row) -> Step:
    """The file is gone from landing: its bytes may lie in quarantine, when it was quarantined whole."""
    kept = inventory.quarantined_file_folder(settings, batch["feed"], batch["sha256"]) / "file"
    if not kept.is_file():
        return _made(batch, LOST, "it is gone from landing and no copy is kept; deliver it again under the same name")
    whole, part = _sha256(kept), batch["file"].rpartition("/")[2]
    if batch["sha256"] == containers.identity_of_part(whole, part):
        return _made(batch, NOTHING, "it is a part of a file that is gone from landing; deliver that file again")
    if whole != batch["sha256"]:
        return _made(batch, LOST, "its copy in quarantine is damaged; deliver it again under the same name")
    try:
        mapping = load_mappings(settings).choose(batch["file"])
    except FileRefused as error:
        return _made(batch, NOTHING, f"it would be refused again: {error.reason}")
    ask = landing.fingerprint_of(mapping, batch) == batch["mapping_fingerprint"]
    why = "under the mapping of today" if ask else "its mapping has changed"
    return _made(batch, PUT_BACK, f"gone from landing, kept in quarantine; {why}", ask=ask)


def _where_it_lies(
    settings: Settings, connection: ledger.Connection, batch: ledger.Row, names: dict[str, inventory.Seen]
) -> inventory.Seen | None:
    """The batch's bytes in landing: under its own name, or another under which they were delivered."""
    for path in dict.fromkeys([batch["file"], *ledger.paths_of_batch(connection, batch["batch_id"])]):
        seen = names.get(path)
        if seen is None:
            continue
        if batch["batch_id"] in seen.batch_ids:
            return seen
        if seen.candidate.info.st_size == batch["bytes"] and _hash_inside(settings, seen) == batch["sha256"]:
            return seen
    return None


def _hash_inside(settings: Settings, seen: inventory.Seen) -> str:
    """SHA-256 of a file in landing, empty when it cannot be opened."""
    try:
        with os.fdopen(landing.open_inside(settings.landing, seen.candidate.on_disk), "rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except (FileRefused, FileNotReady):
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _made(batch: ledger.Row, action: str, why: str, ask: bool = False) -> Step:
    return Step(action, batch["batch_id"], batch["feed"], batch["file"], why, ask)


def carry_out(settings: Settings, steps: list[Step]) -> None:
    """Do what was planned: files first, then one transaction. The caller holds the writer's lease.

    Raises ContractError when a name in landing has been taken meanwhile.
    """
    for step in steps:
        if step.action == PUT_BACK:
            with ledger.read_copy(settings) as connection:
                put_back(settings, find_batch(connection, step.batch_id))
    with ledger.write(settings) as connection:
        for step in steps:
            if step.action == REVIVE:
                ledger.count_again(connection, step.batch_id)
            elif step.ask:
                ledger.request_replay(connection, step.batch_id)


def put_back(settings: Settings, batch: ledger.Row) -> Path:
    """Copy a file out of quarantine to its name in landing, never over another file and never through a link.

    A file without a time in its name keeps the `as_of` that it was first landed with.
    """
    parts = PurePosixPath(batch["file"]).parts
    target = settings.landing.joinpath(*parts)
    if not parts or PurePosixPath(batch["file"]).is_absolute() or ".." in parts:
        raise ContractError(f"{batch['file']} leads out of landing; deliver the file by hand")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ContractError(
            f"{batch['file']} was a member of a zip, which lies there anew; run make nightly"
        ) from error
    if target.parent.resolve() != settings.landing.resolve().joinpath(*parts[:-1]):
        raise ContractError(f"a folder on the way to landing/{batch['file']} is a link; deliver the file by hand")
    # A name with a dot before it is no delivery, so a run that looks now does not see half of it.
    partial = target.with_name(f".{target.name[:200]}.replay")
    kept = inventory.quarantined_file_folder(settings, batch["feed"], batch["sha256"]) / "file"
    shutil.copyfile(kept, partial)
    moment = datetime.fromisoformat(batch["as_of"]).replace(tzinfo=UTC).timestamp()
    os.utime(partial, (moment, moment))
    try:
        os.link(partial, target)
    except FileExistsError as error:
        raise ContractError(f"landing/{batch['file']} is there again; run make replay anew") from error
    finally:
        partial.unlink()
    raw.sync_folder(target.parent)
    return target


def table(steps: list[Step]) -> list[str]:
    """One line per batch: action, id, file, why; of each action the first, and how many more there are."""
    lines = []
    for action in ACTIONS:
        alike = [step for step in steps if step.action == action]
        for step in alike[:SHOWN]:
            file, why = shown(step.file), shown(step.why)
            lines.append(f"{step.action:<12}  {step.batch_id[:12]}  {file:<40}  {why}")
        if len(alike) > SHOWN:
            lines.append(f"{action:<12}  and {len(alike) - SHOWN:,} more")
    return lines


def replay(
    settings: Settings,
    feed: str | None = None,
    batch_prefix: str | None = None,
    revive: bool = False,
    dry_run: bool = False,
    log: Callable[[str], None] = print,
) -> list[Step]:
    """Plan and carry out a replay, or only say what it would do. Nothing is read before the next run."""
    if dry_run:
        with ledger.read_copy(settings) as connection:
            steps = plan_replay(settings, connection, feed, batch_prefix, revive)
        _report(steps, dry_run, log)
        return steps
    with hold(settings, f"replay {utc_now():%Y-%m-%dT%H:%M:%S}", "replay", log):
        with ledger.read_copy(settings) as connection:
            steps = plan_replay(settings, connection, feed, batch_prefix, revive)
        carry_out(settings, steps)
    _report(steps, dry_run, log)
    return steps


def _report(steps: list[Step], dry_run: bool, log: Callable[[str], None]) -> None:
    for line in table(steps):
        log(line)
    if not steps:
        log("no file is quarantined and no row quarantined: nothing to replay")
    elif any(step.action in CHANGES for step in steps):
        log("\nnothing was changed; the same without WHAT=1 does it" if dry_run else "\nnext: make nightly")
    elif any(step.action == BY_ITSELF for step in steps):
        log("\nnothing to do here: the next run reads them by itself (make nightly)")
    else:
        log("\nnothing to do here")
