"""The capture DAG: a task per source, when it stops, what is tried again, and who is told."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from ingestion import ledger
from ingestion.config import PROJECT_DIR, get_settings

DAGS = PROJECT_DIR / "dags"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of settings that this process goes by."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("GROUNDSWELL_CONFIG", str(folder))
    monkeypatch.setenv("GROUNDSWELL_DATA", str(tmp_path / "data"))
    get_settings.cache_clear()
    yield folder
    get_settings.cache_clear()


def dag_of() -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    found = BundleDagBag(dag_folder=str(DAGS / "capture.py"), bundle_path=DAGS, bundle_name="dags-folder")
    assert found.import_errors == {}
    return found.dags["capture"]


def test_a_task_per_source_and_none_waits_for_another(config: Path, airflow_home: None) -> None:
    (config / "sources.yml").write_text("bluesky:\nyoutube: {connection: yt}\n")
    dag = dag_of()
    assert dag.task_ids == ["bluesky", "youtube"]
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert "22" in str(dag.timetable.expression)
    assert "Runbook" in dag.doc_md
    for task in dag.tasks:
        assert task.upstream_task_ids == task.downstream_task_ids == set()
        assert (task.retries, task.max_active_tis_per_dag, task.owner) == (3, 1, "groundswell")


def test_without_a_source_it_has_no_schedule(config: Path, airflow_home: None) -> None:
    dag = dag_of()
    assert (dag.task_ids, dag.timetable.can_be_scheduled) == ([], False)


def test_a_broken_file_is_said_by_a_task(config: Path, airflow_home: None) -> None:
    from airflow.sdk.exceptions import AirflowFailException
    from groundswell_dags.sources import capture_source

    (config / "sources.yml").write_text("blusky:\n")
    assert dag_of().task_ids == ["config"]
    with pytest.raises(AirflowFailException, match="did you mean 'bluesky'"):
        capture_source("config", context("manual"))


def context(
    run_type: str = "scheduled", task: str = "bluesky", run_id: str = "r", dag: str = "capture", **more: Any
) -> dict[str, Any]:
    day = datetime.now(UTC).replace(hour=22, minute=0, second=0, microsecond=0)
    run = SimpleNamespace(
        run_type=run_type, run_id=run_id, dag_id=dag, data_interval_start=day - timedelta(days=1), data_interval_end=day
    )
    return {"dag_run": run, "ti": SimpleNamespace(task_id=task), **more}


def test_a_scheduled_capture_stops_at_ten_to_midnight_and_never_catches_up(airflow_home: None) -> None:
    from airflow.sdk.exceptions import AirflowSkipException
    from groundswell_dags.sources import until

    scheduled = context()
    day = scheduled["dag_run"].data_interval_end.date()
    ends = datetime(day.year, day.month, day.day, 23, 50)
    assert until(scheduled, ends - timedelta(seconds=1)) == ends
    for late in (ends, ends + timedelta(days=1)):
        with pytest.raises(AirflowSkipException, match="no answer is landed under another day"):
            until(scheduled, late)
    assert until(context("manual"), ends) is None


def test_what_is_tried_again(
    config: Path, httpserver: HTTPServer, airflow_home: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException
    from groundswell_dags.sources import capture_source

    from ingestion.sources.errors import CaptureFailed

    address = httpserver.url_for("").rstrip("/")
    (config / "sources.yml").write_text(
        f"bluesky:\n  base_url: {address}\nyoutube:\n  base_url: {address}\n  connection: yt\n"
    )
    (config / "watchlist.csv").write_text("platform,account\nbluesky,a.test\nyoutube,UC1\n")
    httpserver.expect_request("/xrpc/app.bsky.actor.getProfiles").respond_with_data("", 429, {"Retry-After": "9999"})
    with pytest.raises(CaptureFailed, match=r"0 of 1 came \(1 throttled\)"):
        capture_source("bluesky", context("manual"))
    with pytest.raises(AirflowFailException, match="AIRFLOW_CONN_YT"):
        capture_source("youtube", context("manual"))
    monkeypatch.setenv("AIRFLOW_CONN_YT", json.dumps({"conn_type": "http", "password": "k"}))
    error = {"error": {"code": 403, "message": "x", "errors": [{"reason": "forbidden"}]}}
    httpserver.expect_request("/youtube/v3/channels").respond_with_json(error, 403)
    with pytest.raises(AirflowFailException, match="the key is not taken"):
        capture_source("youtube", context("manual"))
    # The other attempt brings what was missing.
    httpserver.clear()
    profile = {"did": "did:plc:a", "handle": "a.test", "followersCount": 5}
    httpserver.expect_request("/xrpc/app.bsky.actor.getProfiles").respond_with_json({"profiles": [profile]})
    httpserver.expect_request("/xrpc/app.bsky.feed.getAuthorFeed").respond_with_json({"feed": []})
    assert capture_source("bluesky", context("manual"))["received"] == 1


def test_people_are_told_once_a_run_with_its_failed_checks_and_of_the_recovery(
    config: Path, httpserver: HTTPServer, airflow_home: None
) -> None:
    from groundswell_dags.alerts import (
        report_late,
        tell_failure,
        tell_recovery,
        tell_source_failure,
        tell_source_recovery,
    )

    told: list[str] = []

    def take(request: Any) -> Response:
        told.append(request.get_json()["text"])
        return Response("ok")

    httpserver.expect_request("/hook").respond_with_handler(take)
    (config / "notify.yml").write_text(f"webhook: {{url: '{httpserver.url_for('/hook')}'}}\n")
    check = {
        "suite": "landing.account_snapshots", "expectation": "volume_change", "severity": "critical", "observed": "0.2",
        "threshold": "0.85 .. 1.15", "passed": 0, "detail": "2026-01-05",
    }  # fmt: skip
    ledger.record_checks(get_settings(), "n1", [check])
    failed = context(task="check_landing", run_id="n1", dag="nightly", exception=RuntimeError("1 check failed"))
    tell_failure(failed)
    tell_failure(failed)
    tell_failure({**failed, "ti": SimpleNamespace(task_id="build_report")})
    report_late(context={"dag_run": {"run_id": "n1"}})
    tell_source_failure(context(exception=RuntimeError("bluesky: 0 of 9 came")))
    tell_source_recovery(context(task="youtube"))
    tell_recovery(context(dag="nightly", run_id="n2"))
    tell_recovery(context(dag="nightly", run_id="n3"))
    tell_source_recovery(context())
    assert [text.splitlines()[0] for text in told] == [
        "Groundswell: nightly: the gate is closed by 1 checks", "Groundswell: nightly: the night is late",
        "Groundswell: capture: bluesky brought too little", "Groundswell: nightly: all is well again",
        "Groundswell: capture: bluesky is well again",
    ]  # fmt: skip
    assert "- landing.account_snapshots.volume_change: observed 0.2, expected 0.85 .. 1.15 (2026-01-05)" in told[0]
    assert "bluesky: 0 of 9 came" in told[2]
    assert "- nightly: the gate is closed by 1 checks\n- nightly: the night is late" in told[3]


def test_the_tasks_of_a_night_tell(bag: Any) -> None:
    for name in ("nightly", "rebuild"):
        for task in bag.dags[name].tasks:
            assert [call.__name__ for call in task.on_failure_callback] == ["tell_failure"]
        [recovered] = bag.dags[name].get_task("build_report").on_success_callback
        assert recovered.__name__ == "tell_recovery"


def test_people_are_told_what_postgresql_shows_apart_from_the_night(
    config: Path, httpserver: HTTPServer, airflow_home: None
) -> None:
    from groundswell_dags.alerts import tell_failure, tell_postgres_recovery, tell_recovery

    told: list[str] = []

    def take(request: Any) -> Response:
        told.append(request.get_json()["text"])
        return Response("ok")

    httpserver.expect_request("/hook").respond_with_handler(take)
    (config / "notify.yml").write_text(f"webhook: {{url: '{httpserver.url_for('/hook')}'}}\n")
    down = context(task="load_postgres", run_id="n1", dag="nightly", exception=RuntimeError("it cannot be reached"))
    tell_failure(down)
    # The night itself has ended well: it says nothing of PostgreSQL.
    tell_recovery(context(dag="nightly", run_id="n1"))
    tell_postgres_recovery(context(task="load_postgres", run_id="n2", dag="nightly"))
    assert [text.splitlines()[0] for text in told] == [
        "Groundswell: PostgreSQL does not show the newest release",
        "Groundswell: PostgreSQL shows the newest release again",
    ]
    assert "it cannot be reached" in told[0]
    assert "readers of PostgreSQL see the one before, all others see the new one" in told[0]
