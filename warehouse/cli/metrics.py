"""`groundswell metrics`: list the metrics, or ask the published release for some."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import click
import duckdb

from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.quarantine import neutral
from ingestion.raw import commit_file
from serving.metrics.definitions import GROUPINGS, MARTS, Metric, metrics
from serving.metrics.question import Answer, Question, answer, groupings_of
from serving.report.source import open_source
from warehouse.cli.command import DONE, FAILED

# More rows than this are in the file alone.
PRINTED = 200


def names_of(text: str | None) -> tuple[str, ...]:
    """Names of a list that is written with commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def list_metrics() -> int:
    """Print every metric with what it is; needs no MetricFlow."""
    known = list(metrics().values())
    width = max(len(metric.name) for metric in known)
    for metric in known:
        click.echo(f"{metric.name:<{width}}  {metric.description}{_rules(metric)}")
    click.echo(
        f"\n{len(known)} metrics, defined in {MARTS.name}/*/_*__metrics.yml. Group by {', '.join(GROUPINGS)};"
        " --groupings says which a metric has.\nAmounts are in base currency."
    )
    return DONE


def list_groupings(names: tuple[str, ...]) -> int:
    """Print what each of these metrics may be grouped by."""
    for name in names:
        click.echo(f"{name}: {', '.join(groupings_of(name))}")
    return DONE


def ask(settings: Settings, question: Question, out: Path | None) -> int:
    """Print the answer of the published release, or write it as CSV."""
    with open_source(settings, run_id="") as source:
        if source.marts is None:
            click.echo("nothing is published yet: run `make nightly` first", err=True)
            return FAILED
        try:
            found = answer(source, question)
        except duckdb.Error as error:
            raise ContractError(
                f"the published release does not hold what these metrics need ({str(error).splitlines()[0]});"
                " one that was built by older code is renewed by `make nightly`"
            ) from error
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = out.with_name(f".{out.name}.part")
        partial.write_text(csv_of(found), encoding="utf-8")
        commit_file(partial, out)
        click.echo(f"{len(found.rows):,} rows: {out}")
        return DONE
    for line in table_of(found):
        click.echo(line)
    return DONE


def table_of(found: Answer) -> list[str]:
    """The answer in columns; numbers to the right, unknown as a dash."""
    shown = [[_cell(row[name]) for name in found.columns] for row in found.rows[:PRINTED]]
    widths = [max(len(text) for text in column) for column in zip(found.columns, *shown, strict=True)]
    numbers = [any(isinstance(row[name], int | float | Decimal) for row in found.rows) for name in found.columns]

    def line(cells: list[str]) -> str:
        padded = zip(cells, widths, numbers, strict=True)
        return "  ".join(f"{text:>{width}}" if right else f"{text:<{width}}" for text, width, right in padded).rstrip()

    lines = [line(found.columns), *(line(cells) for cells in shown)]
    if len(found.rows) > PRINTED:
        lines.append(f"... {len(found.rows) - PRINTED:,} rows more; --out FILE writes all as CSV")
    return lines


def csv_of(found: Answer) -> str:
    """The answer as CSV, values as they are, unknown empty; text that a spreadsheet would run is made plain."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found.columns)
    for row in found.rows:
        writer.writerow(
            [value if isinstance(value, int | float | Decimal) else neutral(value) for value in row.values()]
        )
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, float):
        return f"{value:,.4f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _rules(metric: Metric) -> str:
    rules = ["to date and by cohort_month"] if metric.is_to_date else []
    rules += ["of one attribution model"] if metric.has_model else []
    rules += [f"by {metric.needs} alone"] if metric.needs else []
    return f" ({'; '.join(rules)})" if rules else ""
