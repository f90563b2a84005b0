"""One night of engagement and benchmarks, as a ratio to a hand-written DuckDB script of the same columns.

`make bench-engagement` (ARGS="--accounts 1000000 --posts 5000000 --pairs 3"). Both read the same history, 98 days of
followers and 8 nights of posts, and their values must be equal to the last digit. Exit code 1 when the ratio of medians
or the memory is above its limit.
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
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ingestion import raw
from ingestion.config import PROJECT_DIR, Settings
from ingestion.lease import hold
from serving import build

LIMIT = 2.0
MEMORY_LIMIT_MIB = 12 * 1024
NIGHT = date(2026, 3, 31)
# What a night makes of posts and followers that are already observed.
MODELS = (
    "int_post__traits_changed", "int_brand__posts_named", "int_account__engagement_rated", "int_account__peers_ranked",
    "fct_account_engagement_daily", "fct_tier_benchmark_daily",
)  # fmt: skip
REFERENCE = Path(__file__).with_suffix(".sql")

# Skewed, and the same on every machine: a few accounts have most followers and most posts.
WORLD = """
create or replace temp table account as
select
    'instagram' as platform, 'account' || i as account_id,
    cast(1000 * pow(10, 3.5 * pow((i * 7919 % {accounts}) / {accounts}, 3)) as bigint) as followers,
    'niche' || (i * 31 % 20) as niche, 'C' || (i * 17 % 25) as country
from range({accounts}) as t (i);

insert into intermediate.int_account__days_observed by name
select platform, account_id, date '{night}' as snapshot_date, timestamp '{night} 03:00:00' as captured_at,
    followers, niche, country, 'observed' as data_origin
from account;

insert into intermediate.int_account__followers_captured by name
select platform, account_id, cast(day + interval 3 hour as timestamp) as captured_at,
    followers - cast(followers * date_diff('day', day, date '{night}') / 1000 as bigint) as followers,
    cast(day as date) as snapshot_date
from account, generate_series(timestamp '{night}' - interval 97 day, timestamp '{night}', interval 1 day) as d (day);

create or replace temp table post as
select
    'instagram' as platform, 'post' || i as post_id,
    -- The square puts most posts on few accounts.
    'account' || cast(floor(pow((i * 104729 % {posts}) / {posts}, 2) * {accounts}) as bigint) as account_id,
    cast(timestamp '{night} 06:00:00' - to_minutes(i * 7907 % 132480) as timestamp) as published_at,
    i * 15485863 % 9973 as likes, i * 32452843 % 499 as comments, i * 49979687 % 97 as creator_replies,
    9973 + i * 67867967 % 90001 as views, case when i % 3 = 0 then 9973 + i * 86028121 % 50021 end as reach,
    i % 9 = 0 as is_sponsored, i % 50 = 0 as is_pinned, i % 40 = 0 as is_collab,
    case when i % 4 = 0 then '#tag' || i % 1000 || '|#brand' || i % 60 end as hashtags,
    case when i % 7 = 0 then '@brand' || i % 60 end as mentions
from range({posts}) as t (i);

insert into intermediate.int_post__days_observed by name
select
    platform, post_id, account_id, published_at, likes + night as likes, comments, creator_replies,
    views + night as views, reach, is_sponsored, is_pinned, is_collab, hashtags, mentions, 'observed' as data_origin,
    cast(timestamp '{night} 04:00:00' - to_days(7 - cast(night as integer)) as timestamp) as captured_at,
    cast(date '{night}' - (7 - cast(night as integer)) as date) as snapshot_date
from post, range(8) as n (night)
-- One capture in ten is missing, and a post is not seen before it is there.
where (likes + night) % 10 > 0 and published_at <= timestamp '{night} 04:00:00' - to_days(7 - cast(night as integer));

create or replace view raw.accounts as
select 'instagram' as platform, 'account' || i as account_id, null::varchar as creator_id, null::varchar as handle,
    null::varchar as display_name, 'niche' || (i * 13 % 20) as niche, null::varchar as country, null::varchar as city,
    null::varchar as language, timestamp '2026-01-01 00:00:00' as updated_at, null::varchar as extra,
    'observed' as data_origin, null::varchar as source_file, 1::bigint as source_line, 'a' as source_sha256,
    'b' as batch_id, timestamp '2026-01-01 00:00:00' as as_of, timestamp '2026-01-01 00:00:00' as loaded_at,
    date '2026-01-01' as snapshot_date
from range(0, {accounts}, 2) as t (i);

create or replace view raw.brands as
select 'b' || i as brand, 'Brand' || i as name, null::varchar as aliases, '#brand' || i as hashtags,
    null::varchar as own_accounts, i % 2 = 0 as is_rival, null::varchar as extra, 'observed' as data_origin,
    null::varchar as source_file, 1::bigint as source_line, 'a' as source_sha256, 'b' as batch_id,
    timestamp '2026-01-01 00:00:00' as as_of, timestamp '2026-01-01 00:00:00' as loaded_at,
    date '2026-01-01' as snapshot_date
from range(60) as t (i);
"""


def quiet(_: str) -> None:
    """Say nothing."""


def make_settings(folder: Path) -> Settings:
    return Settings(_env_file=None, data=folder / "data", settle_seconds=0.0)  # type: ignore[call-arg]


def make_world(folder: Path, accounts: int, posts: int) -> None:
    """A warehouse that holds the history of all nights, and everything of the last but what is timed."""
    settings = make_settings(folder)
    raw.write_empty_schemas(settings)
    with hold(settings, "bench", "bench", quiet) as lease:
        build.build_marts(settings, "bench", NIGHT, lease, quiet)
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute(WORLD.format(accounts=accounts, posts=posts, night=NIGHT))
    plan(settings, "range(1, 8)")
    run_dbt(settings, MODELS[:2])
    plan(settings, "range(1)")


def plan(settings: Settings, nights_back: str) -> None:
    """Plan nights, counted back from the last, for every model."""
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute("delete from meta.plan")
        for model in MODELS:
            connection.execute(
                f"insert into meta.plan select '{model}', cast(date '{NIGHT}' - cast(n as integer) as date), 'bench'"
                f" from {nights_back} as t (n)"
            )


def run_dbt(settings: Settings, models: tuple[str, ...]) -> float:
    """Build models; seconds that dbt spent in them."""
    from dbt.cli.main import dbtRunner

    with build.dbt_environment(settings):
        result = dbtRunner().invoke(build.dbt_arguments(settings, "run", "--select", *models))
    if not result.success:
        raise RuntimeError([(row.node.name, row.message) for row in result.result.results])  # type: ignore[union-attr]
    if "-v" in sys.argv:
        print({row.node.name: round(row.execution_time, 2) for row in result.result.results}, file=sys.stderr)  # type: ignore[union-attr]
    build.close_dbt()
    return sum(row.execution_time for row in result.result.results)  # type: ignore[union-attr]


def run_reference(settings: Settings, target: Path) -> float:
    """Seconds of the hand-written script, which reads the same database and writes one of its own."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{settings.build_db}' as build (read_only)")
        started = time.perf_counter()
        connection.execute(REFERENCE.read_text().replace("$night", f"date '{NIGHT}'"))
        return time.perf_counter() - started


def differences(settings: Settings, reference: Path) -> dict[str, int]:
    """Rows per mart that only one of the two made."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{settings.marts_db}' as ours (read_only)")
        connection.execute(f"attach '{reference}' as theirs (read_only)")
        for mart in MODELS[-2:]:
            names = [row[0] for row in connection.execute(f"describe from ours.marts.{mart}").fetchall()]
            ours, theirs = f"(from ours.marts.{mart})", f"(select {', '.join(names)} from theirs.{mart})"
            total, only_one = connection.execute(
                f"select (select count(*) from {ours}),"
                f" (select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours})))"
            ).fetchall()[0]
            assert total > 0, mart
            found[mart] = only_one
    return found


def run_one(name: str, folder: Path) -> None:
    """One timing in a process of its own, on a copy of the world: prints seconds and peak MiB."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as copy:
        shutil.copytree(folder / "data" / "build", Path(copy) / "data" / "build")
        settings = make_settings(Path(copy))
        if name == "reference":
            target = folder / "reference.duckdb"
            target.unlink(missing_ok=True)
            seconds = run_reference(settings, target)
        else:
            seconds = run_dbt(settings, MODELS)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found = differences(settings, folder / "reference.duckdb") if name == "marts" else {}
    print(json.dumps({"seconds": seconds, "peak": peak, "differences": found}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=500_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("-v", action="store_true", help="also print the seconds of each model")
    parser.add_argument("--one", choices=["world", "reference", "marts"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one == "world":
        make_world(asked.folder, asked.accounts, asked.posts)
        return 0
    if asked.one:
        run_one(asked.one, asked.folder)
        return 0
    seconds: dict[str, list[float]] = {"reference": [], "marts": []}
    memory: dict[str, float] = dict.fromkeys(seconds, 0.0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "world"
        sizes = ["--accounts", str(asked.accounts), "--posts", str(asked.posts)]
        # A process inherits the peak memory of the one that starts it, so this one does no work itself.
        subprocess.run([sys.executable, __file__, "--one", "world", "--folder", str(folder), *sizes], check=True)
        print(f"{asked.accounts:,} accounts, {asked.posts:,} posts a night, {asked.pairs} pairs", flush=True)
        for pair in range(asked.pairs):
            for name in seconds:
                command = [sys.executable, __file__, "--one", name, "--folder", str(folder)]
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


if __name__ == "__main__":
    sys.exit(main())
