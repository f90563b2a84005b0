"""How a task captures a source: until when, with which key, and what is worth another attempt."""

import logging
from datetime import UTC, datetime, time
from typing import Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from groundswell_dags.keys import login_of
from ingestion.config import Settings, get_settings
from ingestion.errors import ContractError
from ingestion.sources.errors import CaptureFailed
from ingestion.sources.settings import load_sources

STOPS_AT = time(23, 50)
log = logging.getLogger(__name__)
# A file that cannot be read is said by a task, where people look, not by a DAG that is gone.
BROKEN = "config"


def configured(settings: Settings) -> list[str]:
    """Names of the sources that are asked; where `sources.yml` is not in order, the one task that says so."""
    try:
        return list(load_sources(settings))
    except ContractError:
        return [BROKEN]


def until(context: Any, now: datetime) -> datetime | None:
    """When a capture stops: a scheduled one at 23:50 of its day. Skips one whose day is over."""
    run = context["dag_run"]
    if str(getattr(run.run_type, "value", run.run_type)) != "scheduled":
        return None
    ends = datetime.combine(run.data_interval_end.astimezone(UTC).date(), STOPS_AT)
    if now >= ends:
        raise AirflowSkipException(f"its day's captures ended at {ends}; no answer is landed under another day")
    return ends


def capture_source(source: str, context: Any) -> dict[str, Any]:
    """Capture a source. Raises CaptureFailed for what another attempt may bring, AirflowFailException for the rest."""
    from ingestion.sources.capture import capture, record_unasked

    settings, now = get_settings(), datetime.now(UTC).replace(tzinfo=None)
    stop_at = until(context, now)
    try:
        entries = load_sources(settings)
        entry = entries.get(source)
        if entry is None:
            raise AirflowSkipException(f"{source} is no longer in config/sources.yml")
        record_unasked(settings, entries, now)
        done = capture(settings, source, entry, login_of, log.info, stop_at=stop_at)
    except ContractError as error:
        raise AirflowFailException(str(error)) from error
    for problem in done.problems:
        log.warning(problem)
    for reason, count in sorted(done.missing.items()):
        log.warning("%s: %s accounts or posts did not come: %s", source, f"{count:,}", reason)
    if done.share < entry.least_share:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(done.failed.items()))
        said = f"{source}: {done.received:,} of {done.asked:,} came ({reasons}); {'; '.join(done.problems)}"
        if set(done.failed) <= {"auth", "budget"}:
            raise AirflowFailException(said)
        raise CaptureFailed(said)
    return {"asked": done.asked, "received": done.received, "missing": dict(done.missing), "files": done.files}
