"""
# capture

Asks each source of `config/sources.yml` for the day's counts, and writes the answers to landing.

| | |
| --- | --- |
| Day | The UTC day on which it runs. No API gives history: a missed day is never captured later. |
| Schedule | 22:00 UTC; it stops at 23:50, and what was not asked by then is `throttled`. None while no source is set. |
| A re-run | Asks only for what is missing of the day. Clearing any task is safe. |
| A failing source | Leaves the other sources' files. It is tried again, unless only a person can mend it. |
| Its files | `nightly` lands them with the day's others. |

Runbook: `docs/runbooks/capture.md`.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, get_current_context, task
from groundswell_dags.alerts import tell_source_failure, tell_source_recovery
from groundswell_dags.sources import capture_source, configured

from ingestion.config import get_settings

SOURCES = configured(get_settings())


@dag(
    schedule=CronDataIntervalTimetable("0 22 * * *", timezone="UTC") if SOURCES else None,
    start_date=datetime(2020, 1, 1),  # noqa: DTZ001 - Airflow reads it in its default zone, UTC
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "groundswell",
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(hours=2),
        "max_active_tis_per_dag": 1,
        "on_failure_callback": tell_source_failure,
        "on_success_callback": tell_source_recovery,
    },
    tags=["groundswell", "capture"],
    doc_md=__doc__,
)
def capture() -> None:
    def add(source: str) -> None:
        @task(task_id=source)
        def ask() -> dict[str, Any]:
            return capture_source(source, get_current_context())

        ask()

    for source in SOURCES:
        add(source)


capture()
