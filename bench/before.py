"""Each node's seconds beside those of the commit before: the same night with both, in turn, in one run.

`make bench-before` compares this checkout with the commit before it, ARGS="--rev HEAD~5" with another. That one is
unpacked beside the data and runs with the Python packages that are installed. Each makes its own history of the same
files, so a changed model is built before the clock starts. It goes back as far as a night is called as it is today
(`bench/one_night.py`).
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bench.night import STAGES, beside, line, medians, seconds_of, total
from bench.one_night import Result, settings_of
from bench.world import LAST, copy_of, history, night, write_day
from ingestion.config import PROJECT_DIR

SHOWN_NODES = 20


def unpack(repository: Path, rev: str, folder: Path) -> Path:
    """The files of a commit in a folder of their own; the repository is left as it is."""
    archive = subprocess.run(["git", "-C", str(repository), "archive", rev], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def nodes_of(result: Result, at: int) -> dict[str, float]:
    """Seconds of every model of a night, and of each model's data tests; wall at 0, CPU at 1."""
    tests = {f"{name}: tests": seconds for name, seconds in seconds_of(result, "test", at).items()}
    return seconds_of(result, "model", at) | tests


def stages_of(result: Result, at: int) -> dict[str, float]:
    """Seconds of every stage in order, of the parts of building, and of the whole; wall at 0, CPU at 1."""
    seconds = {}
    for name in STAGES:
        seconds[name] = result["stages"].get(name, [0.0, 0.0])[at]
        if name == "build":
            seconds |= {f"  {kind}s": sum(seconds_of(result, kind, at).values()) for kind in ("model", "test")}
    return {**seconds, "all but start-up, and release copy by wall": total(result, at)}


Sides = tuple[Mapping[str, float], Mapping[str, float]]


def table(title: str, wall: Sides, cpu: Sides, names: Iterable[str], one: str = "now", other: str = "before") -> str:
    """A line for each name; `-` where only one of the two sides has it."""
    heads = " ".join(f"{head:>9}" for head in (one, other, "ratio", f"{one}, CPU", other, "ratio"))
    lines = (
        line(name, *(figure for now, was in (wall, cpu) for figure in beside(now.get(name), was.get(name))))
        for name in names
    )
    return "\n".join(["", f"{title:<44} {heads}", *lines])


def most_different(now: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """The nodes whose seconds differ most."""
    differences = {name: abs(now.get(name, 0.0) - before.get(name, 0.0)) for name in {**now, **before}}
    return sorted(differences, key=lambda name: (-differences[name], name))[:SHOWN_NODES]


def in_turn(
    work: Path, sides: Mapping[str, tuple[Path, Path]], pairs: int, accounts: int, posts: int
) -> dict[str, list[Result]]:
    """Nights of two sides in turn, by side; each has a history to go on from, and a checkout whose packages it runs."""
    runs: dict[str, list[Result]] = {side: [] for side in sides}
    for pair in range(pairs):
        # Who goes first changes, for the machine may be warmer or busier by then.
        for side in sorted(sides, reverse=bool(pair % 2)):
            base, code = sides[side]
            data = copy_of(base, work / "night")
            write_day(settings_of(data), LAST, accounts, posts)
            # Else the night waits for the copy to reach the disk.
            os.sync()
            runs[side].append(night(data, code=code))
            assert runs[side][-1]["code"] == str(code), f"{side} ran the packages of {runs[side][-1]['code']}"
            shutil.rmtree(data)
        print(f"  pair {pair + 1}: " + ", ".join(f"{side} {total(runs[side][-1]):.1f} s" for side in sides), flush=True)
    return runs


def show(runs: Mapping[str, list[Result]]) -> None:
    """Print the stages of two sides, and the nodes that differ most."""
    one, other = runs

    def sides(of: Callable[[Result, int], dict[str, float]], at: int) -> Sides:
        first, second = (medians(of(run, at) for run in runs[side]) for side in (one, other))
        return first, second

    stages = stages_of(runs[one][0], 0)
    print(table("stage", sides(stages_of, 0), sides(stages_of, 1), stages, one, other))
    # By CPU, for it moves less with what else the machine does.
    names = most_different(*(cpu := sides(nodes_of, 1)))
    print(table("the nodes that differ most", sides(nodes_of, 0), cpu, names, one, other))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rev", default="HEAD~1", help="the commit to compare with")
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts a night")
    parser.add_argument("--posts", type=int, default=100_000, help="post rows a night")
    parser.add_argument("--history", type=int, default=5, help="days before the night")
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    sizes = (given.accounts, given.posts)
    print(f"this checkout and {given.rev}: {sizes[0]:,} accounts and {sizes[1]:,} post rows, {given.pairs} pairs")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        code = {"now": PROJECT_DIR, "before": unpack(PROJECT_DIR, given.rev, work / "code")}
        bases = {side: history(work / side, given.history, *sizes, given.history, code[side]) for side in code}
        show(in_turn(work, {side: (bases[side], code[side]) for side in code}, given.pairs, *sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
