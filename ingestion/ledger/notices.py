"""What people were told of, so that each cause is told once, and its end too."""

from ingestion.ledger.store import Connection, stamp


def is_told(connection: Connection, cause: str) -> bool:
    """Whether people know of a cause that has not ended."""
    row = connection.execute("select 1 from notices where cause = ? and ended_at is null", (cause,)).fetchone()
    return row is not None


def record_notice(connection: Connection, cause: str, subject: str) -> None:
    """People were told of a cause."""
    connection.execute(
        "insert or replace into notices (cause, subject, told_at, ended_at) values (?, ?, ?, null)",
        (cause, subject, stamp()),
    )


def open_notices(connection: Connection, kind: str) -> list[str]:
    """Subjects of what people know of and has not ended, of causes that begin alike, in the order of telling."""
    rows = connection.execute(
        "select subject from notices where substr(cause, 1, length(?)) = ? and ended_at is null order by told_at",
        (kind, kind),
    )
    return [row["subject"] for row in rows]


def end_notices(connection: Connection, kind: str) -> None:
    """Causes that begin alike have ended."""
    connection.execute(
        "update notices set ended_at = ? where substr(cause, 1, length(?)) = ? and ended_at is null",
        (stamp(), kind, kind),
    )
