"""Is a DuckDB file what was written? Every block carries a checksum that DuckDB looks at only when it reads the block.

A release is a copy of the whole file, also of days that no query of this run reads, so all blocks are looked at here:
0.4 s a GB. A block that does not fit is a suspicion alone (the layout is DuckDB's own); reading every row decides.
"""

import hashlib
import os
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np

from ingestion.config import DUCKDB_CONFIG, Settings

HEADERS_BYTES = 3 * 4096
BLOCK_BYTES = 262_144
# DuckDB's checksum of a block: 5381 xor each 64-bit word times this, the first word being the checksum itself.
FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SEED = np.uint64(5381)


def damage_of(database: Path) -> str | None:
    """What is wrong with a database file that nobody has open; null when it is sound or absent."""
    if not database.exists():
        return None
    return _unreadable(database) if _has_suspect_block(database) else _unopenable(database)


def digest_of(database: Path) -> str:
    """What tells a database file from every other: a digest of its headers and of its blocks' checksums.

    A few bytes of each block are read. Whether the blocks fit their checksums is asked of `damage_of`.
    """
    with database.open("rb") as file:
        digest = hashlib.sha256(file.read(HEADERS_BYTES))
        for place in range(HEADERS_BYTES, os.fstat(file.fileno()).st_size, BLOCK_BYTES):
            digest.update(os.pread(file.fileno(), 8, place))
    return digest.hexdigest()


def remove_damaged(settings: Settings) -> str | None:
    """Remove both private databases when one is damaged; returns which and why. They are rebuilt from raw."""
    for database in (settings.build_db, settings.marts_db):
        damage = damage_of(database)
        if damage:
            remove_build(settings)
            return f"{database.name} is damaged ({damage})"
    return None


def remove_build(settings: Settings) -> None:
    """Remove the private databases, which hold nothing that raw and state do not."""
    for database in (settings.build_db, settings.marts_db):
        database.unlink(missing_ok=True)
        Path(f"{database}.wal").unlink(missing_ok=True)


def _has_suspect_block(database: Path) -> bool:
    body = database.stat().st_size - HEADERS_BYTES
    if body < 0 or body % BLOCK_BYTES:
        return True
    with database.open("rb") as file:
        file.seek(HEADERS_BYTES)
        # Read, not mapped: what is mapped counts as memory of the process.
        while (block := np.fromfile(file, dtype="<u8", count=BLOCK_BYTES // 8)).size:
            if SEED ^ np.bitwise_xor.reduce(block[1:] * FACTOR) != block[0]:
                return True
    return False


def _unopenable(database: Path) -> str | None:
    """First line of DuckDB's complaint when the file is opened, which reads its head; null without one."""
    try:
        duckdb.connect(str(database), read_only=True, config=DUCKDB_CONFIG).close()
    except duckdb.IOException as error:
        return None if "lock" in str(error).lower() else str(error).splitlines()[0]
    return None


def _unreadable(database: Path) -> str | None:
    """First line of DuckDB's complaint when every row of every table is read; null without one."""
    try:
        with closing(duckdb.connect(str(database), read_only=True, config=DUCKDB_CONFIG)) as reader:
            tables = reader.execute("select schema_name, table_name from duckdb_tables() where not internal").fetchall()
            for schema, table in tables:
                reader.execute(f'select max(hash(t)) from "{schema}"."{table}" t').fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None
