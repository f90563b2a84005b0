"""Plans and dirty dates: what each run sets out to build, and the days whose marts are behind raw."""

from collections.abc import Iterable
from datetime import date

from ingestion.ledger.store import Connection, Row, stamp


def last_built_day(connection: Connection) -> str | None:
    """The day up to which a run has built marts, null before the first."""
    last: str | None = connection.execute("select max(cap) from plans where state <> 'unchanged'").fetchone()[0]
    return last


def last_buildable_day(connection: Connection, day: date) -> str:
    """Last day that may be built: the run's own, or a later one that an earlier run has built already."""
    return max(str(day), last_built_day(connection) or "")


# --- dirty dates


def newest_dirty(connection: Connection) -> int:
    """Number of the newest dirty date; 0 where there is none."""
    return int(connection.execute("select coalesce(max(id), 0) from dirty_dates").fetchone()[0])


def dirty_dates(connection: Connection, upto: str) -> list[Row]:
    """Feed and date of every dirty date up to a day."""
    return connection.execute(
        "select distinct feed, snapshot_date from dirty_dates where snapshot_date <= ?", (upto,)
    ).fetchall()


def dirty_feeds(connection: Connection, upto: str) -> frozenset[str]:
    """Feeds that have a dirty date up to a day."""
    return frozenset(row["feed"] for row in dirty_dates(connection, upto))


def dirty_batches(connection: Connection) -> frozenset[str]:
    """Batches that came, or were rejected, since the last release."""
    return frozenset(row["batch_id"] for row in connection.execute("select distinct batch_id from dirty_dates"))


def dirty_dates_of(connection: Connection, feed: str, upto: str) -> list[str]:
    """Dirty dates of a feed up to a day."""
    query = "select distinct snapshot_date from dirty_dates where feed = ? and snapshot_date <= ?"
    return [row["snapshot_date"] for row in connection.execute(query, (feed, upto))]


def dirty_dates_by_cause(connection: Connection) -> list[Row]:
    """Dirty dates of each feed and cause: how many, the first and last, and since when; the oldest first."""
    return connection.execute(
        "select feed, cause, count(distinct snapshot_date) as dates, min(snapshot_date) as first,"
        " max(snapshot_date) as last, min(since) as since from dirty_dates group by feed, cause order by since, feed"
    ).fetchall()


def count_dirty_dates(connection: Connection) -> int:
    """How many days are dirty in any feed."""
    return int(connection.execute("select count(distinct snapshot_date) from dirty_dates").fetchone()[0])


def mark_dates_dirty(connection: Connection, feeds: Iterable[str], days: Iterable[str], cause: str) -> None:
    """Make days dirty in feeds, for a cause that no batch has."""
    marked = list(feeds)
    connection.executemany(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since) values (?, ?, '', ?, ?)",
        [(feed, day, cause, stamp()) for day in days for feed in marked],
    )


def clear_dirty_dates(
    connection: Connection, number: int, upto: str, undated: Iterable[str], left_out: Iterable[str]
) -> None:
    """Days are no longer dirty that were so by this number, up to a day, and of undated feeds whatever their day.

    A file that was landed later has a higher number and stays dirty, and so do the days that are left out.
    """
    feeds, kept = list(undated), list(left_out)
    connection.execute(
        f"delete from dirty_dates where id <= ? and (snapshot_date <= ? or feed in ({', '.join('?' * len(feeds))}))"
        f" and snapshot_date not in ({', '.join('?' * len(kept))})",
        (number, upto, *feeds, *kept),
    )


def is_dirty(connection: Connection, number: int, upto: str) -> bool:
    """Whether a date up to a day is still dirty that was so by this number."""
    query = "select 1 from dirty_dates where id <= ? and snapshot_date <= ?"
    return connection.execute(query, (number, upto)).fetchone() is not None


# --- plans


def record_plan(
    connection: Connection,
    run_id: str,
    day: str,
    dirty_upto: int,
    build_through: str,
    fingerprints: str,
    state: str,
    dates: Iterable[tuple[str, str, str]],
    asked: str | None = None,
) -> None:
    """Write a run's plan, replacing an earlier one of the same run.

    Args:
        fingerprints: JSON, fingerprint by model.
        dates: model, date and reason of each date that it replaces.
        asked: JSON of the range of a rebuild.
    """
    connection.execute(
        "insert or replace into plans values (?, ?, ?, ?, ?, ?, ?)",
        (run_id, day, stamp(), dirty_upto, build_through, fingerprints, state),
    )
    if asked is not None:
        connection.execute("insert or replace into plan_ranges values (?, ?)", (run_id, asked))
    connection.execute("delete from plan_dates where run_id = ?", (run_id,))
    connection.executemany("insert into plan_dates values (?, ?, ?, ?)", [(run_id, *planned) for planned in dates])


def plan_of(connection: Connection, run_id: str) -> Row | None:
    """The stored plan of a run without its dates, null where it has none."""
    row: Row | None = connection.execute("select * from plans where run_id = ?", (run_id,)).fetchone()
    return row


def plan_with_dates(connection: Connection, run_id: str) -> Row | None:
    """The stored plan of a run with its first and last date and how many there are, null where it has none."""
    row: Row | None = connection.execute(
        "select plans.*, min(snapshot_date) as first_date, max(snapshot_date) as last_date,"
        " count(distinct snapshot_date) as dates from plans left join plan_dates using (run_id)"
        " where plans.run_id = ? group by plans.run_id",
        (run_id,),
    ).fetchone()
    return row


def dates_of_plan(connection: Connection, run_id: str) -> list[Row]:
    """Mart, date and reason of each date that a run plans, in the order of the dates."""
    query = "select mart, snapshot_date, reason from plan_dates where run_id = ? order by snapshot_date"
    return connection.execute(query, (run_id,)).fetchall()


def planned_dates(connection: Connection, run_id: str, mart: str) -> list[str]:
    """Dates that a run plans for a mart, in order."""
    query = "select snapshot_date from plan_dates where run_id = ? and mart = ? order by 1"
    return [row["snapshot_date"] for row in connection.execute(query, (run_id, mart))]


def range_of_plan(connection: Connection, run_id: str) -> str | None:
    """JSON of the range of a rebuild, null for any other run."""
    row = connection.execute("select asked from plan_ranges where run_id = ?", (run_id,)).fetchone()
    return row["asked"] if row else None


def set_plan_state(connection: Connection, run_id: str, state: str) -> None:
    """A run's plan is published or superseded from now on."""
    connection.execute("update plans set state = ? where run_id = ?", (state, run_id))


# --- what is built and released of each model


def mart_states(connection: Connection) -> dict[str, Row]:
    """Fingerprint of each model as built and as released."""
    return {row["mart"]: row for row in connection.execute("select * from mart_state")}


def record_built(connection: Connection, fingerprints: Iterable[tuple[str, str]]) -> None:
    """Models are built under these fingerprints from now on; what is released stays."""
    connection.executemany(
        "insert into mart_state values (?, ?, null) on conflict (mart) do update set built = excluded.built",
        fingerprints,
    )


def record_released(connection: Connection, fingerprints: Iterable[tuple[str, str]]) -> None:
    """Models are released under these fingerprints from now on."""
    connection.executemany(
        "update mart_state set released = ? where mart = ?", [(digest, mart) for mart, digest in fingerprints]
    )


def forget_released_models(connection: Connection) -> None:
    """Models without dates count as unreleased: any run that has work rebuilds them whole."""
    connection.execute("update mart_state set released = null where mart not in (select mart from plan_dates)")
