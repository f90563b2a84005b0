"""What the YAML of the dbt project says of metrics: their names, their words, and the rules of a question.

Reading it needs no MetricFlow, so metrics are listed where the extra is not installed.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from ingestion.config import PROJECT_DIR

MARTS = PROJECT_DIR / "dbt_project" / "models" / "marts"
FILES = "_*__metrics.yml"
# The model of attribution, and the tier scheme, that the YAML names; another one takes their place in a question.
MODEL, SCHEME = "code_or_last_click", "standard"
COHORT = "cohort"

# What a metric is grouped by, and where it finds it, best first: the way through the semantic models.
GROUPINGS: dict[str, tuple[str, ...]] = {
    "day": ("metric_time__day",),
    "week": ("metric_time__week",),
    "month": ("metric_time__month",),
    "quarter": ("metric_time__quarter",),
    "year": ("metric_time__year",),
    "cohort_month": ("collaboration__start_date__month",),
    "platform": (
        "account_day__platform", "engagement_day__platform", "trust_day__platform", "post__platform",
        "live_session__platform", "collaboration__platform",
    ),
    "tier": ("collaboration_tier__tier", "account_day__tier", "engagement_day__tier", "account__tier"),
    "brand": ("brand",),
    "brand_name": ("brand__brand_name",),
    "campaign": ("campaign",),
    "campaign_name": ("campaign__campaign_name",),
    "objective": ("campaign__objective",),
    "collaboration": ("collaboration",),
    "partner_type": ("collaboration__partner_type",),
    "creator": ("collaboration__creator_id",),
    "handle": ("account__handle", "collaboration__account__handle"),
    "country": ("order__country", "engagement_day__country", "account__country", "collaboration__account__country"),
    "city": ("order__city",),
    "niche": ("engagement_day__niche", "account__niche", "collaboration__account__niche"),
    "content_type": ("post__content_type",),
    "is_sponsored": ("post__is_sponsored",),
    "is_new_customer": ("order__is_new_customer",),
    "host_type": ("live_session__host_type",),
}  # fmt: skip
# Days of what happened; a metric that is told to date has none.
PERIODS = ("day", "week", "month", "quarter", "year")
# Each model of attribution by itself: no grouping of MetricFlow's, but a question for each.
BY_MODEL = "attribution_model"

Node = dict[str, Any]


@dataclass(frozen=True)
class Metric:
    """A metric as the YAML has it.

    Attributes:
        inputs: metrics that it is made of; empty for a sum of its own.
        measure: the measure of such a sum.
        has_model: whether it is of one model of attribution.
        is_to_date: whether it is told to date and by cohort, never by the day of what happened.
        needs: grouping without which it has no value, for each of its groups holds the whole; null for most.
    """

    name: str
    label: str
    description: str
    inputs: tuple[str, ...]
    measure: str | None
    has_model: bool
    is_to_date: bool
    needs: str | None


def semantic_models() -> list[Node]:
    """Every semantic model as the YAML has it, in the order of the files. The caller may change it."""
    return [model for content in _contents() for model in content.get("semantic_models", [])]


def metric_nodes() -> list[Node]:
    """Every metric as the YAML has it, its inputs written out as MetricFlow wants them."""
    nodes = [metric for content in _contents() for metric in content.get("metrics", [])]
    for node in nodes:
        given = node["type_params"]
        for side in {"numerator", "denominator"} & set(given):
            given[side] = {"name": given[side]}
        if "metrics" in given:
            given["metrics"] = [{"name": name} for name in given["metrics"]]
    return nodes


@cache
def metrics() -> dict[str, Metric]:
    """Every metric by its name, in the order of the YAML."""
    found: dict[str, Metric] = {}
    for node in metric_nodes():
        given = node["type_params"]
        inputs = [part["name"] for part in given.get("metrics", [])]
        inputs += [given[side]["name"] for side in ("numerator", "denominator") if side in given]
        rules = node.get("config", {}).get("meta", {})
        found[node["name"]] = Metric(
            name=node["name"],
            label=node["label"],
            description=node["description"],
            inputs=tuple(inputs),
            measure=given.get("measure"),
            has_model="attribution_model" in node.get("filter", "") or any(found[name].has_model for name in inputs),
            is_to_date=rules.get("time") == COHORT,
            needs=rules.get("needs"),
        )
    return found


def mart_of(model: Node) -> str:
    """Name of the mart that a semantic model reads."""
    named = re.fullmatch(r"ref\('(\w+)'\)", model["model"])
    assert named, model["model"]
    return named[1]


def _contents() -> list[Node]:
    return [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(MARTS.rglob(FILES), key=lambda p: p.name)
    ]
