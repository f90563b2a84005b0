"""People are told of a failed task, a closed gate, a late night, a source that brought too little, and of the end."""

import logging
from typing import Any

from groundswell_dags.keys import login_of
from ingestion import ledger
from ingestion.config import Settings, get_settings
from warehouse.notify import tell, tell_end

log = logging.getLogger(__name__)
RUNBOOK = "Runbook: docs/runbooks/{}.md"
# What is shown of an error, which may quote what is in a file.
MOST_SIGNS = 1500


POSTGRES = "load_postgres"


def tell_failure(context: Any) -> None:
    """A task has failed for good: the first of its run is told, those behind it fail for the same cause."""
    run, task = context["dag_run"], context["ti"].task_id
    if task == POSTGRES:
        _tell_postgres_failure(context)
        return
    run_id, dag = str(run.run_id), str(run.dag_id)
    settings = get_settings()
    failed = [check for check in _failed_checks(settings, run_id) if check["severity"] == "critical"]
    lines = [f"Task {task} of run {run_id} has failed: {str(context.get('exception') or 'see its log')[:MOST_SIGNS]}"]
    if failed:
        lines += ["", "Failed checks:", *(_line(check) for check in failed)]
    lines += ["", "Readers keep the last good release. " + RUNBOOK.format(dag)]
    what = f"the gate is closed by {len(failed)} checks" if failed else f"{task} has failed"
    tell(settings, login_of, f"{dag}/{run_id}", f"{dag}: {what}", "\n".join(lines))


def tell_recovery(context: Any) -> None:
    """A run has ended well: whoever was told of a failure or a late night before is told that it is over."""
    run = context["dag_run"]
    text = f"Run {run.run_id} has ended well: readers see what it published."
    tell_end(get_settings(), login_of, f"{run.dag_id}/", f"{run.dag_id}: all is well again", text)


def _tell_postgres_failure(context: Any) -> None:
    """The release is published and not shown in PostgreSQL: another notice than a night without a release."""
    run_id = str(context["dag_run"].run_id)
    what = str(context.get("exception") or "see its log")[:MOST_SIGNS]
    text = (
        f"{what}\n\nRun {run_id} has published its release; readers of PostgreSQL see the one before, all others see"
        f" the new one. {RUNBOOK.format('nightly')}"
    )
    tell(get_settings(), login_of, f"postgres/{run_id}", "PostgreSQL does not show the newest release", text)


def tell_postgres_recovery(context: Any) -> None:
    """PostgreSQL shows the newest release again."""
    text = f"Run {context['dag_run'].run_id} has shown its release in PostgreSQL."
    tell_end(get_settings(), login_of, "postgres/", "PostgreSQL shows the newest release again", text)


def tell_source_failure(context: Any) -> None:
    """A source brought less than people asked to be told of, after all attempts."""
    source, run = context["ti"].task_id, context["dag_run"]
    what = str(context.get("exception") or "see its log")[:MOST_SIGNS]
    text = f"{what}\n\nWhat came is landed, the other sources went on. {RUNBOOK.format('capture')}"
    tell(get_settings(), login_of, f"capture/{source}/{run.run_id}", f"capture: {source} brought too little", text)


def tell_source_recovery(context: Any) -> None:
    """A source brought what was asked for again."""
    source = context["ti"].task_id
    text = f"{source} brought what it was asked for."
    tell_end(get_settings(), login_of, f"capture/{source}/", f"capture: {source} is well again", text)


def report_late(**kwargs: Any) -> None:
    """A run missed its deadline: said in the log, and to people."""
    run = kwargs.get("context", {}).get("dag_run", {})
    run_id = run.get("run_id", run.get("dag_run_id", "(unknown)"))
    text = (
        f"Run {run_id} of nightly missed its deadline (queued + 4 h). Readers still see the last good release."
        " Runbook: docs/runbooks/nightly.md"
    )
    log.error(text)
    tell(get_settings(), login_of, f"nightly/late/{run_id}", "nightly: the night is late", text)


def _failed_checks(settings: Settings, run_id: str) -> list[Any]:
    with ledger.read(settings) as connection:
        return [check for check in ledger.checks_of_run(connection, run_id) if not check["passed"]]


def _line(check: Any) -> str:
    return (
        f"- {check['suite']}.{check['expectation']}: observed {check['observed']}, expected {check['threshold']}"
        f" ({str(check['detail'] or '')[:300]})"
    )
