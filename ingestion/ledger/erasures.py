"""Erasures: keyed hashes of accounts that are kept out, and each act of erasure in numbers, without a name."""

from collections.abc import Callable, Iterable

from ingestion.ledger.store import Connection, stamp

# Texts of state that may name an account: what a check saw, why a file is quarantined.
_TEXTS = (
    ("check_results", "detail"),
    ("check_results", "observed"),
    ("check_results", "failures"),
    ("acknowledged_checks", "why"),
    ("batches", "reason"),
)


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


def erase_texts(connection: Connection, names_it: Callable[[str], bool]) -> None:
    """Write `(erased)` over every text of state that names an account; what is written over leaves the file too."""
    connection.execute("pragma secure_delete = on")
    connection.create_function("names", 1, lambda text: bool(text) and names_it(text))
    for table, column in _TEXTS:
        connection.execute(f"update {table} set {column} = '(erased)' where names({column})")
