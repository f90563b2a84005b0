"""`groundswell metrics`: what it says without MetricFlow, without a release, and how it writes an answer."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR
from serving.metrics import engine
from serving.metrics.definitions import BY_MODEL, GROUPINGS, metrics
from serving.metrics.question import Answer
from warehouse.cli.metrics import csv_of, names_of, table_of

ANSWER = Answer(
    ["month", "campaign", "spend", "roi_net", "clicks"],
    [
        {"month": date(2026, 1, 1), "campaign": "=C1", "spend": Decimal("1234.5"), "roi_net": -0.25, "clicks": 1200},
        {"month": None, "campaign": "C2", "spend": None, "roi_net": None, "clicks": 0},
    ],
)


@pytest.fixture
def without_metricflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment that has not installed the extra."""
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    engine.engine.cache_clear()


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty warehouse."""
    monkeypatch.setenv("GROUNDSWELL_DATA", str(tmp_path))


@pytest.mark.usefixtures("without_metricflow")
def test_metrics_are_listed_without_metricflow(
    groundswell: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert groundswell("metrics") == 0
    printed = capsys.readouterr().out
    listed = [line.split()[0] for line in printed.splitlines()[: len(metrics())]]
    assert listed == list(metrics())
    assert "a ratio of sums" in next(line for line in printed.splitlines() if line.startswith("roi_net "))
    assert "(to date and by cohort_month; of one attribution model)" in printed
    assert "(by brand alone)" in printed


@pytest.mark.usefixtures("without_metricflow")
def test_a_missing_extra_is_named_with_its_remedy(
    groundswell: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert groundswell("metrics", "spend", "--groupings") == 1
    said = capsys.readouterr().err
    assert "not installed: run `make metrics`" in said
    assert "requirements-metrics.txt" in said


def test_without_a_release_there_is_nothing_to_ask(
    groundswell: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert groundswell("metrics", "spend") == 1
    assert "nothing is published yet: run `make nightly` first" in capsys.readouterr().err


def test_what_a_metric_is_grouped_by_is_printed(
    groundswell: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert groundswell("metrics", "share_of_voice,budget_used", "--groupings") == 0
    assert capsys.readouterr().out.splitlines() == [
        "share_of_voice: day, week, month, quarter, year, brand, brand_name",
        "budget_used: brand, brand_name, campaign, campaign_name, objective",
    ]
    assert groundswell("metrics", "budget", "nosuch") == 2
    assert groundswell("metrics", "nosuch", "--groupings") == 2
    assert "there is no metric nosuch" in capsys.readouterr().err


def test_names_are_written_with_commas() -> None:
    assert names_of(" spend, roi_net ,") == ("spend", "roi_net")
    assert names_of(None) == ()


def test_an_answer_in_columns_shows_unknown_as_a_dash() -> None:
    assert table_of(ANSWER) == [
        "month       campaign     spend  roi_net  clicks",
        "2026-01-01  =C1       1,234.50  -0.2500   1,200",
        "-           C2               -        -       0",
    ]


def test_a_long_answer_says_where_the_rest_is() -> None:
    rows = [{"day": date(2026, 1, 1), "posts": number} for number in range(201)]
    assert table_of(Answer(["day", "posts"], rows))[-1] == "... 1 rows more; --out FILE writes all as CSV"


def test_an_answer_as_csv_has_values_as_they_are_and_no_formula() -> None:
    assert csv_of(ANSWER).splitlines() == [
        "month,campaign,spend,roi_net,clicks",
        "2026-01-01,'=C1,1234.5,-0.25,1200",
        ",C2,,,0",
    ]


# --- the extra, and its page


def pins(lock: str) -> set[str]:
    return {line.split()[0] for line in (PROJECT_DIR / lock).read_text().splitlines() if "==" in line}


def test_the_extra_adds_to_the_runtime_and_changes_nothing_of_it() -> None:
    """`make nightly` installs requirements.txt alone; the tools for tests hold the extra too."""
    runtime, extra, tools = (pins(f"requirements{name}.txt") for name in ("", "-metrics", "-dev"))
    assert {pin.partition("==")[0] for pin in extra - runtime} == {"metricflow", "rapidfuzz", "sqlglot"}
    assert runtime <= extra <= tools
    assert "://" not in (PROJECT_DIR / "requirements-metrics.txt").read_text()


def test_nothing_of_a_night_imports_it() -> None:
    found = [
        path.relative_to(PROJECT_DIR).as_posix()
        for folder in ("dags", "expectations", "ingestion", "serving", "warehouse")
        for path in (PROJECT_DIR / folder).rglob("*.py")
        if re.search(r"^\s*(?:from|import) (?:metricflow|serving\.metrics)", path.read_text(), re.MULTILINE)
    ]
    assert sorted(found) == [
        "serving/mcp.py",
        "serving/metrics/engine.py",
        "serving/metrics/question.py",
        "warehouse/cli/main.py",
        "warehouse/cli/metrics.py",
    ]


def test_the_page_names_metrics_and_groupings_that_exist() -> None:
    table = (PROJECT_DIR / "docs" / "metrics.md").read_text().partition("## What there is")[2].partition("## Rules")[0]
    rows = [line.split("|")[2:4] for line in table.splitlines() if line.startswith("| ")][2:]
    named = {name for cell, _ in rows for name in re.findall(r"`(\w+)`", cell)} - {"_known"}
    assert named <= set(metrics())
    assert {"spend", "roi_net", "share_of_voice", "live_gmv"} <= named
    grouped = {word for _, cell in rows for word in re.findall(r"\b[a-z]+_[a-z_]+\b", cell)}
    assert grouped <= {*GROUPINGS, BY_MODEL}
