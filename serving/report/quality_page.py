"""The page of checks: pass and fail at a glance, each group with its checks and its page in Data Docs."""

from pathlib import Path
from typing import Any

from ingestion import ledger
from serving.report.source import Row, Source
from serving.report.words import check_name, suite_name

DATA_DOCS = "data_docs"
# Checks shown of one group; more are counted.
MAX_SHOWN = 200


def read(source: Source) -> Row:
    """Checks of the run, by group, those with a failure first; of the last checked run where it has none."""
    with ledger.read(source.settings) as connection:
        run = ledger.last_checked_run(connection, source.run_id)
        checks = [dict(row) for row in ledger.checks_of_run(connection, run)]
        tally = dict(ledger.tally_of_checks(connection, run))
    groups: dict[str, list[Row]] = {}
    for check in checks:
        groups.setdefault(str(check["suite"]), []).append(
            check | {"name": check_name(check["expectation"])} | _outcome(check)
        )
    docs = source.settings.reports / DATA_DOCS
    shown = [_group(docs, suite, found, run) for suite, found in groups.items()]
    return {
        "run": run,
        "is_own": run == source.run_id,
        "tally": tally,
        "status": source.state["status"],
        "groups": sorted(shown, key=lambda group: (-group["failed"], -group["warned"], group["name"])),
        "data_docs": f"{DATA_DOCS}/index.html" if (docs / "index.html").is_file() else None,
    }


def _outcome(check: Row) -> Row:
    """How a check came out: key of its colour, sign and word."""
    if check["passed"]:
        return {"outcome": "pass", "sign": "✓", "word": "Passed"}
    if check["is_acknowledged"]:
        return {"outcome": "warn", "sign": "!", "word": "Acknowledged"}
    if check["severity"] == "critical":
        return {"outcome": "fail", "sign": "✕", "word": "Failed"}
    return {"outcome": "warn", "sign": "!", "word": "To look at"}


def _group(docs: Path, suite: str, checks: list[Row], run: str | None) -> Row:
    return {
        "suite": suite,
        "name": suite_name(suite),
        "failed": sum(check["outcome"] == "fail" for check in checks),
        "warned": sum(check["outcome"] == "warn" for check in checks),
        "passed": sum(check["outcome"] == "pass" for check in checks),
        "checks": checks[:MAX_SHOWN],
        "left_out": len(checks) - len(checks[:MAX_SHOWN]),
        "href": docs_page(docs, suite, run),
    }


def docs_page(docs: Path, suite: str, run: Any) -> str | None:
    """The newest page that Data Docs hold of a suite, of this run where it has one; null where there is none."""
    stage, _, table = suite.partition(".")
    folder = docs / "validations" / stage / table
    if not table or not folder.resolve().is_relative_to(docs.resolve()):
        return None
    pages = sorted(folder.glob("*/*/*.html"), key=lambda page: (page.parts[-2], page.name))
    return pages[-1].relative_to(docs.parent).as_posix() if pages else None
