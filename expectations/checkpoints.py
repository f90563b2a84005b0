"""Run a suite with Great Expectations and say in plain rows what came out. Data Docs are updated on the way."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from expectations import context as gx_context
from expectations.suites import NAMED, ROW_COUNT, Check, Suite
from ingestion.config import Settings

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation


def run_suite(settings: Settings, run_id: str, suite: Suite) -> list[dict[str, object]]:
    """One row per check, as `ledger.record_checks` takes it.

    A check that Great Expectations could not compute has failed and is critical, whatever it was: nobody knows.
    """
    frame = _frame(suite)
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
            rows.append(_row(suite, check, result, frame))
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
    from great_expectations.checkpoint.actions import UpdateDataDocsAction

    context = gx_context.open_context(settings)
    gx_context.prune(context, settings)
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
        actions=[UpdateDataDocsAction(name="data_docs", site_names=[gx_context.SITE])],
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
    gx_context.localise(settings)
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


def _row(suite: Suite, check: Check, result: "ExpectationValidationResult", frame: "pd.DataFrame") -> dict[str, object]:
    found: dict[str, Any] = result.result or {}
    if check.name == ROW_COUNT:
        observed, detail = f"{found['observed_value']} rows", check.remedy
    elif result.success:
        observed, detail = _span(frame[check.name].dropna()), ""
    else:
        where = found.get("partial_unexpected_index_list") or []
        more = int(found["unexpected_count"]) - len(where)
        named = [f"{_number(item[check.name])} at {item['subject']}" for item in where]
        observed = f"{named[0]} ({found['unexpected_count']} of {frame[check.name].count()})"
        parts = [name + _files(suite, item) for name, item in zip(named, where, strict=True)]
        detail = "; ".join(filter(None, [*parts, f"and {more} more" if more else "", check.remedy]))
    return {
        "suite": suite.name,
        "expectation": check.name,
        "severity": check.severity,
        "observed": observed,
        "threshold": str(check.threshold),
        "passed": bool(result.success),
        "detail": None if result.success else detail,
    }


def _broken(suite: Suite, check: Check, problem: str) -> dict[str, object]:
    return {
        "suite": suite.name,
        "expectation": check.name,
        "severity": "critical",
        "observed": None,
        "threshold": str(check.threshold),
        "passed": False,
        "detail": f"the check itself failed, so nobody knows: {problem[:300]}",
    }


def _span(values: "pd.Series[float]") -> str:
    if values.empty:
        return "not evaluated"
    low, high = _number(values.min()), _number(values.max())
    return f"{low if low == high else f'{low} .. {high}'} ({values.size})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.4f}"


def _files(suite: Suite, item: dict[str, Any]) -> str:
    batches = str(item["batches"]).split()
    return f" ({', '.join(f'{suite.files[batch]}, batch {batch}' for batch in batches)})" if batches else ""
