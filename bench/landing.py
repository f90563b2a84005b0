"""Landing 1M canonical rows, as a ratio to DuckDB's own copy of the same file to Parquet, from CSV and from Parquet;
and 100,000 rows with 400 dates side by side, against DuckDB's own unpivot into a file a day, as raw has it.

`make bench-landing` (ARGS="--rows 1000000 --pairs 3 --formats csv,parquet,wide"). Both use the same disk, in turn.
Exit code 1 when a ratio of medians is above its limit.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas  # noqa: F401  # DuckDB imports it with the first parameter that it binds; a night has it long before.

from ingestion.config import Settings
from ingestion.landing import land_files

LIMITS = {"csv": 4.0, "parquet": 3.0, "wide": 3.0}
DAYS = 400
# Rows of the wide file per row of the others.
WIDE_SHARE = 0.1

# The hand-written reference: what a person would type to get the file into Parquet, without any check.
REFERENCES = {
    "csv": "copy (from read_csv('{source}')) to '{target}' (format parquet)",
    "parquet": "copy (from read_parquet('{source}')) to '{target}' (format parquet)",
    "wide": "copy (select *, cast(day as date) as snapshot_date from (unpivot (from read_csv('{source}'))"
    " on columns('^20') into name day value followers)) to '{target}' (format parquet, partition_by (snapshot_date))",
}
MAPPING = """
mapping: wide
feed: account_snapshots
pattern: "accounts.wide.csv"
unpivot: {name: day, values: {fans: '20.*'}}
columns:
  platform: {from: platform}
  account_id: {from: account_id}
  captured_at: {from: day}
  followers: {from: fans}
"""

WORLD = """
copy (
    select 'youtube' as platform, 'UC' || substr(md5(cast(i as varchar)), 1, 22) as account_id,
        {captured_at} as captured_at,
        i * 7919 % 10000000 as followers, i % 5000 as following, i % 3000 as posts, null::bigint as likes_total,
        i * 104729 % 1000000000 as views_total, 'handle_' || i as handle, 'Name, ' || i as display_name,
        'TW' as country, 'zh' as language, 'gaming' as niche
    from range({rows}) as t (i)
) to '{target}' ({options})
"""
WIDE = """
copy (
    select 'youtube' as platform, 'UC' || substr(md5(cast(i as varchar)), 1, 22) as account_id, {days}
    from range({rows}) as t (i)
) to '{target}' (header)
"""
INSTANT = "timestamp '2026-01-05 03:00:00' + to_seconds(i % 3600)"
# A CSV holds texts, a Parquet file typed columns.
CAPTURED = {"csv": f"strftime({INSTANT}, '%Y-%m-%dT%H:%M:%SZ')", "parquet": INSTANT}
OPTIONS = {"csv": "header", "parquet": "format parquet"}


def form_of(source: Path) -> str:
    """What is measured with a file."""
    return source.suffixes[0].removeprefix(".")


def write_world(form: str, rows: int, target: Path) -> int:
    """Make the file that is landed. Returns the rows that it gives."""
    if form != "wide":
        duckdb.execute(WORLD.format(rows=rows, target=target, captured_at=CAPTURED[form], options=OPTIONS[form]))
        return rows
    records = max(1, int(rows * WIDE_SHARE))
    dates = [date(2025, 1, 1) + timedelta(days=number) for number in range(DAYS)]
    days = ", ".join(f'(i * 7919 + {number} * 31) % 1000000 as "{day}"' for number, day in enumerate(dates))
    duckdb.execute(WIDE.format(rows=records, target=target, days=days))
    return records * DAYS


def time_reference(source: Path, folder: Path) -> float:
    """Seconds of DuckDB's own copy."""
    started = time.perf_counter()
    with duckdb.connect() as connection:
        form = form_of(source)
        connection.execute(REFERENCES[form].format(source=source, target=folder / "reference.parquet"))
    return time.perf_counter() - started


def time_landing(source: Path, folder: Path, rows: int) -> float:
    """Seconds of the whole landing: copy, hash, type, evaluate, raw, ledger."""
    mappings = folder / "config" / "mappings"
    mappings.mkdir(parents=True)
    (mappings / "wide.yml").write_text(MAPPING, encoding="utf-8")
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, data=folder / "data", config=folder / "config", settle_seconds=0.0
    )
    target = settings.landing / "account_snapshots" / source.name
    target.parent.mkdir(parents=True)
    target.hardlink_to(source)
    started = time.perf_counter()
    landed = land_files(settings, "bench", lambda _: None)
    seconds = time.perf_counter() - started
    assert landed.rows_accepted == rows, landed
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--formats", default="csv,parquet,wide")
    parser.add_argument("--one", choices=["reference", "landing"], help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        # A process of its own for each timing: imports are paid before the clock starts, memory is its own.
        with tempfile.TemporaryDirectory(dir=asked.source.parent) as folder:
            reference = asked.one == "reference"
            seconds = (
                time_reference(asked.source, Path(folder))
                if reference
                else time_landing(asked.source, Path(folder), asked.rows)
            )
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return 0
    within = [compare(form, asked.rows, asked.pairs) for form in asked.formats.split(",")]
    return int(not all(within))


def compare(form: str, rows: int, pairs: int) -> bool:
    """Time both in turn and print a table. Returns whether the ratio is within its limit."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"accounts.{form}{'.csv' if form == 'wide' else ''}"
        rows = write_world(form, rows, source)
        print(f"{form}: {rows:,} rows, {source.stat().st_size / 1e6:.0f} MB, {pairs} pairs", flush=True)
        seconds: dict[str, list[float]] = {"reference": [], "landing": []}
        memory: dict[str, float] = dict.fromkeys(seconds, 0.0)
        for pair in range(pairs):
            for name in seconds:
                command = [
                    sys.executable,
                    "-m",
                    "bench.landing",
                    "--rows",
                    str(rows),
                    "--one",
                    name,
                    "--source",
                    str(source),
                ]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                seconds[name].append(float(out[0]))
                memory[name] = max(memory[name], float(out[1]))
            print(f"  pair {pair + 1}: {seconds['reference'][-1]:.2f} s, {seconds['landing'][-1]:.2f} s", flush=True)
    print(f"\n{'':<12} {'median s':>9} {'rows/s':>12} {'peak MiB':>9}")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<12} {median:>9.2f} {rows / median:>12,.0f} {memory[name]:>9,.0f}")
    ratio = medians["landing"] / medians["reference"]
    print(f"\nratio {ratio:.2f}, limit {LIMITS[form]:.1f}: {'within' if ratio <= LIMITS[form] else 'ABOVE'}\n")
    return ratio <= LIMITS[form]


if __name__ == "__main__":
    sys.exit(main())
