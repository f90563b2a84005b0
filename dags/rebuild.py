"""
# rebuild

Builds a range of days in one pass, from what raw holds, and publishes it as one release.

| | |
| --- | --- |
| Days | Params `from` and `to`, both included, UTC; what is dirty or changed is built with them, as in a nightly. |
| Marts | Param `marts` limits the range to some marts and what they are made from; empty means all. |
| Schedule | None: a person starts it. |
| A re-run | Replaces the same dates by equal values. Clearing any task is safe. |
| Raw | Nothing is fetched. Days without raw are named and the rest goes on; days whose raw is lost keep their rows. |
| When a critical check fails | Nothing is published, readers keep the last good release. |

Runbook: `docs/runbooks/rebuild.md`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, chain, dag, get_current_context, task
from groundswell_dags.alerts import tell_failure
from groundswell_dags.steps import no_retry_on_contract_error, rebuild_range, writer
from groundswell_dags.tasks import build_report, check_marts, load_postgres, publish_release

from ingestion.config import get_settings


@dag(
    schedule=None,
    max_active_runs=1,
    params={
        "from": Param(None, type="string", format="date", description="First UTC day, YYYY-MM-DD."),
        "to": Param(None, type="string", format="date", description="Last UTC day, included."),
        "marts": Param([], type="array", items={"type": "string"}, description="Only these marts; empty for all."),
    },
    default_args={
        "owner": "groundswell",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(hours=6),
        "on_failure_callback": tell_failure,
    },
    tags=["groundswell", "rebuild"],
    doc_md=__doc__,
)
def rebuild() -> None:
    @task
    @no_retry_on_contract_error
    def land_files() -> dict[str, Any]:
        from warehouse.pipeline import land_files as land

        with writer("land_files") as (settings, run_id, _, _lease):
            return vars(land(settings, run_id))

    @task
    @no_retry_on_contract_error
    def check_landing() -> int:
        from warehouse.pipeline import check_landing as check

        context = get_current_context()
        _, day = rebuild_range(context)
        return len(check(get_settings(), str(context["dag_run"].run_id), day))

    @task
    @no_retry_on_contract_error
    def build_marts() -> dict[str, Any]:
        from warehouse.pipeline import build_marts as build

        backfill_range, day = rebuild_range(get_current_context())
        with writer("build_marts") as (settings, run_id, _, lease):
            return vars(build(settings, run_id, day, lease, backfill_range=backfill_range))

    chain(
        land_files(),
        check_landing(),
        build_marts(),
        check_marts(),
        publish_release(),
        [load_postgres(), build_report()],
    )


rebuild()
