"""What a build is told before dbt runs: schema `meta` of the private build database, and the views of schema `raw`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import duckdb
import pandas as pd

from ingestion import ledger, raw
from ingestion.config import DUCKDB, DUCKDB_CONFIG, Settings
from ingestion.contracts import Feed, load_feeds, undated_feeds
from ingestion.sources.kept import short_platforms
from ingestion.sql import listed
from ingestion.user_config.load import UserConfig, kinds_of
from warehouse import plan
from warehouse.build import arrivals, passes
from warehouse.build.idle import Standing

# Columns of the checks that people acknowledged.
ACKNOWLEDGED = (
    "suite varchar, expectation varchar, subject varchar, snapshot_date date, value double, why varchar,"
    " acknowledged_by varchar, acknowledged_at timestamp"
)
# Whether rows were let go since the last run: what is made of them is made anew (`warehouse/retention.py`).
LOST_ROWS = "select 1 from duckdb_tables() where schema_name = 'meta' and table_name = 'rows_let_go'"
# Tables that are made of raw: brands' own accounts, and accounts of the collaborations that posts are linked to.
CLAIMS = {
    "own_account": """
        select distinct lower(trim(split_part(word, ':', 1))) as platform,
            trim(substr(word, strpos(word, ':') + 1)) as account_id
        from (select unnest(string_split(own_accounts, '|')) as word from raw.brands)
        where strpos(word, ':') > 0
        order by all
        """,
    "linked_account": """
        select distinct links.platform, links.post_id, agreed.account_id
        from raw.collaboration_posts as links
        inner join (
            select collaboration_id, platform, account_id from raw.collaborations
            qualify row_number() over (
                partition by collaboration_id
                order by arrival_order desc nulls last, valid_from desc nulls last, source_line desc nulls last
            ) = 1
        ) as agreed
            on links.collaboration_id = agreed.collaboration_id and links.platform = agreed.platform
        order by all
        """,
}


def model_settings(settings: Settings) -> list[tuple[Any, ...]]:
    """What models read as `meta.setting`: name and value. A change of one plans the models that read it in full."""
    return [
        ("base_currency", settings.base_currency),
        *(("left_out_posts", kind) for kind in sorted(settings.left_out_posts)),
    ]


def config_tables(config: UserConfig) -> dict[str, tuple[str, list[tuple[Any, ...]]]]:
    """Columns and rows of each table of the configuration as models read it, and the digest of each."""
    tables: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        f"config_{name}": (
            ", ".join(f"{column} {kind}" for column, kind in kinds_of(name).items()),
            list(config.rows(name)),
        )
        for name in config.names
    }
    return {**tables, "config_digest": ("name varchar, digest varchar", list(config.digests.items()))}


def planned_parts(
    run_plan: plan.Plan, models: Iterable[plan.Model], files: Iterable[ledger.StoredFile], most_rows: float
) -> list[tuple[str, str, str, int]]:
    """Model, planned date, reason and pass; of a model by months the first day of each month.

    Args:
        most_rows: raw rows of planned days that a pass may hold.
    """
    rows_of_feeds: dict[str, Counter[str]] = {}
    for file in files:
        rows_of_feeds.setdefault(file.feed, Counter())[file.snapshot_date] += file.rows
    planned = []
    for model in models:
        reasons: dict[str, str] = {}
        rows: Counter[str] = Counter()
        for day, why in run_plan.dates.get(model.name, {}).items():
            part = model.part.first_day(day) if model.part else day
            reasons.setdefault(part, why)
            rows[part] += sum(
                held[day] for feed, held in rows_of_feeds.items() if model.feeds is None or feed in model.feeds
            )
        # A checkpoint goes on from itself, and holds one row per account or post however many days it takes in.
        most = most_rows / model.row_weight if not model.absorbs else float("inf")
        numbers = passes.passes(reasons, rows, most, model.reads_back, model.days_in_one_pass)
        planned += [(model.name, part, why, numbers[part]) for part, why in reasons.items()]
    return planned


def write_meta(
    settings: Settings,
    config: UserConfig,
    run_plan: plan.Plan,
    models: list[plan.Model],
    version_now: str,
    was_published: bool = False,
) -> Standing:
    """Write the run, its plan and what it may see into the build database; returns what stands there otherwise.

    What is planned in full is dropped, and so is a relation that no model owns; after rows were let go also a table
    whose rows are made anew by key, for no plan tells of those.

    Args:
        was_published: the run that the build held before has published.
    """
    with ledger.read(settings) as connection:
        stored = ledger.accepted_raw_files(connection)
        arrived, key_files = arrivals.rows_of(connection), ledger.key_files(connection)
        landed = ledger.landed_files(connection)
        checks = ledger.all_checks(connection)
        publications = ledger.publications(connection)
        captures = ledger.captures_by_day(connection)
        acknowledged = ledger.acknowledged(connection)
        frozen = ledger.days_of_derived(connection)
    files = [
        file for file in stored if file.snapshot_date <= str(run_plan.build_through) or file.feed in undated_feeds()
    ]
    planned, feeds = set(run_plan.all_dates), load_feeds()
    visible = [file for file in files if feeds[file.feed].visible == "all_days" or file.snapshot_date in planned]
    counting = {row[0] for row in arrived}
    key_files = [file for file in key_files if file[2] in counting]
    raw.verify(settings, [*(file.seal for file in visible), *key_files], run_plan.run_id)
    replaced = [file for file in visible if feeds[file.feed].visible == "planned_days"]

    first, last = run_plan.window
    tables: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "run": (
            "run_id varchar, day date, build_through_date date, window_start date, window_end date,"
            " code_version varchar",
            [(run_plan.run_id, str(run_plan.day), str(run_plan.build_through), first, last, version_now)],
        ),
        "plan": (
            "model varchar, snapshot_date date, reason varchar, pass_number integer",
            planned_parts(run_plan, models, replaced, passes.ROWS_PER_GIB * settings.usable_memory_gib),
        ),
        "part_column": (
            "model varchar, part_column varchar, part_by varchar",
            [(model.name, model.part.column, model.part.by) for model in models if model.part],
        ),
        "setting": ("name varchar, value varchar", model_settings(settings)),
        "config_retention": ("platform varchar", [(platform,) for platform in short_platforms(settings)]),
        "frozen": ("platform varchar, snapshot_date date", frozen),
        **config_tables(config),
        **(
            {}
            if settings.engine == DUCKDB
            else {
                "visible_file": (
                    "feed varchar, path varchar, rows bigint",
                    [(file.feed, file.path, file.rows) for file in visible],
                )
            }
        ),
        "raw_file": (
            "path varchar, sha256 varchar, batch_id varchar, feed varchar, snapshot_date date, rows bigint",
            [tuple(file) for file in files],
        ),
        "arrival": (arrivals.COLUMNS, arrived),
        "landed_file": (
            "sha256 varchar, feed varchar, mapping varchar, file varchar, landed_at timestamp, rows_read bigint,"
            " rows_accepted bigint, rows_quarantined bigint, rows_duplicate bigint, state varchar, reason varchar,"
            " batch_id varchar, run_id varchar",
            [tuple(row) for row in landed],
        ),
        "quality_result": (
            "run_id varchar, suite varchar, expectation varchar, severity varchar, observed varchar,"
            " threshold varchar, passed boolean, detail varchar, checked_at timestamp, is_acknowledged boolean",
            [tuple(row) for row in checks],
        ),
        "acknowledged_checks": (
            ACKNOWLEDGED,
            [tuple(row) for row in acknowledged],
        ),
        "capture": (
            "source varchar, platform varchar, snapshot_date date, kind varchar, outcome varchar, targets bigint,"
            " calls bigint, units bigint, money decimal(18,6)",
            [tuple(row) for row in captures],
        ),
        "publication": (
            "release_id varchar, mart varchar, run_id varchar, window_start date, window_end date,"
            " published_at timestamp, row_count bigint, content_hash varchar, code_version varchar",
            [tuple(row) for row in publications],
        ),
    }
    with closing(duckdb.connect(str(settings.build_db), config=DUCKDB_CONFIG)) as build:
        build.execute(f"attach '{settings.marts_db}' as groundswell")
        has_lost_rows = bool(build.execute(LOST_ROWS).fetchone())
        build.execute("drop table if exists meta.rows_let_go")
        (build_through, version_before), columns_before = _last_run(build), _input_columns(build)
        build.execute("begin")
        build.execute("create schema if not exists meta; create schema if not exists raw")
        if run_plan.changed:
            # dbt copies a seed into the table that is there, whatever its columns: seeds are made anew.
            build.execute("drop schema if exists seeds cascade")
        for name, (columns, rows) in tables.items():
            build.execute(f"create or replace table meta.{name} ({columns})")
            if rows:
                frame = pd.DataFrame(rows, columns=[part.split()[0] for part in columns.split(", ")], dtype=object)
                build.register("frame", frame)
                build.execute(f"insert into meta.{name} select * from frame")
                build.unregister("frame")
        for view in source_views(settings, visible, key_files):
            build.execute(view)
        for name, query in CLAIMS.items():
            build.execute(f"create or replace table meta.{name} as {query}")
        build.execute("commit")
        owned = {model.name for model in models if not (has_lost_rows and model.renewed)} - set(run_plan.changed)
        standing = relations(build)
        for name, (relation, kind) in standing.items():
            if name not in owned:
                build.execute(f"drop {kind} {relation} cascade")
        stands = {
            name: kind == "view" or _has_rows(build, relation)
            for name, (relation, kind) in standing.items()
            if name in owned
        }
        is_same_code = version_before == version_now and _input_columns(build) == columns_before and not has_lost_rows
        return Standing(was_published and is_same_code, stands, build_through)


def source_views(
    settings: Settings, files: Iterable[ledger.StoredFile], key_files: Iterable[tuple[str, str, str]]
) -> Iterator[str]:
    """The views of schema `raw` over these files, each row with its batch's arrivals, and that of keys not loaded."""
    paths: dict[str, list[str]] = {}
    for file in files:
        paths.setdefault(file.feed, []).append(file.path)
    keys = raw.stored(raw.KEY_COLUMNS, (settings.raw / path for path, _, _ in key_files))
    yield f"create or replace view meta.set_aside_key as select * from {keys}"
    for name, feed in load_feeds().items():
        # The file without rows has all columns of today, and is there where nothing else is.
        stored = listed(str(settings.raw / path) for path in (f"{name}/_schema.parquet", *paths.get(name, [])))
        yield (
            f"create or replace view raw.{name} as select {_raw_columns(feed)}"
            f" from read_parquet([{stored}], union_by_name = true, hive_partitioning = false) as landed"
            f" left join meta.arrival on landed.batch_id = arrival.batch_id and {counting_arrivals(feed)}"
        )


def _last_run(build: duckdb.DuckDBPyConnection) -> tuple[str | None, str | None]:
    """The last day that the build before was built up to, and its code; null before the first."""
    try:
        row = build.execute("select cast(build_through_date as varchar), code_version from meta.run").fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        row = None
    return row or (None, None)


def _input_columns(build: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Columns and types of what models are made from: a view over others must be made anew."""
    return build.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
        " where table_catalog = current_catalog() and table_schema in ('meta', 'raw') order by all"
    ).fetchall()


def relations(build: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Name of every relation of the models, with its whole name and whether it is a table or a view."""
    found = build.execute(
        "select table_name, table_catalog, table_schema, case table_type when 'VIEW' then 'view' else 'table' end"
        " from information_schema.tables where table_schema in ('staging', 'intermediate', 'marts')"
    ).fetchall()
    return {name: (f'"{catalog}"."{schema}"."{name}"', kind) for name, catalog, schema, kind in found}


def replaced_columns(feed: Feed) -> dict[str, str]:
    """Columns of raw that are shown as another expression; `landed` is the stored row, beside its `arrival`.

    A count that a file was landed before is null for the reason of one that the file lacks.
    """
    reasons = {
        f"{name}_null_reason": f"coalesce(landed.{name}_null_reason, case when landed.{name} is null then"
        " 'unsupported' end)"
        for name in feed.counts
    }
    return reasons | {"as_of": "coalesce(arrival.as_of, landed.as_of)"}


def _raw_columns(feed: Feed) -> str:
    """All columns of raw as models see them, with what is told of their arrival."""
    replaced = ", ".join(f"{expression} as {name}" for name, expression in replaced_columns(feed).items())
    told = ", ".join(f"arrival.{name}" for name in arrivals.READING)
    return f"landed.* replace ({replaced}), {told}"


def counting_arrivals(feed: Feed) -> str:
    """Which comings of a row count: rows that carry their own instant say the same each time."""
    return "arrival.is_last" if feed.time else "true"


def _has_rows(build: duckdb.DuckDBPyConnection, relation: str) -> bool:
    return build.execute(f"select 1 from {relation} limit 1").fetchone() is not None
