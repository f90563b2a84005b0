"""The tasks with which every run ends, whatever it built: check, publish, load into PostgreSQL, report."""

from typing import Any

from airflow.sdk import Asset, AssetAlias, get_current_context, task

from groundswell_dags.alerts import tell_postgres_recovery, tell_recovery
from groundswell_dags.steps import (
    check_or_skip,
    load_postgres_or_skip,
    no_retry_on_contract_error,
    publish_or_skip,
    report_or_fail,
    writer,
)


@task
@no_retry_on_contract_error
def check_marts() -> str:
    with writer("check_marts") as (settings, run_id, day, lease):
        return check_or_skip(settings, run_id, day, lease)


# Another DAG follows releases by `schedule=[Asset("groundswell://marts")]`. The alias names none of them by itself, so
# that a run which published nothing emits nothing.
RELEASES = AssetAlias("groundswell_releases")
MARTS = Asset("groundswell://marts")


@task(outlets=[RELEASES])
@no_retry_on_contract_error
def publish_release() -> dict[str, Any]:
    with writer("publish_release") as (settings, run_id, day, lease):
        published = publish_or_skip(settings, run_id, day, lease)
    if published["status"] == "published":
        events = get_current_context()["outlet_events"]
        events[RELEASES].add(MARTS, extra={"release_id": published["release_id"]})
    return published


# Beside the report, not before it: whatever PostgreSQL does, no other task waits for it.
@task(on_success_callback=tell_postgres_recovery)
@no_retry_on_contract_error
def load_postgres() -> str:
    return load_postgres_or_skip()


@task(trigger_rule="all_done", on_success_callback=tell_recovery)
@no_retry_on_contract_error
def build_report() -> str:
    return report_or_fail(get_current_context())
