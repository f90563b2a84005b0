"""Results of dbt's data tests and of the suites, one row per run, suite and expectation."""

from collections.abc import Collection, Iterable

from ingestion.config import Settings
from ingestion.ledger.store import Connection, Row, stamp, write


def record_checks(settings: Settings, run_id: str, results: Iterable[dict[str, object]]) -> None:
    """Replace the results of a run's suites: one row per suite and expectation.

    Keys of a result: suite, expectation, severity, observed, threshold, passed, detail.
    """
    rows = list(results)
    with write(settings) as connection:
        for suite in {row["suite"] for row in rows}:
            connection.execute("delete from check_results where run_id = ? and suite = ?", (run_id, suite))
        connection.executemany(
            "insert into check_results values (:run_id, :suite, :expectation, :severity, :observed, :threshold,"
            " :passed, :detail, :checked_at)",
            [{**row, "run_id": run_id, "checked_at": stamp()} for row in rows],
        )


def keep_failed_checks(settings: Settings, run_id: str, before: str, suite: str, names: Collection[str]) -> None:
    """Let what an earlier run found stand in this one: failed checks of a suite that had nothing new to look at."""
    with write(settings) as connection:
        failed = connection.execute(
            "select * from check_results where run_id = ? and suite = ? and not passed", (before, suite)
        ).fetchall()
        connection.executemany(
            "insert or ignore into check_results values (:run_id, :suite, :expectation, :severity, :observed,"
            " :threshold, :passed, :detail, :checked_at)",
            [dict(row) | {"run_id": run_id} for row in failed if row["expectation"] in names],
        )


def all_checks(connection: Connection) -> list[Row]:
    """Every result of every run."""
    return connection.execute("select * from check_results").fetchall()


def checks_of_run(connection: Connection, run_id: str | None, most: int | None = None) -> list[Row]:
    """Results of a run, the failed ones first, then by severity; `most` limits their number."""
    return connection.execute(
        "select * from check_results where run_id = ? order by passed, severity, suite, expectation limit ?",
        (run_id, -1 if most is None else most),
    ).fetchall()


def failed_checks(connection: Connection, run_id: str) -> list[Row]:
    """Suite, expectation and severity of each check of a run that failed, by suite and expectation."""
    return connection.execute(
        "select suite, expectation, severity from check_results where run_id = ? and not passed"
        " order by suite, expectation",
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
    """Checks of a run: how many, how many passed, failed (critical) and warned, and when."""
    row: Row = connection.execute(
        "select count(*) as checks, coalesce(sum(passed), 0) as passed,"
        " coalesce(sum(not passed and severity = 'critical'), 0) as failed,"
        " coalesce(sum(not passed and severity = 'warning'), 0) as warned, max(checked_at) as checked_at"
        " from check_results where run_id = ?",
        (run_id,),
    ).fetchone()
    return row
