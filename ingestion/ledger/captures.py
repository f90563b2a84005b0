"""Captures of sources: what each took and brought, by day; of the last days also what became of each target."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from ingestion.ledger.store import Connection, Row, stamp

RECEIVED = "received"
# Days for which the reason of each target that did not come is kept by name; the numbers stay for good.
NAMED_DAYS = 35


class Outcome(NamedTuple):
    """What became of an account, a post or a table that a source was asked for."""

    platform: str
    kind: str
    target: str
    outcome: str


def record_capture(
    connection: Connection,
    source: str,
    captured_at: datetime,
    took: tuple[int, int, Decimal],
    outcomes: Iterable[Outcome],
) -> None:
    """A capture that has landed, with calls, units and money; recording it twice changes nothing.

    An outcome takes the place of that of an earlier capture of the same day.
    """
    day = str(captured_at.date())
    calls, units, money = took
    connection.execute(
        "insert or replace into source_captures values (?, ?, ?, ?, ?, ?)",
        (source, stamp(captured_at), day, calls, units, str(money)),
    )
    connection.executemany(
        "insert or replace into source_targets (source, snapshot_date, platform, kind, target, outcome)"
        " values (?, ?, ?, ?, ?, ?)",
        ((source, day, *each) for each in outcomes),
    )
    connection.execute("delete from source_outcomes where source = ? and snapshot_date = ?", (source, day))
    connection.execute(
        "insert into source_outcomes select source, platform, snapshot_date, kind, outcome, count(*)"
        " from source_targets where source = ? and snapshot_date = ? group by 1, 2, 3, 4, 5",
        (source, day),
    )
    oldest = str(date.fromisoformat(day) - timedelta(days=NAMED_DAYS))
    connection.execute(
        "delete from source_targets where source = ? and snapshot_date < ? and (outcome = ? or snapshot_date < ?)",
        (source, day, RECEIVED, oldest),
    )


def outcomes_of_day(connection: Connection, source: str, day: str) -> dict[tuple[str, str], str]:
    """By kind and target what became of what a source was asked for on a UTC day."""
    rows = connection.execute(
        "select kind, target, outcome from source_targets where source = ? and snapshot_date = ?", (source, day)
    )
    return {(row["kind"], row["target"]): row["outcome"] for row in rows}


def last_whole_day(connection: Connection, source: str) -> str | None:
    """The latest UTC day of which a source brought all that it was asked for; null before the first."""
    row = connection.execute(
        "select max(snapshot_date) from (select snapshot_date from source_outcomes where source = ?"
        " group by 1 having min(outcome = ?) = 1)",
        (source, RECEIVED),
    ).fetchone()
    return str(row[0]) if row[0] else None


def latest_outcomes(connection: Connection) -> dict[tuple[str, str], tuple[str, str]]:
    """By platform and account the latest day on which it was asked for, and what became of it."""
    rows = connection.execute(
        "select platform, target, snapshot_date, outcome from source_targets where kind = 'account'"
        " order by snapshot_date, outcome"
    )
    return {(row["platform"], row["target"]): (row["snapshot_date"], row["outcome"]) for row in rows}


def missing_before(connection: Connection, source: str, day: str, outcomes: Collection[str]) -> set[tuple[str, str]]:
    """Kind and target of what did not come on an earlier day for one of these reasons."""
    rows = connection.execute(
        "select distinct kind, target, outcome from source_targets where source = ? and snapshot_date < ?",
        (source, day),
    )
    return {(row["kind"], row["target"]) for row in rows if row["outcome"] in outcomes}


def spent_on(connection: Connection, source: str, day: str) -> tuple[int, Decimal]:
    """Units and money that a source took on a UTC day."""
    rows = connection.execute(
        "select units, money from source_captures where source = ? and snapshot_date = ?", (source, day)
    ).fetchall()
    return sum(row["units"] for row in rows), sum((Decimal(row["money"]) for row in rows), Decimal(0))


def last_capture(connection: Connection, source: str) -> datetime | None:
    """Instant of the latest capture of a source; null before the first."""
    row = connection.execute("select max(captured_at) from source_captures where source = ?", (source,)).fetchone()
    return datetime.fromisoformat(row[0]) if row[0] else None


def captures_by_day(connection: Connection) -> list[Row]:
    """Source, platform, day, kind, outcome and number of targets; calls, units and money of the source on that day."""
    return connection.execute(
        "select o.source, o.platform, o.snapshot_date, o.kind, o.outcome, o.targets, c.calls, c.units, c.money"
        " from source_outcomes o left join (select source, snapshot_date, sum(calls) as calls, sum(units) as units,"
        " sum(cast(money as real)) as money from source_captures group by 1, 2) c using (source, snapshot_date)"
        " order by 1, 2, 3, 4, 5"
    ).fetchall()


def forget_targets(connection: Connection, platforms: Collection[str], is_erased: Callable[[str], bool]) -> None:
    """Remove an account, or a post of it, by name; the numbers of its days stay."""
    connection.execute("pragma secure_delete = on")
    connection.create_function("is_erased", 1, lambda target: bool(is_erased(target)))
    for platform in platforms:
        connection.execute("delete from source_targets where platform = ? and is_erased(target)", (platform,))
