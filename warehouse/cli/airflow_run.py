"""`make nightly`: run the real DAG once, without a scheduler, and say how it went.

The tasks' own output goes to a log file; the terminal gets a line per task and the summary.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from ingestion.config import Settings, get_settings
from warehouse.cli.airflow_env import airflow_environment


def main() -> int:
    """Exit code 0 when the run finished, 1 when a task failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--day", type=date.fromisoformat, help="UTC day to build, YYYY-MM-DD")
    named: date | None = parser.parse_args().day
    settings = get_settings()
    os.environ.update(airflow_environment(settings))
    from ingestion.sample import copy_if_empty, default_day

    copied = copy_if_empty(settings)
    if copied:
        print(f"landing was empty: copied the bundled sample, {copied} files")
    day = named or default_day(settings)
    if day > datetime.now(UTC).date():
        print(f"{day} is in the future; name a day up to {datetime.now(UTC).date() - timedelta(days=1)}")
        return 2
    log = settings.data / "state" / "logs" / f"nightly-{day}-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"nightly for {day} (UTC); log: {os.path.relpath(log)}")
    terminal = os.fdopen(os.dup(1), "w", buffering=1)
    with log.open("w", buffering=1) as target:
        os.dup2(target.fileno(), 1)
        os.dup2(target.fileno(), 2)
        _migrate(settings)
        state, run_id = _run(day, terminal)
    return _finish(settings, run_id, state, log, terminal)


def _migrate(settings: Settings) -> None:
    """Make Airflow's own database on first use."""
    if not (settings.data / "airflow" / "airflow.db").exists():
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)


def _run(day: date, terminal: TextIO) -> tuple[str, str]:
    """Run the DAG in this process. Returns its end state and run id."""
    import airflow.sdk.definitions.dag as sdk_dag
    from airflow.utils.cli import get_bagged_dag

    dag: Any = get_bagged_dag(bundle_names=None, dag_id="nightly")
    # Airflow 3.3.2 cannot store a deadline's outcome of a run without a scheduler.
    dag.deadline = None
    run_task = sdk_dag._run_task

    def timed(*, ti: Any, task: Any, **rest: Any) -> Any:
        started, attempt = time.monotonic(), ti.try_number
        try:
            return run_task(ti=ti, task=task, **rest)
        finally:
            again = f"  (attempt {attempt})" if attempt > 1 else ""
            state = getattr(ti.state, "value", ti.state)
            terminal.write(f"  {ti.task_id:<16} {state:<16} {time.monotonic() - started:6.1f} s{again}\n")

    sdk_dag._run_task = timed
    # Airflow gives a run at midnight the interval before it: the named day's interval ends the day after.
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    run = dag.test(logical_date=midnight, run_conf={"day": str(day)})
    return str(getattr(run.state, "value", run.state)), str(run.run_id)


def _finish(settings: Settings, run_id: str, state: str, log: Path, terminal: TextIO) -> int:
    from warehouse.summary import summarise

    terminal.write("\n" + summarise(settings, run_id) + "\n")
    if state != "success":
        terminal.write(f"\nFAILED  {_cause(log)}\nlog     {os.path.relpath(log)}\n")
        return 1
    return 0


def _cause(log: Path) -> str:
    """The last exception that a task's log names."""
    named = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|LeaseLost))(?:: (.*))?$")
    found = [match for line in log.read_text(errors="replace").splitlines() if (match := named.match(line))]
    return (found[-1][2] or found[-1][1]) if found else "the last lines of the log say why"


if __name__ == "__main__":
    sys.exit(main())
