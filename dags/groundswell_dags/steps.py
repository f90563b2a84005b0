"""How a task calls a step: the day and id of its run, the writer's lease, and errors that a retry cannot mend."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from ingestion.config import Settings, get_settings
from ingestion.errors import ContractError
from ingestion.lease import Lease, hold
from warehouse.plan import BackfillRange, resolve

P = ParamSpec("P")
R = TypeVar("R")

# A scheduled run starts at midnight; publishers' files of the day are in by then.
FILES_DUE_AFTER = timedelta(hours=2)
SUPERSEDED = "superseded: a later run has released these dates"


def no_retry_on_contract_error(function: Callable[P, R]) -> Callable[P, R]:
    """A broken contract stays broken: the task fails at once instead of trying again."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ContractError as error:
            raise AirflowFailException(str(error)) from error

    return wrapped


def run_day(context: Any) -> date:
    """UTC day that a run builds: Param `day` or `to`, else the start of its data interval, else (by hand) yesterday."""
    named = context["params"].get("day") or context["params"].get("to")
    if named:
        return date.fromisoformat(str(named))
    start = context["dag_run"].data_interval_start
    if start is not None:
        day: date = start.astimezone(UTC).date()
        return day
    asked: datetime = context["dag_run"].run_after or datetime.now(UTC)
    return asked.astimezone(UTC).date() - timedelta(days=1)


def is_too_early(context: Any) -> bool:
    """Whether a scheduled run should still wait for the day's files."""
    run = context["dag_run"]
    scheduled = str(getattr(run.run_type, "value", run.run_type)) == "scheduled"
    return scheduled and datetime.now(UTC) < run.data_interval_end + FILES_DUE_AFTER


@contextmanager
def writer(task: str) -> Iterator[tuple[Settings, str, date, Lease]]:
    """Settings, run id and day of the current task, while it holds the writer's lease."""
    context = get_current_context()
    settings = get_settings()
    run_id = str(context["dag_run"].run_id)
    with hold(settings, run_id, task) as lease:
        yield settings, run_id, run_day(context), lease


def rebuild_range(context: Any) -> tuple[BackfillRange, date]:
    """The range that Params `from`, `to` and `marts` name, and the day of its run. Raises ContractError."""
    params = context["params"]
    first, last = (date.fromisoformat(str(params[name])) for name in ("from", "to"))
    return resolve(get_settings(), first, last, params["marts"] or (), str(context["dag_run"].run_id))


def check_or_skip(settings: Settings, run_id: str, day: date, lease: Lease) -> str:
    """Check the marts of this run; returns built or unchanged, and skips a run that was superseded."""
    from warehouse.pipeline import check_built

    status = check_built(settings, run_id, day, lease)
    if status == "superseded":
        raise AirflowSkipException(SUPERSEDED)
    return status


def publish_or_skip(settings: Settings, run_id: str, day: date, lease: Lease) -> dict[str, Any]:
    """Publish the marts of this run; skips a run that was superseded since its check."""
    from warehouse.pipeline import publish_checked

    published = publish_checked(settings, run_id, day, lease)
    if published is None:
        raise AirflowSkipException(SUPERSEDED)
    return vars(published)


def load_postgres_or_skip() -> str:
    """Show in PostgreSQL what readers of the file see; returns its release's id. Skips where no database is set."""
    from warehouse.pipeline import load_postgres

    release_id = load_postgres(get_settings())
    if release_id is None:
        raise AirflowSkipException("GROUNDSWELL_POSTGRES_URL is not set")
    return release_id


def report_or_fail(context: Any) -> str:
    """Make the report, of a blocked run too, and then fail for a run that published nothing."""
    from warehouse.pipeline import build_report
    from warehouse.summary import require_finished

    run_id = str(context["dag_run"].run_id)
    path = build_report(get_settings(), run_id)
    require_finished(get_settings(), run_id)
    return str(path)
