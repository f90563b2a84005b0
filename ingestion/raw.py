"""The raw layer: append-only Parquet, one file per batch and UTC day, and quarantine beside it.

Order of writes: file beside, fsync, rename; then (by the caller) one ledger transaction. A file that the ledger
does not name is invisible to every reader.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.errors import ContractError
from ingestion.ledger import KeyFile, RawFile
from ingestion.readers.table import Reader, one
from ingestion.sql import listed, quote

SQL_TYPES = {
    "code": "varchar",
    "id": "varchar",
    "text": "varchar",
    "list": "varchar",
    "currency": "varchar",
    "timestamp": "timestamp",
    "date": "date",
    "count": "bigint",
    "integer": "bigint",
    "amount": "decimal(20, 6)",
    "rate": "decimal(18, 8)",
    "figure": "decimal(26, 8)",
    "boolean": "boolean",
}
# Against DuckDB's defaults, 1M rows of 27 columns take 1.0 s of CPU to write instead of 1.4, in 3 % more bytes: a
# larger dictionary is built in vain for ids and names, which never repeat. The second version's encodings take a third
# off the bytes, and 10 % off the time to write and to read them.
# What each row holds again is an enum in `accepted`, which costs nothing.
PARQUET = (
    "format parquet, parquet_version v2, compression zstd, compression_level 1, dictionary_size_limit 1000,"
    " row_group_size 122880"
)
# Under which a file without rows notes its columns.
COLUMNS_KEY = "groundswell_columns"

# Of a file of many days; sorting all of one at once takes memory without bound.
ROWS_SORTED = 4_000_000


def columns_of(feed: Feed) -> dict[str, str]:
    """Columns of a feed's raw files with their SQL types, in order."""
    columns = {}
    for name, column in feed.columns.items():
        columns[name] = SQL_TYPES[column.type]
        if column.type == "count":
            columns[f"{name}_null_reason"] = "varchar"
    return columns | {
        "extra": "varchar",
        "invalid_cells": "varchar",
        "data_origin": "varchar",
        "source_file": "varchar",
        "source_line": "bigint",
        "source_sha256": "varchar",
        "batch_id": "varchar",
        "as_of": "timestamp",
        "loaded_at": "timestamp",
        "snapshot_date": "date",
    }


def stored(columns: Mapping[str, str], files: Iterable[Path], options: str = "") -> str:
    """SQL of raw files as one relation with all of these columns: older files lack the newer ones.

    Args:
        columns: their types by name, as `columns_of` gives them.
        files: without any it holds no row.
        options: more of DuckDB's options of `read_parquet`, as `filename = true`.
    """
    empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    paths = listed(map(str, files))
    if not paths:
        return f"(select {empty} where false)"
    wanted = ", ".join(filter(None, ("union_by_name = true, hive_partitioning = false", options)))
    return f"(select {empty} where false union all by name select * from read_parquet([{paths}], {wanted}))"


def write_empty_schemas(settings: Settings) -> None:
    """A Parquet file without rows for each feed, so that a feed without data still builds.

    One that is gone, cut or of other columns is made anew, so none needs to outlive a power cut.
    """
    wanted = {settings.raw / name / "_schema.parquet": columns_of(feed) for name, feed in load_feeds().items()}
    standing = _columns_said(file for file in wanted if file.exists())
    for target, columns in wanted.items():
        said = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        if standing.get(target) == said:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        casts = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in columns.items())
        duckdb.execute(
            f"copy (select {casts} where false) to '{partial}' ({PARQUET}, kv_metadata {{{COLUMNS_KEY}: '{said}'}})"
        )
        os.replace(partial, target)


def _columns_said(files: Iterable[Path]) -> dict[Path, str]:
    """What Parquet files say of their columns in their own notes; one that cannot be read says nothing."""
    asked = list(files)
    if not asked:
        return {}
    try:
        found = duckdb.execute(
            "select file_name, decode(value) from parquet_kv_metadata($files) where decode(key) = $key",
            {"files": [str(file) for file in asked], "key": COLUMNS_KEY},
        ).fetchall()
    except (duckdb.IOException, duckdb.InvalidInputException):
        if len(asked) < 2:
            return {}
        return {file: said for one in asked for file, said in _columns_said([one]).items()}
    return {Path(file): said for file, said in found}


def write_batch(settings: Settings, reader: Reader, feed: str, batch_id: str) -> list[RawFile]:
    """Write the view `accepted` as one Parquet file per snapshot_date; returns what the ledger must know."""
    days = reader.execute("select snapshot_date, count(*) from accepted group by all order by all").fetchall()
    staging = settings.raw / feed / f".partial-{batch_id[:16]}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    if len(days) == 1:
        parts = {days[0][0]: staging / "part.parquet"}
        reader.execute(f"copy accepted to '{parts[days[0][0]]}' ({PARQUET})")
    else:
        for first, last in _spans(days):
            _write_days(reader, staging, first, last)
        parts = {day: _one_part(reader, staging / f"snapshot_date={day}") for day, _ in days}
    files = []
    for day, rows in days:
        target = settings.raw / feed / f"snapshot_date={day}" / f"{batch_id}.parquet"
        size, digest = commit_file(parts[day], target)
        files.append(RawFile(target.relative_to(settings.raw).as_posix(), str(day), rows, size, digest))
    shutil.rmtree(staging)
    return files


def _spans(days: list[tuple[date, int]]) -> list[tuple[date, date]]:
    """First and last of consecutive days that are sorted and written at once; a day alone may have more rows."""
    spans: list[tuple[date, date]] = []
    held = 0
    for day, rows in days:
        if spans and held + rows <= ROWS_SORTED:
            spans[-1] = (spans[-1][0], day)
            held += rows
        else:
            spans.append((day, day))
            held = rows
    return spans


def _write_days(reader: Reader, staging: Path, first: date, last: date) -> None:
    """Write `accepted` of some days partitioned by day, in the file's order whatever the machine: on one thread."""
    options = f"{PARQUET}, partition_by (snapshot_date), write_partition_columns true, overwrite_or_ignore true"
    these = f"from accepted_within(date '{first}', date '{last}')"
    reader.execute("set threads = 1")
    try:
        reader.execute(f"copy ({these}) to '{staging}' ({options})")
    finally:
        reader.execute("reset threads")


def _one_part(reader: Reader, folder: Path) -> Path:
    """The one file of a day; past 100 open files DuckDB may begin a second one for a day, and they are joined."""
    pieces = sorted(str(piece) for piece in folder.glob("*.parquet"))
    if len(pieces) == 1:
        return Path(pieces[0])
    joined = folder / "joined"
    reader.execute(f"copy (from read_parquet({pieces}) order by source_line) to '{joined}' ({PARQUET})")
    return joined


# Of a key that names an account also which one, so that it can be erased.
KEY_COLUMNS = {
    "platform": "varchar",
    "account_id": "varchar",
    "shop": "varchar",
    "record_id": "varchar",
    "line_id": "varchar",
    "kind": "varchar",
    "row_date": "date",
    "source_line": "bigint",
    "batch_id": "varchar",
}


def write_keys(settings: Settings, reader: Reader, feed: str, batch_id: str) -> KeyFile:
    """Write the table `set_aside`: keys that a file names in rows that are not loaded, by which it withdraws others."""
    target = settings.raw / feed / "set_aside" / f"{batch_id}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    sources = {name: quote(batch_id) if name == "batch_id" else name for name in KEY_COLUMNS}
    casts = ", ".join(f"cast({sources[name]} as {kind}) as {name}" for name, kind in KEY_COLUMNS.items())
    reader.execute(f"copy (select {casts} from set_aside order by source_line) to '{partial}' ({PARQUET})")
    size, digest = commit_file(partial, target)
    rows = one(reader, "select count(*) from set_aside")
    return KeyFile(target.relative_to(settings.raw).as_posix(), rows, size, digest)


def write_rejects(settings: Settings, reader: Reader, feed: str, batch_id: str, file: str) -> Path:
    """Write the quarantined rows of a batch: file, line, column, value, reason, the whole row as read."""
    target = settings.quarantine / feed / f"{batch_id}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    reader.execute(
        f"copy (select {quote(file)} as source_file, * from rejects order by source_line) to '{partial}' ({PARQUET})"
    )
    commit_file(partial, target)
    return target


def quarantine_file(settings: Settings, feed: str, file: str, sha256: str, copy: Path | None, reason: str) -> Path:
    """Set a whole file aside under its hash, with the reason beside it. A link is named, never followed."""
    folder = settings.quarantine / feed / "files" / sha256
    folder.mkdir(parents=True, exist_ok=True)
    if copy is not None:
        shutil.copyfile(copy, folder / "file")
    note = {"file": file, "sha256": sha256, "reason": reason}
    (folder / "reason.json").write_text(json.dumps(note, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return folder


def commit_file(partial: Path, target: Path) -> tuple[int, str]:
    """Make a finished file durable under its name: fsync, rename, fsync of the folder. Returns bytes and sha-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
        os.fsync(written.fileno())
        size = os.fstat(written.fileno()).st_size
    os.replace(partial, target)
    sync_folder(target.parent)
    return size, digest


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity_of(info: os.stat_result) -> tuple[int, int, int]:
    """Bytes, time of change, inode: another file, or the same one changed, differs in one of them."""
    # Inodes may use all 64 bits, and a time of change may be absurd; the ledger's integers are signed 64-bit ones.
    return info.st_size, info.st_mtime_ns & (2**63 - 1), info.st_ino & (2**63 - 1)


def damaged(
    settings: Settings, files: Iterable[tuple[str, str, str]], run_id: str | None = None
) -> list[tuple[str, str]]:
    """Of (path, sha-256, batch_id) those whose file is gone or holds other bytes: path, batch_id.

    Args:
        run_id: the run that asks: what it has hashed already, and what lies there untouched since, is not read again.
    """
    found: list[tuple[str, str]] = []
    sound: dict[str, tuple[int, int, int]] = {}
    known: dict[str, tuple[int, int, int]] = {}
    if run_id is not None:
        with ledger.read(settings) as connection:
            known = ledger.verified_by(connection, run_id)
    for path, sha256, batch_id in files:
        try:
            identity = identity_of((settings.raw / path).stat())
            if known.get(path) == identity:
                continue
            with (settings.raw / path).open("rb") as source:
                same = hashlib.file_digest(source, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            same = False
        if same:
            sound[path] = identity
        else:
            found.append((path, batch_id))
    if run_id is not None and sound:
        with ledger.write(settings) as connection:
            ledger.record_verified(connection, run_id, sound)
    return found


def days_of_keys(settings: Settings, feed: Feed, of_files: Iterable[str], held: Mapping[str, str]) -> set[str]:
    """Days on which a feed holds a record that is in some of its files; all of them where one cannot be read.

    Args:
        held: path and day of the raw files that count.
    """
    key = ", ".join(name if feed.columns[name].required else f"coalesce({name}, '')" for name in feed.key)

    def rows(names: Iterable[str]) -> str:
        return stored(columns_of(feed), (settings.raw / name for name in names))

    query = (
        f"select distinct cast(snapshot_date as varchar) from {rows(held)}"
        f" where ({key}) in (select ({key}) from {rows(of_files)})"
    )
    try:
        with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
            return {day for (day,) in reader.execute(query).fetchall()}
    except duckdb.Error:
        return set(held.values())


def verify(settings: Settings, files: Iterable[tuple[str, str, str]], run_id: str | None = None) -> None:
    """Check (path, sha-256, batch_id) of raw files before they are read, once a run. Raises ContractError."""
    for path, batch_id in damaged(settings, files, run_id):
        raise ContractError(
            f"raw/{path} is damaged or gone: restore it from a backup, or take its batch back with"
            f" `make reject BATCH={batch_id[:12]}`"
        )
