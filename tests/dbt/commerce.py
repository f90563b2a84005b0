"""The commerce models on rows of one's own, in memory: dbt's compiled SQL, run in its order without dbt.

A world of a few orders is built in a fraction of a second, so that a property can be tried on many of them: a model is
made when a query names it, or one that is made from it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ingestion import ledger
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.raw import KEY_COLUMNS, columns_of
from ingestion.user_config.load import load
from warehouse.build import arrivals
from warehouse.build.dbt import DBT_PROJECT
from warehouse.build.meta import ACKNOWLEDGED, CLAIMS, config_tables, source_views

Rows = Iterable[Mapping[str, Any]]
RAW_DEFAULTS = {
    "data_origin": "observed", "as_of": "2026-01-01 00:00:00", "source_sha256": "00", "source_line": 1,
    "mapping": "canonical", "scope": "{}", "written_at": "2026-01-01 00:00:00", "arrival_order": 1, "is_signed": False,
    "batch_id": "b",
}  # fmt: skip
# The domains of money, and the mart that lists what is wrong with its records.
MONEY = (
    "core", "order", "attribution", "commission", "spend", "returns", "pricing", "dim_collaboration_version",
    "fct_commerce_issue",
)  # fmt: skip


class Compiled:
    """The models of some domains of the project, with everything that they are made from, as SQL in order."""

    def __init__(self, manifest: dict[str, Any], folder: Path, domains: Iterable[str] = MONEY) -> None:
        nodes = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")}
        wanted: dict[str, None] = {}

        def add(name: str) -> None:
            if name in nodes and name not in wanted:
                for parent in nodes[name]["depends_on"].get("nodes", []):
                    add(parent)
                wanted[name] = None

        for name, node in nodes.items():
            if set(domains) & set(node["fqn"]):
                add(name)
        texts = {path.stem: path.read_text() for path in folder.rglob("*.sql")}
        self.seeds = [nodes[name] for name in wanted if nodes[name]["resource_type"] == "seed"]
        self.models = [
            (nodes[name], texts[nodes[name]["name"]]) for name in wanted if nodes[name]["resource_type"] == "model"
        ]
        self.made_from: dict[str, set[str]] = {}
        for node, _ in self.models:
            parents = {nodes[name]["name"] for name in node["depends_on"].get("nodes", []) if name in nodes}
            self.made_from[node["name"]] = parents.union(*(self.made_from.get(parent, set()) for parent in parents))


class World:
    """A warehouse in memory. `build` may be called again with other rows."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.waiting: set[str] = set()
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("set threads = 2; attach ':memory:' as build; attach ':memory:' as groundswell")
        for schema in (
            "build.raw",
            "build.meta",
            "build.seeds",
            "build.staging",
            "build.intermediate",
            "groundswell.marts",
        ):
            self.connection.execute(f"create schema {schema}")
        for seed in compiled.seeds:
            types = seed["config"]["column_types"]
            columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
            self.connection.execute(
                f"create table build.seeds.{seed['name']} as select * from read_csv("
                f"'{DBT_PROJECT / seed['original_file_path']}', header = true, columns = {{{columns}}})"
            )

        for name, (columns, rows) in config_tables(load(Settings(_env_file=None))).items():  # type: ignore[call-arg]
            self.connection.execute(f"create table build.meta.{name} ({columns})")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                self.connection.executemany(f"insert into build.meta.{name} values ({marks})", rows)

    def build(self, feeds: Mapping[str, Rows], as_of: date, base: str = "USD") -> "World":
        """Make all models from rows of the feeds; cells are texts as in a file, and what is left out is empty."""
        self._lay(feeds, as_of, base)
        self._make_models_anew()
        return self

    def _lay(self, feeds: Mapping[str, Rows], as_of: date, base: str) -> None:
        """Schemas `meta` and `raw` with these rows."""
        run = self.connection.execute
        views = "select schema_name, view_name from duckdb_views() where database_name = 'build' and not internal"
        for schema, name in self.query(f"{views} and schema_name in ('raw', 'meta')"):
            run(f"drop view build.{schema}.{name}")
        run("create or replace table build.meta.setting (name varchar, value varchar)")
        run("create or replace table build.meta.config_retention (platform varchar)")
        run("insert into build.meta.setting values ('base_currency', ?)", [base])
        run(
            "create or replace table build.meta.run as select 'test' as run_id, ?::date as day, ?::date as build_through_date",
            [as_of] * 2,
        )
        run(
            "create or replace table build.meta.plan"
            " (model varchar, snapshot_date date, reason varchar, pass_number integer)"
        )
        run(f"create or replace table build.meta.acknowledged_checks ({ACKNOWLEDGED})")
        run(f"create or replace table build.meta.arrival ({arrivals.COLUMNS})")
        keys = ", ".join(f"{name} {kind}" for name, kind in KEY_COLUMNS.items())
        run(f"create or replace table build.meta.set_aside_key ({keys})")
        for name in load_feeds():
            self._land(name, list(feeds.get(name, ())), as_of)

    def build_landed(self, settings: Settings, as_of: date) -> "World":
        """Make all models from what is landed in a data folder, as a build would see it."""
        self._lay({}, as_of, "USD")
        with ledger.read(settings) as connection:
            arrived = arrivals.rows_of(connection)
            files = [file for file in ledger.accepted_raw_files(connection) if file.snapshot_date <= str(as_of)]
            keys = [file for file in ledger.key_files(connection) if file[2] in {row[0] for row in arrived}]
        run = self.connection.execute
        run("use build")
        for name in load_feeds():
            run(f"drop table raw.{name}")
        run("drop table meta.set_aside_key")
        for row in arrived:
            run(f"insert into meta.arrival values ({', '.join('?' * len(row))})", row)
        for view in source_views(settings, files, keys):
            run(view)
        self._make_models_anew()
        return self

    def _make_models_anew(self) -> None:
        self.connection.execute("use build")
        for name, query in CLAIMS.items():
            self.connection.execute(f"create or replace table build.meta.{name} as {query}")
        self.waiting = set(self.compiled.made_from)

    def _make(self, names: set[str]) -> None:
        """Make these models and those that they are made from, where they wait for it."""
        wanted = self.waiting & names.union(*(self.compiled.made_from[name] for name in names))
        self.waiting -= wanted
        for node, sql in self.compiled.models:
            if node["name"] not in wanted:
                continue
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            target = f"{node['database']}.{node['schema']}.{node['name']}"
            if node["config"]["meta"].get("reads_itself"):
                columns = ", ".join(f"{column['name']} {column['data_type']}" for column in node["columns"].values())
                self.connection.execute(f"create or replace table {target} ({columns})")
            self.connection.execute(f"create or replace {kind} {target} as {sql}")

    def _land(self, name: str, rows: list[Mapping[str, Any]], as_of: date) -> None:
        feed = load_feeds()[name]
        columns = columns_of(feed) | arrivals.READING
        declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.connection.execute(f"create or replace table build.raw.{name} ({declared})")
        full = []
        # Deliveries came in the order of what they are as of.
        arrived = sorted({tuple({**RAW_DEFAULTS, **row}[name] for name in ("as_of", "source_sha256")) for row in rows})
        for row in rows:
            cells = {**RAW_DEFAULTS, **row}
            if "arrival_order" not in row:
                cells["arrival_order"] = 1 + arrived.index((cells["as_of"], cells["source_sha256"]))
            cells["snapshot_date"] = str(cells[feed.day])[:10] if feed.day else cells["as_of"][:10]
            if feed.day and cells["snapshot_date"] > str(as_of):
                continue
            full.append([cells.get(column) for column in columns])
        if full:
            marks = ", ".join(f"cast(? as {kind})" for kind in columns.values())
            self.connection.executemany(f"insert into build.raw.{name} values ({marks})", full)
            # What is windowed is made of these.
            if feed.visible == "planned_days" or name == "mentions":
                self.connection.execute(
                    "insert into build.meta.plan select model, snapshot_date, 'test', 1 from (select unnest(?) as model)"
                    f" cross join (select distinct snapshot_date from build.raw.{name})"
                    " except select * from build.meta.plan",
                    [[node["name"] for node, _ in self.compiled.models]],
                )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the models that it names."""
        self._make({word for word in re.findall(r"\w+", sql) if word in self.compiled.made_from})
        return self.connection.execute(sql).fetchall()

    def mart(self, name: str) -> set[tuple[Any, ...]]:
        return set(self.query(f"select * from groundswell.marts.{name}"))
