"""Build the bootstrap of tiers and what it is made of in this process, and print the most memory that it took, in GiB.

python -m tests.integration.peak <data> <day> <memory in GiB> passes|at_once
"""

import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

from ingestion import landing
from ingestion.config import Settings
from ingestion.lease import hold
from warehouse.build import data_tests, dbt, passes
from warehouse.build import run as build

from . import night

MODEL = "int_equivalence__equivalents_sampled"


def main(data: str, day: str, memory: str, way: str) -> float:
    settings = Settings(_env_file=None, data=Path(data), settle_seconds=0.0, memory_gib=float(memory))  # type: ignore[call-arg]
    arguments = dbt.dbt_arguments

    def alone(settings: Settings, *command: str, target: str | None = None) -> list[str]:
        chosen = ["--select", f"+{MODEL}"] if command[0] == "build" else []
        return arguments(settings, *command, *chosen, target=target)

    dbt.dbt_arguments = alone
    # A test of what is not made here has nothing to look at.
    data_tests.tests_of = lambda *_: {}
    if way == "at_once":

        def all_in_one(days: Any, *_: Any) -> dict[str, int]:
            return dict.fromkeys(days, 1)

        passes.passes = all_in_one
    with hold(settings, "run", "test", night.quiet) as lease:
        landing.land_files(settings, "run", night.quiet)
        build.build_marts(settings, "run", date.fromisoformat(day), lease, night.quiet)
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024**2


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
