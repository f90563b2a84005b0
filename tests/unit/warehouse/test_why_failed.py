"""What the terminal says of a run that failed: the check or model, what it saw, and the remedy."""

from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse.build import run
from warehouse.cli.airflow_run import _cause
from warehouse.summary import require_finished

BLOCKED = """\
[2026-01-05 00:00:01] INFO - something
ContractError: landing_orders is blocked, nothing is published and the last release stays:
- share_of_new_ids: 9 of 10 in \x1b[31morders_2026-01-05.csv are new; make reject BATCH=abc
- median_amount: 7
[2026-01-05 00:00:02] INFO - more
- no part of it
ingestion.errors.ContractError: run x published nothing (a.b: c); readers keep the last good release
"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            BLOCKED,
            "landing_orders is blocked, nothing is published and the last release stays:\n"
            "- share_of_new_ids: 9 of 10 in \\x1b[31morders_2026-01-05.csv are new; make reject BATCH=abc\n"
            "- median_amount: 7",
        ),
        ("ContractError: run x published nothing (a.b: c); readers keep it\n", "run x published nothing (a.b: c); readers keep it"),
        ("OSError: first\nx\nValueError\n", "ValueError"),
        ("nothing\n", "the last lines of the log say why"),
    ],
)  # fmt: skip
def test_the_terminal_names_what_failed_and_not_what_followed(text: str, cause: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert _cause(log) == cause


def result(name: str, kind: str, status: str, message: str) -> dict[str, object]:
    return {"name": name, "kind": kind, "status": status, "severity": "critical", "failures": None, "message": message}


def test_a_model_that_failed_comes_before_the_tests_of_others_and_what_was_not_run_is_no_cause(
    settings: Settings,
) -> None:
    failed = [result(f"t{number}", "test", "fail", "Got 1 result") for number in range(5)]
    failed.append(result("int_x", "model", "error", "Runtime Error in model int_x (models/int_x.sql) Overflow\x1b"))
    lines = run._why_failed(failed).splitlines()
    assert lines[0] == "- int_x: Runtime Error in model int_x (models/int_x.sql) Overflow\\x1b"
    assert lines[1] == "- t0: Got 1 result"
    assert lines[3] == "- and 3 more, all in the log"
    assert "make reject BATCH=" in lines[-1]
    skipped = [result(f"s{number}", "test", "skipped", "") for number in range(40)]
    ledger.record_checks(settings, "n", run._check_results([*skipped, failed[-1]]))
    with pytest.raises(ContractError, match="published nothing") as error:
        require_finished(settings, "n")
    assert "dbt.int_x: Runtime Error in model int_x" in str(error.value)
    assert "s0" not in str(error.value)
    assert "\x1b" not in str(error.value)
