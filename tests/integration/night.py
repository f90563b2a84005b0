"""A night without Airflow, whole or without its gates, and one that is killed at a named point.

Run as a script it takes a manifest of dbt that another process has kept, and forks for each line of its input, a JSON
object of `data`, `run_id`, `day`, `log` and optionally `steps` (those of `STEPS` to do), `kill` (one of `KILLS`), `hold`
(a file to wait for at the swap), `fill` (a step before which the file `ballast` takes all room), `after` (seconds until
it dies) or `job` (one of `chaos.JOBS` instead of a night); it answers with the child's exit code, negative for a signal.
"""

import json
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion import landing, ledger, raw
from ingestion.config import Settings
from ingestion.lease import hold
from ingestion.ledger import batches
from warehouse import plan
from warehouse.build import dbt, known_models, manifest, meta
from warehouse.build import run as build
from warehouse.pipeline import check_built, publish_checked
from warehouse.release import publish, releases


def quiet(_: str) -> None:
    """Say nothing."""


def run(settings: Settings, run_id: str, day: date, log: Callable[[str], None] = quiet) -> publish.Published:
    """One night without its gates and its report, each step under the lease as in the DAG."""
    with hold(settings, run_id, "land_files", quiet):
        landing.land_files(settings, run_id, log)
    with hold(settings, run_id, "build_marts", quiet) as lease:
        build.build_marts(settings, run_id, day, lease, log)
    with hold(settings, run_id, "publish_release", quiet) as lease:
        return publish.publish_release(settings, run_id, lease, log)


def without_log() -> Callable[..., list[str]]:
    """Arguments of dbt without its own log, which nobody reads of these nights; it takes 6 % of their time."""
    original = dbt.dbt_arguments

    def arguments(settings: Settings, *command: str, target: str | None = None) -> list[str]:
        return [*original(settings, *command, target=target), "--log-level-file", "none"]

    return arguments


def check_no_trust(patched: pytest.MonkeyPatch) -> None:
    """Have the gate of marts ask for no suite of trust, in worlds that know no such mart."""
    from expectations.suites.marts import fct_follower_trust_daily

    patched.setattr(fct_follower_trust_daily, "suites", lambda *_: [])


def boundary(_: str) -> None:
    """Between two steps; `KILLS` has the process die here."""


def _land_files(settings: Settings, run_id: str, day: date, log: Callable[[str], None]) -> None:
    with hold(settings, run_id, "land_files", log):
        landing.land_files(settings, run_id, log)


def _check_landing(settings: Settings, run_id: str, day: date, log: Callable[[str], None]) -> None:
    from expectations.run import check_landing

    check_landing(settings, run_id, day, log)


def _build_marts(settings: Settings, run_id: str, day: date, log: Callable[[str], None]) -> None:
    with hold(settings, run_id, "build_marts", log) as lease:
        build.build_marts(settings, run_id, day, lease, log)


def _check_marts(settings: Settings, run_id: str, day: date, log: Callable[[str], None]) -> None:
    with hold(settings, run_id, "check_marts", log) as lease:
        check_built(settings, run_id, day, lease, log)


def _publish_release(settings: Settings, run_id: str, day: date, log: Callable[[str], None]) -> None:
    with hold(settings, run_id, "publish_release", log) as lease:
        publish_checked(settings, run_id, day, lease, log)


def _build_report(settings: Settings, run_id: str, day: date, log: Callable[[str], None]) -> None:
    from serving.report.build import build_report

    build_report(settings, run_id, log)


STEPS: dict[str, Callable[..., None]] = {
    "land_files": _land_files,
    "check_landing": _check_landing,
    "build_marts": _build_marts,
    "check_marts": _check_marts,
    "publish_release": _publish_release,
    "build_report": _build_report,
}


def run_whole(
    settings: Settings, run_id: str, day: date, log: Callable[[str], None] = quiet, steps: Sequence[str] = tuple(STEPS)
) -> None:
    """One night with its gates and its report, step by step as in the DAG; or some of the steps, as a task does one."""
    for step in steps:
        STEPS[step](settings, run_id, day, log)
        boundary(step)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: object, name: str, nth: int = 1, when: Callable[..., bool] = lambda *_: True) -> Callable[[], None]:
    """Make a function kill the process instead of running for the n-th time (of the calls that `when` picks)."""

    def arm() -> None:
        original = getattr(owner, name)
        calls = 0

        def killed(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += when(*args)
            if calls == nth:
                die()
            return original(*args, **kwargs)

        setattr(owner, name, killed)

    return arm


def _after(owner: object, name: str) -> Callable[[], None]:
    """Make a function kill the process as it returns."""

    def arm() -> None:
        original = getattr(owner, name)

        def killed(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            die()

        setattr(owner, name, killed)

    return arm


def _between(step: str) -> Callable[[], None]:
    """Die at the boundary after a step."""
    return _before(sys.modules[__name__], "boundary", when=lambda name: name == step)


def _half_written() -> None:
    """Die with half of a raw file written."""

    def cut(partial: Path, _target: Path) -> None:
        os.truncate(partial, partial.stat().st_size // 2)
        die()

    raw.commit_file = cut  # type: ignore[assignment]


def _half_copied() -> None:
    """Die with half of the release's database copied."""

    def cut(settings: Settings, target: Path) -> None:
        target.write_bytes(settings.marts_db.read_bytes()[: settings.marts_db.stat().st_size // 2])
        die()

    publish._copy_database = cut


def _while_dbt_writes() -> None:
    """Die as soon as dbt has begun to write the marts."""
    original = dbt.run_dbt

    def started(*args: Any, **kwargs: Any) -> Any:
        settings = args[1]
        before = settings.marts_db.stat().st_mtime_ns

        def watch() -> None:
            wal = Path(f"{settings.marts_db}.wal")
            while settings.marts_db.stat().st_mtime_ns == before and not wal.exists():
                time.sleep(0.001)
            die()

        threading.Thread(target=watch, daemon=True).start()
        return original(*args, **kwargs)

    dbt.run_dbt = started


# In the order of a night. What readers see afterwards is the release before, but for those of PUBLISHED.
KILLS: dict[str, Callable[[], None]] = {
    "land_files: half of a raw file written": _half_written,
    "land_files: raw file whole, not yet renamed": _before(raw.os, "replace", 1, lambda *a: ".parquet" in str(a[1])),
    "land_files: raw file in place, ledger not written": _before(ledger, "record_batch"),
    "land_files: in the ledger's transaction, half of it written": _before(batches, "_mark_dirty"),
    "land_files: in the ledger's transaction, before its commit": _after(ledger, "record_batch"),
    "after land_files": _between("land_files"),
    "check_landing: evaluated, results not recorded": _before(ledger, "record_checks"),
    "after check_landing": _between("check_landing"),
    "build_marts: in the plan's transaction": _after(plan, "_record"),
    "build_marts: plan written, build database not told": _before(meta, "write_meta"),
    "build_marts: in the transaction that tells the build database": _before(meta, "_raw_columns"),
    "build_marts: dbt not started": _before(dbt, "run_dbt"),
    "build_marts: while dbt writes": _while_dbt_writes,
    "build_marts: dbt done, results not recorded": _before(ledger, "record_checks"),
    "after build_marts": _between("build_marts"),
    "check_marts: evaluated, results not recorded": _before(ledger, "record_checks"),
    "after check_marts": _between("check_marts"),
    "publish_release: database half copied": _half_copied,
    "publish_release: database copied, Parquet not written": _before(publish, "write_parquet"),
    "publish_release: all written, not yet durable": _before(publish, "write_note"),
    "publish_release: release whole, link not changed": _before(releases, "point_readers_to"),
    "publish_release: new link beside the old one": _before(
        releases.os, "replace", 1, lambda *a: str(a[1]).endswith("latest")
    ),
    "publish_release: link changed, ledger not written": _before(releases, "record"),
    "publish_release: link changed, before the ledger's commit": _after(releases, "record"),
    "publish_release: recorded, old releases not yet removed": _before(releases, "prune"),
    "after publish_release": _between("publish_release"),
    "build_report: not written": _before(raw.os, "replace", 1, lambda *a: str(a[1]).endswith("index.html")),
}
PUBLISHED = tuple(list(KILLS)[-5:])


def step_of(kill: str) -> str:
    """The step in which a point lies, or after which it comes."""
    return kill.partition(":")[0].removeprefix("after ")


def _hold_at_the_swap(gate: Path) -> None:
    """Say that the swap is near and wait for a file: as long as it is not there, this process is as if paused."""
    original = releases.move_stray_logs

    def waiting(*args: Any) -> None:
        Path(f"{gate}.near").touch()
        while not gate.exists():
            time.sleep(0.02)
        original(*args)

    releases.move_stray_logs = waiting  # type: ignore[assignment]


def _fill_before(step: str, ballast: Path) -> None:
    """Take all the room of the file system that a file lies on, when a step begins."""
    owner = {"land_files": landing, "build_marts": build, "publish_release": publish}[step]
    original = getattr(owner, step)

    def filled(*args: Any, **kwargs: Any) -> Any:
        with ballast.open("wb") as target:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        target.write(bytes(size))
                        target.flush()
        return original(*args, **kwargs)

    setattr(owner, step, filled)


def _child(asked: dict[str, Any]) -> None:
    settings = Settings(_env_file=None, data=Path(asked["data"]), settle_seconds=0.0, lease_wait_seconds=200.0)  # type: ignore[call-arg]
    if "ttl" in asked:
        settings = settings.model_copy(update={"lease_ttl_seconds": float(asked["ttl"])})
    if "kill" in asked:
        KILLS[asked["kill"]]()
    if "fill" in asked:
        _fill_before(asked["fill"], Path(asked["ballast"]))
    if "hold" in asked:
        _hold_at_the_swap(Path(asked["hold"]))
    if "after" in asked:
        threading.Timer(asked["after"], die).start()
    if "job" in asked:
        from . import chaos

        chaos.do(settings, asked["job"], Path(asked["note"]) if "note" in asked else None)
        return
    steps = asked.get("steps", tuple(STEPS))
    day = date.fromisoformat(asked["day"])
    run_whole(settings, asked["run_id"], day, lambda line: print(line, file=sys.stderr), steps)


def _serve() -> None:
    kept = pickle.loads(Path(sys.argv[1]).read_bytes())
    # A copy, for dbt's own look-up tables do not survive the file.
    project = kept.deepcopy()
    dbt.dbt_arguments = without_log()
    check_no_trust(pytest.MonkeyPatch())
    # One night before the first fork: what it imports and compiles is there for all children.
    manifest.parse = lambda _: kept.deepcopy()
    known_models.load = lambda *_: None
    with tempfile.TemporaryDirectory() as folder:
        empty = Settings(_env_file=None, data=Path(folder), settle_seconds=0.0)  # type: ignore[call-arg]
        run_whole(empty, "before", date(2026, 1, 1))
    # A build takes nodes out of what it is given: a second one of a child has a copy.
    given = iter([project])
    manifest.parse = lambda _: next(given, None) or kept.deepcopy()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                os.dup2(os.open(json.loads(line)["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
                os.dup2(2, 1)
                _child(json.loads(line))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if json.loads(line).get("wait", True):
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        else:
            print(child, flush=True)


if __name__ == "__main__":
    _serve()
