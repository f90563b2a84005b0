"""The DAG as Airflow reads it: ids first, then order, schedule, policy."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError

DAGS = PROJECT_DIR / "dags"
ORDER = ["land_files", "check_landing", "build_marts", "check_marts", "publish_release", "build_report"]
BESIDE = "load_postgres"


def test_exactly_these_dags(bag: Any) -> None:
    assert sorted(bag.dag_ids) == ["capture", "nightly", "rebuild"]
    assert bag.import_errors == {}


def test_a_broken_dag_is_noticed(tmp_path: Path, airflow_home: None) -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    (tmp_path / "broken.py").write_text("from airflow.sdk import dag\nraise RuntimeError('no')\n")
    bag = BundleDagBag(dag_folder=str(tmp_path), bundle_path=tmp_path, bundle_name="dags-folder")
    assert len(bag.import_errors) == 1


def test_the_file_stem_is_the_dag_id(bag: Any) -> None:
    assert sorted(path.stem for path in DAGS.glob("*.py")) == sorted(bag.dag_ids)


def test_order_of_tasks(bag: Any) -> None:
    dag = bag.dags["nightly"]
    assert [task.task_id for task in dag.topological_sort() if task.task_id != BESIDE] == ORDER
    for before, after in pairwise(ORDER):
        assert dag.get_task(before).downstream_task_ids - {BESIDE} == {after}
    # PostgreSQL waits for the release, and nothing waits for PostgreSQL.
    assert dag.get_task(BESIDE).upstream_task_ids == {"publish_release"}
    assert dag.get_task(BESIDE).downstream_task_ids == set()


def test_policy(bag: Any) -> None:
    dag = bag.dags["nightly"]
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert set(dag.tags) == {"groundswell", "nightly"}
    assert "Runbook" in dag.doc_md
    assert dag.deadline
    for task in dag.tasks:
        assert task.owner == "groundswell"
        assert task.retries == 2
        assert task.execution_timeout == timedelta(hours=3)
    assert dag.get_task("land_files").mode == "reschedule"
    assert dag.get_task("build_report").trigger_rule == "all_done"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        # At a midnight the interval that ends there is over; so it is at any later time of that day.
        (datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)),
        (datetime(2026, 1, 6, 9, 30, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)),
    ],
)
def test_the_schedule_has_a_true_data_interval(bag: Any, asked: datetime, first: datetime, last: datetime) -> None:
    import pendulum
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable: Any = coerce_to_core_timetable(bag.dags["nightly"].timetable)
    interval = timetable.infer_manual_data_interval(run_after=pendulum.instance(asked))
    assert (interval.start, interval.end) == (first, last)


def test_a_backfill_names_the_days_it_builds(bag: Any) -> None:
    """From day 5 to day 7 builds 5, 6 and 7: the intervals that start on those days."""
    import pendulum
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    timetable: Any = coerce_to_core_timetable(bag.dags["nightly"].timetable)
    restriction = TimeRestriction(pendulum.datetime(2026, 1, 5), pendulum.datetime(2026, 1, 7), catchup=True)
    starts = []
    last = None
    while info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction):
        last = info.data_interval
        starts.append(last.start.date())
    assert starts == [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)]


def _context(run_type: str = "scheduled", day: str | None = None, end: datetime | None = None) -> dict[str, Any]:
    end = end or datetime(2026, 1, 6, tzinfo=UTC)
    run = SimpleNamespace(
        run_type=run_type, data_interval_start=end - timedelta(days=1), data_interval_end=end, run_after=end
    )
    return {"params": {"day": day}, "dag_run": run}


def test_the_day_of_a_run(airflow_home: None) -> None:
    from groundswell_dags.steps import run_day

    assert run_day(_context()) == date(2026, 1, 5)
    assert run_day(_context(day="2025-12-24")) == date(2025, 12, 24)
    by_hand = _context("manual")
    by_hand["dag_run"].data_interval_start = None
    by_hand["dag_run"].run_after = datetime(2026, 1, 6, 14, tzinfo=UTC)
    assert run_day(by_hand) == date(2026, 1, 5)


def test_only_a_scheduled_run_waits_until_two(airflow_home: None) -> None:
    from groundswell_dags.steps import is_too_early

    just_now = datetime.now(UTC) - timedelta(minutes=1)
    assert is_too_early(_context("scheduled", end=just_now))
    assert not is_too_early(_context("backfill", end=just_now))
    assert not is_too_early(_context("manual", end=just_now))
    assert not is_too_early(_context("scheduled", end=datetime.now(UTC) - timedelta(hours=2, minutes=1)))


def test_a_contract_error_is_not_tried_again_and_anything_else_is(airflow_home: None) -> None:
    from airflow.sdk.exceptions import AirflowFailException
    from groundswell_dags.steps import no_retry_on_contract_error

    def failing(error: Exception) -> Callable[[], None]:
        @no_retry_on_contract_error
        def task() -> None:
            raise error

        return task

    with pytest.raises(AirflowFailException, match="broken"):
        failing(ContractError("broken"))()
    with pytest.raises(OSError, match="disk"):
        failing(OSError("disk"))()


def test_the_deadline_alert_says_what_to_do(caplog: pytest.LogCaptureFixture, airflow_home: None) -> None:
    from groundswell_dags.alerts import report_late

    report_late(context={"dag_run": {"dag_run_id": "scheduled__x"}, "deadline": {}})
    assert "scheduled__x" in caplog.text
    assert "docs/runbooks/nightly.md" in caplog.text


def test_airflow_is_private_to_the_data_folder(
    settings: Settings, airflow_home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in [key for key in os.environ if key.startswith("AIRFLOW__")]:
        monkeypatch.delenv(key)
    from warehouse.cli.airflow_env import airflow_environment

    environment = airflow_environment(settings, 8123)
    assert environment["AIRFLOW_HOME"] == str(settings.data / "airflow")
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    assert (
        environment["AIRFLOW__API_AUTH__JWT_SECRET"] == airflow_environment(settings)["AIRFLOW__API_AUTH__JWT_SECRET"]
    )
    assert (settings.data / "airflow" / "jwt_secret").stat().st_mode & 0o077 == 0


def test_a_release_is_an_asset_that_is_emitted_only_when_something_was_published(
    bag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outlet is an alias, which emits nothing by itself."""
    from contextlib import nullcontext

    from airflow.sdk import AssetAlias
    from groundswell_dags import tasks

    for name in ("nightly", "rebuild"):
        [outlet] = bag.dags[name].get_task("publish_release").outlets
        assert isinstance(outlet, AssetAlias)
    emitted: list[tuple[str, dict[str, str]]] = []
    events = SimpleNamespace(add=lambda asset, extra: emitted.append((asset.name, extra)))
    monkeypatch.setattr(tasks, "writer", lambda _: nullcontext((None, "r", None, None)))
    monkeypatch.setattr(tasks, "get_current_context", lambda: {"outlet_events": {tasks.RELEASES: events}})
    for status in ("unchanged", "published"):
        published = {"status": status, "release_id": "20260106T0203-ab", "path": None}
        monkeypatch.setattr(tasks, "publish_or_skip", lambda *_, published=published: published)
        assert tasks.publish_release.function() == published
    assert emitted == [("groundswell://marts", {"release_id": "20260106T0203-ab"})]


# --- PostgreSQL


def test_without_a_database_the_load_is_skipped(
    airflow_home: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException
    from groundswell_dags import steps

    monkeypatch.setattr(steps, "get_settings", lambda: settings)
    with pytest.raises(AirflowSkipException, match="GROUNDSWELL_POSTGRES_URL is not set"):
        steps.load_postgres_or_skip()


def test_a_database_that_is_down_is_tried_again_and_a_broken_address_is_not(
    airflow_home: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException
    from groundswell_dags import steps

    from ingestion.errors import TargetUnavailable
    from tests.postgres import settings_for, write_release

    write_release(settings, 1, {"dim_account": "select 1 as one"})
    task = steps.no_retry_on_contract_error(steps.load_postgres_or_skip)
    for url, error in (
        ("postgresql://u:pass-word@127.0.0.1:1/x", TargetUnavailable),
        ("pass-word", AirflowFailException),
    ):
        monkeypatch.setattr(steps, "get_settings", lambda url=url: settings_for(settings, url))
        with pytest.raises(error) as caught:
            task()
        assert "pass-word" not in str(caught.value)
