"""The same night after a month of history and after a year: what a longer history costs, by stage and by node.

`make bench-history` makes the year in passes of 73 days, through the pipeline: the marts are those that its nights
would have made. Nights of both run in turn, each over a copy. Exit code 1 when the ratio is above its limit.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.before import in_turn, show
from bench.night import total
from bench.world import history
from ingestion.config import PROJECT_DIR

LIMIT = 1.05


def main() -> int:
    """Exit code 1 when a night after the longer history takes more than `LIMIT` times the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts a night")
    parser.add_argument("--posts", type=int, default=100_000, help="post rows a night")
    parser.add_argument("--days", type=int, nargs=2, default=[30, 365], help="days before the night, of both sides")
    parser.add_argument("--at-once", type=int, default=73, help="days of history that are built in one pass")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep the histories in this folder, and go on from those there")
    given = parser.parse_args()
    sizes = (given.accounts, given.posts)
    print(f"{sizes[0]:,} accounts and {sizes[1]:,} post rows a night, {given.pairs} pairs")
    with tempfile.TemporaryDirectory() as folder:
        work = (given.work or Path(folder)).resolve()
        bases = {}
        for days in given.days:
            began = time.monotonic()
            bases[f"{days} d"] = history(work, days, *sizes, min(days, given.at_once)), PROJECT_DIR
            print(f"  {days} days of history took {time.monotonic() - began:.0f} s", flush=True)
        runs = in_turn(work, dict(reversed(bases.items())), given.pairs, *sizes)
    show(runs)
    ratios = {}
    for name, at in (("wall", 0), ("CPU", 1)):
        long, short = (statistics.median(total(run, at) for run in of_side) for of_side in runs.values())
        ratios[name] = long / short
    print(f"\nlong history / short history: {ratios['wall']:.2f}, CPU {ratios['CPU']:.2f}; limit {LIMIT}")
    return int(ratios["wall"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
