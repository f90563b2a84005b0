"""Results of dbt's data tests and of the suites, one row per run, suite and expectation; what people acknowledged."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ingestion.config import Settings
from ingestion.ledger.store import Connection, Row, stamp, write


class Acknowledged(NamedTuple):
    """What a person has looked at and publishes over: a value of a critical check at a subject, as it then was."""

    suite: str
    expectation: str
    subject: str
    snapshot_date: str
    value: float
    why: str
    acknowledged_by: str
    acknowledged_at: str


_INSERT = (
    "into check_results (run_id, suite, expectation, severity, observed, threshold, passed, detail, checked_at,"
    " failures, is_acknowledged) values (:run_id, :suite, :expectation, :severity, :observed, :threshold, :passed,"
    " :detail, :checked_at, :failures, :is_acknowledged)"
)
# Detail of a check that was not run, since what it looks at was not built.
NOT_RUN = "not run: what it looks at was not built"
_OF_SUITES_ALONE: dict[str, object] = {"failures": None, "is_acknowledged": False}


def record_checks(settings: Settings, run_id: str, results: Iterable[dict[str, object]]) -> None:
    """Replace the results of a run's suites: one row per suite and expectation.

    Keys of a result: suite, expectation, severity, observed, threshold, passed, detail; of a suite also failures (JSON,
    a list of subject, date and value) and is_acknowledged.
    """
    rows = list(results)
    with write(settings) as connection:
        for suite in {row["suite"] for row in rows}:
            connection.execute("delete from check_results where run_id = ? and suite = ?", (run_id, suite))
        connection.executemany(
            f"insert {_INSERT}",
            [{**_OF_SUITES_ALONE, **row, "run_id": run_id, "checked_at": stamp()} for row in rows],
        )


def keep_failed_checks(settings: Settings, run_id: str, before: str, suite: str, names: Collection[str]) -> None:
    """Let what an earlier run found stand in this one: failed checks of a suite that had nothing new to look at."""
    with write(settings) as connection:
        failed = connection.execute(
            "select * from check_results where run_id = ? and suite = ? and not passed", (before, suite)
        ).fetchall()
        connection.executemany(
            f"insert or ignore {_INSERT}",
            [dict(row) | {"run_id": run_id} for row in failed if row["expectation"] in names],
        )


def all_checks(connection: Connection) -> list[Row]:
    """Every result of every run."""
    return connection.execute(
        "select run_id, suite, expectation, severity, observed, threshold, passed, detail, checked_at, is_acknowledged"
        " from check_results"
    ).fetchall()


def checks_of_run(connection: Connection, run_id: str | None, most: int | None = None) -> list[Row]:
    """Results of a run, the failed ones first, then by severity; `most` limits their number."""
    return connection.execute(
        "select * from check_results where run_id = ? order by passed, severity, suite, expectation limit ?",
        (run_id, -1 if most is None else most),
    ).fetchall()


def failed_checks(connection: Connection, run_id: str) -> list[Row]:
    """Suite, expectation, severity, detail and acknowledgement of each check of a run that failed, by name."""
    return connection.execute(
        "select suite, expectation, severity, detail, is_acknowledged from check_results"
        " where run_id = ? and not passed order by suite, expectation",
        (run_id,),
    ).fetchall()


def last_checked_run(connection: Connection, wanted: str | None = None) -> str | None:
    """The run of which checks were written last, or the wanted one where it has any; null before the first."""
    row = connection.execute(
        "select run_id from check_results group by run_id"
        " order by run_id is ? desc, max(checked_at) desc, run_id limit 1",
        (wanted,),
    ).fetchone()
    return row["run_id"] if row else None


def tally_of_checks(connection: Connection, run_id: str | None) -> Row:
    """Checks of a run: how many, how many passed, failed (critical), were acknowledged, warned, and when."""
    row: Row = connection.execute(
        "select count(*) as checks, coalesce(sum(passed), 0) as passed,"
        " coalesce(sum(not passed and severity = 'critical' and not is_acknowledged), 0) as failed,"
        " coalesce(sum(not passed and is_acknowledged), 0) as acknowledged,"
        " coalesce(sum(not passed and severity = 'warning'), 0) as warned, max(checked_at) as checked_at"
        " from check_results where run_id = ?",
        (run_id,),
    ).fetchone()
    return row


# --- what people acknowledged


def acknowledged(connection: Connection, suite: str | None = None) -> list[Acknowledged]:
    """What was acknowledged of a suite, or of all, in the order in which it was."""
    rows = connection.execute(
        "select * from acknowledged_checks where suite = coalesce(?, suite) order by acknowledged_at, subject", (suite,)
    )
    return [Acknowledged(*row) for row in rows]


def record_acknowledged(connection: Connection, found: Iterable[Acknowledged]) -> None:
    """Note what a person acknowledges; of one subject the latest value stands."""
    connection.executemany("insert or replace into acknowledged_checks values (?, ?, ?, ?, ?, ?, ?, ?)", found)
