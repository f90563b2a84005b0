"""`make backfill FROM= TO=`: a range of days in one pass without a scheduler, and what differs afterwards.

The steps, gates and publishing are those of the DAG `rebuild`. The tasks' own output goes to a log file; the terminal
gets the plan, a bar and the difference. `--dry-run` builds in a copy: nothing is landed, checked or published.
"""

import argparse
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from ingestion import lease
from ingestion.config import Settings, get_settings, utc_now
from ingestion.errors import ContractError, LeaseLost
from warehouse import (
    dry_run,
    plan,
)
from warehouse.build import run as build
from warehouse.pipeline import check_built, publish_checked
from warehouse.release import diff, releases

STEPS = ("land_files", "check_landing", "build_marts", "check_marts", "publish_release", "build_report", "compare")
BAR = 24


class Bar:
    """One line on a terminal that says how far a backfill is; on anything else a line per step."""

    def __init__(self, steps: tuple[str, ...]) -> None:
        self._steps, self._at, self._started = steps, 0, time.monotonic()
        self._live = sys.stderr.isatty()

    def step(self, name: str) -> None:
        """A step begins."""
        self._at = self._steps.index(name)
        self._draw(self._at / len(self._steps), name)

    def node(self, name: str, done: int, total: int) -> None:
        """A model, seed or test of the step has ended."""
        if self._live:
            self._draw((self._at + done / max(total, 1)) / len(self._steps), f"{self._steps[self._at]}: {name}")

    def end(self, what: str, is_done: bool = True) -> None:
        """The last line."""
        self._draw(1.0 if is_done else self._at / len(self._steps), what)
        if self._live:
            sys.stderr.write("\n")

    def _draw(self, share: float, what: str) -> None:
        full = round(share * BAR)
        line = f"[{'#' * full}{'.' * (BAR - full)}] {share:4.0%} {time.monotonic() - self._started:5.0f} s  {what}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{line[:width]:<{width}}" if self._live else f"{line}\n")
        sys.stderr.flush()


def backfill(
    settings: Settings, first: date, last: date, marts: Iterable[str], say: Callable[[str], None], bar: Bar
) -> diff.Diff:
    """Land, check, build, check and publish a range; returns what differs from the release before.

    Raises ContractError for a range that cannot be and when a gate is closed, LeaseLost while another writer works.
    """
    from expectations.run import check_landing
    from ingestion.landing import land_files
    from serving.report.build import build_report

    plan.check_order(first, last)
    run_id = f"backfill__{first}__{last}__{utc_now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}"
    with lease.hold(settings, run_id, "backfill", say) as held, _kept(settings) as before:
        bar.step("land_files")
        land_files(settings, run_id, say)
        asked, day = plan.resolve(settings, first, last, marts)
        try:
            bar.step("check_landing")
            check_landing(settings, run_id, day, say)
            bar.step("build_marts")
            build.build_marts(settings, run_id, day, held, say, asked, bar.node)
            bar.step("check_marts")
            check_built(settings, run_id, day, held, say)
            bar.step("publish_release")
            publish_checked(settings, run_id, day, held, say)
        finally:
            bar.step("build_report")
            build_report(settings, run_id, say)
        bar.step("compare")
        return _compare(settings, before)


@contextmanager
def _kept(settings: Settings) -> Iterator[Path | None]:
    """A second name for the database that readers see now: retention may remove its release meanwhile."""
    release = releases.latest(settings)
    kept = settings.data / "build" / f"before-{os.getpid()}.duckdb"
    kept.unlink(missing_ok=True)
    if release is None:
        yield None
        return
    kept.parent.mkdir(exist_ok=True)
    os.link(release / releases.DATABASE, kept)
    try:
        yield kept
    finally:
        kept.unlink(missing_ok=True)


def _compare(settings: Settings, before: Path | None) -> diff.Diff:
    with build.dbt_environment(settings):
        keys = build.keys_of(build.parse(settings))
    now = releases.latest(settings)
    assert now is not None
    return diff.compare(before, now / releases.DATABASE, keys)


def main() -> int:
    """Exit code 0 when published, 1 when a gate is closed or another writer works, 2 for a range that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=date.fromisoformat, help="first UTC day, YYYY-MM-DD")
    parser.add_argument("last", type=date.fromisoformat, help="last UTC day, included")
    parser.add_argument("--marts", default="", help="only these, comma-separated, and what they are made from")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and the rows that would change")
    given = parser.parse_args()
    settings = get_settings()
    marts = [name.strip() for name in given.marts.split(",") if name.strip()]
    bar = Bar(("build_marts", "compare") if given.dry_run else STEPS)
    log = settings.data / "state" / "logs" / f"backfill-{given.first}-{utc_now():%Y%m%dT%H%M%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{'dry run of a ' if given.dry_run else ''}backfill {given.first} .. {given.last} (UTC); log: {_shown(log)}")
    with log.open("w", buffering=1) as target:

        def say(line: str) -> None:
            target.write(f"{line}\n")
            if line.startswith(("plan  ", "waiting for")) or "damaged" in line:
                print(line, flush=True)

        try:
            if given.dry_run:
                asked, day = plan.resolve(settings, given.first, given.last, marts)
                bar.step("build_marts")
                found = dry_run.dry_run(settings, day, asked, say, bar.node)
            else:
                found = backfill(settings, given.first, given.last, marts, say, bar)
        except (ContractError, LeaseLost) as error:
            bar.end("stopped", is_done=False)
            print(f"\n{error}\nlog     {_shown(log)}")
            return 2 if "the range" in str(error) else 1
    bar.end("done")
    print("\n".join(found.lines()))
    if given.dry_run:
        print("nothing was written: this is what the next release would change")
    return 0


def _shown(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
