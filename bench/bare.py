"""The models of a night run bare: the statements that dbt wrote them with, in plain DuckDB, on what dbt started from.

No dbt, no data tests, no contracts, no plan and no release. What they make must be what the night made, table by table,
or the bench fails: so there is nothing here to keep in step with the models.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, TypedDict

import duckdb
import yaml

from bench.one_night import STATEMENTS, cpu_seconds, memory_gib, settings_of
from ingestion.config import Settings
from warehouse.build.dbt import DBT_PROJECT


class Bare(TypedDict):
    """Wall seconds by model and of the last checkpoint, CPU seconds of all, peak memory in GiB, differing tables."""

    models: dict[str, float]
    checkpoint: float
    cpu: float
    memory: float
    differing: list[str]


def run_bare(kept: Path, settings: Settings) -> Bare:
    """Write every model again in the databases that a night kept (`one_night.run_night`)."""
    profile = yaml.safe_load((DBT_PROJECT / "profiles.yml").read_text())["groundswell"]["outputs"]["local"]
    config: dict[str, Any] = profile["config_options"] | {"memory_limit": settings.memory_limit}
    seconds: dict[str, float] = defaultdict(float)
    with duckdb.connect(str(kept / settings.build_db.name), config=config) as build:
        build.execute(f"attach '{kept / settings.marts_db.name}' as {settings.marts_db.stem}")
        for name, value in profile["settings"].items():
            build.execute(f"set {name} = '{value}'")
        cpu = cpu_seconds()
        for model, statement in json.loads((kept / STATEMENTS).read_text()):
            before = time.perf_counter()
            build.execute(statement)
            seconds[model] += time.perf_counter() - before
        before = time.perf_counter()
        build.execute(f"checkpoint; checkpoint {settings.marts_db.stem}")
        checkpoint, cpu = time.perf_counter() - before, cpu_seconds() - cpu
    memory = memory_gib()
    return {
        "models": seconds,
        "checkpoint": checkpoint,
        "cpu": cpu,
        "memory": memory,
        "differing": differing_tables(kept, settings),
    }


def contents(database: Path) -> dict[str, tuple[int, int]]:
    """Rows and a hash of them by table of the models, whatever their order."""
    with duckdb.connect(str(database), read_only=True) as reader:
        tables = reader.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name in ('intermediate', 'marts')"
        ).fetchall()
        found = {}
        for schema, table in tables:
            row = reader.execute(f'select count(*), coalesce(sum(hash(t)), 0) from "{schema}"."{table}" t').fetchone()
            assert row is not None
            found[table] = row
    return found


def differing_tables(kept: Path, settings: Settings) -> list[str]:
    """Tables that the night and the bare run did not make alike."""
    differing = []
    for file in (settings.build_db, settings.marts_db):
        governed, bare = contents(file), contents(kept / file.name)
        differing += [name for name in governed | bare if governed.get(name) != bare.get(name)]
    return sorted(differing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of data of the night")
    parser.add_argument("--kept", type=Path, required=True, help="what that night kept")
    given = parser.parse_args()
    print(json.dumps(run_bare(given.kept, settings_of(given.folder))))


if __name__ == "__main__":
    main()
