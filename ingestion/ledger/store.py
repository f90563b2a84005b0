"""The file of state: its schema, its changes, and the ways to open it. One SQLite file, one transaction at a time.

Every write is one transaction (`write`), after the files it speaks of are safely on disk.
Times are ISO 8601 UTC text; dates are YYYY-MM-DD.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from ingestion.config import Settings, utc_now
from ingestion.errors import ContractError

Connection: TypeAlias = sqlite3.Connection
Row: TypeAlias = sqlite3.Row
# What a ledger raises that cannot be read or written; `Busy` is one whose writer is at work, or was killed in a commit.
Error = sqlite3.Error
Busy = sqlite3.OperationalError
Damaged = sqlite3.DatabaseError

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
    # The same bytes under one name, or with one time in their names, are one delivery however often they were read.
    "alter table batches add column landing_order integer not null default 0;"
    " update batches set landing_order = (select min(first.rowid) from batches first where first.sha256 ="
    " batches.sha256 and (first.file = batches.file or first.file_time is batches.file_time));"
    " create index batches_landing_order on batches (landing_order);"
    # The mapping alone that a batch was read with, without its feeds; null of batches from before.
    " alter table batches add column layout text",
    # What the run at work has hashed: each raw file as it then lay on disk.
    "create table verified_files (path text primary key, run_id text not null, bytes integer not null,"
    " mtime_ns integer not null, inode integer not null)",
    # Rows by column whose optional cell could not be read, as JSON; null where there are none.
    "alter table batches add column invalid_cells text",
    # Each time that the bytes of a batch came, and what that delivery may speak of. A file of before was written last
    # when its name was last seen so.
    """
    create table arrivals (
        batch_id text not null references batches,
        file text not null,
        as_of text not null,
        written_at text not null,
        scope text,
        is_full integer not null default 0,
        is_signed integer not null default 0,
        keys_unread integer not null default 0,
        companions text,
        primary key (batch_id, file, as_of, written_at)
    );
    create table key_files (
        path text primary key,
        batch_id text not null references batches,
        feed text not null,
        rows integer not null,
        bytes integer not null,
        sha256 text not null
    );
    insert into arrivals (batch_id, file, as_of, written_at)
    select batch_id, file, as_of, coalesce(min(landed_at, (select max(datetime(d.mtime_ns / 1000000000, 'unixepoch')
        || printf('.%06d', (d.mtime_ns / 1000) % 1000000)) from deliveries d where d.batch_id = batches.batch_id)),
        landed_at) from batches;
    """,
    # What of a check failed, as JSON, and whether a person has acknowledged all of it; what a person acknowledged; and
    # what the checks measured of each day, as JSON, with the digest of the files that it was measured from.
    """
    alter table check_results add column failures text;
    alter table check_results add column is_acknowledged integer not null default 0;
    create table acknowledged_checks (
        suite text not null,
        expectation text not null,
        subject text not null,
        snapshot_date text not null,
        value real not null,
        why text not null,
        acknowledged_by text not null,
        acknowledged_at text not null,
        primary key (suite, expectation, subject)
    );
    create table day_measures (
        feed text not null,
        snapshot_date text not null,
        files text not null,
        measures text not null,
        primary key (feed, snapshot_date)
    );
    """,
    # What captures of sources took, what became of what a day was asked for, and of each target of the last days.
    """
    create table source_captures (
        source text not null,
        captured_at text not null,
        snapshot_date text not null,
        calls integer not null,
        units integer not null,
        money text not null,
        primary key (source, captured_at)
    );
    create table source_outcomes (
        source text not null,
        platform text not null,
        snapshot_date text not null,
        kind text not null check (kind in ('account', 'post', 'table')),
        outcome text not null,
        targets integer not null,
        primary key (source, platform, snapshot_date, kind, outcome)
    );
    create table source_targets (
        source text not null,
        platform text not null,
        snapshot_date text not null,
        kind text not null,
        target text not null,
        outcome text not null,
        primary key (source, snapshot_date, kind, target)
    );
    create table notices (
        cause text primary key,
        subject text not null,
        told_at text not null,
        ended_at text
    )
    """,
    # Days of a feed whose answers a source may keep no longer, and what of them went; releases that went with them.
    """
    create table let_go (
        source text not null,
        platform text not null,
        feed text not null,
        snapshot_date text not null,
        kept_days integer not null,
        keeps_derived integer not null,
        files integer not null,
        rows integer not null,
        let_go_at text not null,
        primary key (source, feed, snapshot_date)
    );
    create table let_go_releases (
        release_id text primary key,
        let_go_at text not null
    )
    """,
)

# How long one who only reads waits for a writer's commit.
COPY_SECONDS = 5.0


def connect(settings: Settings) -> Connection:
    """An open ledger, made on first use. The caller closes it. Raises ContractError where one must have been lost."""
    if lost := how_lost(settings):
        raise ContractError(lost)
    return _connect(settings)


def how_lost(settings: Settings) -> str | None:
    """Why the ledger is taken for lost: there is none, or an empty file, beside what only a run can have written.

    A ledger is made before the first raw file is, so none was ever killed between the two.
    """
    if settings.ledger.exists() and settings.ledger.stat().st_size > 0:
        return None
    kept = {
        "raw files": settings.raw.glob("*/snapshot_date=*/*.parquet"),
        "releases": (settings.published / "releases").glob("*/release.json"),
    }
    found = [name for name, paths in kept.items() if any(paths)]
    if not found:
        return None
    return (
        f"{settings.ledger} is {'empty' if settings.ledger.exists() else 'gone'}, and there are"
        f" {' and '.join(found)}: without it their history would be left out of the marts. Restore state/ from a"
        " backup; where there is none, `groundswell doctor --rebuild-ledger` makes it anew from landing and raw"
    )


def require_history(settings: Settings) -> None:
    """Raise ContractError where raw is gone, or the ledger knows neither of the raw files nor of the releases there.

    Another was put in its place. One that was killed in its first landing has orphans, and no release; one of nights
    without a file has releases, which it knows.
    """
    with read(settings) as connection:
        files = connection.execute("select count(*) from raw_files").fetchone()[0]
        if files and not any(settings.raw.glob("*/snapshot_date=*")):
            raise ContractError(
                f"{settings.raw} holds none of the {files:,} files that the ledger names: it was removed, or its disk"
                " is not there. Restore raw/ and state/ from one backup"
            )
        if connection.execute("select 1 from batches limit 1").fetchone():
            return
        known = {row["release_id"] for row in connection.execute("select release_id from releases")}
    kept = {note.parent.name for note in (settings.published / "releases").glob("*/release.json")}
    if kept - known and any(settings.raw.glob("*/snapshot_date=*/*.parquet")):
        raise ContractError(
            f"{settings.ledger} knows of no landed file, and there are raw files and releases: it is not the ledger of"
            " this folder. Restore state/ from a backup; where there is none, remove it, and `groundswell doctor"
            " --rebuild-ledger` makes it anew from landing and raw"
        )


def make_anew(settings: Settings) -> None:
    """Make an empty ledger in place of a lost one."""
    settings.ledger.unlink(missing_ok=True)
    _connect(settings).close()


def _connect(settings: Settings) -> Connection:
    settings.ledger.parent.mkdir(parents=True, exist_ok=True)
    keep_to_owner(settings.ledger.parent)
    connection = sqlite3.connect(settings.ledger, timeout=60, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    _upgrade(connection)
    return connection


def keep_to_owner(folder: Path) -> None:
    """Let nobody but its owner into a folder; one that belongs to somebody else is left as it is."""
    if folder.stat().st_mode & 0o077:
        with suppress(PermissionError):
            folder.chmod(0o700)


def _version(connection: Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _upgrade(connection: Connection) -> None:
    """Bring a ledger, or an empty file, to the schema of today, in one transaction.

    Of two processes at once the second finds nothing to do. Raises ContractError for a ledger of a newer version.
    """
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise ContractError(
            f"state/ledger.sqlite was written by a newer version (its schema is {version}, this one knows"
            f" {len(MIGRATIONS)}): install that version again, or restore the data folder from before the upgrade"
        )
    if version == len(MIGRATIONS):
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


def _roll_back(connection: Connection) -> None:
    """Undo what was written. On a full disk SQLite has done so by itself, and its error must not be hidden by ours."""
    if connection.in_transaction:
        connection.execute("rollback")


def _address(settings: Settings) -> str:
    """The file as a URI to read it by; a folder's name may hold `#` and `%`, which mean something in one."""
    return f"file:{quote(str(settings.ledger.absolute()))}?mode=ro"


@contextmanager
def read_copy(settings: Settings) -> Iterator[Connection]:
    """A copy of the ledger in memory, as it stands at one instant, for those who only read.

    It makes no file, holds no writer up longer than the copy takes, and is empty where there is no ledger yet.
    Raises sqlite3.Error when the file cannot be read (damaged, or a killed writer's transaction is still to be undone).
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.row_factory = sqlite3.Row
        if settings.ledger.exists():
            address = _address(settings)
            with closing(sqlite3.connect(address, uri=True, timeout=COPY_SECONDS, isolation_level=None)) as stored:
                # The copy itself would wait for a writer for ever; this waits `COPY_SECONDS` and then raises.
                stored.execute("begin")
                stored.execute("select count(*) from sqlite_master").fetchone()
                stored.backup(copy)
        _upgrade(copy)
        yield copy


@contextmanager
def read(settings: Settings) -> Iterator[Connection]:
    """The ledger as it stands at one instant: all queries inside see the same state."""
    with closing(connect(settings)) as connection:
        connection.execute("begin")
        try:
            yield connection
        finally:
            connection.execute("rollback")


@contextmanager
def write(settings: Settings) -> Iterator[Connection]:
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


def copy_to(settings: Settings, target: Path) -> None:
    """A copy of the ledger for work that nobody else sees; it holds no lease."""
    source = sqlite3.connect(_address(settings), uri=True)
    with closing(source), closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("delete from leases")
        copy.commit()


def compact(settings: Settings) -> None:
    """Write the file anew, so that nothing of what was deleted stays in its free pages."""
    with closing(connect(settings)) as connection:
        connection.execute("vacuum")


def problems(connection: Connection) -> list[str]:
    """What SQLite finds wrong with the file, a line each."""
    return [row[0] for row in connection.execute("pragma integrity_check") if row[0] != "ok"]


def dangling(connection: Connection) -> list[str]:
    """Rows whose reference leads nowhere, a line each."""
    rows = connection.execute("pragma foreign_key_check")
    return [f"{row[0]} row {row[1]}: its {row[2]} is missing" for row in rows]
