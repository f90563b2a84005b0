"""What the report shows of the state ledger: the run, its checks, and the landed files."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from ingestion import ledger
from ingestion.config import Settings

Row = dict[str, Any]

LANDED_FILES = 30
# Every failure a person can act on in one night; more are counted.
MAX_CHECKS = 300
NAMED_CHECKS = 4

PLAN = """
select plans.*, min(snapshot_date) as first_date, max(snapshot_date) as last_date,
    count(distinct snapshot_date) as dates
from plans left join plan_dates using (run_id)
where plans.run_id = ? group by plans.run_id
"""

CHECKED_RUN = """
select run_id from check_results group by run_id order by run_id = ? desc, max(checked_at) desc, run_id limit 1
"""

CHECKS = """
select * from check_results where run_id = ? order by passed, severity, suite, expectation limit ?
"""

TALLY = """
select count(*) as checks, coalesce(sum(passed), 0) as passed,
    coalesce(sum(not passed and severity = 'critical'), 0) as failed,
    coalesce(sum(not passed and severity = 'warning'), 0) as warned,
    max(checked_at) as checked_at
from check_results where run_id = ?
"""

# A reading that gave way to a later one of the same delivery is not counted twice.
FILES = """
select feed, mapping, file, landed_at, state, reason, batch_id, data_origin,
    rows_read, rows_accepted, rows_quarantined, rows_duplicate
from batches where state <> 'superseded' order by landed_at desc, batch_id limit ?
"""

TOTALS = """
select count(*) as files, sum(state = 'quarantined') as quarantined_files, sum(state = 'rejected') as rejected_files,
    coalesce(sum(rows_read), 0) as rows_read, coalesce(sum(rows_accepted), 0) as rows_accepted,
    coalesce(sum(rows_quarantined), 0) as rows_quarantined, coalesce(sum(rows_duplicate), 0) as rows_duplicate
from batches where state <> 'superseded'
"""


@dataclass(frozen=True)
class Status:
    """How the run ended. `kind` is published, unchanged, superseded, blocked or open."""

    kind: str
    title: str
    sentence: str


def read_state(settings: Settings, run_id: str) -> Row:
    """The run's plan, release and checks (of the last checked run where it has none), and the landed files."""
    with ledger.read(settings) as connection:
        plan = _first(connection, PLAN, run_id)
        release = _first(
            connection, "select * from releases where run_id = ? order by published_at desc limit 1", run_id
        )
        checked = _first(connection, CHECKED_RUN, run_id)
        checked_run = checked["run_id"] if checked else None
        checks = _all(connection, CHECKS, checked_run, MAX_CHECKS)
        tally = _all(connection, TALLY, checked_run)[0]
        files = _all(connection, FILES, LANDED_FILES)
        totals = _all(connection, TOTALS)[0]
    blocking = [c for c in checks if not c["passed"] and c["severity"] == "critical" and checked_run == run_id]
    return {
        "plan": plan,
        "checked_run": checked_run,
        "checks": checks,
        "tally": tally,
        "files": files,
        "totals": totals,
        "status": describe(plan, release, [f"{c['suite']} · {c['expectation']}" for c in blocking]),
    }


def describe(plan: Row | None, release: Row | None, blocking: list[str]) -> Status:
    """How a run ended, in one sentence, from its plan, its release and its failed critical checks."""
    state = plan["state"] if plan else None
    if state == "published":
        where = f"as release {release['release_id']}" if release else "in an earlier release"
        return Status("published", "Published", f"The marts of this run went out {where}.")
    if state == "unchanged":
        return Status("unchanged", "Unchanged", "Nothing new had landed; readers keep the marts they had.")
    if state == "superseded":
        return Status("superseded", "Superseded", "A later run has released the dates of this one.")
    if blocking:
        more = f" and {len(blocking) - NAMED_CHECKS} more" if len(blocking) > NAMED_CHECKS else ""
        names = "; ".join(name[:120] for name in blocking[:NAMED_CHECKS])
        noun = "check" if len(blocking) == 1 else "checks"
        sentence = f"{len(blocking)} critical {noun} failed: {names}{more}."
        return Status("blocked", "Blocked", sentence)
    sentence = "The run has not published, and no critical check of it has failed: it is under way, or it broke off."
    return Status("open", "Not published", sentence if plan else "The run has made no plan yet. " + sentence)


def _all(connection: sqlite3.Connection, query: str, *values: object) -> list[Row]:
    return [dict(row) for row in connection.execute(query, values)]


def _first(connection: sqlite3.Connection, query: str, *values: object) -> Row | None:
    rows = _all(connection, query, *values)
    return rows[0] if rows else None
