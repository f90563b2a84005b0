"""One writer at a time: a lease in state, with a heartbeat, taken over when its holder is dead.

A holder that was paused and comes back finds its token gone: `check` raises before it can write or publish.
"""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingestion import ledger
from ingestion.config import Settings, utc_now
from ingestion.errors import LeaseLost


@dataclass(frozen=True)
class Lease:
    """The right to write, as long as `token` stands in state."""

    token: str
    run_id: str

    def check(self, connection: ledger.Connection) -> None:
        """Raise LeaseLost unless this lease still stands; call it inside the transaction that commits the work."""
        row = ledger.writer_of(connection)
        if row is None or row["token"] != self.token:
            now_held = f"{row['run_id']} ({row['holder']})" if row else "nobody"
            raise LeaseLost(
                f"run {self.run_id} lost the writer's lease; it is held by {now_held}: nothing was published"
            )


def place() -> str:
    """Where this process runs: host and, since one host name may be several containers', the namespace of its ids."""
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def process_start(pid: int) -> str:
    """Start time of a process in clock ticks since boot, empty when it is gone: tells a reused pid apart."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        return ""


def is_dead(row: ledger.Row, ttl_seconds: float) -> bool:
    """Whether the holder of a lease is gone: its process ended, or its heartbeat is older than `ttl_seconds`."""
    if (utc_now() - datetime.fromisoformat(row["heartbeat_at"])).total_seconds() > ttl_seconds:
        return True
    here = row["host"] == place() and os.path.exists("/proc/self/stat")
    return here and process_start(row["pid"]) != row["process_start"]


def _try_acquire(settings: Settings, run_id: str, holder: str, token: str) -> ledger.Row | None:
    """Take the lease; returns the row of who holds it when somebody alive does."""
    with ledger.write(settings) as connection:
        row = ledger.writer_of(connection)
        if row is not None and not is_dead(row, settings.lease_ttl_seconds):
            return row
        ledger.take_lease(connection, token, run_id, holder, place(), os.getpid(), process_start(os.getpid()))
    return None


@contextmanager
def hold(settings: Settings, run_id: str, holder: str, log: Callable[[str], None] = print) -> Iterator[Lease]:
    """Hold the writer's lease, waiting at most `lease_wait_seconds` for another holder.

    Raises LeaseLost, naming who holds it and since when, when the wait is over.
    """
    token = uuid.uuid4().hex
    deadline = time.monotonic() + settings.lease_wait_seconds
    told = ""
    while (other := _try_acquire(settings, run_id, holder, token)) is not None:
        who = (
            f"{other['holder']} of run {other['run_id']} (process {other['pid']} on {other['host']})"
            f" since {other['acquired_at']} UTC"
        )
        if time.monotonic() >= deadline:
            raise LeaseLost(f"another writer is at work: {who}; try again when it is done")
        if who != told:
            log(f"waiting for another writer: {who}")
            told = who
        time.sleep(min(1.0, max(0.05, deadline - time.monotonic())))

    lease = Lease(token, run_id)
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(settings.lease_ttl_seconds / 4):
            # A beat that fails (the disk is full for a moment) is made up for by the next; `check` guards the work.
            with suppress(ledger.Error), ledger.write(settings) as connection:
                ledger.beat(connection, token)

    heartbeat = threading.Thread(target=beat, name="lease-heartbeat", daemon=True)
    heartbeat.start()
    try:
        yield lease
    finally:
        stop.set()
        heartbeat.join()
        # On a full disk it cannot be given back, which must not hide why the work failed: it is taken over as soon as
        # this process has ended.
        with suppress(ledger.Error), ledger.write(settings) as connection:
            ledger.release_lease(connection, token)
