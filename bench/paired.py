"""A bench of some models against a hand-written DuckDB script of the same columns, pair by pair.

Both read the same history, and their values must be equal to the last digit. Each timing is a process of its own on a
copy of the world. Exit code 1 when the ratio of medians or the memory is above its limit.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ingestion import raw
from ingestion.config import PROJECT_DIR, Settings
from ingestion.lease import hold
from warehouse.build import dbt
from warehouse.build import run as build

LIMIT = 2.0
MEMORY_LIMIT_MIB = 12 * 1024
NIGHT = date(2026, 3, 31)


@dataclass(frozen=True)
class Bench:
    """What is timed.

    Args:
        script: file of the bench; the hand-written SQL stands beside it.
        world: SQL that makes all history, with `{accounts}`, `{posts}` and `{night}`.
        models: what a night makes of it, in their order.
        compared: of these the ones whose rows of the night must be equal, as relations of the two databases.
        before: models that are built for `nights_before` nights, as history.
        has_posts: whether the size of the world is in posts as well.
    """

    script: Path
    world: str
    models: tuple[str, ...]
    compared: tuple[str, ...]
    before: tuple[str, ...] = ()
    nights_before: int = 7
    has_posts: bool = False


def quiet(_: str) -> None:
    """Say nothing."""


def make_settings(folder: Path) -> Settings:
    return Settings(_env_file=None, data=folder / "data", settle_seconds=0.0)  # type: ignore[call-arg]


def make_world(bench: Bench, folder: Path, accounts: int, posts: int) -> None:
    """A warehouse that holds the history of all nights, and everything of the last but what is timed."""
    settings = make_settings(folder)
    raw.write_empty_schemas(settings)
    with hold(settings, "bench", "bench", quiet) as lease:
        build.build_marts(settings, "bench", NIGHT, lease, quiet)
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute(bench.world.format(accounts=accounts, posts=posts, night=NIGHT))
    if bench.before:
        plan(bench, settings, f"range(1, {bench.nights_before + 1})")
        run_dbt(settings, bench.before)
    plan(bench, settings, "range(1)")


def plan(bench: Bench, settings: Settings, nights_back: str) -> None:
    """Plan nights, counted back from the last, for every model."""
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute("delete from meta.plan")
        for model in bench.models:
            connection.execute(
                "insert into meta.plan (model, snapshot_date, reason)"
                f" select '{model}', cast(date '{NIGHT}' - cast(n as integer) as date), 'bench'"
                f" from {nights_back} as t (n)"
            )


def run_dbt(settings: Settings, models: Sequence[str]) -> float:
    """Build models; seconds that dbt spent in them."""
    from dbt.cli.main import dbtRunner

    with dbt.dbt_environment(settings):
        result = dbtRunner().invoke(dbt.dbt_arguments(settings, "run", "--select", *models))
    if not result.success:
        rows = result.result.results if result.result else []
        raise RuntimeError(str(result.exception or [(row.node.name, row.message) for row in rows]))
    if "-v" in sys.argv:
        print({row.node.name: round(row.execution_time, 2) for row in result.result.results}, file=sys.stderr)
    dbt.close_dbt()
    return float(sum(row.execution_time for row in result.result.results))


def run_reference(bench: Bench, settings: Settings, target: Path) -> float:
    """Seconds of the hand-written script, which reads the same database and writes one of its own."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{settings.build_db}' as build (read_only)")
        started = time.perf_counter()
        connection.execute(bench.script.with_suffix(".sql").read_text().replace("$night", f"date '{NIGHT}'"))
        return time.perf_counter() - started


def differences(bench: Bench, settings: Settings, reference: Path) -> dict[str, int]:
    """Rows of the night per relation that only one of the two made."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{settings.marts_db}' as groundswell (read_only)")
        connection.execute(f"attach '{settings.build_db}' as build (read_only)")
        connection.execute(f"attach '{reference}' as theirs (read_only)")
        for relation in bench.compared:
            name = relation.rpartition(".")[2]
            names = ", ".join(row[0] for row in connection.execute(f"describe from {relation}").fetchall())
            ours = f"(select {names} from {relation} where snapshot_date = date '{NIGHT}')"
            theirs = f"(select {names} from theirs.{name})"
            total, only_one = connection.execute(
                f"select (select count(*) from {ours}),"
                f" (select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours})))"
            ).fetchall()[0]
            assert total > 0, relation
            found[relation] = only_one
    return found


def run_one(bench: Bench, name: str, folder: Path) -> None:
    """One timing in a process of its own, on a copy of the world: prints seconds and peak MiB."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as copy:
        shutil.copytree(folder / "data" / "build", Path(copy) / "data" / "build")
        settings = make_settings(Path(copy))
        if name == "reference":
            target = folder / "reference.duckdb"
            target.unlink(missing_ok=True)
            seconds = run_reference(bench, settings, target)
        else:
            seconds = run_dbt(settings, bench.models)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found = differences(bench, settings, folder / "reference.duckdb") if name == "marts" else {}
    print(json.dumps({"seconds": seconds, "peak": peak, "differences": found}))


def main(bench: Bench, description: str | None) -> int:
    """Time the pairs and print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=500_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("-v", action="store_true", help="also print the seconds of each model")
    parser.add_argument("--one", choices=["world", "reference", "marts"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one == "world":
        make_world(bench, asked.folder, asked.accounts, asked.posts)
        return 0
    if asked.one:
        run_one(bench, asked.one, asked.folder)
        return 0
    seconds: dict[str, list[float]] = {"reference": [], "marts": []}
    memory: dict[str, float] = dict.fromkeys(seconds, 0.0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "world"
        sizes = ["--accounts", str(asked.accounts), "--posts", str(asked.posts)]
        # A process inherits the peak memory of the one that starts it, so this one does no work itself.
        subprocess.run(
            [sys.executable, "-m", f"bench.{bench.script.stem}", "--one", "world", "--folder", str(folder), *sizes],
            check=True,
        )
        posts = f", {asked.posts:,} posts" if bench.has_posts else ""
        print(f"{asked.accounts:,} accounts{posts} a night, {asked.pairs} pairs", flush=True)
        for pair in range(asked.pairs):
            for name in seconds:
                command = [sys.executable, "-m", f"bench.{bench.script.stem}", "--one", name, "--folder", str(folder)]
                command += ["-v"] if asked.v else []
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=PROJECT_DIR)
                out: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
                seconds[name].append(out["seconds"])
                memory[name] = max(memory[name], out["peak"])
                assert not any(out["differences"].values()), f"values differ: {out['differences']}"
            print(f"  pair {pair + 1}: {seconds['reference'][-1]:.2f} s, {seconds['marts'][-1]:.2f} s", flush=True)
    print(f"\n{'':<12} {'median s':>9} {'peak MiB':>9}")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<12} {median:>9.2f} {memory[name]:>9,.0f}")
    ratio = medians["marts"] / medians["reference"]
    within = ratio <= LIMIT and memory["marts"] <= MEMORY_LIMIT_MIB
    print(f"\nvalues equal; ratio {ratio:.2f}, limit {LIMIT:.1f}: {'within' if within else 'ABOVE'}")
    return int(not within)
