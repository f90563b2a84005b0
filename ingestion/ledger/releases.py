"""Releases: what each holds, which dates are released, and which release readers were shown instead."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ingestion.config import utc_now
from ingestion.ledger.store import Connection, Row, stamp

# Rows and content hash of each part of each mart.
Parts = dict[str, dict[str, tuple[int, str]]]


def record_release(
    connection: Connection,
    release: tuple[str, str, str, str | None, str | None, str, str],
    marts: Iterable[tuple[str, int, str]],
) -> None:
    """Write a release: its id, run, day, window, time and code version; and mart, rows and hash of what it holds."""
    connection.execute("insert into releases values (?, ?, ?, ?, ?, ?, ?)", release)
    connection.executemany("insert into release_marts values (?, ?, ?, ?)", [(release[0], *mart) for mart in marts])


def all_releases(connection: Connection) -> dict[str, Row]:
    """Every release by its id, the oldest first."""
    rows = connection.execute("select * from releases order by published_at")
    return {row["release_id"]: row for row in rows}


def newest_release(connection: Connection) -> Row | None:
    """The release that was published last, null before the first."""
    row: Row | None = connection.execute("select * from releases order by published_at desc limit 1").fetchone()
    return row


def release_of_run(connection: Connection, run_id: str) -> Row | None:
    """The release that a run published last, null where it published none."""
    row: Row | None = connection.execute(
        "select * from releases where run_id = ? order by published_at desc limit 1", (run_id,)
    ).fetchone()
    return row


def is_known_release(connection: Connection, release_id: str) -> bool:
    """Whether a release is written down."""
    return connection.execute("select 1 from releases where release_id = ?", (release_id,)).fetchone() is not None


def releases_after(connection: Connection, release_id: str) -> list[str]:
    """Ids of the releases that were published after one."""
    query = (
        "select release_id from releases where published_at > (select published_at from releases where release_id = ?)"
    )
    return [row["release_id"] for row in connection.execute(query, (release_id,))]


def publications(connection: Connection) -> list[Row]:
    """One row per release and mart: run, window, time, rows, hash and code version."""
    return connection.execute(
        "select r.release_id, m.mart, r.run_id, r.window_start, r.window_end, r.published_at, m.row_count,"
        " m.content_hash, r.code_version from releases r join release_marts m using (release_id)"
    ).fetchall()


# --- parts and dates


def known_parts(connection: Connection) -> Parts:
    """Rows and hash of each part of each mart, as of the newest release."""
    parts: Parts = {}
    for row in connection.execute("select mart, part, row_count, content_hash from partition_hashes"):
        parts.setdefault(row["mart"], {})[row["part"]] = (row["row_count"], row["content_hash"])
    return parts


def replace_parts(connection: Connection, replaced: dict[str, list[str]], changed: Iterable[str], parts: Parts) -> None:
    """Take parts of marts off, of the changed ones all, and write others in their place."""
    for mart, names in replaced.items():
        connection.executemany(
            "delete from partition_hashes where mart = ? and part = ?", [(mart, part) for part in names]
        )
    for mart in changed:
        connection.execute("delete from partition_hashes where mart = ?", (mart,))
    connection.executemany(
        "insert into partition_hashes values (?, ?, ?, ?)",
        [(mart, part, rows, digest) for mart, held in parts.items() for part, (rows, digest) in held.items()],
    )


def record_released_dates(connection: Connection, days: Iterable[str], release_id: str) -> None:
    """Days are released by a release from now on."""
    connection.executemany("insert or replace into released_dates values (?, ?)", [(day, release_id) for day in days])


def released_dates(connection: Connection) -> set[str]:
    """Every day that a release holds."""
    return {row["snapshot_date"] for row in connection.execute("select snapshot_date from released_dates")}


def is_released(connection: Connection, day: str) -> bool:
    """Whether a release holds a day."""
    return connection.execute("select 1 from released_dates where snapshot_date = ?", (day,)).fetchone() is not None


# --- rollbacks


def next_instant(connection: Connection) -> datetime:
    """Now, or the second after the last release or rollback where the clock went back: what came last is told by it."""
    last = connection.execute(
        "select max(at) from (select published_at as at from releases union all select rolled_back_at from rollbacks)"
    ).fetchone()[0]
    if last is None:
        return utc_now()
    return max(utc_now(), datetime.fromisoformat(last).replace(microsecond=0) + timedelta(seconds=1))


def current_release(connection: Connection) -> str | None:
    """The release that state believes readers see: the last one published or rolled back to."""
    row = connection.execute(
        "select release_id from (select release_id, published_at as at from releases"
        " union all select to_release, rolled_back_at from rollbacks) order by at desc limit 1"
    ).fetchone()
    return row["release_id"] if row else None


def latest_rollbacks(connection: Connection, most: int) -> list[Row]:
    """The rollbacks that came last, the newest first."""
    return connection.execute("select * from rollbacks order by id desc limit ?", (most,)).fetchall()


def record_rollback(connection: Connection, release_id: str, why: str) -> list[str]:
    """Write that readers see an earlier release; returns the days that later ones replaced, which none holds now."""
    connection.execute(
        "insert into rollbacks (from_release, to_release, rolled_back_at, why) values (?, ?, ?, ?)",
        (current_release(connection), release_id, stamp(next_instant(connection)), why),
    )
    later = releases_after(connection, release_id)
    marks = ", ".join("?" * len(later))
    days = [
        row["snapshot_date"]
        for row in connection.execute(
            "select distinct d.snapshot_date from plan_dates d join releases r using (run_id)"
            f" where r.release_id in ({marks}) order by 1",
            later,
        )
    ]
    connection.execute(f"delete from released_dates where release_id in ({marks})", later)
    return days
