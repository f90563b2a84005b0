"""One query of somebody who is not trusted, on a release: read-only, in a process of its own, under limits.

The process opens the release read-only, without access to files or the network and with its configuration locked, has
nothing of the environment, may write no file, and holds no more memory than it is given. A timer interrupts the query;
what does not heed it (a single function call over a huge value does not) is killed a moment later.
"""

import json
import math
import os
import resource
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from ingestion.config import DUCKDB_CONFIG
from ingestion.errors import ContractError

# What Python and DuckDB take as addresses beside a query's memory.
BESIDE_MB = 1024
# How long after the interruption a process that goes on is killed.
GRACE_SECONDS = 2.0
# Signs of a whole answer: more than an agent can read, and less than would fill its memory.
MOST_SIGNS = 1_000_000
# Least that a process needs to begin.
FLOOR = ("PATH", "PYTHONPATH", "LANG", "LC_ALL")


class Refused(ContractError):
    """A query that is not answered, with the reason and what to ask instead."""


@dataclass(frozen=True)
class Limits:
    """What a query may take.

    Attributes:
        rows: rows of an answer; more are left out, and the answer says so.
        memory_mb: memory of the query, in MB; nothing spills to disk.
        seconds: until it is interrupted.
    """

    rows: int = 200
    memory_mb: int = 512
    seconds: float = 20.0


def ask(database: Path, statement: str, limits: Limits) -> dict[str, Any]:
    """Answer a statement with `columns`, `types`, `rows`, `is_cut` (whether rows were left out) and `tables` it reads.

    Amounts of DECIMAL are texts, so that no digit is lost; days and times are ISO 8601. Raises Refused, in words.
    """
    asked = json.dumps({"database": str(database), "statement": statement, **vars(limits)})
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={key: os.environ[key] for key in FLOOR if key in os.environ},
    )  # fmt: skip
    try:
        # The process itself takes a moment to begin, more on a machine that is busy.
        answer, _ = process.communicate(asked, timeout=limits.seconds + GRACE_SECONDS + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Refused(_too_long(limits)) from None
    if process.returncode == KILLED_BY_TIMER:
        raise Refused(_too_long(limits))
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise Refused(_too_much(limits)) from None
    if "refused" in found:
        raise Refused(found["refused"])
    return found


def _too_long(limits: Limits) -> str:
    return f"stopped after {limits.seconds:g} s: ask for fewer days, group before you join, and end each recursion"


def _too_much(limits: Limits) -> str:
    return (
        f"stopped: it took more than {limits.memory_mb:,} MB; group or filter first, and build no huge texts or lists"
    )


# --- in the process


KILLED_BY_TIMER = 124


def open_locked(database: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """A release that nothing can be done to but read: no files, no network, no extension, no setting."""
    return duckdb.connect(
        str(database),
        read_only=True,
        config={
            **DUCKDB_CONFIG,
            "enable_external_access": False,
            "memory_limit": f"{memory_mb}MB",
            "threads": 2,
            "temp_directory": "",
            "lock_configuration": True,
        },
    )


def answer_here(connection: duckdb.DuckDBPyConnection, statement: str, limits: Limits) -> dict[str, Any]:
    """The answer, in this process. Raises Refused, and duckdb.Error for what DuckDB refuses."""
    kinds = [found.type for found in connection.extract_statements(statement)]
    if len(kinds) != 1:
        raise Refused(f"refused: one statement at a time, not {len(kinds)}")
    # A PRAGMA comes as the query that it is rewritten to.
    named = "pragma" if statement.lstrip().lower().startswith("pragma") else kinds[0].name.lower()
    if named != "select":
        raise Refused(
            f"refused: only queries are answered (select, with, from, describe, summarize), not {named}; a release is"
            " read-only"
        )
    tables = sorted(connection.get_table_names(statement))
    plain = statement.strip().rstrip(";")
    cursor = connection.execute(f"select * from (\n{plain}\n) limit {limits.rows + 1}")
    columns = [(str(column[0]), str(column[1])) for column in cursor.description or []]
    rows: list[list[Any]] = []
    signs = 0
    while found := cursor.fetchmany(100):
        for row in found:
            cells = [plain_cell(cell) for cell in row]
            signs += sum(len(cell) if isinstance(cell, str) else len(json.dumps(cell)) for cell in cells)
            if signs > MOST_SIGNS:
                raise Refused(
                    f"refused: the answer has more than {MOST_SIGNS:,} signs; choose fewer rows or columns, or cut"
                    " texts with left(text, 200)"
                )
            rows.append(cells)
    return {
        "columns": [name for name, _ in columns],
        "types": [kind for _, kind in columns],
        "rows": rows[: limits.rows],
        "is_cut": len(rows) > limits.rows,
        "tables": tables,
    }


def plain_cell(value: Any) -> Any:
    """A value as JSON holds it without loss."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain_cell(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain_cell(part) for key, part in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else str(value)


def _in_words(error: Exception, limits: Limits, is_over: threading.Event) -> str:
    """An error of DuckDB's for who asked: its first lines, and what to do."""
    if is_over.is_set() or isinstance(error, duckdb.InterruptException):
        return _too_long(limits)
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return _too_much(limits)
    text = str(error).strip()[:600]
    if isinstance(error, duckdb.PermissionException) or "configuration has been locked" in text:
        return f"refused: a release is read alone, no file, network, extension or setting ({text.splitlines()[0]})"
    return f"it cannot be answered: {text}"


def main() -> None:
    """Answer what stands on standard input, as JSON on standard output."""
    asked = json.load(sys.stdin)
    limits = Limits(asked["rows"], asked["memory_mb"], asked["seconds"])
    most = (limits.memory_mb + BESIDE_MB) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    is_over = threading.Event()
    try:
        connection = open_locked(Path(asked["database"]), limits.memory_mb)

        def stop() -> None:
            is_over.set()
            # What heeds the interruption has ended before.
            threading.Timer(GRACE_SECONDS, os._exit, (KILLED_BY_TIMER,)).start()
            connection.interrupt()

        timer = threading.Timer(limits.seconds, stop)
        timer.daemon = True
        timer.start()
        found = answer_here(connection, asked["statement"], limits)
    except Refused as error:
        found = {"refused": str(error)}
    except Exception as error:
        found = {"refused": _in_words(error, limits, is_over)}
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
