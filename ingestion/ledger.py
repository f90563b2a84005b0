"""State of the warehouse in one SQLite file: batches, raw files, dirty dates, plans, checks, releases, leases.

Every write is one transaction (`write`), after the files it speaks of are safely on disk.
Times are ISO 8601 UTC text; dates are YYYY-MM-DD.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from ingestion.config import Settings, utc_now
from ingestion.errors import ContractError, UsageError

SCHEMA = """
create table if not exists batches (
    batch_id text primary key,
    feed text not null,
    mapping text not null,
    mapping_fingerprint text not null,
    sha256 text not null,
    file text not null,
    bytes integer not null,
    header text,
    file_time text,
    as_of text not null,
    landed_at text not null,
    data_origin text not null,
    state text not null check (state in ('accepted', 'quarantined', 'rejected', 'superseded')),
    reason text,
    rows_read integer not null,
    rows_accepted integer not null,
    rows_quarantined integer not null,
    rows_duplicate integer not null,
    run_id text not null,
    check (rows_read = rows_accepted + rows_quarantined + rows_duplicate)
);
create index if not exists batches_sha256 on batches (sha256);
create table if not exists raw_files (
    path text primary key,
    batch_id text not null references batches,
    feed text not null,
    snapshot_date text not null,
    rows integer not null,
    bytes integer not null,
    sha256 text not null
);
create index if not exists raw_files_date on raw_files (feed, snapshot_date);
create table if not exists deliveries (
    path text primary key,
    bytes integer not null,
    mtime_ns integer not null,
    inode integer not null,
    mapping_fingerprint text not null,
    batch_id text not null,
    seen_at text not null
);
create table if not exists dirty_dates (
    id integer primary key autoincrement,
    feed text not null,
    snapshot_date text not null,
    batch_id text not null,
    cause text not null,
    since text not null
);
create table if not exists plans (
    run_id text primary key,
    day text not null,
    created_at text not null,
    dirty_upto integer not null,
    cap text not null,
    fingerprints text not null,
    state text not null check (state in ('planned', 'published', 'superseded', 'unchanged'))
);
create table if not exists plan_dates (
    run_id text not null,
    mart text not null,
    snapshot_date text not null,
    reason text not null,
    primary key (run_id, mart, snapshot_date)
);
create table if not exists mart_state (
    mart text primary key,
    built text,
    released text
);
create table if not exists check_results (
    run_id text not null,
    suite text not null,
    expectation text not null,
    severity text not null check (severity in ('critical', 'warning')),
    observed text,
    threshold text,
    passed integer not null,
    detail text,
    checked_at text not null,
    primary key (run_id, suite, expectation)
);
create table if not exists releases (
    release_id text primary key,
    run_id text not null,
    day text not null,
    window_start text,
    window_end text,
    published_at text not null,
    code_version text not null
);
create table if not exists release_marts (
    release_id text not null references releases,
    mart text not null,
    row_count integer not null,
    content_hash text not null,
    primary key (release_id, mart)
);
create table if not exists released_dates (
    snapshot_date text primary key,
    release_id text not null
);
create table if not exists partition_hashes (
    mart text not null,
    part text not null,
    row_count integer not null,
    content_hash text not null,
    primary key (mart, part)
);
create table if not exists leases (
    name text primary key,
    token text not null,
    run_id text not null,
    holder text not null,
    host text not null,
    pid integer not null,
    process_start text not null,
    acquired_at text not null,
    heartbeat_at text not null
);
"""

# The first schema and its changes, in order, only ever added to; `user_version` counts those that a ledger has seen.
MIGRATIONS = (
    SCHEMA,
    "alter table batches add column rows_left_out integer not null default 0",
    "create table replays (sha256 text not null, feed text not null, batch_id text not null, asked_at text not null);"
    " create index replays_delivery on replays (sha256, feed)",
    """
    create table plan_ranges (
        run_id text primary key,
        asked text not null
    );
    create table rollbacks (
        id integer primary key autoincrement,
        from_release text not null,
        to_release text not null references releases,
        rolled_back_at text not null,
        why text not null
    );
    create table suppressed (
        digest text primary key,
        since text not null
    );
    create table erasures (
        id integer primary key autoincrement,
        began_at text not null,
        ended_at text,
        raw_rows integer not null default 0,
        quarantined_rows integer not null default 0,
        files integer not null default 0,
        releases integer not null default 0
    );
    """,
)

# What a ledger that cannot be read raises.
Error = sqlite3.Error
# How long one who only looks waits for a writer's commit.
LOOK_SECONDS = 5.0
# In place of a delivery's mapping: its file is read again by the next run, whatever the mapping.
ASKED_AGAIN = "asked again"
# In the reason of a superseded batch: what stood there before, and stands there again when it is revived.
BEFORE = "; before that: "


def connect(settings: Settings) -> sqlite3.Connection:
    """An open ledger, made on first use. The caller closes it."""
    settings.ledger.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(settings.ledger, timeout=60, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    _upgrade(connection)
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring a ledger, or an empty file, to the schema of today, in one transaction.

    Of two processes at once the second finds nothing to do.
    """
    if _version(connection) >= len(MIGRATIONS):
        return
    connection.execute("begin immediate")
    try:
        for number in range(_version(connection), len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";"):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {number + 1}")
    except BaseException:
        _roll_back(connection)
        raise
    connection.execute("commit")


def _roll_back(connection: sqlite3.Connection) -> None:
    """Undo what was written. On a full disk SQLite has done so by itself, and its error must not be hidden by ours."""
    if connection.in_transaction:
        connection.execute("rollback")


@contextmanager
def look(settings: Settings) -> Iterator[sqlite3.Connection]:
    """A copy of the ledger in memory, as it stands at one instant, for those who only look.

    It makes no file, holds no writer up longer than the copy takes, and is empty where there is no ledger yet.
    Raises sqlite3.Error when the file cannot be read (damaged, or a killed writer's transaction is still to be undone).
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.row_factory = sqlite3.Row
        if settings.ledger.exists():
            address = f"file:{quote(str(settings.ledger.absolute()))}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=LOOK_SECONDS, isolation_level=None)) as stored:
                # The copy itself would wait for a writer for ever; this waits `LOOK_SECONDS` and then raises.
                stored.execute("begin")
                stored.execute("select count(*) from sqlite_master").fetchone()
                stored.backup(copy)
        _upgrade(copy)
        yield copy


@contextmanager
def read(settings: Settings) -> Iterator[sqlite3.Connection]:
    """The ledger as it stands at one instant: all queries inside see the same state."""
    with closing(connect(settings)) as connection:
        connection.execute("begin")
        try:
            yield connection
        finally:
            connection.execute("rollback")


@contextmanager
def write(settings: Settings) -> Iterator[sqlite3.Connection]:
    """One transaction: all or nothing, alone."""
    with closing(connect(settings)) as connection:
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            _roll_back(connection)
            raise
        connection.execute("commit")


def stamp(moment: datetime | None = None) -> str:
    """An instant (default: now, UTC) as the ledger writes it."""
    return (moment or utc_now()).isoformat(sep=" ", timespec="microseconds")


@dataclass(frozen=True)
class RawFile:
    """One Parquet file of a batch: rows of one UTC day."""

    path: str
    snapshot_date: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Batch:
    """One delivery under one mapping, and what became of each of its rows."""

    batch_id: str
    feed: str
    mapping: str
    mapping_fingerprint: str
    sha256: str
    file: str
    bytes: int
    header: list[str] | None
    file_time: datetime | None
    as_of: datetime
    landed_at: datetime
    data_origin: str
    state: str
    reason: str | None
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    run_id: str
    raw_files: list[RawFile] = field(default_factory=list)
    rows_left_out: int = 0


def record_batch(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write a batch, its raw files and the dates it makes dirty; an older reading of the same delivery gives way.

    Raises sqlite3.IntegrityError when read is not accepted + quarantined + duplicate.
    """
    connection.execute(
        "insert into batches values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch.batch_id, batch.feed, batch.mapping, batch.mapping_fingerprint, batch.sha256, batch.file, batch.bytes,
            None if batch.header is None else json.dumps(batch.header, ensure_ascii=False),
            batch.file_time and stamp(batch.file_time), stamp(batch.as_of), stamp(batch.landed_at), batch.data_origin,
            batch.state, batch.reason, batch.rows_read, batch.rows_accepted, batch.rows_quarantined,
            batch.rows_duplicate, batch.run_id, batch.rows_left_out,
        ),
    )  # fmt: skip
    connection.executemany(
        "insert into raw_files values (?, ?, ?, ?, ?, ?, ?)",
        [(f.path, batch.batch_id, batch.feed, f.snapshot_date, f.rows, f.bytes, f.sha256) for f in batch.raw_files],
    )
    _mark_dirty(connection, batch.batch_id, "accepted")
    _supersede_others(connection, batch.batch_id)


def _supersede_others(connection: sqlite3.Connection, batch_id: str) -> None:
    """Other readings of the same delivery give way to this one: same bytes under the same name, or under another name
    with the same time in it. Under one name the time differs only when another mapping reads it elsewhere.

    What the same mapping reads of it into other feeds stays.
    """
    others = connection.execute(
        "select other.batch_id, other.reason from batches this join batches other on other.sha256 = this.sha256"
        " and other.batch_id <> this.batch_id"
        " and (other.feed = this.feed or other.mapping <> this.mapping"
        " or other.mapping_fingerprint <> this.mapping_fingerprint)"
        " where this.batch_id = ? and other.state in ('accepted', 'quarantined') and (other.file = this.file"
        " or other.file_time is this.file_time and exists"
        " (select 1 from deliveries d join batches seen on seen.batch_id = d.batch_id where d.path = this.file"
        " and seen.sha256 = other.sha256 and seen.mapping = other.mapping"
        " and seen.mapping_fingerprint = other.mapping_fingerprint))",
        (batch_id,),
    ).fetchall()
    for row in others:
        note = f"read again as {batch_id[:12]} under another mapping"
        before = f"{BEFORE}{row['reason']}" if row["reason"] else ""
        retire_batch(connection, row["batch_id"], "superseded", note + before)


def revive_batch(connection: sqlite3.Connection, batch_id: str) -> bool:
    """Whether a batch is known; one that another mapping had superseded counts again, as its mapping does."""
    row = connection.execute("select * from batches where batch_id = ?", (batch_id,)).fetchone()
    if row is not None and row["state"] == "superseded":
        state = "accepted" if row["rows_accepted"] else "quarantined"
        reason = row["reason"].partition(BEFORE)[2] or None
        connection.execute("update batches set state = ?, reason = ? where batch_id = ?", (state, reason, batch_id))
        _mark_dirty(connection, batch_id, "accepted")
        _supersede_others(connection, batch_id)
    return row is not None


def retire_batch(connection: sqlite3.Connection, batch_id: str, state: str, reason: str) -> None:
    """Take a batch back: its rows leave the marts with the next run; raw keeps them."""
    connection.execute("update batches set state = ?, reason = ? where batch_id = ?", (state, reason, batch_id))
    _mark_dirty(connection, batch_id, state)


def _mark_dirty(connection: sqlite3.Connection, batch_id: str, cause: str) -> None:
    connection.execute(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since)"
        " select feed, snapshot_date, batch_id, ?, ? from raw_files where batch_id = ?",
        (cause, stamp(), batch_id),
    )


def reject(settings: Settings, batch_prefix: str, why: str) -> str:
    """Reject one accepted batch by the start of its id. Returns a line for people.

    Raises UsageError when no accepted batch, or more than one, begins so.
    """
    with write(settings) as connection:
        found = connection.execute(
            "select batch_id, file, rows_accepted from batches where substr(batch_id, 1, ?) = ? and state = 'accepted'",
            (len(batch_prefix), batch_prefix),
        ).fetchall()
        if len(found) != 1 or not batch_prefix:
            raise UsageError(
                f"{len(found)} accepted batches begin with {batch_prefix!r}; the ids stand in marts.fct_landed_file"
            )
        retire_batch(connection, found[0]["batch_id"], "rejected", why)
    return f"rejected {found[0]['file']}: its {found[0]['rows_accepted']} rows leave the marts with the next run"


def ask_again(connection: sqlite3.Connection, batch_id: str) -> None:
    """Have the next run read a batch's file again, under a new id: what stands in raw is never written over.

    A delivery names one of the batches of its file, so it is found by any of them; what the file gave to other feeds
    is known, and stays as it is.
    """
    connection.execute(
        "insert into replays select sha256, feed, batch_id, ? from batches where batch_id = ?", (stamp(), batch_id)
    )
    connection.execute(
        "update deliveries set mapping_fingerprint = ? where batch_id in (select other.batch_id from batches this"
        " join batches other using (sha256, mapping, mapping_fingerprint) where this.batch_id = ?)",
        (ASKED_AGAIN, batch_id),
    )


def times_asked(settings: Settings, sha256: str, feed: str) -> int:
    """How often people asked for these bytes of a feed to be read again: part of the batch's id."""
    with read(settings) as connection:
        row = connection.execute(
            "select count(*) from replays where sha256 = ? and feed = ?", (sha256, feed)
        ).fetchone()
        return int(row[0])


def count_again(connection: sqlite3.Connection, batch_id: str) -> None:
    """Let a rejected batch count again, as it did before it was taken back. The caller has verified its raw files.

    Raises ContractError when it is not rejected, or its bytes count already under another reading.
    """
    row = connection.execute("select * from batches where batch_id = ?", (batch_id,)).fetchone()
    check_revivable(connection, row)
    reason = f"counts again; had been taken back: {row['reason']}"
    connection.execute("update batches set state = 'accepted', reason = ? where batch_id = ?", (reason, batch_id))
    _mark_dirty(connection, batch_id, "accepted")


def check_revivable(connection: sqlite3.Connection, batch: sqlite3.Row) -> None:
    """Raise ContractError unless a batch is rejected and its bytes do not count under another reading."""
    if batch["state"] != "rejected":
        raise ContractError(f"batch {batch['batch_id'][:12]} is {batch['state']}, not rejected: leave out REVIVE")
    other = connection.execute(
        "select batch_id from batches where sha256 = ? and feed = ? and state = 'accepted'",
        (batch["sha256"], batch["feed"]),
    ).fetchone()
    if other is not None:
        raise ContractError(f"the same bytes count already, as batch {other['batch_id'][:12]}: nothing to revive")


def record_checks(settings: Settings, run_id: str, results: Iterable[dict[str, object]]) -> None:
    """Replace the results of a run's suites: one row per suite and expectation.

    Keys of a result: suite, expectation, severity, observed, threshold, passed, detail.
    """
    rows = list(results)
    with write(settings) as connection:
        for suite in {row["suite"] for row in rows}:
            connection.execute("delete from check_results where run_id = ? and suite = ?", (run_id, suite))
        connection.executemany(
            "insert into check_results values (:run_id, :suite, :expectation, :severity, :observed, :threshold,"
            " :passed, :detail, :checked_at)",
            [{**row, "run_id": run_id, "checked_at": stamp()} for row in rows],
        )


def is_empty(settings: Settings) -> bool:
    """Whether nothing was ever landed."""
    if not settings.ledger.exists():
        return True
    with read(settings) as connection:
        return connection.execute("select 1 from batches limit 1").fetchone() is None
