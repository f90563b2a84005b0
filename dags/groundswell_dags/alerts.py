"""Deadline alerts."""

import logging
from typing import Any

log = logging.getLogger(__name__)


def report_late(**kwargs: Any) -> None:
    """Say in the log that a run missed its deadline; point an alerting tool at this logger or replace the callback."""
    run = kwargs.get("context", {}).get("dag_run", {})
    log.error(
        "Run %s of nightly missed its deadline (queued + 4 h). Readers still see the last good release."
        " Runbook: docs/runbooks/nightly.md",
        run.get("run_id", run.get("dag_run_id", "(unknown)")),
    )
