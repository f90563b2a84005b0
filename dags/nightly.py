"""
# nightly

Turns the files under `landing/` into one published release of checked marts.

| | |
| --- | --- |
| Day | A run builds whole UTC days. Its day is the date of `data_interval_start`; the Param `day` wins. |
| Schedule | Midnight UTC; a scheduled run waits until 02:00 for the day's files. |
| A re-run | Lands only what is new, replaces exactly the planned dates. Clearing any task is safe. |
| When a critical check fails | Nothing is published; `make reject BATCH=` takes a delivery back. |
| | Readers keep the last good release; the dates stay dirty and are checked again by the next run. |
| PostgreSQL | `load_postgres` shows the release there, where one is set; it skips where not. When it fails, the |
| | release stands, and PostgreSQL shows the one before until `groundswell postgres` or the next night. |
| One writer | Each step holds the writer's lease in `state/`; others wait and say who holds it. |

Runbook: `docs/runbooks/nightly.md`.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import (  # type: ignore[attr-defined]  # its stub lacks the three names of deadlines
    CronDataIntervalTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    PokeReturnValue,
    SyncCallback,
    chain,
    dag,
    get_current_context,
    task,
)
from groundswell_dags.alerts import report_late, tell_failure
from groundswell_dags.steps import is_too_early, no_retry_on_contract_error, run_day, writer
from groundswell_dags.tasks import build_report, check_marts, load_postgres, publish_release

from ingestion.config import get_settings


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2020, 1, 1),  # noqa: DTZ001 - Airflow reads it in its default zone, UTC
    catchup=False,
    max_active_runs=1,
    params={"day": Param(None, type=["null", "string"], format="date", description="UTC day to build, YYYY-MM-DD.")},
    default_args={
        "owner": "groundswell",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(hours=3),
        "on_failure_callback": tell_failure,
    },
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=4),
        callback=SyncCallback(report_late),
        name="nightly published within four hours",
    ),
    tags=["groundswell", "nightly"],
    doc_md=__doc__,
)
def nightly() -> None:
    @task.sensor(mode="reschedule", poke_interval=300, timeout=timedelta(hours=6).total_seconds())
    @no_retry_on_contract_error
    def land_files() -> PokeReturnValue:
        from warehouse.pipeline import land_files as land

        if is_too_early(get_current_context()):
            return PokeReturnValue(is_done=False)
        with writer("land_files") as (settings, run_id, _, _lease):
            return PokeReturnValue(is_done=True, xcom_value=vars(land(settings, run_id)))

    @task
    @no_retry_on_contract_error
    def check_landing() -> int:
        from warehouse.pipeline import check_landing as check

        context = get_current_context()
        return len(check(get_settings(), str(context["dag_run"].run_id), run_day(context)))

    @task
    @no_retry_on_contract_error
    def build_marts() -> dict[str, Any]:
        from warehouse.pipeline import build_marts as build

        with writer("build_marts") as (settings, run_id, day, lease):
            return vars(build(settings, run_id, day, lease))

    chain(
        land_files(),
        check_landing(),
        build_marts(),
        check_marts(),
        publish_release(),
        [load_postgres(), build_report()],
    )


nightly()
