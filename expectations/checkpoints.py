"""Run a suite with Great Expectations and say in plain rows what came out. What it keeps becomes Data Docs."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from expectations import context as gx_context
from expectations.suites import NAMED, ROW_COUNT, Check, Suite, date_of
from ingestion import ledger
from ingestion.config import Settings

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation


@dataclass(frozen=True)
class Failure:
    """A value of a check that lies outside its bounds; `by` is what a person has acknowledged of it, if so."""

    subject: str
    batches: str
    value: float
    by: ledger.Acknowledged | None


def run_suite(settings: Settings, run_id: str, suite: Suite) -> list[dict[str, object]]:
    """One row per check, as `ledger.record_checks` takes it.

    A check that Great Expectations could not compute has failed and is critical, whatever it was: nobody knows.
    """
    frame = _frame(suite)
    with ledger.read(settings) as connection:
        acknowledged = {(item.expectation, item.subject): item for item in ledger.acknowledged(connection, suite.name)}
    try:
        results = _validate(settings, run_id, suite, frame)
    except Exception as error:
        return [_broken(suite, check, f"{type(error).__name__}: {error}") for check in suite.checks]
    rows = []
    for check in suite.checks:
        result = results.get(check.name)
        problem = "no result came back" if result is None else _exception(result)
        if result is None or problem:
            rows.append(_broken(suite, check, problem or ""))
        else:
            rows.append(_row(suite, check, result, frame, acknowledged))
    return rows


def _frame(suite: Suite) -> "pd.DataFrame":
    import pandas as pd

    metrics = [check.name for check in suite.checks if check.name != ROW_COUNT]
    rows = [{"subject": subject, "batches": batches, **cells} for (subject, batches), cells in suite.rows.items()]
    return pd.DataFrame(rows, columns=["subject", "batches", *metrics]).astype(dict.fromkeys(metrics, float))


def _validate(
    settings: Settings, run_id: str, suite: Suite, frame: "pd.DataFrame"
) -> dict[str, "ExpectationValidationResult"]:
    import great_expectations as gx

    context = gx_context.open_context(settings)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset(name=suite.name)
    definition = gx.ValidationDefinition(
        name=suite.name,
        data=asset.add_batch_definition_whole_dataframe("all"),
        suite=context.suites.add(
            gx.ExpectationSuite(name=suite.name, expectations=[_expectation(check) for check in suite.checks])
        ),
    )
    checkpoint = gx.Checkpoint(
        name=suite.name,
        validation_definitions=[context.validation_definitions.add(definition)],
        result_format={
            "result_format": "SUMMARY",
            "partial_unexpected_count": NAMED,
            "unexpected_index_column_names": ["subject", "batches"],
            "return_unexpected_index_query": False,
        },
    )
    # The name becomes a folder: Airflow's ids hold colons, and one typed by hand may hold anything.
    run = gx.RunIdentifier(run_name=re.sub(r"[^A-Za-z0-9_-]", "_", run_id)[:100], run_time=datetime.now(UTC))
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame}, run_id=run)
    (validation,) = outcome.run_results.values()
    return {str((r.expectation_config.meta or {})["name"]): r for r in validation.results if r.expectation_config}


def _expectation(check: Check) -> "Expectation":
    from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
    from great_expectations.expectations.core.expect_table_row_count_to_be_between import ExpectTableRowCountToBeBetween

    limit = check.threshold
    common: dict[str, Any] = {
        "min_value": limit.minimum,
        "max_value": limit.maximum,
        "severity": check.severity,
        "description": check.description,
        "meta": {
            "name": check.name,
            "threshold": str(limit),
            "observed": limit.observed,
            "date": limit.date,
            "reason": limit.reason,
        },
    }
    if check.name == ROW_COUNT:
        return ExpectTableRowCountToBeBetween(**common)
    return ExpectColumnValuesToBeBetween(column=check.name, **common)


def _exception(result: "ExpectationValidationResult") -> str | None:
    """Message of an exception inside Great Expectations; it hides them one level deep, by metric."""
    info: dict[str, Any] = result.exception_info or {}
    parts = [info] if "raised_exception" in info else list(info.values())
    raised = [str(part.get("exception_message")) for part in parts if part.get("raised_exception")]
    return "; ".join(raised) or None


def _row(
    suite: Suite,
    check: Check,
    result: "ExpectationValidationResult",
    frame: "pd.DataFrame",
    acknowledged: dict[tuple[str, str], ledger.Acknowledged],
) -> dict[str, object]:
    failures = [] if check.name == ROW_COUNT else list(_failures(suite, check, acknowledged))
    left = [failure for failure in failures if failure.by is None]
    if check.name == ROW_COUNT:
        observed, detail = f"{(result.result or {})['observed_value']} rows", check.remedy
    elif result.success:
        observed, detail = _span(frame[check.name].dropna()), ""
    else:
        shown = left or failures
        observed = f"{_number(shown[0].value)} at {shown[0].subject} ({len(shown)} of {frame[check.name].count()})"
        parts = [_named(suite, check, failure) for failure in shown[:NAMED]]
        more = f"and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
        detail = "; ".join(filter(None, [*parts, more, _remedy(suite, check, left)]))
    can_be_acknowledged = check.severity == "critical" and not check.is_contract
    kept = [{"subject": f.subject, "date": date_of(f.subject), "value": f.value} for f in left]
    return {
        "suite": suite.name,
        "expectation": check.name,
        "severity": check.severity,
        "observed": observed,
        "threshold": str(check.threshold),
        "passed": bool(result.success),
        "detail": None if result.success else detail,
        "failures": json.dumps(kept, ensure_ascii=False) if can_be_acknowledged and kept else None,
        "is_acknowledged": bool(failures) and not left,
    }


def _failures(
    suite: Suite, check: Check, acknowledged: dict[tuple[str, str], ledger.Acknowledged]
) -> Iterable[Failure]:
    for (subject, batches), cells in suite.rows.items():
        value = cells.get(check.name)
        if value is not None and check.threshold.is_outside(value):
            known = acknowledged.get((check.name, subject))
            covers = known is not None and not check.threshold.is_worse(value, known.value)
            yield Failure(subject, batches, value, known if covers else None)


def _named(suite: Suite, check: Check, failure: Failure) -> str:
    """A failure with its files and what it looks like; of one that is acknowledged who said so, when and why."""
    batches = failure.batches.split()
    files = ", ".join(f"{suite.files.get(batch, 'file')}, batch {batch}" for batch in batches)
    note = suite.notes.get((check.name, failure.subject, failure.batches))
    text = f"{_number(failure.value)} at {failure.subject}{f' ({files})' if files else ''}{f': {note}' if note else ''}"
    by = failure.by
    return f"{text}, acknowledged by {by.acknowledged_by} on {by.acknowledged_at[:10]}: {by.why}" if by else text


def _remedy(suite: Suite, check: Check, left: list[Failure]) -> str:
    """What a person can do about what is left: the check's own words, and how to publish over it."""
    dates = sorted({found for failure in left if (found := date_of(failure.subject))})
    if check.severity != "critical" or check.is_contract or not dates:
        return check.remedy if left else ""
    each = f" (and of each of {', '.join(dates[1:NAMED])})" if len(dates) > 1 else ""
    command = f'make acknowledge CHECK={suite.name}.{check.name} DATE={dates[0]} WHY="..."{each}'
    return "; ".join(filter(None, [check.remedy, f"if it is honest, publish over it: {command}"]))


def _broken(suite: Suite, check: Check, problem: str) -> dict[str, object]:
    return {
        "suite": suite.name,
        "expectation": check.name,
        "severity": "critical",
        "observed": None,
        "threshold": str(check.threshold),
        "passed": False,
        "detail": f"the check itself failed, so nobody knows: {problem[:300]}",
        "failures": None,
        "is_acknowledged": False,
    }


def _span(values: "pd.Series[float]") -> str:
    if values.empty:
        return "not evaluated"
    low, high = _number(values.min()), _number(values.max())
    return f"{low if low == high else f'{low} .. {high}'} ({values.size})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.4f}"
