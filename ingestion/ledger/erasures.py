"""Erasures: keyed hashes of accounts that are kept out, and each act of erasure in numbers, without a name."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from ingestion.ledger.store import Connection, stamp

# Texts of state that may name an account: what a check saw, why a file is quarantined, columns that are accounts.
_TEXTS = (
    ("check_results", "threshold"),
    ("check_results", "detail"),
    ("check_results", "observed"),
    ("check_results", "failures"),
    ("acknowledged_checks", "why"),
    ("batches", "reason"),
    ("batches", "header"),
    ("arrivals", "scope"),
    ("rollbacks", "why"),
    ("notices", "subject"),
)
# Columns of Airflow's tables in which people and tasks write; all others hold names of its own.
_OF_AIRFLOW = (
    "conf", "content", "context_carrier", "extra", "message", "rendered_fields", "note", "stacktrace", "value", "val",
)  # fmt: skip
WAIT_SECONDS = 20


def suppressed(connection: Connection) -> list[str]:
    """Keyed hash of every account and post that is kept out, in order."""
    return [row["digest"] for row in connection.execute("select digest from suppressed order by 1")]


def begin_erasure(connection: Connection, digests: Iterable[str]) -> int:
    """Keep accounts and posts out from now on, and begin the record of their erasure; returns its number."""
    connection.executemany("insert or ignore into suppressed values (?, ?)", [(each, stamp()) for each in digests])
    connection.execute("insert into erasures (began_at) values (?)", (stamp(),))
    return int(connection.execute("select max(id) from erasures").fetchone()[0])


def end_erasure(
    connection: Connection, number: int, raw_rows: int, quarantined_rows: int, files: int, releases: int
) -> None:
    """End the record of an erasure with what it removed."""
    connection.execute(
        "update erasures set ended_at = ?, raw_rows = ?, quarantined_rows = ?, files = ?, releases = ? where id = ?",
        (stamp(), raw_rows, quarantined_rows, files, releases, number),
    )


def erase_texts(connection: Connection, names_it: Callable[[str], bool], out_of: Callable[[str], str | None]) -> None:
    """Take an account out of every text of state that names it; what is written over leaves the file too."""
    connection.execute("pragma secure_delete = on")
    connection.create_function("names", 1, lambda text: bool(text) and names_it(text))
    connection.create_function("without", 1, out_of)
    for table, column in _TEXTS:
        connection.execute(f"update {table} set {column} = without({column}) where names({column})")


def erase_from_airflow(file: Path, names_it: Callable[[str], bool], out_of: Callable[[str], str | None]) -> None:
    """Take an account out of what people and tasks wrote into Airflow's own database, and write its file anew.

    Raises `Busy` while Airflow holds it, `Damaged` where it cannot be read.
    """
    with closing(sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute("pragma secure_delete = on")
        connection.create_function("names", 1, lambda text: isinstance(text, str) and names_it(text))
        connection.create_function("without", 1, out_of)
        tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        connection.execute("begin immediate")
        for (table,) in tables:
            for _, column, *_ in connection.execute(f'pragma table_info("{table}")').fetchall():
                if column in _OF_AIRFLOW:
                    connection.execute(
                        f'update or ignore "{table}" set "{column}" = without("{column}") where names("{column}")'
                    )
        connection.execute("commit")
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)")
