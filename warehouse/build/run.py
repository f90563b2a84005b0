"""Build the marts of one run with dbt, in private database files that no reader opens.

The run's plan, the raw files it may see and its id are written into the build database first (schema `meta`);
the models join them. Checks and publishing require that id: see `ensure_built`.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from ingestion import ledger, raw
from ingestion.config import DUCKDB_CONFIG, PROJECT_DIR, Settings
from ingestion.contracts import load_feeds, undated_feeds
from ingestion.errors import ContractError
from ingestion.lease import Lease
from ingestion.values import quote
from warehouse import integrity, plan
from warehouse.release import releases

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

DBT_PROJECT = PROJECT_DIR / "dbt_project"
SUITE = "dbt"
BUILT_TYPES = ("model", "seed", "test")
# Name, number and total of a node of dbt that has ended.
Tick = Callable[[str, int, int], None]
# Configuration that changes what a model or seed holds.
CONFIG_KEYS = ("materialized", "incremental_strategy", "database", "schema", "column_types", "quote_columns")


@dataclass(frozen=True)
class Built:
    """What a build did. `status` is built, unchanged or superseded."""

    status: str
    window: tuple[str, str] | tuple[None, None] = (None, None)
    dates: int = 0


def build_marts(
    settings: Settings,
    run_id: str,
    day: date,
    lease: Lease,
    say: Callable[[str], None] = print,
    asked: plan.Asked | None = None,
    tick: Tick | None = None,
) -> Built:
    """Plan and build one run's marts. The caller holds the writer's lease.

    A private database that proves damaged on the way is removed, and all is built again from raw, once.

    Args:
        asked: the range of a rebuild, from `plan.resolve`; null for a nightly.
        tick: called with name, number and total as each node of dbt ends.

    Raises ContractError when a model or a critical dbt test fails, or a raw file is damaged.
    """
    try:
        return _plan_and_build(settings, run_id, day, lease, say, asked, tick)
    except (ContractError, duckdb.Error):
        damage = integrity.remove_damaged(settings)
        if damage is None:
            raise
        say(f"{damage}: all is built again from raw")
        return _plan_and_build(settings, run_id, day, lease, say, asked, tick)


def _plan_and_build(
    settings: Settings,
    run_id: str,
    day: date,
    lease: Lease,
    say: Callable[[str], None],
    asked: plan.Asked | None,
    tick: Tick | None,
) -> Built:
    releases.reconcile(settings, say)
    fresh = _open_or_renew(settings, say)
    with dbt_environment(settings):
        manifest = parse(settings)
        models = models_of(manifest, settings, undated_inputs(settings))
        run_plan = plan.make(settings, run_id, day, models, fresh, asked)
        if run_plan.is_empty:
            say(f"nothing new up to {run_plan.cap}: the marts stand as they are")
            return Built("unchanged")
        for line in run_plan.lines():
            say(line)
        _write_meta(settings, run_plan, code_version(models))
        with ledger.read(settings) as connection:
            lease.check(connection)
        results = _run_dbt(manifest, settings, tick)
    ledger.record_checks(settings, run_id, _check_results(results))
    say(_table(results))
    failed = [r for r in results if r["status"] in ("error", "fail") and r["severity"] == "critical"]
    if failed:
        names = "; ".join(f"{r['name']}: {r['message']}" for r in failed)
        raise ContractError(f"the build failed, nothing is published: {names}")
    return Built("built", run_plan.window, len(run_plan.all_dates))


def ensure_built(settings: Settings, run_id: str, lease: Lease, say: Callable[[str], None] = print) -> Built:
    """Make sure the build database holds this run's marts before they are checked or published.

    A run that was overtaken by another builds again, or ends as superseded when its dates are released by then.
    Raises ContractError when the run has no plan.
    """
    with ledger.read(settings) as connection:
        lease.check(connection)
        run_plan = plan.load(connection, run_id)
        if run_plan is None:
            raise ContractError(f"run {run_id} has no plan; run build_marts first")
        if plan.is_unchanged(connection, run_id):
            return Built("unchanged")
        overtaken = current_run(settings) != run_id
        # A rebuild was asked for by somebody: that its dates are released is no reason to leave it.
        superseded = overtaken and run_plan.asked is None and plan.is_superseded(connection, run_plan)
    if superseded:
        with ledger.write(settings) as connection:
            connection.execute("update plans set state = 'superseded' where run_id = ?", (run_id,))
        say(f"run {run_id} is superseded: its dates are released")
        return Built("superseded")
    if overtaken:
        say("another run has built in between: building again")
        rebuilt = build_marts(settings, run_id, run_plan.day, lease, say, run_plan.asked)
        return Built("rebuilt" if rebuilt.status == "built" else rebuilt.status, rebuilt.window, rebuilt.dates)
    return Built("built", run_plan.window, len(run_plan.all_dates))


def current_run(settings: Settings) -> str | None:
    """Id of the run that the build database was last built for, null where there is none."""
    if not settings.build_db.exists() or not settings.marts_db.exists():
        return None
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        try:
            row = build.execute("select run_id from meta.run").fetchone()
        except duckdb.CatalogException:
            return None
    return row[0] if row else None


def marts_of(settings: Settings) -> list[str]:
    """Names of the marts in the private marts file, in order."""
    with closing(duckdb.connect(str(settings.marts_db), read_only=True, config=DUCKDB_CONFIG)) as marts:
        rows = marts.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
        ).fetchall()
    return [row[0] for row in rows]


def code_version(models: list[plan.Model]) -> str:
    """Version of the project with a fingerprint of its models."""
    try:
        number = version("groundswell")
    except PackageNotFoundError:
        number = "0"
    digest = hashlib.sha256("".join(model.code or model.fingerprint for model in models).encode()).hexdigest()
    return f"{number}+{digest[:10]}"


def _open_or_renew(settings: Settings, say: Callable[[str], None]) -> bool:
    """Whether the build starts from nothing: the files are new, or were damaged and set aside."""
    settings.build_db.parent.mkdir(parents=True, exist_ok=True)
    renew = False
    for file in (settings.build_db, settings.marts_db):
        renew |= not file.exists()
        try:
            duckdb.connect(str(file), config=DUCKDB_CONFIG).close()
        except duckdb.Error as error:
            if "lock" in str(error).lower():
                raise
            renew = True
            say(f"{file.name} is damaged ({str(error).splitlines()[0]}): it is built again from raw")
    if renew:
        integrity.remove_build(settings)
        return True
    return current_run(settings) is None


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """What `profiles.yml` reads, for the time of one build."""
    wanted = {
        "GROUNDSWELL_BUILD_DB": str(settings.build_db),
        "GROUNDSWELL_MARTS_DB": str(settings.marts_db),
        "GROUNDSWELL_MEMORY_LIMIT": settings.memory_limit,
    }
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.__setitem__(key, value)


def target_path(settings: Settings) -> Path:
    """Where dbt writes its artifacts."""
    return settings.data / "build" / "dbt"


def keys_of(manifest: "Manifest") -> dict[str, list[str]]:
    """Columns of the unique key of each model that is tested for one: its grain."""
    keys = {}
    for node in manifest.nodes.values():
        tested: Any = getattr(node, "test_metadata", None)
        if tested is not None and tested.name == "unique_key":
            keys[manifest.nodes[node.attached_node].name] = list(tested.kwargs["columns"])
    return keys


def dbt_arguments(settings: Settings, *command: str) -> list[str]:
    folder = str(DBT_PROJECT)
    target = target_path(settings)
    return [
        *command, "--project-dir", folder, "--profiles-dir", folder, "--target-path", str(target),
        "--log-path", str(target / "logs"), "--log-level-file", "info", "--log-level", "none", "--no-use-colors",
        "--no-version-check", "--no-write-json",
    ]  # fmt: skip


def parse(settings: Settings) -> "Manifest":
    """dbt's manifest of the project, inside `dbt_environment`. Raises ContractError when it cannot be read."""
    from dbt.cli.main import dbtRunner

    result = dbtRunner().invoke(dbt_arguments(settings, "parse"))
    if not result.success:
        raise ContractError(f"dbt cannot read its project: {result.exception}")
    return result.result


def undated_inputs(settings: Settings) -> dict[str, str]:
    """A digest of the accepted batches of each feed whose rows have no day of their own."""
    digests = {}
    with ledger.read(settings) as connection:
        for feed in sorted(undated_feeds()):
            batches = connection.execute(
                "select batch_id from batches where feed = ? and state = 'accepted' order by 1", (feed,)
            ).fetchall()
            digests[feed] = hashlib.sha256("".join(row["batch_id"] for row in batches).encode()).hexdigest()
    return digests


def models_of(manifest: "Manifest", settings: Settings, inputs: dict[str, str] | None = None) -> list[plan.Model]:
    """Every model with a fingerprint of its code, macros, seeds and settings, down to its sources.

    Args:
        inputs: digest per undated feed; a model that is made from one changes with it.
    """
    salt = _model_settings(settings)
    # dbt calls these by name, so no model depends on them in the manifest.
    strategies = {"macro.groundswell.get_incremental_replace_window_sql", "macro.groundswell.generate_schema_name"}
    known: dict[str, str] = {}

    def macro_code(unique_id: str, seen: set[str]) -> None:
        macro = manifest.macros.get(unique_id)
        if macro is None or unique_id in seen or macro.package_name != "groundswell":
            return
        seen.add(unique_id)
        for other in macro.depends_on.macros:
            macro_code(other, seen)

    def fingerprint(unique_id: str) -> str:
        if unique_id not in known:
            node: Any = manifest.nodes.get(unique_id)
            if node is None:
                source: Any = manifest.sources[unique_id]
                known[unique_id] = json.dumps(salt) if source.identifier == "setting" else unique_id
                return known[unique_id]
            macros: set[str] = set()
            for macro in node.depends_on.macros:
                macro_code(macro, macros)
            parts = [
                node.checksum.checksum,
                json.dumps([node.config.to_dict().get(key) for key in CONFIG_KEYS], sort_keys=True, default=str),
                *(manifest.macros[name].macro_sql for name in sorted(macros | strategies)),
                *(fingerprint(parent) for parent in sorted(getattr(node.depends_on, "nodes", []))),
                *(f"{name}:{column.data_type}" for name, column in sorted(node.columns.items())),
            ]
            known[unique_id] = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return known[unique_id]

    ancestors: dict[str, frozenset[str]] = {}

    def ancestors_of(unique_id: str) -> frozenset[str]:
        if unique_id not in ancestors:
            parents = [manifest.nodes[name] for name in manifest.nodes[unique_id].depends_on.nodes if name in by_id]
            above = (ancestors_of(parent.unique_id) | {parent.name} for parent in parents)
            ancestors[unique_id] = frozenset().union(*above)
        return ancestors[unique_id]

    by_id = {node.unique_id for node in manifest.nodes.values() if node.resource_type == "model"}
    feeds: dict[str, frozenset[str]] = {}

    def feeds_of(unique_id: str) -> frozenset[str]:
        if unique_id not in feeds:
            source: Any = manifest.sources.get(unique_id)
            if source is not None:
                feeds[unique_id] = frozenset({source.identifier} if source.source_name == "raw" else ())
            else:
                parents = getattr(manifest.nodes[unique_id].depends_on, "nodes", [])
                feeds[unique_id] = frozenset().union(*(feeds_of(parent) for parent in parents))
        return feeds[unique_id]

    def with_inputs(unique_id: str) -> str:
        digests = [(inputs or {}).get(feed, "") for feed in sorted(feeds_of(unique_id) & undated_feeds())]
        return hashlib.sha256("\0".join([fingerprint(unique_id), *digests]).encode()).hexdigest()

    return [
        plan.Model(
            name=node.name,
            fingerprint=with_inputs(node.unique_id),
            code=fingerprint(node.unique_id),
            feeds=feeds_of(node.unique_id),
            ancestors=ancestors_of(node.unique_id),
            windowed=node.config.get("materialized") == "incremental",
            look_back_days=int(node.config.meta.get("look_back_days", 0)),
            look_back_by_feed=dict(node.config.meta.get("look_back_days_by_feed", {})),
        )
        for node in sorted(manifest.nodes.values(), key=lambda node: node.name)
        if node.resource_type == "model"
    ]


def _model_settings(settings: Settings) -> list[tuple[Any, ...]]:
    """What models read as `meta.setting`: name and value. A change of one plans the models that read it in full."""
    return [
        ("base_currency", settings.base_currency),
        ("default_scheme", settings.default_scheme),
        *(("left_out_posts", kind) for kind in sorted(settings.left_out_posts)),
    ]


def _write_meta(settings: Settings, run_plan: plan.Plan, version_now: str) -> None:
    """Write the run, its plan and what it may see into the build database; drop what is planned in full."""
    with ledger.read(settings) as connection:
        files = connection.execute(
            "select f.path, f.sha256, f.batch_id, f.feed, f.snapshot_date, f.rows from raw_files f"
            " join batches b using (batch_id) where b.state = 'accepted' order by 1",
        ).fetchall()
        landed = connection.execute(LANDED_FILES).fetchall()
        checks = connection.execute("select * from check_results").fetchall()
        publications = connection.execute(PUBLICATIONS).fetchall()
    files = [row for row in files if row["snapshot_date"] <= str(run_plan.cap) or row["feed"] in undated_feeds()]
    planned, feeds = set(run_plan.all_dates), load_feeds()
    visible = [row for row in files if feeds[row["feed"]].visible == "all_days" or row["snapshot_date"] in planned]
    raw.verify(settings, ((row["path"], row["sha256"], row["batch_id"]) for row in visible))

    first, last = run_plan.window
    tables: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "run": (
            "run_id varchar, day date, cap date, window_start date, window_end date, code_version varchar",
            [(run_plan.run_id, str(run_plan.day), str(run_plan.cap), first, last, version_now)],
        ),
        "plan": (
            "model varchar, snapshot_date date, reason varchar",
            [(model, day, why) for model, days in run_plan.dates.items() for day, why in days.items()],
        ),
        "setting": ("name varchar, value varchar", _model_settings(settings)),
        "raw_file": (
            "path varchar, sha256 varchar, batch_id varchar, feed varchar, snapshot_date date, rows bigint",
            [tuple(row) for row in files],
        ),
        "landed_file": (
            "sha256 varchar, feed varchar, mapping varchar, file varchar, landed_at timestamp, rows_read bigint,"
            " rows_accepted bigint, rows_quarantined bigint, rows_duplicate bigint, state varchar, reason varchar,"
            " batch_id varchar, run_id varchar",
            [tuple(row) for row in landed],
        ),
        "quality_result": (
            "run_id varchar, suite varchar, expectation varchar, severity varchar, observed varchar,"
            " threshold varchar, passed boolean, detail varchar, checked_at timestamp",
            [tuple(row) for row in checks],
        ),
        "publication": (
            "release_id varchar, mart varchar, run_id varchar, window_start date, window_end date,"
            " published_at timestamp, row_count bigint, content_hash varchar, code_version varchar",
            [tuple(row) for row in publications],
        ),
    }
    with closing(duckdb.connect(str(settings.build_db), config=DUCKDB_CONFIG)) as build:
        build.execute("begin")
        build.execute("create schema if not exists meta; create schema if not exists raw")
        # dbt copies a seed into the table that is there, whatever its columns; seeds are small, so they are made anew.
        build.execute("drop schema if exists seeds cascade")
        for name, (columns, rows) in tables.items():
            build.execute(f"create or replace table meta.{name} ({columns})")
            if rows:
                frame = pd.DataFrame(rows, columns=[part.split()[0] for part in columns.split(", ")], dtype=object)
                build.register("frame", frame)
                build.execute(f"insert into meta.{name} select * from frame")
                build.unregister("frame")
        for feed in load_feeds():
            paths = [f"{feed}/_schema.parquet", *(row["path"] for row in visible if row["feed"] == feed)]
            listed = ", ".join(quote(str(settings.raw / path)) for path in paths)
            build.execute(
                f"create or replace view raw.{feed} as"
                f" select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
            )
        build.execute("commit")
        build.execute(f"attach '{settings.marts_db}' as groundswell")
        for model in run_plan.changed:
            for relation in (f"intermediate.{model}", f"groundswell.marts.{model}"):
                _drop(build, relation)


LANDED_FILES = """
select sha256, group_concat(distinct feed), max(mapping), max(file), max(landed_at), sum(rows_read), sum(rows_accepted),
    sum(rows_quarantined), sum(rows_duplicate), max(state), group_concat(reason, '; '), max(batch_id), max(run_id)
from (select * from batches where state <> 'superseded' order by landed_at, batch_id)
group by sha256
"""

PUBLICATIONS = """
select r.release_id, m.mart, r.run_id, r.window_start, r.window_end, r.published_at, m.row_count, m.content_hash,
    r.code_version
from releases r join release_marts m using (release_id)
"""


def _drop(build: duckdb.DuckDBPyConnection, relation: str) -> None:
    for kind in ("table", "view"):
        try:
            build.execute(f"drop {kind} if exists {relation}")
        except duckdb.CatalogException:
            continue


def _run_dbt(manifest: "Manifest", settings: Settings, tick: Tick | None) -> list[dict[str, Any]]:
    """Run `dbt build` (models, seeds, data tests) and close its connections; one dict per node."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    done = 0

    def count_nodes(event: Any) -> None:
        nonlocal done
        if tick and event.info.name == "NodeFinished":
            done += 1
            total = sum(node.resource_type in BUILT_TYPES for node in manifest.nodes.values())
            tick(event.data.node_info.node_name, done, total)

    runner = dbtRunner(manifest=manifest, callbacks=[count_nodes])
    result = runner.invoke(dbt_arguments(settings, "build", "--exclude-resource-type", "unit_test"))
    close_dbt()
    reset_adapters()
    if result.result is None:
        raise ContractError(f"dbt did not run: {result.exception}")
    rows = []
    for node in result.result.results:
        if node.node.resource_type not in BUILT_TYPES:
            continue
        severity = str(getattr(node.node.config, "severity", "error")).lower()
        rows.append(
            {
                "name": node.node.name,
                "kind": str(node.node.resource_type),
                "status": str(node.status),
                "severity": "warning" if severity == "warn" else "critical",
                "failures": node.failures,
                # dbt names the model in the first line and the database its complaint in the second.
                "message": " ".join(line.strip() for line in (node.message or "").splitlines()[:2]),
                "seconds": node.execution_time,
            }
        )
    return rows


def close_dbt() -> None:
    """dbt-duckdb keeps its database open in the process; the checks of the same process need the file."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _check_results(results: list[dict[str, Any]]) -> list[dict[str, object]]:
    """Every data test, and whatever else did not succeed."""
    return [
        {
            "suite": SUITE,
            "expectation": r["name"],
            "severity": r["severity"],
            "observed": None if r["failures"] is None else f"{r['failures']} failing rows",
            "threshold": "0 failing rows" if r["kind"] == "test" else "builds",
            "passed": r["status"] in ("pass", "success"),
            "detail": None if r["status"] in ("pass", "success") else r["message"],
        }
        for r in results
        if r["kind"] == "test" or r["status"] != "success"
    ]


def _table(results: list[dict[str, Any]]) -> str:
    """dbt's results as a short table: every model, and of the tests only those that did not pass."""
    shown = [r for r in results if r["kind"] != "test" or r["status"] != "pass"]
    tests = [r for r in results if r["kind"] == "test"]
    passed = sum(r["status"] == "pass" for r in tests)
    lines = [f"{'node':<46} {'status':<8} {'seconds':>7}"]
    lines += [f"{r['name'][:46]:<46} {r['status']:<8} {r['seconds']:>7.2f}" for r in shown]
    return "\n".join([*lines, f"{passed} of {len(tests)} data tests passed"])
