"""A real scheduler, run by hand: Airflow's own backfill of ten days beside a scheduled nightly and a reader in a loop.

`python tests/integration/check_scheduler.py FOLDER` starts the local Airflow over a data folder there with the bundled
sample in landing, creates the backfill by Airflow's CLI, reads the published file all the time, and compares the marts
with those of a rebuild. Not part of `make test`: it takes minutes, and a scheduler on SQLite is not fit for a clock.
What came out last: docs/runbooks/rebuild.md.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb

PROJECT_DIR = Path(__file__).resolve().parents[2]

from ingestion.config import Settings  # noqa: E402
from tests.integration import night  # noqa: E402
from tests.integration.conftest import content, make_settings  # noqa: E402
from warehouse.cli.airflow_env import airflow_environment  # noqa: E402

FIRST, LAST = "2022-07-16", "2022-07-25"
PORT = 8231
PATIENCE_SECONDS = 2400


def read_once(settings: Settings) -> tuple[str, bool] | None:
    """The release that a reader sees now, and whether every mart holds as many rows as its own publication says."""
    database = settings.published / "groundswell.duckdb"
    if not database.exists():
        return None
    with duckdb.connect(str(database), read_only=True) as marts:
        said = marts.execute(
            "select release_id, mart, row_count from marts.fct_publication"
            " where published_at = (select max(published_at) from marts.fct_publication)"
        ).fetchall()
        held = {mart: marts.execute(f"select count(*) from marts.{mart}").fetchone() for _, mart, _ in said}
    return said[0][0], all(held[mart] == (rows,) for _, mart, rows in said)


def states(home: Path) -> list[tuple[str, str, str]]:
    """Run type, logical date and state of every run of the nightly, from Airflow's own database."""
    with sqlite3.connect(f"file:{home / 'airflow.db'}?mode=ro", uri=True, timeout=30) as connection:
        query = "select run_type, cast(data_interval_start as text), state from dag_run where dag_id = 'nightly'"
        return sorted(connection.execute(query).fetchall())


def create_backfill(environment: dict[str, str]) -> str:
    """Create it by Airflow's CLI; returns what it said. SQLite may be locked by the scheduler for a moment."""
    command = [
        sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", "nightly", "--from-date", FIRST,
        "--to-date", LAST, "--max-active-runs", "3",
    ]  # fmt: skip
    for attempt in range(1, 6):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return f"created at attempt {attempt}"
        if "locked" not in done.stderr:
            raise SystemExit(done.stderr[-2000:])
        time.sleep(5)
    raise SystemExit("the database stayed locked")


def watch(settings: Settings, home: Path) -> tuple[Counter[str], int, Counter[str]]:
    """Read until all runs have ended. Returns reads per release, reads that were not whole, and how the runs ended."""
    reads: Counter[str] = Counter()
    broken, asked = 0, time.monotonic()
    runs: list[tuple[str, str, str]] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        seen = read_once(settings)
        if seen:
            reads[seen[0]] += 1
            broken += not seen[1]
        if time.monotonic() - asked > 10:
            runs, asked = states(home), time.monotonic()
            backfills = [run for run in runs if run[0] == "backfill"]
            if len(backfills) == 10 < len(runs) and all(run[2] in ("success", "failed") for run in runs):
                break
        time.sleep(0.2)
    return reads, broken, Counter(f"{kind} {state}" for kind, _, state in runs)


def main() -> int:
    folder = Path(sys.argv[1])
    settings = make_settings(folder / "data")
    shutil.copytree(PROJECT_DIR / "sample" / "landing", settings.landing)
    environment = {**os.environ, "GROUNDSWELL_DATA": str(settings.data)}
    environment |= airflow_environment(settings, PORT)
    # On SQLite a backfill is created while the nightly is paused; the scheduled run that is due starts beside it.
    environment["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "True"
    home = settings.data / "airflow"
    command = [sys.executable, "-m", "warehouse.cli", "airflow", "--port", str(PORT)]
    started = time.monotonic()
    with (folder / "airflow.log").open("w") as log:
        airflow = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=PROJECT_DIR)
    try:
        while "login" not in (folder / "airflow.log").read_text() and airflow.poll() is None:
            time.sleep(1)
        created = create_backfill(environment)
        unpause = [sys.executable, "-m", "airflow", "dags", "unpause", "--yes", "nightly"]
        subprocess.run(unpause, env=environment, check=True, capture_output=True)
        reads, broken, ended = watch(settings, home)
    finally:
        airflow.send_signal(signal.SIGTERM)
        airflow.wait(60)
    rebuilt = make_settings(folder / "rebuilt")
    shutil.copytree(PROJECT_DIR / "sample" / "landing", rebuilt.landing)
    last = max(run[1] for run in states(home))[:10]
    night.run(rebuilt, "rebuild", date.fromisoformat(last))
    result = {
        "seconds": round(time.monotonic() - started),
        "backfill": created,
        "runs": dict(ended),
        "releases_seen": len(reads),
        "reads": sum(reads.values()),
        "reads_not_whole": broken,
        "marts_equal_a_rebuild": content(settings) == content(rebuilt),
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
