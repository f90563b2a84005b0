"""The writer's lease: one row, held by a token."""

from ingestion.ledger.store import Connection, Row, stamp

WRITER = "writer"


def writer_of(connection: Connection) -> Row | None:
    """The row of the writer's lease, null where nobody holds it."""
    row: Row | None = connection.execute("select * from leases where name = ?", (WRITER,)).fetchone()
    return row


def take_lease(
    connection: Connection, token: str, run_id: str, holder: str, host: str, pid: int, process_start: str
) -> None:
    """Give the writer's lease to a holder, whoever held it."""
    now = stamp()
    connection.execute(
        "insert or replace into leases values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (WRITER, token, run_id, holder, host, pid, process_start, now, now),
    )


def beat(connection: Connection, token: str) -> None:
    """The holder is alive now."""
    connection.execute("update leases set heartbeat_at = ? where name = ? and token = ?", (stamp(), WRITER, token))


def release_lease(connection: Connection, token: str) -> None:
    """The holder gives the lease back; one that has lost it gives nothing."""
    connection.execute("delete from leases where name = ? and token = ?", (WRITER, token))
