"""A range of days in one pass without a scheduler, and what differs afterwards.

The steps, gates and publishing are those of the DAG `rebuild`. The tasks' own output goes to a log file; the terminal
gets the plan, a bar and the difference. `--dry-run` builds in a copy: nothing is landed, checked or published.
"""

import os
from datetime import date
from pathlib import Path

from ingestion.config import get_settings, utc_now
from ingestion.errors import ContractError, DamagedBuild, LeaseLost, UsageError
from warehouse import dry_run, plan
from warehouse.pipeline import backfill
from warehouse.progress import Bar

STEPS = ("land_files", "check_landing", "build_marts", "check_marts", "publish_release", "build_report", "compare")


def run(first: date, last: date, marts: list[str], is_dry_run: bool) -> int:
    """Backfill or dry-run a range, with the plan, a bar and the difference on the terminal. Returns the exit code.

    0 when published or shown, 1 when a gate is closed or another writer works, 2 for a range that cannot be.
    """
    settings = get_settings()
    bar = Bar(("build_marts", "compare") if is_dry_run else STEPS)
    file = settings.data / "state" / "logs" / f"backfill-{first}-{utc_now():%Y%m%dT%H%M%S}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    print(f"{'dry run of a ' if is_dry_run else ''}backfill {first} .. {last} (UTC); log: {_shown(file)}")
    with file.open("w", buffering=1) as target:

        def log(line: str) -> None:
            target.write(f"{line}\n")
            if line.startswith(("plan  ", "waiting for")) or "damaged" in line:
                print(line, flush=True)

        try:
            if is_dry_run:
                backfill_range, day = plan.resolve(settings, first, last, marts)
                bar.step("build_marts")
                found = dry_run.dry_run(settings, day, backfill_range, log, bar.node)
            else:
                found = backfill(settings, first, last, marts, log, bar)
        except (ContractError, DamagedBuild, LeaseLost) as error:
            bar.end("stopped", is_done=False)
            print(f"\n{error}\nlog     {_shown(file)}")
            return 2 if isinstance(error, UsageError) else 1
    bar.end("done")
    print("\n".join(found.lines()))
    if is_dry_run:
        print("nothing was written: this is what the next release would change")
    return 0


def _shown(path: Path) -> str:
    return os.path.relpath(path)
