"""Whole nights against a hand-written DuckDB script that makes the same marts and does nothing else.

`make bench ARGS="--accounts 1000000 --posts 5000000 --history 30 --pairs 3"`. The world is the same on every machine.
Each night is a process of its own over a copy of the same history; the values of the night must be equal to the
script's, row for row. Printed per stage: wall and CPU seconds of the medians; then ratios. Start-up (imports, reading
the dbt project) stands apart, and so does the release copy. The script lands both feeds and makes the account marts;
`bench/engagement.py` does the same for the marts of posts.
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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

PROJECT_DIR = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT_DIR / "dags"), str(PROJECT_DIR)]

import duckdb  # noqa: E402

from ingestion.config import Settings  # noqa: E402

LAST = date(2026, 6, 30)
LIMITS = {"night / reference": 2.0, "peak memory, GiB": 12.0, "start-up, s": 60.0, "landing and checks / night": 0.4}
LIMITS |= {"rebuild / night": 8.0, "release copy, s a GB": 6.0, "long history / short history": 1.15}
STAGES = ("land", "check landing", "build", "check marts", "publish")

# Skewed tiers and gaps: few accounts have most followers, one day in twenty is missed, one count in fifty unknown.
ACCOUNTS = """
copy (
    select case when i % 3 = 0 then 'tiktok' else 'youtube' end as platform, 'account' || i as account_id,
        '{day}T03:00:00Z' as captured_at,
        case when (i + {number}) % 50 <> 0
            then cast(800 * pow(10, 4.5 * pow((i * 7919 % {rows}) / {rows}, 3)) as bigint) + {number} * (i % 11) end
            as followers,
        i % 900 as following, 10 + ({number} * (i % 5)) as posts, null as likes_total,
        1000 * i + {number} * (i % 97) as views_total, 'handle' || i as handle, 'Name ' || i as display_name,
        'TW' as country, 'zh' as language, 'niche' || (i % 20) as niche
    from range({rows}) as t (i) where (i * 13 + {number}) % 20 <> 0
) to '{target}' (header)
"""
POSTS = """
copy (
    select case when i % 3 = 0 then 'tiktok' else 'youtube' end as platform, 'post' || i as post_id,
        'account' || (i * 7919 % {accounts}) as account_id, '{day}T03:00:00Z' as captured_at,
        strftime(timestamp '{day}' - to_hours(cast(i % 1000 as integer)), '%Y-%m-%dT%H:%M:%SZ') as published_at,
        'video' as content_type, i % 5000 + {number} as likes, i % 300 as comments, i * 17 % 1000000 + {number} as views
    from range({rows}) as t (i)
) to '{target}' (header)
"""

# What a person would type for one night: both files to Parquet, then the marts from the day and from what was known.
REFERENCE_LAND = """
copy (
    select platform, account_id, cast(replace(captured_at, 'Z', '') as timestamp) as captured_at,
        cast(followers as bigint) as followers, cast(following as bigint) as following, cast(posts as bigint) as posts,
        cast(likes_total as bigint) as likes_total, cast(views_total as bigint) as views_total, handle, display_name,
        country, language, niche
    from read_csv('{accounts}', all_varchar = true)
) to '{folder}/accounts.parquet' (format parquet, compression zstd);
copy (
    select platform, post_id, account_id, cast(replace(captured_at, 'Z', '') as timestamp) as captured_at,
        cast(replace(published_at, 'Z', '') as timestamp) as published_at, content_type,
        cast(likes as bigint) as likes, cast(comments as bigint) as comments, cast(views as bigint) as views
    from read_csv('{posts}', all_varchar = true)
) to '{folder}/posts.parquet' (format parquet, compression zstd);
"""
REFERENCE_BUILD = """
create temp table today as
select * from read_parquet('{folder}/accounts.parquet')
qualify row_number() over (partition by platform, account_id order by captured_at desc) = 1;

create temp table tier_today as
with valid as (
    select p.platform, s.scheme, s.tier, s.min, s.max, s.platform = '*' as is_general
    from (select distinct platform from today) p
    join read_csv(
        '{seeds}/tier_schemes.csv',
        types = {{'valid_from': 'date', 'valid_to': 'date', 'min': 'bigint', 'max': 'bigint'}}
    ) s on s.platform in (p.platform, '*')
        and date '{day}' >= s.valid_from and (s.valid_to is null or date '{day}' < s.valid_to)
), bounds as (
    select * from valid qualify is_general = bool_and(is_general) over (partition by platform, scheme)
), schemes as (select platform, scheme, min(min) as lowest from bounds group by all)
select t.platform, t.account_id, s.scheme,
    case when t.followers is null then null when b.tier is not null then b.tier
        when t.followers < s.lowest then 'below' else 'unclassified' end as tier
from today t join schemes s using (platform)
left join bounds b on b.platform = s.platform and b.scheme = s.scheme and t.followers >= b.min
    and (b.max is null or t.followers < b.max);

delete from marts.fct_account_tier_daily where snapshot_date = date '{day}';
insert into marts.fct_account_tier_daily by name
select platform, account_id, date '{day}' as snapshot_date, scheme, tier, 'observed' as data_origin from tier_today;

delete from marts.fct_account_daily where snapshot_date = date '{day}';
insert into marts.fct_account_daily by name
select t.platform, t.account_id, date '{day}' as snapshot_date, t.captured_at,
    {counts},
    {changes},
    case when {followers_known} then date '{day}' - k.followers_known_on end as gap_days,
    case when t.followers is null then null when t.platform <> 'youtube' then 1
        else cast(power(10, greatest(length(cast(t.followers as varchar)) - 3, 0)) as bigint) end as count_resolution,
    s.tier, 'observed' as data_origin
from today t left join known k using (platform, account_id)
left join tier_today s on s.platform = t.platform and s.account_id = t.account_id and s.scheme = 'standard';

create or replace table marts.dim_account as
select coalesce(t.platform, k.platform) as platform, coalesce(t.account_id, k.account_id) as account_id,
    cast(null as varchar) as creator_id, coalesce(t.handle, k.handle) as handle,
    coalesce(t.display_name, k.display_name) as display_name, coalesce(t.niche, k.niche) as niche,
    coalesce(t.country, k.country) as country, cast(null as varchar) as city,
    coalesce(t.language, k.language) as language,
    coalesce(k.first_seen_date, date '{day}') as first_seen_date,
    case when t.platform is not null then date '{day}' else k.last_seen_date end as last_seen_date,
    'observed' as data_origin
from today t full join known k using (platform, account_id);
"""
COUNTS = ("followers", "following", "posts", "views_total")
# Where a row came from is the warehouse's own.
LINEAGE = ("batch_id", "source_file", "source_line")
MARTS = {"dim_account": "true", "fct_account_daily": "snapshot_date = date '{day}'"}
MARTS["fct_account_tier_daily"] = MARTS["fct_account_daily"]


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
        duckdb.execute(sql.format(day=day, number=number, rows=rows, accounts=accounts, target=target))


@contextmanager
def timed(stages: dict[str, list[float]], name: str) -> Iterator[None]:
    """Wall and CPU seconds of a stage, added up."""
    before, cpu = time.perf_counter(), os.times()
    yield
    now = os.times()
    wall = time.perf_counter() - before
    stages[name] = [wall, now.user + now.system - cpu.user - cpu.system]


def run_night(folder: Path, day: date, run_id: str) -> dict[str, object]:
    """One night in this process; seconds per stage, start-up apart, and peak memory."""
    stages: dict[str, list[float]] = {}
    with timed(stages, "start-up"):
        import great_expectations  # noqa: F401
        from common.rooms import check_built

        from expectations.run import check_landing
        from ingestion import landing
        from ingestion.lease import hold
        from serving import build, publish

        settings = settings_of(folder)
        with build.dbt_environment(settings):
            manifest = build.parse(settings)
        build.parse = lambda _: manifest
    with hold(settings, run_id, "bench", quiet) as held:
        with timed(stages, "land"):
            landing.land_files(settings, run_id, quiet)
        with timed(stages, "check landing"):
            check_landing(settings, run_id, day, quiet)
        with timed(stages, "build"):
            build.build_marts(settings, run_id, day, held, quiet)
        with timed(stages, "check marts"):
            check_built(settings, run_id, day, held, quiet)
        copied: list[float] = []
        really_copy = publish._copy_database

        def copy(settings: Settings, target: Path) -> None:
            before = time.perf_counter()
            really_copy(settings, target)
            publish.soundness.damage_of(target)
            copied.append(time.perf_counter() - before)

        publish._copy_database = copy
        with timed(stages, "publish"):
            publish.publish_release(settings, run_id, held, quiet)
    size = settings.marts_db.stat().st_size / 1e9
    return {"stages": stages, "memory": memory_gib(), "copy": copied[0], "gigabytes": size}


def memory_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def run_reference(folder: Path, day: date) -> dict[str, object]:
    """The script over a copy of the same history; `known` is what it had kept from the night before."""
    stages: dict[str, list[float]] = {}
    settings = settings_of(folder)
    seeds = PROJECT_DIR / "dbt_project" / "seeds"
    with duckdb.connect(str(settings.marts_db)) as marts:
        marts.execute(f"attach '{settings.build_db}' as build (read_only)")
        marts.execute(
            "create table known as select * from build.intermediate.int_account__states_carried where snapshot_date ="
            " (select max(snapshot_date) from build.intermediate.int_account__states_carried)"
        )
        marts.execute("detach build; checkpoint")
        with timed(stages, "land"):
            files = {
                name: next((settings.landing / f"{name[:-1]}_snapshots").glob(f"*{day}*"))
                for name in ("accounts", "posts")
            }
            marts.execute(REFERENCE_LAND.format(folder=folder, **files))
        with timed(stages, "build"):
            known = {
                name: f"t.{name} is not null and date '{day}' - k.{name}_known_on <= 400"
                f" and k.{name}_known_on >= {since(seeds, name, day)}"
                for name in COUNTS
            }
            counts = ", ".join(
                f"t.{name}, case when t.{name} is null then 'not_captured' end as {name}_null_reason" for name in COUNTS
            )
            changes = ", ".join(
                f"case when {known[name]} then (t.{name} - k.{name}) / cast(date '{day}' - k.{name}_known_on as double)"
                f" end as {name}_change_per_day"
                for name in COUNTS
            )
            sql = REFERENCE_BUILD.format(
                folder=folder, seeds=seeds, day=day, counts=counts, changes=changes, followers_known=known["followers"]
            )
            marts.execute(sql)
            marts.execute("checkpoint")
    return {"stages": stages, "memory": memory_gib()}


def since(seeds: Path, metric: str, day: date) -> str:
    """SQL of the day since which a platform has defined a count as it does today."""
    rows = duckdb.execute(
        f"select platform, max(valid_from) from read_csv('{seeds}/metric_definitions.csv')"
        " where metric = $1 and valid_from <= $2 group by 1", [metric, day],
    ).fetchall()  # fmt: skip
    whens = " ".join(f"when '{platform}' then date '{found}'" for platform, found in rows)
    return f"case t.platform {whens} else date '0001-01-01' end" if whens else "date '0001-01-01'"


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
path, stop, times = sys.argv[1], sys.argv[2], []
while not os.path.exists(stop):
    before = time.perf_counter()
    with duckdb.connect(path, read_only=True) as marts:
        marts.execute("select tier, count(*) from marts.fct_account_daily where snapshot_date = "
                      "(select max(snapshot_date) from marts.fct_account_daily) group by all").fetchall()
    times.append(time.perf_counter() - before)
    time.sleep(0.01)
times.sort()
print(json.dumps([times[len(times) // 2], times[-1], len(times)]))
"""


def in_a_process(kind: str, folder: Path, day: date) -> dict[str, object]:
    """One night in a process of its own: imports are its own, and so is its memory."""
    command = [sys.executable, __file__, "--one", kind, "--folder", str(folder), "--day", str(day)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def history(folder: Path, days: int, accounts: int, posts: int) -> dict[str, object]:
    """Land and build so many days before the last in one pass: the time of it is that of a rebuild."""
    settings = settings_of(folder)
    for back in range(days, 0, -1):
        write_day(settings, LAST - timedelta(days=back), accounts, posts)
    return in_a_process("night", folder, LAST - timedelta(days=1))


def nights(work: Path, base: Path, pairs: int, accounts: int, posts: int) -> dict[str, list[dict[str, object]]]:
    """Pairs of a night and the script, each over a fresh copy of the history."""
    results: dict[str, list[dict[str, object]]] = {"night": [], "reference": []}
    for pair in range(pairs):
        folders = {}
        for kind in results:
            folders[kind] = work / f"{kind}{pair}"
            shutil.copytree(base, folders[kind], symlinks=True)
            write_day(settings_of(folders[kind]), LAST, accounts, posts)
        stop = work / f"stop{pair}"
        database = settings_of(folders["night"]).published / "groundswell.duckdb"
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(database), str(stop)], stdout=subprocess.PIPE, text=True
        )
        results["night"].append(in_a_process("night", folders["night"], LAST))
        stop.touch()
        results["night"][-1]["reader"] = json.loads(reader.communicate()[0])
        results["reference"].append(in_a_process("reference", folders["reference"], LAST))
        differ = differing_rows(database, settings_of(folders["reference"]).marts_db, LAST)
        assert not any(differ.values()), f"values differ: {differ}"
        print(
            f"  pair {pair + 1}: {total(results['night'][-1]):.1f} s, {total(results['reference'][-1]):.1f} s",
            flush=True,
        )
        for made in folders.values():
            shutil.rmtree(made)
    return results


def total(result: dict[str, object], at: int = 0) -> float:
    """Seconds of all stages but start-up, without the release copy."""
    stages = result["stages"]
    assert isinstance(stages, dict)
    copy = result.get("copy", 0.0) if at == 0 else 0.0
    assert isinstance(copy, float)
    return float(sum(seconds[at] for name, seconds in stages.items() if name != "start-up")) - copy


def median(results: list[dict[str, object]], stage: str, at: int) -> float:
    found = [result["stages"].get(stage, [0.0, 0.0])[at] for result in results]  # type: ignore[attr-defined]
    return statistics.median(found)


def report(
    short: dict[str, list[dict[str, object]]], rebuild: dict[str, object], given: argparse.Namespace
) -> dict[str, float]:
    """Print the table per stage; returns the figures that have a limit."""
    ours, script = short["night"], short["reference"]
    print(f"\n{'':<14} {'night wall':>11} {'cpu':>7} {'script wall':>12} {'cpu':>7}")
    for stage in ("start-up", *STAGES):
        cells = [median(side, stage, at) for side in (ours, script) for at in (0, 1)]
        print(f"{stage:<14} {cells[0]:>11.2f} {cells[1]:>7.2f} {cells[2]:>12.2f} {cells[3]:>7.2f}")
    night = statistics.median(total(result) for result in ours)
    script_seconds = statistics.median(total(result) for result in script)
    gates = sum(median(ours, stage, 0) for stage in ("land", "check landing", "check marts"))
    readers: list[Any] = [result["reader"] for result in ours]
    print(f"{'total':<14} {night:>11.2f} {'':>7} {script_seconds:>12.2f}   (without start-up and release copy)")
    middle, slowest = statistics.median(r[0] for r in readers) * 1000, max(r[1] for r in readers) * 1000
    print(f"reader during a night: median {middle:.0f} ms, slowest {slowest:.0f} ms of {sum(r[2] for r in readers)}")
    copies = [float(r["copy"]) / max(float(r["gigabytes"]), 1e-9) for r in ours]  # type: ignore[arg-type]
    return {
        "night / reference": night / script_seconds,
        "night / reference, CPU": statistics.median(total(r, 1) for r in ours)
        / statistics.median(total(r, 1) for r in script),
        "start-up, s": median(ours, "start-up", 0),
        "landing and checks / night": gates / night,
        "peak memory, GiB": max(float(r["memory"]) for r in ours),  # type: ignore[arg-type]
        "release copy, s a GB": statistics.median(copies),
        "rebuild / night": without_publish(rebuild) / statistics.median(without_publish(result) for result in ours),
        "rebuild per day / night": without_publish(rebuild)
        / given.history
        / statistics.median(without_publish(r) for r in ours),
    }


def without_publish(result: dict[str, object]) -> float:
    stages = result["stages"]
    assert isinstance(stages, dict)
    return float(sum(seconds[0] for name, seconds in stages.items() if name not in ("start-up", "publish")))


def main() -> int:
    """Exit code 1 when a figure is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts a night")
    parser.add_argument("--posts", type=int, default=100_000, help="post rows a night")
    parser.add_argument("--history", type=int, default=30, help="days before the night")
    parser.add_argument("--long-history", type=int, default=0, help="also nights after so many days, for the ratio")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--one", choices=["night", "reference"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--day", type=date.fromisoformat, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        night = given.one == "night"
        found = (
            run_night(given.folder, given.day, f"bench {given.day}")
            if night
            else run_reference(given.folder, given.day)
        )
        print(json.dumps(found))
        return 0
    print(
        f"{given.accounts:,} accounts and {given.posts:,} post rows a night,"
        f" {given.history} days before, {given.pairs} pairs"
    )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rebuild = history(work / "base", given.history, given.accounts, given.posts)
        short = nights(work, work / "base", given.pairs, given.accounts, given.posts)
        figures = report(short, rebuild, given)
        if given.long_history:
            shutil.rmtree(work / "base")
            history(work / "base", given.long_history, given.accounts, given.posts)
            long = nights(work, work / "base", given.pairs, given.accounts, given.posts)
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
