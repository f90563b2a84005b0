"""The rebuild as Airflow reads it: the nightly's steps in the nightly's order, over a range that a person names."""

from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from ingestion.config import Settings

from .test_nightly_dag import ORDER


def test_the_steps_are_those_of_the_nightly(bag: Any) -> None:
    dag = bag.dags["rebuild"]
    assert [task.task_id for task in dag.topological_sort() if task.task_id != "load_postgres"] == ORDER
    for before, after in pairwise(ORDER):
        assert dag.get_task(before).downstream_task_ids - {"load_postgres"} == {after}
    assert dag.get_task("load_postgres").upstream_task_ids == {"publish_release"}
    assert dag.get_task("build_report").trigger_rule == "all_done"


def test_policy(bag: Any) -> None:
    dag = bag.dags["rebuild"]
    assert dag.schedule is None
    assert dag.max_active_runs == 1
    assert set(dag.tags) == {"groundswell", "rebuild"}
    assert "docs/runbooks/rebuild.md" in dag.doc_md
    for task in dag.tasks:
        assert task.owner == "groundswell"
        assert task.retries == 2
        assert task.execution_timeout == timedelta(hours=6)


def test_a_range_must_be_named(bag: Any) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = bag.dags["rebuild"].params
    assert set(params) == {"from", "to", "marts"}
    with pytest.raises(ParamValidationError):
        params.validate()


def test_the_params_become_a_range(airflow_home: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    from groundswell_dags import steps

    seen: list[Any] = []
    monkeypatch.setattr(steps, "get_settings", lambda: settings)
    monkeypatch.setattr(steps, "resolve", lambda *given: seen.append(given))
    params = {"from": "2026-01-05", "to": "2026-01-07", "marts": ["dim_account"]}
    steps.rebuild_range({"params": params, "dag_run": SimpleNamespace(run_id="rebuild")})
    assert seen == [(settings, date(2026, 1, 5), date(2026, 1, 7), ["dim_account"], "rebuild")]
