"""The hand-written script of a night's core, over a copy of the same history, in a process of its own.

`bench/night_*.sql` lands both feeds, makes the marts of `CORE` and keeps what its next night needs; nothing else. What
it had kept from the nights before, it reads where the warehouse keeps it. The night's rows of these marts must be equal
to the warehouse's, value for value, or the bench fails.
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import TypedDict

import duckdb

from bench.one_night import memory_gib, settings_of, timed
from ingestion.config import Settings

# What a person would type for one night, in order; each part is a file of this folder.
LANDING = "night_land"
PARTS = ("night_accounts", "night_tiers", "night_posts", "night_rates", "night_kept")
# What the script must keep for the next night besides what `night_kept` makes; the rest of it is in the marts.
KEPT = ("today_account", "new_post", "began")
# Where a row came from is the warehouse's own.
LINEAGE = ("batch_id", "source_file", "source_line")
OF_THE_NIGHT = "snapshot_date = date '{day}'"
# The marts that the script makes, and which rows of each are the night's.
CORE = {
    "dim_account": "last_seen_date is not null",
    "dim_account_tier_history": "true",
    "fct_account_daily": OF_THE_NIGHT,
    "fct_account_engagement_daily": OF_THE_NIGHT,
    "fct_account_tier_daily": OF_THE_NIGHT,
    "fct_post_daily": OF_THE_NIGHT,
    "fct_tier_graduation": "true",
}


class Reference(TypedDict):
    """Wall and CPU seconds of landing and of the rest, peak memory in GiB, and differing rows by mart."""

    stages: dict[str, list[float]]
    memory: float
    differing: dict[str, int]


def run_reference(settings: Settings, day: date, night: Settings) -> Reference:
    """Run the script in the marts of a copy of the history, and compare it with the night of another copy."""
    stages: dict[str, list[float]] = {}
    values = {"$night": f"date '{day}'", "$folder": str(settings.data)}
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
    memory, published = memory_gib(), night.published / "groundswell.duckdb"
    return {"stages": stages, "memory": memory, "differing": differing_rows(published, settings.marts_db, day)}


def script(part: str, values: dict[str, str]) -> str:
    """The SQL of a part with this night's values."""
    sql = Path(__file__).with_name(f"{part}.sql").read_text()
    for name, value in values.items():
        sql = sql.replace(name, value)
    return sql


def nine_digits(column: str) -> str:
    """A double of the script as the warehouse's macro `significant` says it; a person would write all digits."""
    units = f"power(10, greatest(8 - floor(log10(abs({column}) + 1e-14)), 0))"
    return f"round({column} * {units} + sign({column}) * 0.0001) / {units}"


def differing_rows(ours: Path, reference: Path, day: date) -> dict[str, int]:
    """Rows of each mart that are in one of the two alone, as of the night."""
    with duckdb.connect() as both:
        both.execute(f"attach '{ours}' as ours (read_only); attach '{reference}' as reference (read_only)")
        found = {}
        for mart, only in CORE.items():
            types = {
                row[0]: row[1]
                for row in both.execute(f"describe ours.marts.{mart}").fetchall()
                if row[0] not in LINEAGE
            }
            written = [nine_digits(name) if kind == "DOUBLE" else name for name, kind in types.items()]
            sides = [
                f"select {', '.join(columns)} from {side}.marts.{mart} where {only.format(day=day)}"
                for side, columns in (("ours", types), ("reference", written))
            ]
            row = both.execute(
                f"select (select count(*) from ({sides[0]} except all {sides[1]})),"
                f" (select count(*) from ({sides[1]} except all {sides[0]})), (select count(*) from ({sides[0]}))"
            ).fetchone()
            assert row is not None
            assert row[2], f"{mart} is empty"
            found[mart] = row[0] + row[1]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of data, a copy of the history")
    parser.add_argument("--night", type=Path, required=True, help="folder of data of the night to compare with")
    parser.add_argument("--day", type=date.fromisoformat, required=True)
    given = parser.parse_args()
    print(json.dumps(run_reference(settings_of(given.folder), given.day, settings_of(given.night))))


if __name__ == "__main__":
    main()
