"""`docs/what-is-said.md` names checks, issues and tests that exist, and every check that there is."""

import re
from pathlib import Path

import pytest

from expectations import thresholds
from expectations.suites import ROW_COUNT
from ingestion.config import PROJECT_DIR, Settings
from ingestion.contracts import load_feeds

PAGE = PROJECT_DIR / "docs" / "what-is-said.md"
OF_MARTS = r"`marts\.(\w+)\.(\w+)`"


def named() -> list[list[str]]:
    """Cells of each row of the page's tables."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in rows if row[0] not in ("fault", "---")]


def known(settings: Settings) -> set[tuple[str, str]]:
    """Feed and name of every check; those of marts go by the feed that they are made of."""
    return {(feed, check.name) for feed, checks in thresholds.all_checks(settings).items() for check in checks}


def said(settings: Settings) -> set[tuple[str, str]]:
    """Feed and name of every check that the page names; `*` is each feed that has it."""
    found = set()
    for row in named():
        for feed, check in re.findall(r"`landing\.(\w+|\*)\.(\w+)`", row[1]):
            names = load_feeds() if feed == "*" else [feed]
            has = {(name, check) for name in names} & known(settings)
            assert has, f"no check is named {feed}.{check}"
            found |= has
        for _, check in re.findall(OF_MARTS, row[1]):
            has = {(feed, check) for feed in load_feeds()} & known(settings)
            assert has, f"no check is named {check}"
            found |= has
    return found


def test_every_check_is_on_the_page(settings: Settings) -> None:
    assert known(settings) - said(settings) == set()
    assert ROW_COUNT in PAGE.read_text(encoding="utf-8")


def test_every_row_has_its_four_cells_and_blocks_as_its_check_does(settings: Settings) -> None:
    severity = {check.name: check.severity for checks in thresholds.all_checks(settings).values() for check in checks}
    presence = {"arrival", "freshness_hours"}  # critical where the feed is required
    for row in named():
        assert len(row) == 4, row
        for check in set(re.findall(r"`(?:landing|marts)\.[\w*]+\.(\w+)`", row[1])) - presence:
            assert (severity[check] == "critical") == (row[2] == "yes"), row


def test_every_test_exists() -> None:
    for row in named():
        [test] = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", row[3])
        path, _, name = test.partition("::")
        text = (PROJECT_DIR / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, test


def test_every_issue_is_one_that_a_model_says() -> None:
    models = "".join(
        path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "dbt_project" / "models").rglob("*.sql")
    )
    issues = [issue for row in named() for issue in re.findall(r"`fct_commerce_issue: ([^`]+)`", row[1])]
    assert issues
    for issue in issues:
        assert f"'{issue}'" in models or f"' {issue.rpartition(' ')[2]}' as issue" in models, issue


def test_a_check_that_nobody_made_is_found_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("| a fault | `landing.orders.no_such_check` | yes | `tests/x.py` |\n")
    monkeypatch.setattr(f"{__name__}.PAGE", page)
    with pytest.raises(AssertionError, match=r"no check is named orders\.no_such_check"):
        said(settings)
