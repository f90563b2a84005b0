"""Run the real DAG once, without a scheduler, and say how it went.

The tasks' own output goes to a log file; the terminal gets a line per task and the summary.
"""

import os
import re
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from pluggy import HookimplMarker

from ingestion.config import Settings, get_settings
from ingestion.errors import ContractError
from ingestion.sample import copy_if_empty, default_day
from ingestion.text import shown
from warehouse.build import dbt, manifest
from warehouse.cli.airflow_env import airflow_environment
from warehouse.cli.config import require_in_order
from warehouse.summary import PUBLISHED_NOTHING, summarise

# The marker that `airflow.listeners.hookimpl` is; from pluggy itself, Airflow need not be imported here.
hook = HookimplMarker("airflow")


def run_nightly(named: date | None = None) -> int:
    """Run the DAG once. Returns 0 when the run finished, 1 when a task failed, 2 for a day in the future.

    Raises ContractError before anything is copied where `config/` is not in order.

    Args:
        named: UTC day to build; default: yesterday, or the last day of the sample while there is nothing else.
    """
    settings = get_settings()
    require_in_order(settings)
    os.environ.update(airflow_environment(settings))
    copied = copy_if_empty(settings)
    if copied:
        print(f"landing was empty: copied the bundled sample, {copied} files")
    day = named or default_day(settings)
    if day > datetime.now(UTC).date():
        print(f"{day} is in the future; name a day up to {datetime.now(UTC).date() - timedelta(days=1)}")
        return 2
    log = settings.data / "state" / "logs" / f"nightly-{day}-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"nightly for {day} (UTC); log: {os.path.relpath(log)}", flush=True)
    terminal = os.fdopen(os.dup(1), "w", buffering=1)
    with log.open("w", buffering=1) as target:
        os.dup2(target.fileno(), 1)
        os.dup2(target.fileno(), 2)
        _set_up(settings, terminal)
        began = time.monotonic()
        state, run_id = _run(day, terminal)
    code = _finish(settings, run_id, state, log, terminal)
    terminal.write(f"took         {time.monotonic() - began:.0f} s\n")
    return code


class TaskLines:
    """A listener of Airflow's: a line as each task of this process ends, with its state, seconds and attempt."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    @hook
    def on_task_instance_success(self, task_instance: Any) -> None:
        """A task has succeeded."""
        self._line(task_instance)

    @hook
    def on_task_instance_failed(self, task_instance: Any) -> None:
        """A task has failed, for good or until its retry."""
        self._line(task_instance)

    @hook
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        """A task has skipped itself."""
        self._line(task_instance)

    def _line(self, ended: Any) -> None:
        seconds = (datetime.now(UTC) - ended.start_date).total_seconds()
        again = f"  (attempt {ended.try_number})" if ended.try_number > 1 else ""
        state = getattr(ended.state, "value", ended.state)
        self._terminal.write(f"  {ended.task_id:<16} {state:<16} {seconds:6.1f} s{again}\n")


def _set_up(settings: Settings, terminal: TextIO) -> None:
    """On first use make Airflow's own database and have dbt read its project, side by side, and say what that took.

    The night goes on from that reading; where it cannot be had, the night itself reads, and says what is wrong.
    """
    commands = {}
    if not (settings.data / "airflow" / "airflow.db").exists():
        commands["Airflow's own database"] = ["airflow", "db", "migrate"]
    if not manifest.last_reading(settings).exists():
        commands["dbt's reading of its project"] = ["dbt.cli.main", *dbt.dbt_arguments(settings, "parse")]
    if not commands:
        return
    began = time.monotonic()
    with dbt.dbt_environment(settings):
        started = {what: subprocess.Popen([sys.executable, "-m", *command]) for what, command in commands.items()}
    codes = {what: process.wait() for what, process in started.items()}
    if codes.get("Airflow's own database"):
        raise ContractError("Airflow's own database could not be made; the log says why")
    terminal.write(f"set up {' and '.join(commands)}, once: {time.monotonic() - began:.0f} s\n")


def _run(day: date, terminal: TextIO) -> tuple[str, str]:
    """Run the DAG in this process. Returns its end state and run id."""
    from airflow.sdk.listener import get_listener_manager
    from airflow.utils.cli import get_bagged_dag

    dag: Any = get_bagged_dag(bundle_names=None, dag_id="nightly")
    # Airflow 3.3.2 cannot store a deadline's outcome of a run without a scheduler.
    dag.deadline = None
    listeners: Any = get_listener_manager()
    listeners.add_listener(TaskLines(terminal))
    # Airflow gives a run at midnight the interval before it: the named day's interval ends the day after.
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    run = dag.test(logical_date=midnight, run_conf={"day": str(day)})
    return str(getattr(run.state, "value", run.state)), str(run.run_id)


def _finish(settings: Settings, run_id: str, state: str, log: Path, terminal: TextIO) -> int:
    terminal.write("\n" + summarise(settings, run_id) + "\n")
    if state != "success":
        terminal.write(f"\nFAILED  {_cause(log)}\nlog     {os.path.relpath(log)}\n")
        return 1
    return 0


def _cause(log: Path) -> str:
    """Why the run failed: the last exception that a task's log names, with the lines that list what it found.

    The task that ends the run says only that nothing was published, unless no other says more.
    """
    named = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|LeaseLost|DamagedBuild|TargetUnavailable))(?:: (.*))?$")
    causes: list[list[str]] = []
    is_open = False
    for line in log.read_text(errors="replace").splitlines():
        if match := named.match(line):
            causes.append([match[2] or match[1]])
            is_open = True
        elif is_open and line.startswith("- "):
            causes[-1].append(line)
        else:
            is_open = False
    if not causes:
        return "the last lines of the log say why"
    telling = [cause for cause in causes if PUBLISHED_NOTHING not in cause[0]] or causes
    return "\n".join(shown(line) for line in telling[-1])
