"""MetricFlow over the marts: a question in, one statement of SQL out. Nothing is run here, and dbt is not needed.

MetricFlow is an extra. It writes SQL from the semantic models alone; a release is opened by whoever runs it.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ingestion.errors import ContractError
from serving.metrics.definitions import MODEL, SCHEME, mart_of, metric_nodes, semantic_models

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest

SCHEMA = "marts"
# Days and their grain, for metrics that need a day without an entry.
SPINE, SPINE_COLUMN = "dim_date", "date_day"
DAY = "{{ TimeDimension('metric_time', 'day') }}"
# What may take the place of the model or the scheme of the YAML: it stands within quotes of SQL.
PLAIN = re.compile(r"\w+", re.ASCII)


class MissingExtra(ContractError):
    """MetricFlow is not installed."""


def require() -> None:
    """Raise MissingExtra, which says how to install it, where MetricFlow is not there."""
    if find_spec("metricflow") is None:
        raise MissingExtra(
            "metrics are queried by MetricFlow, which is not installed: run `make metrics`, or install the extra"
            " `metrics` (pip install --require-hashes -r requirements-metrics.txt). Listing them needs none"
        )


def manifest(model: str = MODEL, scheme: str = SCHEME) -> PydanticSemanticManifest:
    """What MetricFlow reads: the semantic models and metrics of the YAML, under one attribution model and tier scheme.

    Raises ValueError for a model or scheme that is no plain word.
    """
    from metricflow_semantic_interfaces.implementations.metric import PydanticMetric
    from metricflow_semantic_interfaces.implementations.node_relation import PydanticNodeRelation
    from metricflow_semantic_interfaces.implementations.project_configuration import PydanticProjectConfiguration
    from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
    from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel
    from metricflow_semantic_interfaces.implementations.time_spine import (
        PydanticTimeSpine,
        PydanticTimeSpinePrimaryColumn,
    )
    from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
        PydanticSemanticManifestTransformer,
    )
    from metricflow_semantic_interfaces.type_enums import TimeGranularity

    for word in (model, scheme):
        if not PLAIN.fullmatch(word):
            raise ValueError(f"{word!r} is no plain word")

    def relation(mart: str) -> PydanticNodeRelation:
        return PydanticNodeRelation(alias=mart, schema_name=SCHEMA, relation_name=f"{SCHEMA}.{mart}")

    models = []
    for node in semantic_models():
        for entity in node["entities"]:
            entity["expr"] = entity["expr"].replace(f"'|{SCHEME}'", f"'|{scheme}'")
        mart = mart_of(node)
        del node["model"]
        models.append(PydanticSemanticModel.parse_obj({**node, "node_relation": relation(mart)}))
    metrics = []
    for node in metric_nodes():
        if "filter" in node:
            node["filter"] = node["filter"].replace(f"'{MODEL}'", f"'{model}'")
        metrics.append(PydanticMetric.parse_obj(node))
    spine = PydanticTimeSpine(
        node_relation=relation(SPINE),
        primary_column=PydanticTimeSpinePrimaryColumn(name=SPINE_COLUMN, time_granularity=TimeGranularity.DAY),
    )
    return PydanticSemanticManifestTransformer.transform(
        PydanticSemanticManifest(
            semantic_models=models,
            metrics=metrics,
            project_configuration=PydanticProjectConfiguration(time_spine_table_configurations=[], time_spines=[spine]),
        )
    )


class Engine:
    """MetricFlow under one attribution model and one tier scheme."""

    def __init__(self, model: str, scheme: str) -> None:
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        self._engine: MetricFlowEngine = MetricFlowEngine(
            semantic_manifest_lookup=SemanticManifestLookup(manifest(model, scheme)), sql_client=_Renderer()
        )
        self._paths: dict[str, frozenset[str]] = {}

    def paths(self, metric: str) -> frozenset[str]:
        """Every way through the semantic models by which a metric may be grouped."""
        from metricflow_semantic_interfaces.references import MetricReference

        if metric not in self._paths:
            lookup = self._engine._semantic_manifest_lookup.metric_lookup
            found = lookup.get_common_group_by_items(metric_references=(MetricReference(element_name=metric),))
            self._paths[metric] = frozenset(found.dunder_name_to_annotated_spec)
        return self._paths[metric]

    def sql(self, metrics: list[str], paths: list[str], first: date | None, last: date | None) -> str:
        """One statement that gives a column per path and then one per metric, both by their names.

        Args:
            first, last: days of what happened, both included.
        """
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        # MetricFlow's own bounds of time are widened to whole weeks or months of a grouping; a filter is kept as it is.
        bounds = [f"{DAY} >= '{first}'"] if first else []
        bounds += [f"{DAY} <= '{last}'"] if last else []
        request = MetricFlowQueryRequest.create(
            metric_names=metrics, group_by_names=paths, where_constraints=bounds or None
        )
        return str(self._engine.explain(request).sql_statement.sql)


@cache
def engine(model: str = MODEL, scheme: str = SCHEME) -> Engine:
    """The engine of an attribution model and a tier scheme; made once in a process, for it takes a second.

    Raises MissingExtra where MetricFlow is not installed.
    """
    require()
    return Engine(model, scheme)


class _Renderer:
    """What MetricFlow asks of a database before it has a statement: its dialect. It never gets to run one."""

    def __init__(self) -> None:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer

        self.sql_engine_type = SqlEngine.DUCKDB
        self.sql_plan_renderer = DuckDbSqlPlanRenderer()

    def render_bind_parameter_key(self, key: str) -> str:
        """A parameter as DuckDB writes it."""
        return f"${key}"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"MetricFlow may only write SQL here; it asked for {name}")
