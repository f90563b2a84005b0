"""Build the models of one run on Spark, from the same raw files, and read the result back for the same gates.

Spark reaches raw and its own Parquet by path, so `GROUNDSWELL_DATA` lies where all its workers and this machine see it.
What a run is and may see goes over as Parquet files (schema `meta`, seeds); raw files are read where they lie, those
alone that the run may see. Spark's tables of schemas `staging`, `intermediate` and `marts` stand between runs. DuckDB
reads marts into the private marts file, and shows the others as views over their Parquet parts.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ingestion import ledger, raw
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.errors import ContractError
from ingestion.sources.kept import short_platforms
from ingestion.sql import quote
from warehouse.build import arrivals, dbt, meta

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Name of each relation of the models, with its whole name and its kind (`meta.relations`).
Standing = Mapping[str, tuple[str, str]]

TARGET = "spark"
DATABASES = ("staging", "intermediate", "marts")
# Schemas of sources, which a run writes anew.
SENT = ("meta", "seeds")
# Name of the folder of raw, which no path within it holds again.
RAW = "raw"
# Files that a run may see; the views of schema `raw` take rows of no others.
VISIBLE = "visible_file"


@contextmanager
def connected(settings: Settings) -> Iterator[Any]:
    """A cursor of the Thrift server.

    Raises ContractError when there is none, with the remedy, and when Spark cannot do what it is asked.
    """
    try:
        from pyhive import exc, hive
    except ImportError as error:
        raise ContractError(
            "models are to be built on Spark, and what speaks to it is not installed: run `make .venv/.spark`"
        ) from error
    where = f"{settings.spark_host}:{settings.spark_port}"
    try:
        connection = hive.connect(
            settings.spark_host, settings.spark_port, username="groundswell", configuration=dict(session_settings())
        )
    except Exception as error:
        raise ContractError(
            f"Spark's Thrift server does not answer at {where}: start it (`groundswell spark start`), or say where it"
            " is by GROUNDSWELL_SPARK_HOST and GROUNDSWELL_SPARK_PORT; nothing is built, the last release stands"
        ) from error
    with closing(connection), closing(connection.cursor()) as cursor:
        try:
            yield cursor
        except exc.Error as error:
            raise ContractError(
                f"Spark fails: {_complaint(error)}; nothing is published, the last release stands"
            ) from error


def _complaint(error: Exception) -> str:
    """The first line of what Spark says, which PyHive hands on as the whole of its answer."""
    answer = error.args[0] if error.args else error
    said = getattr(getattr(answer, "status", None), "errorMessage", None) or getattr(answer, "errorMessage", None)
    return str(said or error).partition("\n")[0]


def session_settings() -> dict[str, str]:
    """Under which Spark reads the models' SQL as DuckDB does; `profiles.yml` has the same for dbt."""
    import yaml

    profiles = yaml.safe_load((dbt.DBT_PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    return dict(profiles["groundswell"]["outputs"][TARGET]["server_side_parameters"])


def home_of(settings: Settings) -> Path:
    """Where Spark on this machine runs, keeps its tables and spills, and where sources are given to any Spark."""
    return settings.data / "build" / "spark"


def remove_rows(settings: Settings) -> None:
    """Remove what was given to Spark and made by it; what Spark spills stays its own while it runs."""
    for held in ("warehouse", "sources"):
        shutil.rmtree(home_of(settings) / held, ignore_errors=True)


def stands_for(settings: Settings, run_id: str | None) -> bool:
    """Whether Spark's tables are those of the run that the private databases were last built for, as it left them."""
    left = _left_by_last_run(settings)
    with connected(settings) as spark:
        from pyhive.exc import Error

        try:
            run = _rows(spark, "select run_id from meta.run")
        except Error:
            # It knows no such table, or its file is gone: whatever stands there is of no use.
            return False
        return run == [(run_id,)] and left.exists() and left.read_text() == _files_of(_home_of_tables(spark))


def _left_by_last_run(settings: Settings) -> Path:
    """Where the last run that came to its end wrote down which files it left."""
    return home_of(settings) / "sources" / "left_by_last_run.txt"


def _write_down_what_is_left(spark: Any, settings: Settings) -> None:
    _left_by_last_run(settings).write_text(_files_of(_home_of_tables(spark)))


def _files_of(home: Path) -> str:
    """A line for each Parquet part that stands, with its size: a part more, less or cut is another text."""
    parts = (path for database in DATABASES for path in (home / f"{database}.db").rglob("*.parquet"))
    return "\n".join(sorted(f"{path.relative_to(home)} {path.stat().st_size}" for path in parts))


def _home_of_tables(spark: Any) -> Path:
    return Path(_rows(spark, "set spark.sql.warehouse.dir")[0][1].removeprefix("file:"))


def build(
    manifest: "Manifest",
    of_spark: "Manifest",
    settings: Settings,
    fresh: bool,
    changed: Collection[str],
    owned: Collection[str],
    idle: set[str],
    on_node: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Build all that is not idle; one dict per node, as `dbt.run_dbt` gives them.

    Args:
        manifest: of DuckDB, whose seeds and views are made; `of_spark`, whose models are.
        fresh: nothing that stands on Spark is of use.
        changed: models that are made anew in full.
        owned: all models of the project, also those that both manifests leave out.
        idle: unique ids of nodes that are left alone.

    Raises ContractError where a source may keep its rows for some days only, and where days were let go before: what is
    let go is let go on DuckDB alone.
    """
    with ledger.read(settings) as connection:
        let_go = {platform for platform, _ in ledger.days_of_derived(connection)}
    if kept := sorted({*short_platforms(settings), *let_go}):
        raise ContractError(
            f"rows of {', '.join(kept)} may be kept for some days only, and those of Spark are not let go: build them"
            " with GROUNDSWELL_ENGINE=duckdb"
        )
    tables = {
        unique_id: node
        for unique_id, node in manifest.nodes.items()
        if node.resource_type == "model" and node.config.materialized != "view"
    }
    seeds = {unique_id for unique_id, node in manifest.nodes.items() if node.resource_type == "seed"}
    results = _run_dbt(manifest, settings, on_node, set(manifest.nodes) - seeds | idle)
    with connected(settings) as spark:
        _send_sources(spark, settings)
        _require_all_seen(spark)
        _drop_stale(spark, _home_of_tables(spark), owned, fresh, changed)
    others = {unique_id for unique_id, node in of_spark.nodes.items() if node.resource_type != "model"}
    # What is a view here and a table there shows the run's own days: a view that is left alone does so by itself.
    left = {name for name in idle & set(of_spark.nodes) if _made_as(of_spark, name) == _made_as(manifest, name)}
    results += _run_dbt(of_spark, settings, on_node, others | left, TARGET)
    failed = {result["name"] for result in results if result["status"] != "success"}
    made = [node for unique_id, node in tables.items() if unique_id not in idle and node.name not in failed]
    with connected(settings) as spark:
        _read_back(spark, settings, made)
        _write_down_what_is_left(spark, settings)
    if failed:
        # A test of what is not made has nothing to read.
        left_out = set(manifest.nodes) - seeds - set(tables) - idle
        return results + [dbt.row_of(manifest.nodes[unique_id], "skipped") for unique_id in sorted(left_out)]
    return results + _run_dbt(manifest, settings, on_node, seeds | set(tables) | idle)


def _made_as(manifest: "Manifest", unique_id: str) -> str:
    return str(manifest.nodes[unique_id].config.materialized)


def _run_dbt(
    manifest: "Manifest", settings: Settings, on_node: Callable[[str], None], left: set[str], target: str | None = None
) -> list[dict[str, Any]]:
    """As `dbt.run_dbt`, where anything is left to run."""
    return [] if left >= set(manifest.nodes) else dbt.run_dbt(manifest, settings, on_node, left, target)


def _send_sources(spark: Any, settings: Settings) -> None:
    """Give Spark the tables of `meta` and the seeds as Parquet, and views over the raw files of the run."""
    folder = home_of(settings) / "sources"
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        listed = build.execute(
            "select table_schema, table_name from information_schema.tables where table_schema in ('meta', 'seeds')"
            " order by all"
        ).fetchall()
        for schema in (*SENT, "raw", "raw_folder", *DATABASES):
            spark.execute(f"create database if not exists {schema}")
        for schema, name in listed:
            held = folder / schema / name
            held.mkdir(parents=True, exist_ok=True)
            for file in held.glob("*.parquet"):
                file.unlink()
            build.execute(f"copy {schema}.{name} to {quote(str(held / 'rows.parquet'))} (format parquet)")
            spark.execute(f"drop table if exists {schema}.{name}")
            spark.execute(f"create table {schema}.{name} using parquet location {quote(held.absolute().as_uri())}")
    for name, feed in load_feeds().items():
        columns = raw.columns_of(feed)
        described = ", ".join(f'"{column}" {spark_type(kind)}' for column, kind in columns.items())
        home = settings.raw / name
        home.mkdir(parents=True, exist_ok=True)
        spark.execute(f"drop table if exists raw_folder.{name}")
        spark.execute(
            f"create table raw_folder.{name} ({described}) using parquet options (recursiveFileLookup 'true')"
            f" location {quote(home.absolute().as_uri())}"
        )
        spark.execute(f"create or replace view raw.{name} as {_raw_view(name, feed)}")


def _raw_view(name: str, feed: Feed) -> str:
    """As `meta.source_views` shows a feed to DuckDB; of a folder that holds rejected and orphan files as well."""
    replaced = meta.replaced_columns(feed)
    shown = ", ".join(f"{replaced.get(column, f'landed.{column}')} as {column}" for column in raw.columns_of(feed))
    told = ", ".join(f"arrival.{column}" for column in arrivals.READING)
    return (
        f"select {shown}, {told} from raw_folder.{name} as landed"
        f" left join meta.arrival on landed.batch_id = arrival.batch_id and {meta.counting_arrivals(feed)}"
        f" where substring_index(landed._metadata.file_path, '/{RAW}/', -1)"
        f" in (select path from meta.{VISIBLE} where feed = '{name}')"
    )


def _require_all_seen(spark: Any) -> None:
    """Require that Spark reads as many rows of each feed as the ledger has of the files that the run may see.

    Raises ContractError naming the feeds: it would build marts of what it finds, and some are well with no rows at all.
    """
    read = " union all ".join(f"select '{name}' as feed, count(*) as rows from raw.{name}" for name in load_feeds())
    differing = _rows(
        spark,
        f"select read.feed, read.rows, coalesce(told.rows, 0) from ({read}) as read left join"
        f" (select feed, sum(rows) as rows from meta.{VISIBLE} group by feed) as told on read.feed = told.feed"
        " where read.rows <> coalesce(told.rows, 0) order by read.feed",
    )
    if differing:
        listed = "; ".join(f"{feed}: {read:,} rows read, {told:,} landed" for feed, read, told in differing)
        raise ContractError(
            f"Spark does not read what is landed ({listed}): its workers see GROUNDSWELL_DATA under the path that it"
            " has here; nothing is built, the last release stands"
        )


def _drop_stale(spark: Any, home: Path, owned: Collection[str], fresh: bool, changed: Collection[str]) -> None:
    """Drop what no model owns, what is planned in full, and all of it where nothing is of use.

    A folder without a table goes too: a table that was not made to its end leaves one, and Spark makes none over it.
    """
    for database in DATABASES:
        views = {row[1] for row in _rows(spark, f"show views in {database}")}
        standing = set()
        for _, name, _ in _rows(spark, f"show tables in {database}"):
            if fresh or name not in owned or name in changed:
                spark.execute(f"drop {'view' if name in views else 'table'} {database}.{name}")
            else:
                standing.add(name)
        for folder in (home / f"{database}.db").glob("*"):
            if folder.name not in standing:
                shutil.rmtree(folder)


def _read_back(spark: Any, settings: Settings, made: Iterable[Any]) -> None:
    """Show what Spark made to DuckDB: marts as tables under their contracts, others as views over the Parquet."""
    home = _home_of_tables(spark)
    with closing(duckdb.connect(str(settings.build_db), config=DUCKDB_CONFIG)) as build:
        build.execute(f"attach {quote(str(settings.marts_db))} as groundswell")
        standing = meta.relations(build)
        # One transaction for each file, for DuckDB writes to one database in a transaction: marts come last.
        ordered = sorted(made, key=lambda node: node.schema == "marts")
        writing = None
        for node in ordered:
            if writing != (writes := node.schema == "marts"):
                build.execute("begin" if writing is None else "commit; begin")
                writing = writes
            parquet = _parquet(home / f"{node.schema}.db" / node.name, _described(spark, f"{node.schema}.{node.name}"))
            if node.schema == "marts":
                _replace_mart(build, node, parquet, standing)
            else:
                build.execute(f"create schema if not exists {node.schema}")
                _drop(build, node, standing)
                build.execute(f'create view "{node.schema}"."{node.name}" as {parquet}')
        if ordered:
            build.execute("commit")


def _replace_mart(build: duckdb.DuckDBPyConnection, node: Any, parquet: str, standing: Standing) -> None:
    """Of a windowed mart that stands its planned parts, of any other all rows; in one transaction with the others."""
    build.execute("create schema if not exists groundswell.marts")
    mart, planned = f'groundswell.marts."{node.name}"', "true"
    if node.config.materialized == "incremental" and node.name in standing:
        column = node.config.meta.get("part_column", "snapshot_date")
        part = f"cast(date_trunc('month', {column}) as date)" if node.config.meta.get("part_by") == "month" else column
        planned = f"{part} in (select snapshot_date from meta.plan where model = '{node.name}')"
        build.execute(f"delete from {mart} where {planned}")
    else:
        _drop(build, node, standing)
        declared = ", ".join(f'"{column.name}" {column.data_type}' for column in node.columns.values())
        build.execute(f"create table {mart} ({declared})")
    build.execute(f"insert into {mart} by name select * from ({parquet}) where {planned}")


def _drop(build: duckdb.DuckDBPyConnection, node: Any, standing: Standing) -> None:
    if node.name in standing:
        relation, kind = standing[node.name]
        build.execute(f"drop {kind} {relation}")


def _parquet(folder: Path, columns: dict[str, str]) -> str:
    """SQL of a table's Parquet parts, with the types that Spark has for it. A part stands in the name of its folder."""
    if not any(folder.rglob("*.parquet")):
        empty = ", ".join(f'cast(null as {duckdb_type(kind)}) as "{name}"' for name, kind in columns.items())
        return f"select {empty} where false"
    shown = ", ".join(f'cast("{name}" as {duckdb_type(kind)}) as "{name}"' for name, kind in columns.items())
    files = quote(f"{folder}/**/*.parquet")
    return f"select {shown} from read_parquet({files}, hive_partitioning = true, hive_types_autocast = false)"


def _described(spark: Any, relation: str) -> dict[str, str]:
    """Columns of a table with their types."""
    rows = _rows(spark, f"describe {relation}")
    columns = {}
    for name, kind, _ in rows:
        if not name or name.startswith("#"):
            break
        columns[name] = kind
    return columns


def spark_type(kind: str) -> str:
    """Spark's name of a type of raw."""
    return {"varchar": "string", "timestamp": "timestamp_ntz"}.get(kind, kind)


def duckdb_type(kind: str) -> str:
    """DuckDB's name of a type of Spark."""
    return {"string": "varchar", "timestamp_ntz": "timestamp", "int": "integer"}.get(kind, kind)


def _rows(spark: Any, query: str) -> list[tuple[Any, ...]]:
    spark.execute(query)
    return [tuple(row) for row in spark.fetchall()]
