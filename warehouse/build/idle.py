"""What a run leaves alone: nodes of dbt whose result would be what stands in the private databases already.

A whole-built model is left alone while nothing that it is made from has changed; a windowed one while no date of it is
planned; a model of whose feeds none has accepted rows once it is built, empty, whatever else changes. A test is left
alone with all that it reads. After a run that did not publish, and under changed code, nothing is left alone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from warehouse import plan

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Sources of schema `meta` that are the same for two runs of one plan, or that a fingerprint or the planned dates hold:
# these, `config_*`.
STILL = frozenset({"plan", "setting", "frozen", "own_account", "linked_account"})
CONFIG = "config_"
# Sources of schema `meta` that change with what is landed or taken back alone.
OF_FILES = frozenset({"arrival", "set_aside_key"})


@dataclass(frozen=True)
class Standing:
    """What stands in the private databases before a run.

    Args:
        is_consistent: the last run that was built there has published, under the code of today.
        rows: whether each table holds a row; views, which hold none of their own, are `True`.
        build_through: the last day that it was built up to.
    """

    is_consistent: bool
    rows: Mapping[str, bool] = field(default_factory=dict)
    build_through: str | None = None


def idle_nodes(
    manifest: "Manifest",
    models: Iterable[plan.Model],
    run_plan: plan.Plan,
    standing: Standing,
    landed: frozenset[str],
    dirty: frozenset[str],
) -> set[str]:
    """Unique ids of the models, seeds and data tests that a run leaves alone.

    Args:
        landed: feeds that have accepted rows.
        dirty: feeds of which files came or were rejected since the last release.
    """
    # Who asks for a range doubts what stands.
    if not standing.is_consistent or run_plan.backfill_range:
        return set()
    known = {model.name: model for model in models}
    changed = set(run_plan.changed)
    nodes: dict[str, Any] = {**manifest.nodes, **manifest.sources}

    def never_landed(model: plan.Model) -> bool:
        feeds = model.feeds or frozenset()
        return bool(feeds) and not feeds & (landed | dirty) and not standing.rows.get(model.name, True)

    @cache
    def may_differ(unique_id: str) -> bool:
        """Whether what a node holds may be other than what stands."""
        node = nodes[unique_id]
        if node.resource_type == "source":
            if node.source_name == "raw":
                return node.identifier in dirty
            if node.identifier in OF_FILES:
                return bool(dirty)
            if node.identifier in STILL or node.identifier.startswith(CONFIG):
                return False
            return node.identifier != "run" or str(run_plan.build_through) != standing.build_through
        if node.resource_type == "seed":
            return False
        model = known[node.name]
        if model.name in changed or model.name not in standing.rows:
            return True
        if never_landed(model):
            return False
        if model.windowed:
            return bool(run_plan.dates.get(model.name))
        return any(may_differ(parent) for parent in node.depends_on.nodes)

    def is_idle(node: Any) -> bool:
        if node.resource_type == "seed":
            return not changed
        if node.resource_type == "model":
            model = known[node.name]
            if node.config.materialized == "view":
                return model.name in standing.rows and model.name not in changed
            return not may_differ(node.unique_id)
        read = [parent for parent in node.depends_on.nodes if not parent.startswith("source.")]
        return bool(read) and not any(may_differ(parent) for parent in read)

    return {
        unique_id
        for unique_id, node in manifest.nodes.items()
        if node.resource_type in ("model", "seed", "test") and is_idle(node)
    }


def unread_nodes(manifest: "Manifest", idle: Collection[str]) -> set[str]:
    """Those of the nodes left alone on which nothing depends that is built, at any distance."""
    read: set[str] = set()
    asked = [unique_id for unique_id in manifest.nodes if unique_id not in idle]
    while asked:
        node: Any = manifest.nodes[asked.pop()]
        parents = {name for name in getattr(node.depends_on, "nodes", []) if name in manifest.nodes} - read
        read |= parents
        asked += parents
    return set(idle) - read
