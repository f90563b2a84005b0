"""`make backfill FROM= TO=`: a range of days in one pass without a scheduler, and what differs afterwards.

The steps, gates and publishing are those of the DAG `rebuild`. The tasks' own output goes to a log file; the terminal
gets the plan, a bar and the difference. `--dry-run` builds in a copy: nothing is landed, checked or published.
"""

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from ingestion.config import get_settings, utc_now
from ingestion.errors import ContractError, LeaseLost
from warehouse import (
    dry_run,
    plan,
)
from warehouse.pipeline import backfill
from warehouse.progress import Bar

STEPS = ("land_files", "check_landing", "build_marts", "check_marts", "publish_release", "build_report", "compare")


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
