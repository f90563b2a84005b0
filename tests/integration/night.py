"""A night without Airflow: land, build, publish. Run as a script it is a process that can be killed.

`python tests/integration/night.py DATA RUN_ID DAY [KILL]`, where KILL names one of `KILLS`.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ingestion import landing, ledger, raw
from ingestion.config import Settings
from ingestion.lease import hold
from serving import build, publish, releases


def quiet(_: str) -> None:
    """Say nothing."""


def run(settings: Settings, run_id: str, day: date) -> publish.Published:
    """One night, each step under the lease as in the DAG."""
    with hold(settings, run_id, "land_files", quiet):
        landing.land_files(settings, run_id, quiet)
    with hold(settings, run_id, "build_marts", quiet) as lease:
        build.build_marts(settings, run_id, day, lease, quiet)
    with hold(settings, run_id, "publish_release", quiet) as lease:
        return publish.publish_release(settings, run_id, lease, quiet)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: object, name: str, nth: int = 1) -> Callable[[], None]:
    """Make a function kill the process instead of running for the n-th time."""

    def arm() -> None:
        original = getattr(owner, name)
        calls = 0

        def killed(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == nth:
                die()
            return original(*args, **kwargs)

        setattr(owner, name, killed)

    return arm


def _while_dbt_writes() -> None:
    """Kill as soon as dbt has begun to write the marts."""
    original = build._run_dbt

    def started(*args: object, **kwargs: object) -> object:
        settings = args[1]
        assert isinstance(settings, Settings)
        before = settings.marts_db.stat().st_mtime_ns

        def watch() -> None:
            wal = Path(f"{settings.marts_db}.wal")
            while settings.marts_db.stat().st_mtime_ns == before and not wal.exists():
                time.sleep(0.001)
            die()

        threading.Thread(target=watch, daemon=True).start()
        return original(*args, **kwargs)  # type: ignore[arg-type]

    build._run_dbt = started  # type: ignore[assignment]


KILLS: dict[str, Callable[[], None]] = {
    "land_files: raw file written, not yet renamed": _before(raw.os, "replace", 1),
    "land_files: raw files in place, ledger not written": _before(ledger, "record_batch", 2),
    "build_marts: plan written, dbt not started": _before(build, "_run_dbt"),
    "build_marts: while dbt writes": _while_dbt_writes,
    "build_marts: dbt done, results not recorded": _before(ledger, "record_checks"),
    "publish_release: copy half made": _before(publish, "_write_parquet"),
    "publish_release: release whole, link not changed": _before(releases, "point_readers_to"),
    "publish_release: link changed, ledger not written": _before(releases, "record"),
}


if __name__ == "__main__":
    folder, name, named_day = sys.argv[1:4]
    if len(sys.argv) > 4:
        KILLS[sys.argv[4]]()
    night = Settings(_env_file=None, data=Path(folder), settle_seconds=0.0)  # type: ignore[call-arg]
    print(run(night, name, date.fromisoformat(named_day)))
