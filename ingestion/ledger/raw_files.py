"""Raw files: every Parquet file of raw with its rows and sha-256. Models see those of accepted batches alone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ingestion.ledger.store import Connection, Row


class StoredFile(NamedTuple):
    """A raw file of an accepted batch: rows of one UTC day."""

    path: str
    sha256: str
    batch_id: str
    feed: str
    snapshot_date: str
    rows: int

    @property
    def seal(self) -> tuple[str, str, str]:
        """Path, sha-256 and batch, by which its bytes are verified."""
        return self.path, self.sha256, self.batch_id


_STORED = "select f.path, f.sha256, f.batch_id, f.feed, f.snapshot_date, f.rows from raw_files f"


def accepted_raw_files(connection: Connection) -> list[StoredFile]:
    """Raw files of all accepted batches, in the order of their paths."""
    query = f"{_STORED} join batches b using (batch_id) where b.state = 'accepted' order by 1"
    return [StoredFile(*row) for row in connection.execute(query)]


def key_files(connection: Connection) -> list[tuple[str, str, str]]:
    """Path, sha-256 and batch of the keys that batches name without loading them, of all batches that may count."""
    query = (
        "select k.path, k.sha256, k.batch_id from key_files k join batches b using (batch_id)"
        " where b.state in ('accepted', 'quarantined') order by 1"
    )
    return [tuple(row) for row in connection.execute(query)]


def key_files_of_feed(connection: Connection, feed: str) -> list[tuple[str, str]]:
    """Path and batch of every file of a feed's keys that were not loaded, whatever became of its batch."""
    query = "select path, batch_id from key_files where feed = ? order by 1"
    return [tuple(row) for row in connection.execute(query, (feed,))]


def feeds_with_rows(connection: Connection) -> frozenset[str]:
    """Feeds that have accepted rows."""
    rows = connection.execute(
        "select distinct f.feed from raw_files f join batches b using (batch_id) where b.state = 'accepted'"
    )
    return frozenset(row["feed"] for row in rows)


def raw_files_of_batch(connection: Connection, batch_id: str) -> list[StoredFile]:
    """Raw files of one batch, whatever its state."""
    return [StoredFile(*row) for row in connection.execute(f"{_STORED} where f.batch_id = ?", (batch_id,))]


def raw_files_of_feed(connection: Connection, feed: str) -> dict[str, str]:
    """Path and batch of every raw file of a feed, whatever became of its batch."""
    rows = connection.execute("select path, batch_id from raw_files where feed = ? order by 1", (feed,))
    return {row["path"]: row["batch_id"] for row in rows}


def raw_paths(connection: Connection) -> set[str]:
    """Path of every raw file that the ledger names."""
    return {row["path"] for row in connection.execute("select path from raw_files union select path from key_files")}


def raw_files_with_state(connection: Connection) -> list[Row]:
    """Every raw file with the state and the landed file of its batch, in the order of their paths."""
    return connection.execute(
        "select f.*, b.state, b.file from raw_files f join batches b using (batch_id) order by f.path"
    ).fetchall()


def raw_files_between(connection: Connection, feed: str, first: str, last: str, state: str = "accepted") -> list[Row]:
    """Raw files of a feed on these dates of batches of a state, with their landed file, by date and batch."""
    return connection.execute(
        "select f.*, b.file, b.landing_order from raw_files f join batches b using (batch_id)"
        " where b.state = ? and f.feed = ? and f.snapshot_date between ? and ?"
        " order by f.snapshot_date, f.batch_id",
        (state, feed, first, last),
    ).fetchall()


def raw_files_of_mappings(connection: Connection, mappings: Sequence[str]) -> list[Row]:
    """Files of raw that some mappings filled, each with its batch, whatever became of it."""
    query = (
        "select f.path, f.rows, f.batch_id, f.snapshot_date, b.state, b.feed, b.file, b.rows_quarantined"
        " from raw_files f join batches b using (batch_id)"
        f" where b.mapping in ({','.join('?' * len(mappings))}) order by f.path"
    )
    return connection.execute(query, tuple(mappings)).fetchall()


def last_date_with_rows(connection: Connection, feed: str, upto: str) -> str | None:
    """The last date up to a day on which a feed has accepted rows, null where there is none."""
    last: str | None = connection.execute(
        "select max(f.snapshot_date) from raw_files f join batches b using (batch_id)"
        " where b.state = 'accepted' and f.feed = ? and f.snapshot_date <= ?",
        (feed, upto),
    ).fetchone()[0]
    return last


def day_measures(connection: Connection, feed: str, first: str, last: str) -> dict[str, tuple[str, str]]:
    """What the checks measured of each date of a feed, by date: the digest of the files, and JSON."""
    rows = connection.execute(
        "select snapshot_date, files, measures from day_measures where feed = ? and snapshot_date between ? and ?",
        (feed, first, last),
    )
    return {row["snapshot_date"]: (row["files"], row["measures"]) for row in rows}


def record_day_measures(connection: Connection, feed: str, found: Mapping[str, tuple[str, str]]) -> None:
    """Keep what was measured of each date: the digest of the files that it was measured from, and JSON."""
    connection.executemany(
        "insert or replace into day_measures values (?, ?, ?, ?)",
        [(feed, day, files, measures) for day, (files, measures) in found.items()],
    )


def batches_of_planned_dates(connection: Connection, run_id: str, mart: str, feed: str) -> list[Row]:
    """Date, batch and landed file of the accepted raw files of a feed on the dates that a run plans for a mart."""
    return connection.execute(
        "select p.snapshot_date, b.batch_id, b.file from plan_dates p"
        " join raw_files f on f.snapshot_date = p.snapshot_date and f.feed = ? join batches b using (batch_id)"
        " where p.run_id = ? and p.mart = ? and b.state = 'accepted' order by p.snapshot_date, b.batch_id",
        (feed, run_id, mart),
    ).fetchall()


def landed_dates(connection: Connection, upto: str) -> list[Row]:
    """Feed and date of every day up to a day on which raw holds a file."""
    return connection.execute(
        "select distinct feed, snapshot_date from raw_files where snapshot_date <= ?", (upto,)
    ).fetchall()


def verified_by(connection: Connection, run_id: str) -> dict[str, tuple[int, int, int]]:
    """Path of every raw file whose bytes a run has hashed, with bytes, mtime_ns and inode of that time."""
    rows = connection.execute("select path, bytes, mtime_ns, inode from verified_files where run_id = ?", (run_id,))
    return {row["path"]: (row["bytes"], row["mtime_ns"], row["inode"]) for row in rows}


def record_verified(connection: Connection, run_id: str, files: Mapping[str, tuple[int, int, int]]) -> None:
    """Note which raw files a run has hashed, and how they lay on disk; what other runs have hashed is forgotten."""
    connection.execute("delete from verified_files where run_id <> ?", (run_id,))
    connection.executemany(
        "insert or replace into verified_files values (?, ?, ?, ?, ?)",
        [(path, run_id, *identity) for path, identity in files.items()],
    )


def replace_raw_file(connection: Connection, path: str, new: str, rows: int, size: int, sha256: str) -> None:
    """Name another file, with other bytes, in place of one of raw: of rows, or of keys that were not loaded."""
    for table in ("raw_files", "key_files"):
        connection.execute(
            f"update {table} set path = ?, rows = ?, bytes = ?, sha256 = ? where path = ?",
            (new, rows, size, sha256, path),
        )


def forget_raw_file(connection: Connection, path: str) -> None:
    """Name a file of raw no more."""
    for table in ("raw_files", "key_files"):
        connection.execute(f"delete from {table} where path = ?", (path,))
