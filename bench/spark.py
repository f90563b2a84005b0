"""The windowed models at some sizes on DuckDB and on Spark: rows a second, cost of a row, what is shuffled.

`make bench-spark ARGS="--accounts 100000 --posts 500000 --times 1 3 10"`, beside a Spark that runs (`groundswell spark
start`; GROUNDSWELL_SPARK_PORT names its port). At each size one world of two days is landed once, and built on each
engine through the pipeline. Marts must be equal. Exit code 1 when one is not.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import duckdb

from bench.one_night import Node, quiet, settings_of, timed, watch_dbt
from bench.process import in_a_process
from bench.world import LAST, write_day
from ingestion.config import DUCKDB, Settings

DAYS = 2
MARTS = (
    "fct_account_daily", "fct_account_tier_daily", "fct_post_daily", "fct_account_engagement_daily",
    "fct_account_benchmark_daily", "fct_follower_trust_daily",
)  # fmt: skip
# Models under this share of what all of them take on Spark stand in one line of the table.
SHOWN_SHARE = 0.02
# dbt puts the model's name before each statement, and Spark shows the statement with its stages.
NAMED = re.compile(r'"node_id": "model\.groundswell\.(\w+)"')
KEY = re.compile(r"hashpartitioning\(([^)]*?), \d+\)")
NUMBER = re.compile(r"#\d+L?")


@dataclass
class Shuffled:
    """What the stages of a model wrote for others, in bytes, and by which columns rows were put together."""

    bytes: int = 0
    keys: set[str] = field(default_factory=set)


def build(folder: Path, engine: str) -> dict[str, Any]:
    """Build the core of a world that is landed, in this process: seconds by model, and in all."""
    from ingestion.lease import hold
    from warehouse.build import dbt, manifest
    from warehouse.build import run as building

    really_parse, really_told = manifest.parse, dbt.dbt_arguments
    # One by one, or they would wait for each other.
    dbt.dbt_arguments = lambda *given, **named: [*really_told(*given, **named), "--threads", "1"]

    def parse(settings: Settings, target: str | None = None) -> Any:
        project = really_parse(settings, target)
        kept = needed(project)
        manifest.leave_out(project, [name for name in project.nodes if name not in kept])
        return project

    manifest.parse = parse
    nodes: list[Node] = []
    watch_dbt(nodes, [], lambda: None)
    settings = settings_of(folder).model_copy(update={"engine": engine})
    stages: dict[str, list[float]] = {}
    with hold(settings, "bench", "bench", quiet) as held, timed(stages, "build"):
        building.build_marts(settings, "bench", LAST, held, quiet)
    seconds: dict[str, float] = defaultdict(float)
    for node in nodes:
        if node["kind"] == "model":
            seconds[node["name"]] += node["seconds"][0]
    return {"seconds": seconds, "build": stages["build"][0], "rows": rows_of(settings, seconds)}


def needed(project: Any) -> set[str]:
    """Unique ids of the measured marts, of what they are made of and of the tests that tell their keys."""
    from warehouse.build.manifest import GRAIN_TEST

    kept: set[str] = set()
    fresh = {unique_id for unique_id, node in project.nodes.items() if node.name in MARTS}
    while fresh := {name for name in fresh if name in project.nodes} - kept:
        kept |= fresh
        fresh = {parent for name in fresh for parent in getattr(project.nodes[name].depends_on, "nodes", [])}
    return kept | {
        unique_id
        for unique_id, node in project.nodes.items()
        if node.resource_type == "test"
        and node.test_metadata is not None
        and node.test_metadata.name == GRAIN_TEST
        and kept.issuperset(node.depends_on.nodes)
    }


def rows_of(settings: Settings, models: Mapping[str, float]) -> dict[str, int]:
    """Rows of each model that stands as a table of days."""
    with closing(duckdb.connect(str(settings.build_db), read_only=True)) as build:
        build.execute(f"attach '{settings.marts_db}' as groundswell (read_only)")
        planned = {row[0] for row in build.execute("select distinct model from meta.plan").fetchall()}
        listed = build.execute(
            "select table_name, concat_ws('.', table_catalog, table_schema, table_name) from information_schema.tables"
            " where table_schema in ('intermediate', 'marts')"
        ).fetchall()
        return {
            name: build.execute(f"select count(*) from {relation}").fetchone()[0]  # type: ignore[index]
            for name, relation in listed
            if name in planned and name in models
        }


def shuffles(ui: str) -> dict[str, Shuffled]:
    """By model what its stages have shuffled since the server began, as Spark's own page tells."""

    def ask(path: str) -> Any:
        with urlopen(f"{ui}/api/v1/applications{path}") as answer:
            return json.load(answer)

    (application, *_) = ask("")
    found: dict[str, Shuffled] = defaultdict(Shuffled)
    for stage in ask(f"/{application['id']}/stages?status=complete"):
        if named := NAMED.search(stage.get("description") or ""):
            found[named[1]].bytes += stage["shuffleWriteBytes"]
    for query in ask(f"/{application['id']}/sql?details=false&planDescription=true&length=100000"):
        if named := NAMED.search(query["description"]):
            keys = KEY.findall(query["planDescription"])
            # An expression has no name there, and a join of skewed keys hashes them once more.
            found[named[1]].keys |= {NUMBER.sub("", key) for key in keys if "(" not in key and "_grouping" not in key}
    return found


def unequal(of_duckdb: Path, of_spark: Path) -> list[str]:
    """Marts whose rows are not the same on both engines."""
    with closing(duckdb.connect()) as both:
        for name, folder in (("here", of_duckdb), ("there", of_spark)):
            both.execute(f"attach '{settings_of(folder).marts_db}' as {name} (read_only)")
        return [
            mart
            for mart in MARTS
            if both.execute(
                f"select count(*) filter (where here.h is distinct from there.h or here.n <> there.n) from"
                f" (select count(*) as n, sum(hash(t)) as h from here.marts.{mart} as t) as here,"
                f" (select count(*) as n, sum(hash(t)) as h from there.marts.{mart} as t) as there"
            ).fetchone()
            != (0,)
        ]


def measured(work: Path, accounts: int, posts: int, ui: str | None) -> bool:
    """One size: both engines, the table, and whether their marts are equal."""
    landed = work / f"{accounts}-{posts}"
    for back in range(DAYS - 1, -1, -1):
        write_day(settings_of(landed), LAST - timedelta(days=back), accounts, posts)
    in_a_process("spark", "--land", str(landed))
    told, before = {}, shuffles(ui) if ui else {}
    for engine, name in (("duckdb", "duckdb"), ("spark://127.0.0.1", "spark")):
        folder = work / f"{landed.name}-{name}"
        shutil.copytree(landed, folder, symlinks=True)
        told[name] = in_a_process("spark", "--build", str(folder), "--engine", engine)
    after = shuffles(ui) if ui else {}
    show(accounts, posts, told, before, after)
    different = unequal(work / f"{landed.name}-duckdb", work / f"{landed.name}-spark")
    print(f"\n{len(MARTS) - len(different)} of {len(MARTS)} marts equal", *different, flush=True)
    return not different


def show(
    accounts: int, posts: int, told: dict[str, Any], before: Mapping[str, Shuffled], after: Mapping[str, Shuffled]
) -> None:
    """A line for each windowed model that takes a share of the whole, and one for the others."""
    print(f"\n{accounts:,} accounts and {posts:,} posts on {DAYS} days; a build of the core, seconds:"
          f" DuckDB {told['duckdb']['build']:.0f}, Spark {told['spark']['build']:.0f}\n")  # fmt: skip
    print("| model | rows | DuckDB, s | Spark, s | DuckDB, rows a second | Spark, rows a second | DuckDB, us a row |"
          " Spark, us a row | shuffled, MB | by |")  # fmt: skip
    print("| --- |" + " ---: |" * 8 + " --- |")
    rows, here, there = told["duckdb"]["rows"], told["duckdb"]["seconds"], told["spark"]["seconds"]
    least = SHOWN_SHARE * sum(there[name] for name in rows)
    others = [name for name in rows if there[name] < least]
    for name in sorted(set(rows) - set(others), key=lambda name: -there[name]):
        moved = after.get(name, Shuffled())
        shuffled = f"{(moved.bytes - before.get(name, Shuffled()).bytes) / 1e6:.0f}" if after else ""
        # A model of few rows, or of none, reads many to find them.
        tells = rows[name] >= accounts
        speeds = " | ".join(f"{rows[name] / side[name]:,.0f}" if tells else "" for side in (here, there))
        costs = " | ".join(f"{side[name] / rows[name] * 1e6:.2f}" if tells else "" for side in (here, there))
        print(f"| `{name}` | {rows[name]:,} | {here[name]:.1f} | {there[name]:.1f} | {speeds} | {costs} | {shuffled} |"
              f" {'; '.join(sorted(moved.keys))} |")  # fmt: skip
    print(f"| {len(others)} others | | {sum(here[name] for name in others):.1f} |"
          f" {sum(there[name] for name in others):.1f} | | | | | | |", flush=True)  # fmt: skip


def land(folder: Path) -> None:
    from ingestion import landing
    from ingestion.lease import hold

    settings = settings_of(folder)
    with hold(settings, "bench land", "bench", quiet):
        landing.land_files(settings, "bench land", quiet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=500_000)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 3, 10], help="sizes, as multiples")
    parser.add_argument("--ui", help="page of the running application, to which the master's page leads: adds shuffles")
    parser.add_argument("--land", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--engine", default=DUCKDB, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.land:
        land(given.land)
        print(json.dumps({}))
        return
    if given.build:
        print(json.dumps(build(given.build, given.engine)))
        return
    with tempfile.TemporaryDirectory() as work:
        equal = [measured(Path(work), times * given.accounts, times * given.posts, given.ui) for times in given.times]
    sys.exit(not all(equal))


if __name__ == "__main__":
    main()
