"""Whole nights: their core against a hand-written script, and every model against its own SQL run bare.

`make bench ARGS="--accounts 1000000 --posts 5000000 --history 5 --at-once 3 --no-rebuild"`. The world is the same on
every machine. Each night, bare run and script is a process of its own over a copy of the same history, in turn; their
values must be equal. Exit code 1 when a figure is above its limit.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bench.bare import Bare
from bench.one_night import Result, settings_of
from bench.process import in_a_process
from bench.reference import CORE, Reference
from bench.world import LAST, copy_of, history, night, write_day
from ingestion.config import Settings

LIMITS = {
    "core / script": 2.0,
    "gathering marts / night, CPU": 0.15,
    "peak memory, GiB": 6.0,
    "start-up, s": 60.0,
    "landing and checks / night": 0.4,
}
LIMITS |= {"rebuild / night": 8.0, "release copy, s a GB": 6.0}
REBUILT_DAYS = 30
STAGES = ("land", "check landing", "build", "check marts", "publish")
# Marts that gather what others hold, so that a question has one table: they may take 15 % of a night together.
GATHERING = (
    "bridge_collaboration_tier", "bridge_post_collaboration", "bridge_post_hashtag", "dim_account", "dim_brand",
    "dim_campaign", "dim_collaboration", "dim_creator", "dim_date", "dim_tier", "fct_account_latest", "fct_click_daily",
    "fct_order", "fct_payout_statement", "fct_post", "fct_return_daily",
)  # fmt: skip
# Models under this share of what all of them take stand in one line of the table.
SHOWN_SHARE = 0.01

READER = """
import duckdb, sys, time, json, os
path, stop, pause, times = sys.argv[1], sys.argv[2], float(sys.argv[3]), []
while not os.path.exists(stop):
    before = time.perf_counter()
    with duckdb.connect(path, read_only=True) as marts:
        marts.execute("select tier, count(*) from marts.fct_account_daily where snapshot_date = "
                      "(select max(snapshot_date) from marts.fct_account_daily) group by all").fetchall()
    times.append(time.perf_counter() - before)
    time.sleep(pause)
times.sort()
print(json.dumps([times[len(times) // 2], times[-1], len(times)]))
"""


@contextmanager
def reading(settings: Settings, pause: float) -> Iterator[list[list[float]]]:
    """A reader beside the work, with a pause between two reads; tells its median, its slowest and how often it read."""
    stop = settings.data / "stop"
    stop.unlink(missing_ok=True)
    command = [sys.executable, "-c", READER, str(settings.published / "groundswell.duckdb"), str(stop), str(pause)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    found: list[list[float]] = []
    try:
        yield found
    finally:
        stop.touch()
        found.append(json.loads(reader.communicate()[0]))


def swap_often(settings: Settings, swaps: int = 50) -> None:
    """Lead readers to the last release and the one before it in turn, ten times a second."""
    from warehouse.release import releases

    names = sorted(path.name for path in releases.folder_of(settings).iterdir())[-2:]
    for swap in range(swaps):
        time.sleep(0.1)
        releases.point_readers_to(settings, names[swap % 2])


def rebuild(work: Path, base: Path, days: int) -> Result:
    """Build so many days before the last night again in one pass, as a backfill does."""
    folder = copy_of(base, work / "rebuild")
    result = night(folder, LAST - timedelta(days=1), LAST - timedelta(days=days))
    print(f"  rebuild of {days} days: {without_publish(result):.1f} s", flush=True)
    shutil.rmtree(folder)
    return result


@dataclass(frozen=True)
class Pairs:
    """What was timed: as many nights as bare runs and runs of the script.

    `readers` holds median seconds, slowest seconds and number of reads of a reader beside each night, and
    `readers_of_swaps` of one beside releases that are swapped.
    """

    nights: list[Result] = field(default_factory=list)
    bare: list[Bare] = field(default_factory=list)
    scripts: list[Reference] = field(default_factory=list)
    readers: list[list[float]] = field(default_factory=list)
    readers_of_swaps: list[list[float]] = field(default_factory=list)


def run_pairs(work: Path, base: Path, pairs: int, accounts: int, posts: int) -> Pairs:
    """A night, its models bare and the script in turn, each over a fresh copy of the history; values must be equal."""
    found = Pairs()
    for pair in range(pairs):
        folders = [copy_of(base, work / f"{kind}{pair}") for kind in ("night", "script")]
        for folder in folders:
            write_day(settings_of(folder), LAST, accounts, posts)
        settings, kept = settings_of(folders[0]), work / f"kept{pair}"
        with reading(settings, 1.0) as readers:
            result = night(folders[0], keep=kept)
        with reading(settings, 0.01) as hasty:
            swap_often(settings)
        found.nights.append(result)
        found.readers.extend(readers)
        found.readers_of_swaps.extend(hasty)
        bare: Bare = in_a_process("bare", "--folder", folders[0], "--kept", kept)
        assert not bare["differing"], f"run bare, these differ: {bare['differing']}"
        found.bare.append(bare)
        script: Reference = in_a_process("reference", "--folder", folders[1], "--night", folders[0], "--day", LAST)
        assert not any(script["differing"].values()), f"values differ: {script['differing']}"
        found.scripts.append(script)
        seconds = f"night {total(result):.1f} s, bare {bare_build(bare):.1f} s, script {total_of_script(script):.1f} s"
        print(f"  pair {pair + 1}: {seconds}", flush=True)
        for made in (*folders, kept):
            shutil.rmtree(made)
    return found


def total(result: Result, at: int = 0) -> float:
    """Seconds of all stages but start-up, without the release copy."""
    copy = result["copy"] if at == 0 else 0.0
    return sum(seconds[at] for name, seconds in result["stages"].items() if name != "start-up") - copy


def without_publish(result: Result) -> float:
    return sum(seconds[0] for name, seconds in result["stages"].items() if name not in ("start-up", "publish"))


def total_of_script(script: Reference, at: int = 0) -> float:
    return sum(seconds[at] for seconds in script["stages"].values())


def bare_build(bare: Bare) -> float:
    return sum(bare["models"].values()) + bare["checkpoint"]


def seconds_of(result: Result, kind: str, at: int = 0) -> dict[str, float]:
    """Seconds of the models, or of the data tests by the model that they belong to; wall, or CPU at 1."""
    seconds: dict[str, float] = defaultdict(float)
    for node in result["nodes"]:
        if node["kind"] == kind:
            seconds[node["of"]] += node["seconds"][at]
    return seconds


def median_sum(runs: Iterable[Mapping[str, float]]) -> float:
    return statistics.median(sum(run.values()) for run in runs)


def medians(runs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The median of each name over the runs; where a run lacks a name, it took nothing."""
    runs = list(runs)
    names = {name for run in runs for name in run}
    return {name: statistics.median(run.get(name, 0.0) for run in runs) for name in names}


def with_ancestors(names: Iterable[str], parents: Mapping[str, list[str]]) -> set[str]:
    """The models of these names, and all that they are made from."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += parents[name]
    return found


def made_for(names: Iterable[str], parents: Mapping[str, list[str]]) -> set[str]:
    """These models, and those that nothing but these is made from."""
    found = set(names)
    children: dict[str, set[str]] = defaultdict(set)
    for name, read in parents.items():
        for parent in read:
            children[parent].add(name)
    waiting = sorted(found)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in found and children[parent] <= found:
                found.add(parent)
                waiting.append(parent)
    return found


def gathering_seconds(result: Result, at: int = 0) -> float:
    """Seconds of the gathering marts, of what is made for them alone, and of their data tests; wall, or CPU at 1."""
    made = made_for(GATHERING, result["parents"])
    return sum(node["seconds"][at] for node in result["nodes"] if node["of"] in made)


def core_seconds(result: Result, at: int = 0) -> float:
    """Seconds in which a night lands, and makes what the script makes: the models of the core's marts."""
    models = seconds_of(result, "model", at)
    made = with_ancestors(CORE, result["parents"]).intersection(models)
    return result["stages"]["land"][at] + sum(models[name] for name in made)


def beside(one: float | None, other: float | None) -> tuple[float | None, float | None, float | None]:
    """Two figures and their ratio, null without both."""
    return one, other, one / other if one and other else None


def line(name: str, *figures: float | None) -> str:
    """A line of a table; a figure that is not there is `-`."""
    return f"{name:<44} " + " ".join(f"{'-' if figure is None else f'{figure:.2f}':>9}" for figure in figures)


def price(pairs: Pairs, at: int = 0) -> tuple[float, float]:
    """Seconds of the night, and of the same work bare; wall, or CPU at 1."""
    builds = [run["cpu"] if at else bare_build(run) for run in pairs.bare]
    bare = statistics.median(run["stages"]["land"][at] for run in pairs.scripts) + statistics.median(builds)
    return statistics.median(total(run, at) for run in pairs.nights), bare


def price_by_stage(pairs: Pairs) -> list[str]:
    """Each stage of a night beside the same work bare, and the whole: the price of governance."""
    nights, bare = pairs.nights, pairs.bare
    stages = {name: statistics.median(run["stages"].get(name, [0.0])[0] for run in nights) for name in STAGES}
    copy = statistics.median(run["copy"] for run in nights)
    models = median_sum(seconds_of(run, "model") for run in nights)
    tests = median_sum(seconds_of(run, "test") for run in nights)
    checkpoint = statistics.median(run["checkpoint"] for run in bare)
    return [
        f"{'stage':<44} {'governed':>9} {'bare':>9} {'ratio':>9}",
        line("land", *beside(stages["land"], statistics.median(run["stages"]["land"][0] for run in pairs.scripts))),
        line("check landing", *beside(stages["check landing"], None)),
        line("build", *beside(stages["build"], statistics.median(map(bare_build, bare)))),
        line("  models", *beside(models, median_sum(run["models"] for run in bare))),
        line("  data tests", *beside(tests, None)),
        line("  the rest: plan, dbt between nodes, files", *beside(stages["build"] - models - tests, checkpoint)),
        line("check marts", *beside(stages["check marts"], None)),
        line("publish, without the release copy", *beside(stages["publish"] - copy, None)),
        line("the price of governance", *beside(*price(pairs))),
    ]


def price_by_model(pairs: Pairs) -> list[str]:
    """Each model that the night made beside its own SQL bare, and the seconds of its data tests, the slowest first."""
    sides = (
        [seconds_of(run, "model") for run in pairs.nights],
        [run["models"] for run in pairs.bare],
        [seconds_of(run, "test") for run in pairs.nights],
    )
    governed, bare, tests = map(medians, sides)
    # A view that stands is not made again, but tested.
    names = sorted({**governed, **tests}, key=lambda name: -governed.get(name, 0.0))
    shown = [name for name in names if governed.get(name, 0.0) >= SHOWN_SHARE * sum(governed.values())]
    others = names[len(shown) :]

    def line_of(title: str, governed: float, bare: float, tests: float) -> str:
        return line(title, *beside(governed, bare), tests)

    return [
        f"{'model':<44} {'governed':>9} {'bare':>9} {'ratio':>9} {'its tests':>9}",
        *(line_of(name, *(side.get(name, 0.0) for side in (governed, bare, tests))) for name in shown),
        line_of(f"{len(others)} others", *(sum(side.get(n, 0.0) for n in others) for side in (governed, bare, tests))),
        # The median of the sums, as in the table of stages.
        line_of(f"all {len(names)} models", *map(median_sum, sides)),
    ]


def report(pairs: Pairs, rebuilt: Result | None) -> dict[str, float]:
    """Print the tables; returns the figures, of which some have a limit."""
    nights, scripts = pairs.nights, pairs.scripts
    for table in (price_by_stage(pairs), price_by_model(pairs)):
        print("\n" + "\n".join(table))
    core = statistics.median(core_seconds(run) for run in nights)
    script = statistics.median(total_of_script(run) for run in scripts)
    print(f"\ncore: landing and the models of its marts {core:.2f} s, script {script:.2f} s")
    print(
        f"peak memory: night {max(run['memory'] for run in nights):.1f} GiB, bare"
        f" {max(run['memory'] for run in pairs.bare):.1f} GiB, script {max(run['memory'] for run in scripts):.1f} GiB"
    )
    for told, readers in (
        ("a read a second beside the night", pairs.readers),
        ("reads beside 50 swaps", pairs.readers_of_swaps),
    ):
        middle, slowest = statistics.median(r[0] for r in readers) * 1000, max(r[1] for r in readers) * 1000
        print(f"{told}: median {middle:.0f} ms, slowest {slowest:.0f} ms of {sum(r[2] for r in readers)}")
    gates = sum(
        statistics.median(run["stages"].get(stage, [0.0])[0] for run in nights)
        for stage in ("land", "check landing", "check marts")
    )
    core_cpu = statistics.median(core_seconds(run, 1) for run in nights)
    (whole, bare), (whole_cpu, bare_cpu) = price(pairs), price(pairs, 1)
    figures = {
        "core / script": core / script,
        "core / script, CPU": core_cpu / statistics.median(total_of_script(run, 1) for run in scripts),
        "night / bare": whole / bare,
        "night / bare, CPU": whole_cpu / bare_cpu,
        "gathering marts / night, CPU": statistics.median(gathering_seconds(run, 1) for run in nights) / whole_cpu,
        "start-up, s": statistics.median(run["stages"]["start-up"][0] for run in nights),
        "landing and checks / night": gates / whole,
        "peak memory, GiB": max(run["memory"] for run in nights),
        "release copy, s a GB": statistics.median(run["copy"] / max(run["gigabytes"], 1e-9) for run in nights),
    }
    if rebuilt:
        figures["rebuild / night"] = without_publish(rebuilt) / statistics.median(map(without_publish, nights))
    return figures


def main() -> int:
    """Exit code 1 when a figure is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts a night")
    parser.add_argument("--posts", type=int, default=100_000, help="post rows a night")
    parser.add_argument("--history", type=int, default=30, help="days before the night")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument(
        "--rebuild", action=argparse.BooleanOptionalAction, default=True, help="also build up to 30 days again"
    )
    parser.add_argument("--work", type=Path, help="keep the history in this folder, and go on from the one there")
    parser.add_argument("--at-once", type=int, default=10, help="days of history that are built in one pass")
    given = parser.parse_args()
    print(
        f"{given.accounts:,} accounts and {given.posts:,} post rows a night,"
        f" {given.history} days before, {given.pairs} pairs"
    )
    sizes = (given.accounts, given.posts)
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        base = history(work, given.history, *sizes, given.at_once)
        pairs = run_pairs(work, base, given.pairs, *sizes)
        rebuilt = rebuild(work, base, min(given.history, REBUILT_DAYS)) if given.rebuild else None
        figures = report(pairs, rebuilt)
    print()
    for name, figure in figures.items():
        limit = LIMITS.get(name)
        verdict = "" if limit is None else f"limit {limit:g}: {'within' if figure <= limit else 'ABOVE'}"
        print(f"{name:<30} {figure:>8.2f}  {verdict}")
    return int(any(figure > LIMITS.get(name, float("inf")) for name, figure in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
