"""Evaluate worlds with the production models: raw rows in, `dbt build`, verdicts out."""

import os
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from bench.trust.world import World
from ingestion import raw
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.lease import hold
from warehouse.build import arrivals, dbt
from warehouse.build import run as build

SELECT = ("+fct_follower_trust_daily", "+fct_follower_flag")


def quiet(_: str) -> None:
    """Say nothing."""


def evaluate(worlds: list[World], folder: Path, project: Path = dbt.DBT_PROJECT) -> duckdb.DuckDBPyConnection:
    """Build the trust marts of these worlds in a new warehouse under `folder`; a connection to what was built.

    The raw rows are written where the landed ones would be read from; from there on it is the nightly's own SQL.
    Raises RuntimeError when dbt fails.
    """
    settings = Settings(_env_file=None, data=folder / "data", settle_seconds=0.0)  # type: ignore[call-arg]
    raw.write_empty_schemas(settings)
    with hold(settings, "trust", "build_marts", quiet) as lease:
        build.build_marts(settings, "trust", date(2020, 1, 1), lease, quiet)
    with closing(duckdb.connect(str(settings.build_db))) as connection:
        _write_raw(connection, worlds)
    run_dbt(settings, folder, project)
    connection = duckdb.connect(str(settings.build_db), read_only=True)
    connection.execute(f"attach '{settings.marts_db}' as groundswell (read_only)")
    return connection


def snapshots(world: World) -> pd.DataFrame:
    """Rows of a world's accounts: one per account and day with a capture."""
    frames = []
    for curve in world.curves:
        at = np.flatnonzero(~np.isnan(curve.followers))
        columns = {"followers": curve.followers, "views_total": curve.views, "following": curve.following}
        frames.append(
            pd.DataFrame({"account_id": curve.account_id, "at": at} | {name: of[at] for name, of in columns.items()})
        )
    return pd.concat(frames)


# What every raw row has, and the counts of a frame: NaN is not captured.
COMMON = """
    $platform as platform, $first_day::date + "at"::integer as snapshot_date,
    ($first_day::date + "at"::integer) + interval 12 hour as captured_at, 'simulated' as data_origin,
    'sim' as batch_id, 'sim' as source_file, 2 as source_line, 'sim' as source_sha256, $first_day::timestamp as as_of,
    1 as arrival_order
"""


def _write_raw(connection: duckdb.DuckDBPyConnection, worlds: list[World]) -> None:
    for feed in ("account_snapshots", "post_snapshots"):
        types = raw.columns_of(load_feeds()[feed]) | arrivals.READING
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        connection.execute(f"drop view raw.{feed}; create table raw.{feed} ({columns})")
    for world in worlds:
        where = {"platform": world.platform, "first_day": world.first_day}
        counts = ", ".join(
            f"case when not isnan({name}) then {name}::bigint end as {name}"
            for name in ("followers", "views_total", "following")
        )
        _insert(connection, "account_snapshots", snapshots(world), f"account_id, {counts}", where)
        if world.posts is not None:
            columns = (
                "account_id, post_id, likes, comments, case when not isnan(views) then views::bigint end as views,"
                " $first_day::date + published::integer as published_at"
            )
            posts = world.posts.astype({"views": float})
            _insert(connection, "post_snapshots", posts, columns, where)
    connection.execute("delete from meta.plan")
    connection.execute(
        "insert into meta.plan (model, snapshot_date, reason, pass_number)"
        # What is held is told from what was held before: a day is a pass. All else is made at once.
        " select model, snapshot_date, 'evaluation',"
        " case when model = 'int_snapshot__counts_held' then dense_rank() over (order by snapshot_date) else 1 end"
        " from (select unnest($models) as model), (select distinct snapshot_date from raw.account_snapshots)",
        {"models": _windowed_models()},
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, feed: str, frame: pd.DataFrame, columns: str, where: dict[str, object]
) -> None:
    connection.register("frame", frame)
    connection.execute(f"insert into raw.{feed} by name select {COMMON}, {columns} from frame", where)
    connection.unregister("frame")


def _windowed_models() -> list[str]:
    """Names of all models: a plan for one that has no window is read by nobody."""
    return [path.stem for path in (dbt.DBT_PROJECT / "models").rglob("*.sql")]


def run_dbt(settings: Settings, folder: Path, project: Path, select: tuple[str, ...] = SELECT) -> None:
    """Build the selected models. Raises RuntimeError when dbt fails."""
    artifacts = folder / "dbt"
    done = subprocess.run(
        [
            sys.executable, "-m", "dbt.cli.main", "build", "--select", *select,
            # A test of a mart that is not made here has nothing to look at.
            "--indirect-selection", "cautious",
            "--exclude-resource-type", "unit_test", "--project-dir", str(project), "--profiles-dir", str(project),
            "--target-path", str(artifacts), "--log-path", str(artifacts / "logs"), "--no-use-colors",
            "--no-version-check",
        ],
        env={
            **os.environ,
            "GROUNDSWELL_BUILD_DB": str(settings.build_db),
            "GROUNDSWELL_MARTS_DB": str(settings.marts_db),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"dbt could not evaluate the worlds:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
