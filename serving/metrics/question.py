"""A question of metrics, checked before it is answered, and its answer.

Questions without an answer are refused with what to ask instead: a sum over models of attribution, of which each holds
all of the money; a return by the day on which something happened, for what is spent today sells later; a share of a
whole that each group holds; and a grouping that a metric does not have.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from ingestion.errors import UsageError
from serving.metrics.definitions import BY_MODEL, GROUPINGS, MODEL, PERIODS, SCHEME, Metric, metrics
from serving.metrics.engine import Engine, engine, require
from serving.report.source import Row, Source

# The marts that say which models and schemes a release holds.
RETURNS, TIERS, LATEST = "fct_return_daily", "dim_tier", "fct_account_latest"
COLLABORATION_TIER = "collaboration_tier__tier"


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        metrics: names, at least one.
        by: groupings by their names in GROUPINGS, and `attribution_model`.
        models: models of attribution; empty for `code_or_last_click`, or for all where it is grouped by them.
        scheme: tier scheme of collaborations; null for the default one of the release.
        first, last: days of what happened, both included; null for all.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    scheme: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Answer:
    """Columns in the order of the question, groupings first, and rows in the order of the groupings."""

    columns: list[str]
    rows: list[Row]


def answer(source: Source, question: Question) -> Answer:
    """The metrics of a question, of the release that is open.

    One row per group; a group of which a metric holds nothing has null there. Raises UsageError for a question that has
    no answer, MissingExtra where MetricFlow is not installed.
    """
    asked = _checked(question)
    models = _models(source, question, asked)
    scheme = _scheme(source, question)
    require()
    plain = [name for name in question.by if name != BY_MODEL]
    parts = []
    for model in models:
        for names, paths in _together(engine(model, scheme), [metric.name for metric in asked], plain, question):
            statement = engine(model, scheme).sql(names, paths, question.first, question.last)
            groups = [_renamed(name, path) for name, path in zip(plain, paths, strict=True)]
            if BY_MODEL in question.by:
                groups.append(f"'{model}' as {BY_MODEL}")
            parts.append(f"select {', '.join([*groups, *names])} from ({statement})")
    return Answer([*question.by, *question.metrics], source.rows(_joined(parts, question)))


def groupings_of(name: str) -> list[str]:
    """What a metric may be grouped by, in the order of GROUPINGS. Raises UsageError for no metric."""
    (metric,) = _known([name])
    paths = engine().paths(metric.name)
    found = [
        grouping
        for grouping, ways in GROUPINGS.items()
        if any(way in paths for way in ways) and not (metric.is_to_date and grouping in PERIODS)
    ]
    return [*found, *([BY_MODEL] if metric.has_model else [])]


def _joined(parts: Sequence[str], question: Question) -> str:
    """One row per group of all parts. A metric is of one part alone, so the only value that is there is its value."""
    found = ", ".join([*question.by, *(f"max({name}) as {name}" for name in question.metrics)])
    rows = f"select {found} from ({' union all by name '.join(parts)})"
    if not question.by:
        return rows
    return (
        f"{rows} group by {', '.join(question.by)} order by {', '.join(f'{name} nulls last' for name in question.by)}"
    )


def _renamed(name: str, path: str) -> str:
    is_day = name in PERIODS or name == "cohort_month"
    return f"cast({path} as date) as {name}" if is_day else f"{path} as {name}"


def _known(names: Iterable[str]) -> list[Metric]:
    known = metrics()
    for name in names:
        if name not in known:
            raise UsageError(f"there is no metric {name}{_near(name, known)}; `groundswell metrics` lists them")
    return [known[name] for name in names]


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=3)
    return f": did you mean {', '.join(near)}?" if near else ""


def _checked(question: Question) -> list[Metric]:
    """The metrics, once each rule that needs no release is kept."""
    asked = _known(question.metrics)
    if not asked:
        raise UsageError("name at least one metric; `groundswell metrics` lists them")
    for names in (question.metrics, question.by):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"{', '.join(twice)} is named twice")
    known = [*GROUPINGS, BY_MODEL]
    for name in question.by:
        if name not in known:
            raise UsageError(
                f"there is no grouping {name}{_near(name, known)}; there are {', '.join(known)}, each for some metrics"
            )
    has_days = bool(set(question.by) & set(PERIODS)) or question.first is not None or question.last is not None
    to_date = [metric.name for metric in asked if metric.is_to_date]
    if to_date and has_days:
        raise UsageError(
            f"{', '.join(to_date)}: told to date, and by cohort_month, the month in which collaborations began; what is"
            " spent on a day sells later, so by day, week or month ask for spend and net_revenue"
        )
    for metric in asked:
        if metric.needs is not None and metric.needs not in question.by:
            raise UsageError(f"{metric.name} has a value by {metric.needs} alone: group by it")
    return asked


def _models(source: Source, question: Question, asked: Sequence[Metric]) -> list[str]:
    """The models to ask, each by itself."""
    wants_model = bool(question.models) or BY_MODEL in question.by
    without = [metric.name for metric in asked if not metric.has_model]
    if wants_model and without:
        raise UsageError(f"{', '.join(without)}: not of a model of attribution; ask for it by itself")
    if len(question.models) > 1 and BY_MODEL not in question.by:
        raise UsageError(
            f"each model of attribution holds all of the money, so {' and '.join(question.models)} have no sum:"
            f" ask for one, or group by {BY_MODEL}"
        )
    if not wants_model:
        return [MODEL]
    held = [
        row["model"]
        for row in source.rows(f"select distinct attribution_model as model from marts.{RETURNS} order by 1")
    ]
    for model in question.models:
        if model not in held and model != MODEL:
            raise UsageError(
                f"{model} is no model of attribution whose credits sum to one order; there are"
                f" {', '.join(held) or MODEL}"
            )
    return list(question.models) or held or [MODEL]


def _scheme(source: Source, question: Question) -> str:
    """The scheme that is asked for, else the default one of the release."""
    if question.scheme is None:
        found = source.rows(f"select max(scheme) as scheme from marts.{LATEST}")[0]["scheme"]
        return str(found or SCHEME)
    held = [row["scheme"] for row in source.rows(f"select distinct scheme from marts.{TIERS} order by 1")]
    if question.scheme not in held:
        raise UsageError(
            f"there is no tier scheme {question.scheme}{_near(question.scheme, held)}; there are {', '.join(held)}"
        )
    return question.scheme


def _together(
    found: Engine, names: Sequence[str], by: Sequence[str], question: Question
) -> list[tuple[list[str], list[str]]]:
    """The metrics that find all groupings on the same ways, with these: each is one statement."""
    parts: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        paths = found.paths(name)
        ways = []
        for grouping in by:
            way = next((way for way in GROUPINGS[grouping] if way in paths), None)
            if way is None:
                raise UsageError(f"{name} cannot be grouped by {grouping}; it can by {', '.join(groupings_of(name))}")
            if grouping == "tier" and question.scheme is not None and way != COLLABORATION_TIER:
                raise UsageError(f"{name}: the tier of an account is that of the default scheme; leave the scheme out")
            ways.append(way)
        parts[tuple(ways)].append(name)
    return [(metrics_of, list(ways)) for ways, metrics_of in parts.items()]
