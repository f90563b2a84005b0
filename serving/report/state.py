"""What the report shows of the state ledger: the run, its checks, and the landed files."""

from dataclasses import dataclass
from typing import Any

from ingestion import ledger
from ingestion.config import Settings
from serving.report.words import check_name, suite_name

Row = dict[str, Any]

LANDED_FILES = 30
# Every failure a person can act on in one night; more are counted.
MAX_CHECKS = 300
NAMED_CHECKS = 4


@dataclass(frozen=True)
class Status:
    """How the run ended. `kind` is published, unchanged, superseded, blocked or open."""

    kind: str
    title: str
    sentence: str


def read_state(settings: Settings, run_id: str) -> Row:
    """The run's plan, release and checks (of the last checked run where it has none), and the landed files."""
    with ledger.read(settings) as connection:
        plan = ledger.plan_with_dates(connection, run_id)
        release = ledger.release_of_run(connection, run_id)
        checked_run = ledger.last_checked_run(connection, run_id)
        checks = [dict(row) for row in ledger.checks_of_run(connection, checked_run, MAX_CHECKS)]
        tally = dict(ledger.tally_of_checks(connection, checked_run))
        files = [dict(row) for row in ledger.latest_batches(connection, LANDED_FILES)]
        totals = dict(ledger.batch_totals(connection))
    blocking = [
        check
        for check in checks
        if not check["passed"]
        and check["severity"] == "critical"
        and not check["is_acknowledged"]
        and checked_run == run_id
    ]
    return {
        "plan": dict(plan) if plan else None,
        "checked_run": checked_run,
        "checks": checks,
        "tally": tally,
        "files": files,
        "totals": totals,
        "status": describe(
            dict(plan) if plan else None,
            dict(release) if release else None,
            [f"{suite_name(c['suite'])} · {check_name(c['expectation'])}" for c in blocking],
        ),
    }


def describe(plan: Row | None, release: Row | None, blocking: list[str]) -> Status:
    """How a run ended, in one sentence, from its plan, its release and its failed critical checks."""
    state = plan["state"] if plan else None
    if state == "published":
        said = "The figures here are" if release else "An earlier night has published"
        return Status("published", "Published", f"{said} those of this night.")
    if state == "unchanged":
        return Status("unchanged", "Unchanged", "Nothing new had landed; the figures are those of the night before.")
    if state == "superseded":
        return Status("superseded", "Superseded", "A later night has published the days of this one.")
    if blocking:
        more = f" and {len(blocking) - NAMED_CHECKS} more" if len(blocking) > NAMED_CHECKS else ""
        names = "; ".join(name[:120] for name in blocking[:NAMED_CHECKS])
        noun = "check" if len(blocking) == 1 else "checks"
        sentence = f"{len(blocking)} critical {noun} failed: {names}{more}."
        return Status("blocked", "Blocked", sentence)
    sentence = "This night has not published, and no critical check of it has failed: it is under way, or it broke off."
    return Status("open", "Not published", sentence if plan else "It has planned nothing yet. " + sentence)
