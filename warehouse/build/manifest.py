"""What dbt's manifest says of the project: each model with its fingerprint, its feeds, its reach and its key."""

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion import ledger, raw
from ingestion.config import DUCKDB, Settings
from ingestion.contracts import load_feeds, undated_feeds
from ingestion.errors import ContractError
from ingestion.sources.kept import short_platforms
from ingestion.user_config.load import UserConfig
from warehouse import plan
from warehouse.build import arrivals, dbt, reach
from warehouse.build.idle import CONFIG
from warehouse.build.meta import model_settings
from warehouse.parts import DAY, MONTH, USUAL_COLUMN, PartColumn

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# The test that names the unique key of a model.
GRAIN_TEST = "unique_combination_of_columns"
TEST_MACROS = "macro.groundswell.test_"
LAST_READING = "partial_parse.msgpack"
# Sources with the tiers of all schemes, and of the default one. A model with `meta: {schemes: default}` depends on the
# tiers of the default scheme alone, though it may be made from models of all schemes.
ALL_SCHEMES, DEFAULT_SCHEME = f"{CONFIG}tier_schemes", f"{CONFIG}default_scheme"
# Macros that dbt calls by name, so that no model depends on them in the manifest.
CALLED_BY_DBT = {"as_readers_see", "generate_schema_name", "get_incremental_replace_window_sql", "significant"}
WORD = re.compile(r"\w+")
# Configuration that changes what a model or seed holds.
CONFIG_KEYS = ("materialized", "incremental_strategy", "database", "schema", "column_types", "quote_columns")


def code_version(manifest: "Manifest", models: list[plan.Model]) -> str:
    """Version of the project with a fingerprint of its models and data tests."""
    try:
        number = version("groundswell")
    except PackageNotFoundError:
        number = "0"
    parts = [model.code or model.fingerprint for model in models]
    parts += [
        json.dumps([node.unique_id, node.checksum.checksum, node.config.severity, node.config.where])
        for node in sorted(manifest.nodes.values(), key=lambda node: node.unique_id)
        if node.resource_type == "test"
    ]
    parts += [macro.macro_sql for name, macro in sorted(manifest.macros.items()) if name.startswith(TEST_MACROS)]
    digest = hashlib.sha256("".join(parts).encode()).hexdigest()
    return f"{number}+{digest[:10]}"


def keys_of(manifest: "Manifest") -> dict[str, list[str]]:
    """Columns of the unique key of each model that is tested for one: its grain."""
    keys = {}
    for node in manifest.nodes.values():
        tested: Any = getattr(node, "test_metadata", None)
        if tested is not None and tested.name == GRAIN_TEST:
            keys[manifest.nodes[node.attached_node].name] = list(tested.kwargs["combination_of_columns"])
    return keys


def parts_of(manifest: "Manifest") -> dict[str, PartColumn]:
    """Part column of each model that has one: what it declares, or the usual one of a windowed model.

    Raises ContractError for a declaration under which a row could belong to no part.
    """
    keys = keys_of(manifest)
    return {
        node.name: _part_column(node, declared, keys.get(node.name, []))
        for node in manifest.nodes.values()
        if node.resource_type == "model" and (declared := _declared_part(node))
    }


def _declared_part(node: Any) -> PartColumn | None:
    meta = node.config.meta
    usual = USUAL_COLUMN if is_windowed(node) else None
    column = meta.get("part_column", usual)
    if column is None and "part_by" in meta:
        raise ContractError(f"{node.name} declares part_by without part_column: name the date column of its parts")
    return PartColumn(column, meta.get("part_by", DAY)) if column else None


def _part_column(node: Any, declared: PartColumn, key: list[str]) -> PartColumn:
    """The declaration, which must be a column of the key: no row is without it. A contract tells its type as well.

    Only a model whose rows are made anew by key has rows that belong to no date.
    """
    column = declared.column
    if declared.by not in (DAY, MONTH):
        raise ContractError(f"{node.name} declares part_by {declared.by!r}: it can be {DAY} or {MONTH}")
    if node.contract.enforced:
        if column not in node.columns:
            dates = ", ".join(sorted(name for name, held in node.columns.items() if held.data_type == "date")) or "none"
            raise ContractError(f"{node.name} has no column {column}, its part column; its dates are: {dates}")
        if node.columns[column].data_type != "date":
            raise ContractError(
                f"{node.name}.{column} is its part column and must be a date; it is {node.columns[column].data_type}"
            )
    if column not in key and not is_renewed(node):
        raise ContractError(
            f"{node.name}.{column} is its part column and must be in its unique key ({', '.join(key) or 'none'}):"
            " a row in which it is null would belong to no part"
        )
    return declared


def is_windowed(node: Any) -> bool:
    """Whether a model is replaced by part; any other is rebuilt whole by every run."""
    return bool(node.config.get("materialized") == "incremental")


def is_renewed(node: Any) -> bool:
    """Whether a run makes those rows of a model anew, by key, that may have changed."""
    return bool(node.config.get("materialized") == "renewed")


def last_reading(settings: Settings, target: str | None = None) -> Path:
    """Where dbt keeps what it has read of its project, to go on from."""
    return dbt.target_path(settings, target) / LAST_READING


def parse(settings: Settings, target: str | None = None) -> "Manifest":
    """dbt's manifest of the project, inside `dbt_environment`. Raises ContractError when it cannot be read.

    dbt goes on from its last reading, and stumbles where an upgrade has moved a description to another file: a project
    that cannot be read is read once more from nothing.
    """
    from dbt.cli.main import dbtRunner

    arguments, reading = dbt.dbt_arguments(settings, "parse", target=target), last_reading(settings, target)
    result = dbtRunner().invoke(arguments)
    if not result.success and reading.exists():
        reading.unlink()
        result = dbtRunner().invoke(arguments)
    if not result.success:
        raise ContractError(f"dbt cannot read its project: {result.exception}")
    parts_of(result.result)
    return result.result


def leave_out(manifest: "Manifest", left_out: Collection[str]) -> None:
    """Take nodes out of a manifest, and all that no build makes or calls: dbt takes time for each thing that it knows.

    Args:
        left_out: unique ids; a node that depends on one of them is among them, or is never asked for.
    """
    for unique_id in left_out:
        del manifest.nodes[unique_id]
    called = _macros_called(manifest)
    manifest.macros = {unique_id: macro for unique_id, macro in manifest.macros.items() if unique_id in called}
    manifest._macros_by_name = manifest._macros_by_package = None
    for described in (
        manifest.exposures, manifest.metrics, manifest.saved_queries, manifest.semantic_models, manifest.unit_tests
    ):  # fmt: skip
        described.clear()
    manifest.rebuild_ref_lookup()


def _macros_called(manifest: "Manifest") -> set[str]:
    """Unique ids of the macros whose name a node mentions, or the adapter, or a macro among them.

    dbt makes each macro that it knows anew for each node: a twelfth of a small night. A name stands for all that may be
    dispatched for it: `x` for `default__x` and `duckdb__x`.
    """
    from dbt.adapters.sql import impl

    called: dict[str, set[str]] = {}
    for unique_id, macro in manifest.macros.items():
        called.setdefault(macro.name, set()).add(unique_id)
        called.setdefault(macro.name.partition("__")[2], set()).add(unique_id)
    by_name = {name for constant, name in vars(impl).items() if constant.endswith("_MACRO_NAME")}
    fresh = set().union(*(called.get(name, ()) for name in by_name | CALLED_BY_DBT))
    for kind in {str(node.config.get("materialized")) for node in manifest.nodes.values()}:
        ways = {name for name, macro in manifest.macros.items() if macro.name.startswith(f"materialization_{kind}_")}
        # The project's own go before those of a package.
        fresh |= {name for name in ways if manifest.macros[name].package_name == "groundswell"} or ways
    for node in manifest.nodes.values():
        fresh |= set(node.depends_on.macros).union(*(called.get(word, ()) for word in WORD.findall(node.raw_code)))
    found: set[str] = set()
    while fresh := fresh & manifest.macros.keys() - found:
        found |= fresh
        words = {word for unique_id in fresh for word in WORD.findall(manifest.macros[unique_id].macro_sql)}
        fresh = set().union(*(called.get(word, ()) for word in words))
    return found


def undated_inputs(settings: Settings) -> dict[str, str]:
    """A digest of the accepted batches of each feed whose rows have no day of their own."""
    digests = {}
    with ledger.read(settings) as connection:
        for feed in sorted(undated_feeds()):
            batches = ledger.accepted_batch_ids(connection, feed)
            digests[feed] = hashlib.sha256("".join(batches).encode()).hexdigest()
    return digests


def nodes_of(manifest: "Manifest") -> dict[str, reach.Node]:
    """Every model by name: its own reach, the models that it is made of, and the feeds that it holds, down to raw."""
    models: dict[str, Any] = {node.unique_id: node for node in manifest.nodes.values() if node.resource_type == "model"}
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

    return {
        node.name: reach.Node(
            own=int(node.config.meta.get("look_back_days", 0)),
            absorbs=bool(node.config.meta.get("absorbs", False)),
            parents=tuple(models[parent].name for parent in node.depends_on.nodes if parent in models),
            feeds=feeds_of(node.unique_id),
        )
        for node in models.values()
    }


def models_of(
    manifest: "Manifest", settings: Settings, config: UserConfig, inputs: dict[str, str] | None = None
) -> list[plan.Model]:
    """Every model with a fingerprint of its code, macros, seeds, settings and configuration, down to its sources.

    Args:
        config: a model changes with the tables of it that it is made from, and with no other.
        inputs: digest per undated feed; a model that is made from one changes with it, unless it is renewed. Also of
            the own accounts.
    """
    salts = {"setting": json.dumps(model_settings(settings)), "own_account": (inputs or {}).get("own_account", "")}
    salts |= {f"{CONFIG}retention": json.dumps(short_platforms(settings))}
    salts |= {f"{CONFIG}{name}": digest for name, digest in config.digests.items()}
    # A model that takes all columns of raw has another one as soon as raw has.
    columns = {name: json.dumps(raw.columns_of(feed) | arrivals.READING) for name, feed in load_feeds().items()}
    strategies = {f"macro.groundswell.{name}" for name in CALLED_BY_DBT}
    known: dict[tuple[str, bool], str] = {}

    def macro_code(unique_id: str, seen: set[str]) -> None:
        macro = manifest.macros.get(unique_id)
        if macro is None or unique_id in seen or macro.package_name != "groundswell":
            return
        seen.add(unique_id)
        for other in macro.depends_on.macros:
            macro_code(other, seen)

    def source_salt(unique_id: str, takes_default: bool) -> str:
        source = manifest.sources[unique_id]
        name = source.identifier
        if source.source_name == "raw":
            return unique_id + columns[name]
        if takes_default and name == ALL_SCHEMES:
            name = DEFAULT_SCHEME
        return salts.get(name, unique_id)

    def fingerprint(unique_id: str, takes_default: bool = False) -> str:
        """Of a node; of one for a model that takes the default scheme alone, no other scheme counts."""
        node: Any = manifest.nodes.get(unique_id)
        if node is None:
            return source_salt(unique_id, takes_default)
        takes_default = takes_default or node.config.meta.get("schemes") == "default"
        if (unique_id, takes_default) not in known:
            macros: set[str] = set()
            for macro in node.depends_on.macros:
                macro_code(macro, macros)
            parts = [
                node.checksum.checksum,
                json.dumps([node.config.to_dict().get(key) for key in CONFIG_KEYS], sort_keys=True, default=str),
                *(str(node.config.meta[key]) for key in ("part_column", "part_by") if key in node.config.meta),
                *(manifest.macros[name].macro_sql for name in sorted(macros | strategies)),
                *(fingerprint(parent, takes_default) for parent in sorted(getattr(node.depends_on, "nodes", []))),
                *(f"{name}:{column.data_type}" for name, column in sorted(node.columns.items())),
            ]
            known[unique_id, takes_default] = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return known[unique_id, takes_default]

    nodes, parts = nodes_of(manifest), parts_of(manifest)
    reach_of = reach.reaches(nodes)
    views = {node.name for node in manifest.nodes.values() if node.config.get("materialized") == "view"}
    # What is a table already is read as it is: its own look-back is behind it.
    read_of = reach.reaches({name: replace(node, absorbs=name not in views) for name, node in nodes.items()})
    ancestors: dict[str, frozenset[str]] = {}

    def ancestors_of(name: str) -> frozenset[str]:
        if name not in ancestors:
            ancestors[name] = frozenset().union(*(ancestors_of(parent) | {parent} for parent in nodes[name].parents))
        return ancestors[name]

    def with_inputs(node: Any) -> str:
        # A model that is renewed finds by itself which of its rows a delivery may have changed.
        undated = frozenset() if is_renewed(node) else nodes[node.name].feeds & undated_feeds()
        digests = [(inputs or {}).get(feed, "") for feed in sorted(undated)]
        # What another engine has made stands elsewhere.
        digests += [] if settings.engine == DUCKDB else ["spark"]
        return hashlib.sha256("\0".join([fingerprint(node.unique_id), *digests]).encode()).hexdigest()

    return [
        plan.Model(
            name=node.name,
            fingerprint=with_inputs(node),
            code=fingerprint(node.unique_id),
            feeds=nodes[node.name].feeds,
            ancestors=ancestors_of(node.name),
            windowed=is_windowed(node),
            renewed=is_renewed(node),
            reach=reach_of[node.name],
            part=parts.get(node.name),
            days_in_one_pass=node.config.meta.get("days_in_one_pass"),
            row_weight=node.config.meta.get("row_weight", 1),
            # One that reads itself finds the days before in rows of its own.
            reads_back=0 if node.config.meta.get("reads_itself") else max(read_of[node.name].values(), default=0),
            absorbs=nodes[node.name].absorbs,
        )
        for node in sorted(manifest.nodes.values(), key=lambda node: node.name)
        if node.resource_type == "model"
    ]
