"""`make test-bi`: Superset itself, installed and served by `groundswell bi`, against the release of the sample.

Opt-in, since it installs 0.9 GB: pytest collects this file only where it is named. `BI_DATA` names a data folder with a
release to work on (a copy is made), `BI_ENVIRONMENT` a folder that holds a `.venv-bi`; without them both are made.
"""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import PROJECT_DIR
from warehouse.dashboards import load_spec

MODEL = "attribution_model = 'code_or_last_click'"
LATEST = "marts.fct_account_latest"
CONNECT = sorted((PROJECT_DIR / "docs" / "connect").glob("*.md"))
MONTHS = "date_trunc('month', activity_date)"
SUSPICIOUS = "verdict = 'suspicious' or engagement_verdict = 'suspicious'"


def cells(mart: str, columns: str, rest: str = "") -> str:
    """Rows of a mart as they are."""
    return f"select {columns} from marts.{mart} {rest}"


# What each chart holds, in SQL of its own: ratios are taken from other columns than the chart's where the marts have them.
EXPECTED = {
    "overview_spend": f"select sum(spend_base) from marts.fct_campaign_roi where {MODEL}",
    "overview_net_revenue": f"select sum(net_revenue_base) from marts.fct_campaign_roi where {MODEL}",
    "overview_roi": f"select sum(net_revenue_base) / sum(spend_base) - 1 from marts.fct_campaign_roi where {MODEL}",
    "overview_accounts": f"select count(*) from {LATEST}",
    "overview_months": f"select {MONTHS}, sum(spend_base), sum(net_revenue_base) from marts.fct_return_daily where {MODEL} group by 1",
    "overview_tiers": f"select tier, count(*), any_value(tier_rank) from {LATEST} group by tier",
    "overview_campaigns": cells("fct_campaign_roi", "campaign_id, campaign_name, brand, spend_base, net_revenue_base, orders, roi_net", f"where {MODEL}"),
    "overview_creators": cells("fct_account_latest", "platform, handle, tier, followers, er_followers_median_30, verdict, collaborations, spend_base, net_revenue_base, roi_net", "where collaborations > 0"),
    "finder_accounts": f"select count(*) from {LATEST}",
    "finder_followers": f"select sum(followers) from {LATEST}",
    "finder_er": f"select avg(er_followers_median_30) from {LATEST}",
    "finder_suspicious": f"select count(*) from {LATEST} where {SUSPICIOUS}",
    "finder_list": cells("fct_account_latest", "platform, handle, account_id, tier, followers, followers_date, followers_growth_28d, er_followers_median_30, er_percentile, trust_score, verdict, engagement_verdict, price_base, country, niche, collaborations, roi_net", "order by followers desc nulls last limit 1000"),
    "finder_tiers": f"select tier, avg(er_followers_median_30), any_value(tier_rank) from {LATEST} group by tier",
    "finder_platforms": f"select tier_rank, tier, platform, count(*), sum(followers), avg(er_followers_median_30) from {LATEST} group by 1, 2, 3",
    "returns_spend": f"select sum(spend_base) from marts.fct_return_daily where {MODEL}",
    "returns_revenue": f"select sum(net_revenue_base) from marts.fct_return_daily where {MODEL} and collaboration_id <> '(unattributed)'",
    "returns_roi": f"select sum(net_revenue_base) / sum(spend_base) - 1 from marts.fct_campaign_roi where {MODEL}",
    "returns_cpa": f"select sum(spend_base) / sum(orders) from marts.fct_campaign_roi where {MODEL}",
    "returns_campaigns": cells("fct_campaign_roi", "campaign_id, campaign_name, brand, objective, start_date, collaborations, spend_base, orders, net_revenue_base, roi_net, roas, cpm_views_known, cpe_known, roi_basis", f"where {MODEL}"),
    "returns_tiers": f"select tier, sum(net_revenue_base) / sum(spend_base) - 1, any_value(tier_rank) from marts.fct_tier_roi where {MODEL} and scheme = 'standard' group by tier",
    "returns_partners": f"select tier_rank, tier, partner_type, sum(net_revenue_base) / sum(spend_base) - 1 from marts.fct_tier_roi where {MODEL} and scheme = 'standard' group by all",
    "returns_curve": f"select date_trunc('week', activity_date), sum(spend_base), sum(net_revenue_base) from marts.fct_return_daily where {MODEL} group by 1",
    "returns_brands": f"select {MONTHS}, brand, sum(net_revenue_base) from marts.fct_return_daily where {MODEL} group by 1, 2",
    "returns_collaborations": cells("fct_collaboration_roi", "collaboration_id, campaign_id, brand, platform, account_id, partner_type, spend_base, orders, net_revenue_base, roi_net, payback_days, roi_basis", f"where {MODEL}"),
    "returns_budgets": cells("dim_campaign", "campaign_id, campaign_name, brand, budget_base, budget_used_base, budget_left_base, posts_agreed, posts_delivered, posts_undisclosed", "where is_landed"),
    "benchmark_tiers": f"select tier, avg(er_followers_median_30), any_value(tier_rank) from {LATEST} group by tier",
    "benchmark_content": "select content_type, sum(engagements) filter (where er_followers is not null) / sum(followers_at_publication) filter (where er_followers is not null), sum(engagements) filter (where er_views is not null) / sum(views) filter (where er_views is not null) from marts.fct_post group by 1",
    "benchmark_months": "select date_trunc('month', published_date), platform, sum(engagements) filter (where er_followers is not null) / sum(followers_at_publication) filter (where er_followers is not null) from marts.fct_post group by 1, 2",
    "benchmark_spread": cells("fct_tier_benchmark_daily", "snapshot_date, platform, tier, er_followers_median_30_p50", "where scheme = 'standard' and niche = '*' and country = '*'"),
    "benchmark_published": cells("dim_er_benchmark", "source, platform, denominator, statistic, band, level, low, high, as_of_date"),
    "benchmark_best": cells("fct_account_latest", "platform, handle, tier, followers, er_followers_median_30, er_percentile, engagement_verdict", "where er_percentile >= 90"),
    "trust_suspicious": f"select count(*) from {LATEST} where {SUSPICIOUS}",
    "trust_watch": f"select count(*) from {LATEST} where (verdict = 'watch' or engagement_verdict = 'watch') and ({SUSPICIOUS}) is not true",
    "trust_known": f"select count(verdict) from {LATEST}",
    "trust_share": f"select count(*) filter (where {SUSPICIOUS}) / count(verdict) from {LATEST}",
    "trust_days": "select snapshot_date, verdict, count(*) from marts.fct_follower_trust_daily group by 1, 2",
    "trust_tiers": f"select tier_rank, tier, count(*), count(verdict), count(*) filter (where {SUSPICIOUS}), count(*) filter (where (verdict = 'watch' or engagement_verdict = 'watch') and ({SUSPICIOUS}) is not true), count(*) filter (where {SUSPICIOUS}) / nullif(count(verdict), 0) from {LATEST} group by 1, 2",
    "trust_signals": "select side, signal, count(*), count(distinct account_id) from marts.fct_follower_flag group by 1, 2",
    "trust_list": cells("fct_account_latest", "platform, handle, account_id, tier, followers, trust_score, verdict, verdict_date, engagement_verdict, collaborations, spend_base", "where verdict in ('suspicious', 'watch')"),
    "trust_evidence": cells("fct_follower_flag", "platform, account_id, signal, window_start, window_end, points, followers_affected, explanation, misread_on"),
    "social_voice": "select date_trunc('week', snapshot_date), brand, sum(mentions) / nullif(sum(mentions_of_all), 0) from marts.fct_share_of_voice_daily group by 1, 2",
    "social_mentions": "select date_trunc('week', snapshot_date), brand, sum(mentions) from marts.fct_share_of_voice_daily group by 1, 2",
    "social_hosts": "select host_type, count(*), sum(unique_viewers), sum(gmv_in_session_base), sum(gmv_in_session_base) / sum(unique_viewers) from marts.fct_live_session group by 1",
    "social_live": cells("fct_live_session", "started_at, platform, brand, campaign_id, host_type, unique_viewers, orders_in_session, gmv_in_session_base, sales_per_viewer_base, orders_after"),
    "social_contests": cells("fct_contest", "campaign_id, campaign_name, brand, start_date, end_date, entries, participants, new_participants, referred_participants, reach, spend_base, cost_per_participant_base"),
    "social_hashtags": "select hashtag, is_tracked, sum(posts) from marts.fct_hashtag_daily group by 1, 2",
    "health_releases": "select count(distinct release_id) from marts.fct_publication",
    "health_files": "select count(*) from marts.fct_landed_file",
    "health_quarantined": "select sum(rows_quarantined) from marts.fct_landed_file",
    "health_failed": "select count(*) from marts.fct_quality_result where not passed",
    "health_published": cells("fct_publication", "published_at, release_id, run_id, window_start, window_end, row_count, code_version", "where mart = 'fct_account_daily'"),
    "health_feeds": "select feed, state, count(*), sum(rows_read), sum(rows_quarantined), sum(rows_quarantined) / nullif(sum(rows_read), 0) from marts.fct_landed_file group by 1, 2",
    "health_checks": cells("fct_quality_result", "checked_at, suite, expectation, severity, observed, threshold, detail, is_acknowledged", "where not passed"),
    "health_capture": "select snapshot_date, source, platform, accounts_received / nullif(accounts_asked, 0) from marts.fct_capture_daily",
    "health_issues": "select feed, issue, count(*) from marts.fct_commerce_issue group by 1, 2",
    "health_rejected": cells("fct_landed_file", "landed_at, feed, file, state, rows_read, rows_quarantined, reason", "where reason is not null"),
}  # fmt: skip
# Of more rows than it shows, the last days: which of the last day's are cut off is not said.
CUT = {"benchmark_cells"}


def published_by(data: Path) -> Path:
    """The file of the release that readers see."""
    return (data / "published" / "latest").resolve() / "groundswell.duckdb"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of its own with a release, its Superset never prepared."""
    folder = tmp_path_factory.mktemp("bi") / "data"
    given = os.environ.get("BI_DATA")
    if given:
        shutil.copytree(Path(given) / "published", folder / "published", symlinks=True)
        return folder
    nightly = [sys.executable, "-m", "warehouse.cli", "nightly"]
    done = subprocess.run(
        nightly, cwd=PROJECT_DIR, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `groundswell bi` is called in."""
    given = os.environ.get("BI_ENVIRONMENT")
    return Path(given) if given else tmp_path_factory.mktemp("home")


def environment(data: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GROUNDSWELL_", "MAKE", "BI_"))}
    return {
        **kept,
        "GROUNDSWELL_DATA": str(data),
        "PYTHONPATH": f"{PROJECT_DIR}:{PROJECT_DIR / 'dags'}",
        "PYTHONUNBUFFERED": "1",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Superset as `groundswell bi` serves it, and its API."""

    def __init__(self, data: Path, home: Path) -> None:
        self.port, self.started = free_port(), time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "warehouse.cli", "bi", "--port", str(self.port)],
            cwd=home, env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = self._read_until("Ctrl-C stops Superset")
        self.seconds = time.monotonic() - self.started
        self.login()

    def _read_until(self, last: str) -> str:
        said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said += line
            if last in line:
                return said
        raise AssertionError(said)

    def login(self) -> None:
        password = re.search(r"password  (\S+)", self.said)
        assert password
        login = {"username": "admin", "password": password[1], "provider": "db", "refresh": False}
        # A change needs a session and its token against forged requests, as a page has them.
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.headers: dict[str, str] = {}
        self.headers["Authorization"] = f"Bearer {self.call('/api/v1/security/login', login)['access_token']}"
        self.headers["X-CSRFToken"] = self.call("/api/v1/security/csrf_token/")["result"]

    def call(self, path: str, body: object = None) -> Any:
        """The answer of the API. Raises AssertionError with what it says instead of one."""
        headers = {**self.headers, **({"Content-Type": "application/json"} if body is not None else {})}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode() if body is not None else None, headers
        )
        try:
            with self.opener.open(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()[:1000]}") from error

    def all_of(self, kind: str) -> list[dict[str, Any]]:
        """Every object of a kind."""
        found = self.call(f"/api/v1/{kind}/?q=(page_size:500)")
        assert found["count"] == len(found["result"])
        return list(found["result"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@contextmanager
def serving(data: Path, home: Path) -> Iterator[Server]:
    server = Server(data, home)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(data: Path, home: Path) -> Iterator[Server]:
    """The first start: it installs and prepares."""
    with serving(data, home) as started:
        print(f"\nfirst start: {started.seconds:.0f} s")
        yield started


def charts_of(server: Server) -> dict[str, int]:
    """Number of each chart in this Superset, by its name in the spec."""
    from warehouse.dashboards import id_of

    by_uuid = {chart["uuid"]: chart["id"] for chart in server.all_of("chart")}
    return {name: by_uuid[id_of("chart", name)] for name in load_spec()["charts"]}


def rows_of(server: Server, number: int) -> list[dict[str, Any]]:
    """What a chart holds now, as Superset answers it."""
    [found] = server.call(f"/api/v1/chart/{number}/data/")["result"]
    assert found["error"] is None
    assert found["status"] == "success"
    return list(found["data"])


def plain(value: Any) -> Any:
    """A value as both sides write it: times as milliseconds, numbers to nine digits."""
    if isinstance(value, datetime):
        return plain(value.replace(tzinfo=UTC).timestamp() * 1000)
    if isinstance(value, date):
        return plain(datetime(value.year, value.month, value.day))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"{float(value):.9g}"
    return value


def sorted_rows(rows: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(plain(value) for value in row) for row in rows), key=repr)


def in_sql(data: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(published_by(data)), read_only=True) as release:
        return release.execute(query).fetchall()


# --- charts


def test_each_chart_has_sql_of_its_own() -> None:
    assert set(EXPECTED) | CUT == set(load_spec()["charts"])


def test_each_chart_equals_sql_on_the_release(server: Server, data: Path) -> None:
    wrong = []
    for name, number in charts_of(server).items():
        rows = rows_of(server, number)
        if name in CUT:
            days = {row["snapshot_date"] for row in rows}
            assert len(rows) == load_spec()["charts"][name]["limit"]
            assert plain(max(days)) == plain(
                in_sql(data, "select max(snapshot_date) from marts.fct_tier_benchmark_daily")[0][0]
            )
            continue
        expected = in_sql(data, EXPECTED[name])
        if sorted_rows(row.values() for row in rows) != sorted_rows(expected):
            wrong.append((name, rows[:2], expected[:2]))
    assert wrong == []


def test_a_wrong_figure_would_be_found(server: Server, data: Path) -> None:
    rows = rows_of(server, charts_of(server)["overview_spend"])
    all_models = in_sql(data, "select sum(spend_base) from marts.fct_campaign_roi")
    assert sorted_rows(row.values() for row in rows) != sorted_rows(all_models)


def test_money_over_all_models_is_null(server: Server) -> None:
    """The required filter of a dashboard stands in the chart's query; without it no number is shown."""
    [spend] = [d for d in server.all_of("dataset") if d["table_name"] == "fct_campaign_roi"]
    query = {"columns": [], "metrics": ["spend"], "filters": [], "row_limit": 10}
    asked = {"datasource": {"id": spend["id"], "type": "table"}, "queries": [query]}
    [found] = server.call("/api/v1/chart/data", asked)["result"]
    assert found["data"] == [{"spend": None}]


def test_descriptions_reach_the_dataset(server: Server) -> None:
    [found] = [d for d in server.all_of("dataset") if d["table_name"] == "fct_campaign_roi"]
    held = server.call(f"/api/v1/dataset/{found['id']}")["result"]
    assert held["description"].startswith("One row per campaign and attribution model")
    assert all(column["description"] for column in held["columns"])


def test_each_dashboard_has_its_charts(server: Server) -> None:
    spec, numbers = load_spec(), charts_of(server)
    for name, board in spec["dashboards"].items():
        shown = server.call(f"/api/v1/dashboard/{name}/charts")["result"]
        assert {chart["id"] for chart in shown} == {numbers[chart] for row in board["rows"] for chart in row}


# --- the release


def test_a_query_cannot_write_or_read_a_file(server: Server) -> None:
    [database] = server.all_of("database")
    for sql, said in {
        "create table t as select 1": "does not allow",
        "select * from read_csv('/etc/passwd')": "disabled",
    }.items():
        with pytest.raises(AssertionError, match=said):
            server.call("/api/v1/sqllab/execute/", {"database_id": database["id"], "sql": sql, "schema": "marts"})


def publish_next(data: Path, number: int) -> str:
    """Publish a release that holds `number` accounts, as the warehouse does: a new folder, then one link."""
    current = published_by(data).parent
    name = f"20990101T00000{number}-abcdef"
    following = current.parent / name
    following.mkdir()
    shutil.copy(current / "groundswell.duckdb", following / "groundswell.duckdb")
    (following / "groundswell.duckdb").chmod(0o644)
    with duckdb.connect(str(following / "groundswell.duckdb")) as release:
        release.execute(f"delete from marts.fct_account_latest where rowid >= {number}")
    link = data / "published" / ".latest-next"
    link.symlink_to(Path("releases") / name)
    os.replace(link, data / "published" / "latest")
    return name


def test_a_new_release_shows_within_a_minute_under_overlapping_queries(server: Server, data: Path) -> None:
    before = (data / "published" / "latest").readlink()
    numbers = charts_of(server)
    busy = [numbers[name] for name in ("finder_list", "trust_days", "benchmark_spread", "returns_curve")]
    stopped, failed = threading.Event(), []

    def query(at: int) -> int:
        asked = 0
        while not stopped.is_set():
            try:
                server.call(f"/api/v1/chart/{busy[at]}/data/?force=true")
                asked += 1
            except AssertionError as error:
                failed.append(str(error))
        return asked

    waited = []
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(query, at) for at in range(4)]
        try:
            time.sleep(3)
            # Each is made of the one before.
            for number in (9, 7, 5):
                publish_next(data, number)
                began = time.monotonic()
                while (seen := rows_of(server, numbers["finder_accounts"])[0]["accounts"]) != number:
                    assert time.monotonic() - began < 60, seen
                waited.append(time.monotonic() - began)
            # A rollback shows what the release held, not what was kept of another.
            link = data / "published" / ".latest-next"
            link.symlink_to(before)
            os.replace(link, data / "published" / "latest")
            assert rows_of(server, numbers["finder_accounts"])[0]["accounts"] > 9
        finally:
            stopped.set()
        asked = [task.result() for task in asking]
    print(
        f"\nnew releases shown after {', '.join(f'{seconds:.1f}' for seconds in waited)} s, under {sum(asked)} queries"
    )
    assert failed == []
    assert min(asked) > 0


def test_an_answer_is_kept_until_the_next_release(server: Server) -> None:
    number = charts_of(server)["trust_known"]
    server.call(f"/api/v1/chart/{number}/data/")
    [found] = server.call(f"/api/v1/chart/{number}/data/")["result"]
    assert found["is_cached"]


# --- importing again, starting again


def test_three_imports_make_no_doubles_and_what_is_gone_goes(data: Path, home: Path, server: Server) -> None:
    counts = {kind: len(server.all_of(kind)) for kind in ("dashboard", "chart", "dataset", "database")}
    spec = load_spec()
    assert counts == {
        "dashboard": len(spec["dashboards"]),
        "chart": len(spec["charts"]),
        "dataset": len(spec["datasets"]),
        "database": 1,
    }
    numbers = charts_of(server)
    own = server.call("/api/v1/chart/", {
        "slice_name": "Mine", "viz_type": "table", "datasource_type": "table", "params": "{}",
        "datasource_id": next(d["id"] for d in server.all_of("dataset")),
    })["id"]  # fmt: skip
    server.stop()
    with sqlite3.connect(data / "superset" / "superset.db") as held:
        held.execute(
            "insert into slices (created_on, changed_on, slice_name, viz_type, datasource_id, datasource_type, params, uuid, is_managed_externally)"
            " select created_on, changed_on, 'Of an earlier version', viz_type, datasource_id, datasource_type, params, randomblob(16), 1"
            " from slices where is_managed_externally limit 1"
        )
    for _ in range(2):
        (data / "superset" / "prepared").unlink()
        with serving(data, home) as again:
            assert {kind: len(again.all_of(kind)) for kind in counts} == {**counts, "chart": counts["chart"] + 1}
            assert charts_of(again) == numbers
            assert own in {chart["id"] for chart in again.all_of("chart")}


def test_a_second_start_takes_less_than_30_seconds(data: Path, home: Path) -> None:
    with serving(data, home) as again:
        print(f"\nsecond start: {again.seconds:.1f} s")
        assert again.seconds < 30
        assert "preparing" not in again.said


# --- the connect pages


def test_the_shell_of_duckdb(tmp_path: Path, data: Path) -> None:
    """The commands of the page, with the shell that it names."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m", "pip", "install", "-q", "duckdb-cli==1.5.5"]
    subprocess.run(pip, check=True, capture_output=True)
    (tmp_path / "data").symlink_to(data)
    page = (PROJECT_DIR / "docs" / "connect" / "duckdb-cli.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        path = {"PATH": f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-ec", command], cwd=tmp_path, env=path, capture_output=True, text=True, check=True
        )
        assert "accounts" in done.stdout or "posts" in done.stdout
