"""Whole nights against a hand-written DuckDB script that makes the same marts and does nothing else.

`make bench ARGS="--accounts 1000000 --posts 5000000 --history 30 --pairs 3"`. The world is the same on every machine.
Each night is a process of its own over a copy of the same history; the values of the night must be equal to the
script's, row for row. Printed per stage: wall and CPU seconds of the medians; then ratios. Start-up (imports, reading
the dbt project) stands apart, and so does the release copy. The script (`bench/night_*.sql`) lands both feeds, makes
the marts of `MARTS`, also as Parquet, and keeps what its next night needs; what else a night of two feeds makes
(equivalence, claims) only the night pays.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import duckdb

from ingestion.config import Settings

LAST = date(2026, 6, 30)
LIMITS = {"night / reference": 2.0, "peak memory, GiB": 12.0, "start-up, s": 60.0, "landing and checks / night": 0.4}
LIMITS |= {"rebuild / night": 8.0, "release copy, s a GB": 6.0, "long history / short history": 1.15}
REBUILT_DAYS = 30
STAGES = ("land", "check landing", "build", "check marts", "publish")

# Skewed tiers and gaps: few accounts have most followers, one day in twenty is missed, one count in fifty unknown. One
# account in 200 gains 30 % within a day.
ACCOUNTS = """
copy (
    select case when i % 3 = 0 then 'tiktok' else 'youtube' end as platform, 'account' || i as account_id,
        '{day}T03:00:00Z' as captured_at,
        case when (i + {number}) % 50 <> 0
            then cast(
                800 * pow(10, 4.5 * pow((i * 7919 % {rows}) / {rows}, 3))
                * case when i % 200 = 0 and {number} >= 355 + i % 26 then 1.3 else 1 end as bigint
            ) + {number} * (i % 11) end as followers,
        i % 900 as following, 10 + ({number} * (i % 5)) as posts, null as likes_total,
        1000 * i + {number} * (i % 97) as views_total, 'handle' || i as handle, 'Name ' || i as display_name,
        'TW' as country, 'zh' as language, 'niche' || (i % 20) as niche
    from range({rows}) as t (i) where (i * 13 + {number}) % 20 <> 0
) to '{target}' (header)
"""
# A post is captured on 30 days, so each night a thirtieth of them is new. Most are of few accounts; counts grow.
POSTS = """
copy (
    select case when account % 3 = 0 then 'tiktok' else 'youtube' end as platform, born || '-' || i as post_id,
        'account' || account as account_id, '{day}T03:00:00Z' as captured_at,
        strftime(timestamp '{day}' - to_days(cast({number} - born as integer)) - to_hours(cast(i % 20 as integer)),
            '%Y-%m-%dT%H:%M:%SZ') as published_at,
        case when i % 4 = 0 then 'short' else 'video' end as content_type,
        base * (2 + account % 9) // 100 + age * (i % 7) as likes,
        case when i % 40 <> 0 then base // 500 + age * (i % 3) end as comments,
        base + age * (i % 1000) as views, i % 9 = 0 as is_sponsored
    from (
        select *, {number} - born as age, 100 + i * 7919 % 99991 as base,
            cast(floor(pow((i * 104729 + born * 7919) % {each} / {each}, 2) * {accounts}) as bigint) as account
        from range({number} - 29, {number} + 1) as b (born), range({each}) as t (i)
    )
) to '{target}' (header)
"""

# What a person would type for one night, in order; each part is a file of this folder.
LANDING = "night_land"
PARTS = (
    "night_accounts", "night_tiers", "night_posts", "night_rates", "night_trust", "night_benchmarks", "night_kept",
    "night_prices",
)  # fmt: skip
# What the script must keep for the next night besides `night_kept`; the rest of it is in the marts.
KEPT = (
    "today_account", "new_post", "began", "int_trust__growth_measured", "int_trust__growth_peers_measured",
    "int_trust__windows_measured", "int_trust__rates_compared", "int_trust__signals_raised",
)  # fmt: skip
# Where a row came from is the warehouse's own.
LINEAGE = ("batch_id", "source_file", "source_line")
OF_THE_NIGHT = "snapshot_date = date '{day}'"
MARTS = {
    "dim_account": "true",
    "dim_account_price": "true",
    "dim_account_tier_history": "true",
    "fct_account_benchmark_daily": OF_THE_NIGHT,
    "fct_account_daily": OF_THE_NIGHT,
    "fct_account_engagement_daily": OF_THE_NIGHT,
    "fct_account_tier_daily": OF_THE_NIGHT,
    "fct_follower_flag": "true",
    "fct_follower_trust_daily": OF_THE_NIGHT,
    "fct_post_daily": OF_THE_NIGHT,
    "fct_tier_benchmark_daily": OF_THE_NIGHT,
    "fct_tier_graduation": "true",
}


class Result(TypedDict):
    """What one process tells: wall and CPU seconds by stage and its peak memory in GiB. The script copies no release.

    `reader` and `reader_of_swaps` hold median seconds, slowest seconds and number of reads of a reader beside the work.
    """

    stages: dict[str, list[float]]
    memory: float
    copy: NotRequired[float]
    gigabytes: NotRequired[float]
    reader: NotRequired[list[float]]
    reader_of_swaps: NotRequired[list[float]]


def quiet(_: str) -> None:
    """Say nothing."""


def settings_of(folder: Path) -> Settings:
    return Settings(_env_file=None, data=folder, settle_seconds=0.0)  # type: ignore[call-arg]


def write_day(settings: Settings, day: date, accounts: int, posts: int) -> None:
    """Both files of a day in landing."""
    number = (day - date(2026, 1, 1)).days + 200
    for feed, sql, rows in (("account_snapshots", ACCOUNTS, accounts), ("post_snapshots", POSTS, posts)):
        target = settings.landing / feed / f"{feed}_{day}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        each = max(rows // 30, 1)
        duckdb.execute("set enable_progress_bar = false")
        duckdb.execute(sql.format(day=day, number=number, rows=rows, each=each, accounts=accounts, target=target))


@contextmanager
def timed(stages: dict[str, list[float]], name: str) -> Iterator[None]:
    """Wall and CPU seconds of a stage, added up."""
    before, cpu = time.perf_counter(), os.times()
    yield
    now = os.times()
    wall = time.perf_counter() - before
    stages[name] = [wall, now.user + now.system - cpu.user - cpu.system]


def run_night(folder: Path, day: date, run_id: str, first: date | None = None) -> Result:
    """One night in this process, or a rebuild from `first` on; seconds per stage, start-up apart, and peak memory."""
    stages: dict[str, list[float]] = {}
    with timed(stages, "start-up"):
        import great_expectations  # noqa: F401

        from expectations.run import check_landing
        from ingestion import landing
        from ingestion.lease import hold
        from warehouse import plan
        from warehouse.build import dbt, manifest
        from warehouse.build import run as build
        from warehouse.pipeline import check_built
        from warehouse.release import publish

        settings = settings_of(folder)
        with dbt.dbt_environment(settings):
            project = manifest.parse(settings)
        manifest.parse = lambda settings: project
    asked = plan.resolve(settings, first, day)[0] if first else None
    with hold(settings, run_id, "bench", quiet) as held:
        with timed(stages, "land"):
            landing.land_files(settings, run_id, quiet)
        with timed(stages, "check landing"):
            check_landing(settings, run_id, day, quiet)
        with timed(stages, "build"):
            build.build_marts(settings, run_id, day, held, quiet, asked)
        with timed(stages, "check marts"):
            check_built(settings, run_id, day, held, quiet)
        copied: list[float] = []
        for name in ("_copy_database", "_refuse_damaged"):
            setattr(publish, name, clocked(getattr(publish, name), copied))
        with timed(stages, "publish"):
            publish.publish_release(settings, run_id, held, quiet)
    size = settings.marts_db.stat().st_size / 1e9
    return {"stages": stages, "memory": memory_gib(), "copy": sum(copied), "gigabytes": size}


def clocked(function: Callable[..., None], seconds: list[float]) -> Callable[..., None]:
    """The function, which also notes how long it took."""

    def run(*arguments: Any) -> None:
        before = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - before)

    return run


def memory_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def run_reference(folder: Path, day: date) -> Result:
    """The script over a copy of the same history, in a copy of the marts; seconds per stage and peak memory.

    What it had kept from the nights before, it reads where the warehouse keeps it.
    """
    from warehouse.release.publish import PARQUET

    stages: dict[str, list[float]] = {}
    settings = settings_of(folder)
    values = {"$night": f"date '{day}'", "$folder": str(folder)}
    for name in ("accounts", "posts"):
        values[f"${name}"] = str(next((settings.landing / f"{name[:-1]}_snapshots").glob(f"*{day}*")))
    with duckdb.connect(str(settings.marts_db), config={"memory_limit": settings.memory_limit}) as marts:
        marts.execute(f"attach '{settings.build_db}' as build (read_only)")
        with timed(stages, "land"):
            marts.execute(script(LANDING, values))
        with timed(stages, "build"):
            for part in PARTS:
                before = time.perf_counter()
                marts.execute(script(part, values))
                print(f"{part:<20} {time.perf_counter() - before:>7.2f} s", file=sys.stderr)
            for table in KEPT:
                marts.execute(f"create table kept_{table} as from {table}")
            marts.execute("checkpoint")
        with timed(stages, "publish"):
            for mart, only in MARTS.items():
                rows = f"from marts.{mart} where {only.format(day=day)}"
                marts.execute(f"copy ({rows}) to '{folder}/{mart}.parquet' ({PARQUET})")
    return {"stages": stages, "memory": memory_gib()}


def script(part: str, values: dict[str, str]) -> str:
    """The SQL of a part with this night's values."""
    sql = Path(__file__).with_name(f"{part}.sql").read_text()
    for name, value in values.items():
        sql = sql.replace(name, value)
    return sql


def differing_rows(ours: Path, reference: Path, day: date) -> dict[str, int]:
    """Rows of each mart that are in one of the two alone, as of the night."""
    with duckdb.connect() as both:
        both.execute(f"attach '{ours}' as ours (read_only); attach '{reference}' as reference (read_only)")
        found = {}
        for mart, only in MARTS.items():
            names = [row[0] for row in both.execute(f"describe ours.marts.{mart}").fetchall() if row[0] not in LINEAGE]
            sides = [
                f"select {', '.join(names)} from {side}.marts.{mart} where {only.format(day=day)}"
                for side in ("ours", "reference")
            ]
            row = both.execute(
                f"select (select count(*) from ({sides[0]} except all {sides[1]})),"
                f" (select count(*) from ({sides[1]} except all {sides[0]})), (select count(*) from ({sides[0]}))"
            ).fetchone()
            assert row is not None
            assert row[2], f"{mart} is empty"
            found[mart] = row[0] + row[1]
    return found


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


def in_a_process(kind: str, folder: Path, day: date, first: date | None = None) -> Result:
    """One night in a process of its own: imports are its own, and so is its memory."""
    command = [sys.executable, "-m", "bench.night", "--one", kind, "--folder", str(folder), "--day", str(day)]
    command += ["--first", str(first)] if first else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def copy_of(base: Path, folder: Path) -> Path:
    """The same history to go on from. What no run changes is linked; the rest is copied."""
    shutil.rmtree(folder, ignore_errors=True)
    for source in base.rglob("*"):
        target = folder / source.relative_to(base)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif source.relative_to(base).parts[0] in ("build", "state"):
            shutil.copy2(source, target)
        else:
            os.link(source, target)
    return folder


def history(work: Path, days: int, accounts: int, posts: int, at_once: int) -> Path:
    """Land and build so many days before the last night, some of them in one pass."""
    folder = work / f"{accounts}-{posts}-{days}"
    if (folder / "whole").exists():
        print(f"  {days} days of history are there", flush=True)
        return folder
    for first in range(days, 0, -at_once):
        last = max(first - at_once + 1, 1)
        for back in range(first, last - 1, -1):
            write_day(settings_of(folder), LAST - timedelta(days=back), accounts, posts)
        in_a_process("night", folder, LAST - timedelta(days=last))
        print(f"  {days - last + 1} of {days} days of history", flush=True)
    (folder / "whole").touch()
    return folder


def rebuild(work: Path, base: Path, days: int) -> Result:
    """Build so many days before the last night again in one pass, as a backfill does."""
    folder = copy_of(base, work / "rebuild")
    result = in_a_process("rebuild", folder, LAST - timedelta(days=1), LAST - timedelta(days=days))
    print(f"  rebuild of {days} days: {without_publish(result):.1f} s", flush=True)
    shutil.rmtree(folder)
    return result


def nights(work: Path, base: Path, pairs: int, accounts: int, posts: int) -> dict[str, list[Result]]:
    """Pairs of a night and the script, each over a fresh copy of the history."""
    results: dict[str, list[Result]] = {"night": [], "reference": []}
    for pair in range(pairs):
        folders = {}
        for kind in results:
            folders[kind] = copy_of(base, work / f"{kind}{pair}")
            write_day(settings_of(folders[kind]), LAST, accounts, posts)
        settings = settings_of(folders["night"])
        with reading(settings, 1.0) as readers:
            results["night"].append(in_a_process("night", folders["night"], LAST))
        with reading(settings, 0.01) as hasty:
            swap_often(settings)
        results["night"][-1] |= {"reader": readers[0], "reader_of_swaps": hasty[0]}
        results["reference"].append(in_a_process("reference", folders["reference"], LAST))
        theirs = settings_of(folders["reference"]).marts_db
        differ = differing_rows(settings.published / "groundswell.duckdb", theirs, LAST)
        assert not any(differ.values()), f"values differ: {differ}"
        print(
            f"  pair {pair + 1}: {total(results['night'][-1]):.1f} s, {total(results['reference'][-1]):.1f} s",
            flush=True,
        )
        for made in folders.values():
            shutil.rmtree(made)
    return results


def total(result: Result, at: int = 0) -> float:
    """Seconds of all stages but start-up, without the release copy."""
    copy = result.get("copy", 0.0) if at == 0 else 0.0
    return sum(seconds[at] for name, seconds in result["stages"].items() if name != "start-up") - copy


def median(results: list[Result], stage: str, at: int) -> float:
    return statistics.median(result["stages"].get(stage, [0.0, 0.0])[at] for result in results)


def report(short: dict[str, list[Result]], rebuilt: Result | None) -> dict[str, float]:
    """Print the table per stage; returns the figures that have a limit."""
    ours, script = short["night"], short["reference"]
    print(f"\n{'':<14} {'night wall':>11} {'cpu':>7} {'script wall':>12} {'cpu':>7}")
    for stage in ("start-up", *STAGES):
        cells = [median(side, stage, at) for side in (ours, script) for at in (0, 1)]
        print(f"{stage:<14} {cells[0]:>11.2f} {cells[1]:>7.2f} {cells[2]:>12.2f} {cells[3]:>7.2f}")
    night = statistics.median(total(result) for result in ours)
    script_seconds = statistics.median(total(result) for result in script)
    gates = sum(median(ours, stage, 0) for stage in ("land", "check landing", "check marts"))
    memory = max(r["memory"] for r in script)
    print(f"{'total':<14} {night:>11.2f} {'':>7} {script_seconds:>12.2f}   (without start-up and release copy)")
    print(f"the script's peak memory: {memory:.1f} GiB")
    for told, readers in (
        ("a read a second beside the night", [result["reader"] for result in ours]),
        ("reads beside 50 swaps", [result["reader_of_swaps"] for result in ours]),
    ):
        middle, slowest = statistics.median(r[0] for r in readers) * 1000, max(r[1] for r in readers) * 1000
        print(f"{told}: median {middle:.0f} ms, slowest {slowest:.0f} ms of {sum(r[2] for r in readers)}")
    copies = [r["copy"] / max(r["gigabytes"], 1e-9) for r in ours]
    figures = {
        "night / reference": night / script_seconds,
        "night / reference, CPU": statistics.median(total(r, 1) for r in ours)
        / statistics.median(total(r, 1) for r in script),
        "start-up, s": median(ours, "start-up", 0),
        "landing and checks / night": gates / night,
        "peak memory, GiB": max(r["memory"] for r in ours),
        "release copy, s a GB": statistics.median(copies),
    }
    if rebuilt:
        figures["rebuild / night"] = without_publish(rebuilt) / statistics.median(without_publish(r) for r in ours)
    return figures


def without_publish(result: Result) -> float:
    return sum(seconds[0] for name, seconds in result["stages"].items() if name not in ("start-up", "publish"))


def main() -> int:
    """Exit code 1 when a figure is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts a night")
    parser.add_argument("--posts", type=int, default=100_000, help="post rows a night")
    parser.add_argument("--history", type=int, default=30, help="days before the night")
    parser.add_argument("--long-history", type=int, default=0, help="also nights after so many days, for the ratio")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument(
        "--rebuild", action=argparse.BooleanOptionalAction, default=True, help="also build up to 30 days again"
    )
    parser.add_argument("--work", type=Path, help="keep the history in this folder, and go on from the one there")
    parser.add_argument("--at-once", type=int, default=10, help="days of history that are built in one pass")
    parser.add_argument("--one", choices=["night", "rebuild", "reference"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--day", type=date.fromisoformat, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=date.fromisoformat, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        found = (
            run_reference(given.folder, given.day)
            if given.one == "reference"
            else run_night(given.folder, given.day, f"bench {given.one} {given.day}", given.first)
        )
        print(json.dumps(found))
        return 0
    print(
        f"{given.accounts:,} accounts and {given.posts:,} post rows a night,"
        f" {given.history} days before, {given.pairs} pairs"
    )
    sizes = (given.accounts, given.posts)
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        base = history(work, given.history, *sizes, given.at_once)
        short = nights(work, base, given.pairs, *sizes)
        rebuilt = rebuild(work, base, min(given.history, REBUILT_DAYS)) if given.rebuild else None
        figures = report(short, rebuilt)
        if given.long_history:
            base = history(work, given.long_history, *sizes, given.at_once)
            long = nights(work, base, given.pairs, *sizes)
            seconds = [statistics.median(without_publish(r) for r in side["night"]) for side in (long, short)]
            figures["long history / short history"] = seconds[0] / seconds[1]
    print()
    for name, figure in figures.items():
        limit = LIMITS.get(name)
        verdict = "" if limit is None else f"limit {limit:g}: {'within' if figure <= limit else 'ABOVE'}"
        print(f"{name:<30} {figure:>8.2f}  {verdict}")
    return int(any(figure > LIMITS.get(name, float("inf")) for name, figure in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
