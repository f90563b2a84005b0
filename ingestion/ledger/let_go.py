"""Days that a source may keep no longer: what was there of them, and the releases that went with them."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ingestion.ledger.store import Connection, Row, stamp


class LetGo(NamedTuple):
    """A day of a feed that a source may keep no longer. `platform` is empty for a source without accounts."""

    source: str
    platform: str
    feed: str
    snapshot_date: str
    kept_days: int
    keeps_derived: bool


def record_let_go(connection: Connection, days: Iterable[LetGo]) -> None:
    """Days are let go from now on, and stay so; whether what is derived of them is kept may change."""
    connection.executemany(
        "insert into let_go values (?, ?, ?, ?, ?, ?, 0, 0, ?) on conflict do update set"
        " keeps_derived = excluded.keeps_derived, kept_days = excluded.kept_days",
        [(*day, stamp()) for day in days],
    )


def count_let_go(connection: Connection, source: str, feed: str, day: str, rows: int) -> None:
    """One more raw file of a day is gone, with so many rows."""
    connection.execute(
        "update let_go set files = files + 1, rows = rows + ? where source = ? and feed = ? and snapshot_date = ?",
        (rows, source, feed, day),
    )


def let_go(connection: Connection) -> list[Row]:
    """Every day of a feed that a source has let go, in order."""
    return connection.execute("select * from let_go order by source, feed, snapshot_date").fetchall()


def frozen_days(connection: Connection, feed: str) -> dict[str, list[str]]:
    """Days of a feed that were let go, by platform: nothing comes in for them any more."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(
        "select distinct platform, snapshot_date from let_go where feed = ? and platform <> '' order by 1, 2", (feed,)
    ):
        found.setdefault(row["platform"], []).append(row["snapshot_date"])
    return found


def empty_days(connection: Connection) -> list[str]:
    """Days that were let go and of which raw holds nothing else: no run plans them."""
    rows = connection.execute(
        "select distinct snapshot_date from let_go where platform <> ''"
        " and snapshot_date not in (select snapshot_date from raw_files) order by 1"
    )
    return [row["snapshot_date"] for row in rows]


def days_of_derived(connection: Connection) -> list[tuple[str, str]]:
    """Platform and day of what was let go while what is derived of it stays, in order."""
    rows = connection.execute(
        "select distinct platform, snapshot_date from let_go where platform <> '' and keeps_derived order by 1, 2"
    )
    return [(row["platform"], row["snapshot_date"]) for row in rows]


def forget_dirty_days(connection: Connection) -> None:
    """Days that were let go, and of which raw holds nothing else, are not built any more."""
    connection.execute(
        "delete from dirty_dates where exists (select 1 from let_go where let_go.feed = dirty_dates.feed"
        " and let_go.platform <> '' and let_go.snapshot_date = dirty_dates.snapshot_date)"
        " and not exists (select 1 from raw_files where raw_files.feed = dirty_dates.feed"
        " and raw_files.snapshot_date = dirty_dates.snapshot_date)"
    )


def drop_derived(connection: Connection, sources: Collection[str]) -> None:
    """What is derived of days that these sources have let go is kept no longer."""
    connection.executemany(
        "update let_go set keeps_derived = 0, let_go_at = ? where source = ?", [(stamp(), name) for name in sources]
    )


def forget_parts(connection: Connection, mart: str, parts: Collection[str] | None) -> None:
    """Parts of a mart, or all of them where `parts` is null, are hashed anew by the next release."""
    if parts is None:
        connection.execute("delete from partition_hashes where mart = ?", (mart,))
        return
    connection.executemany("delete from partition_hashes where mart = ? and part = ?", [(mart, part) for part in parts])


def record_let_go_releases(connection: Connection, release_ids: Collection[str]) -> None:
    """Releases went, since they held what was let go."""
    connection.executemany(
        "insert or ignore into let_go_releases values (?, ?)", [(release_id, stamp()) for release_id in release_ids]
    )


def let_go_releases(connection: Connection) -> list[str]:
    """Ids of the releases that went, the oldest first: whoever holds a copy of one lets it go as well."""
    rows = connection.execute("select release_id from let_go_releases order by let_go_at, release_id")
    return [row["release_id"] for row in rows]
