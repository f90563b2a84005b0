"""The report's frame: every section is registered once, shown only of a release that holds its marts, and isolated."""

from pathlib import Path

import duckdb

from ingestion.config import Settings
from serving.report import formatting
from serving.report.build import render
from serving.report.sections import SECTIONS

from .test_report import TWO_DAYS, Page, assert_runs_our_script_alone, publish

FOLDER = formatting.HERE / "sections"


def names(pattern: str) -> set[str]:
    return {path.name.partition(".")[0] for path in Path(FOLDER).glob(pattern)}


def test_each_section_is_a_module_and_a_template_of_its_name() -> None:
    registered = [section.name for section in SECTIONS]
    assert len(set(registered)) == len(registered)
    assert set(registered) == names("*.html.j2") == names("*.py") - {"__init__", "section"}
    assert names("*.js") <= set(registered)


def test_the_navigation_leads_to_each_shown_section(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    page = Page(render(settings, "run-1"))
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("class") != "skip"}
    anchors = {f"#{attrs['id']}" for tag, attrs in page.tags if tag == "section"}
    # Parts that are folded have a link of their own; all checks stand on a page of their own.
    assert links == anchors | {"#engineers", "quality.html"}
    assert {"#audience", "#movers", "#schemes", "#quality", "#files", "#run"} <= anchors


def test_a_release_without_a_sections_mart_is_shown_without_it(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    assert 'id="schemes"' in render(settings, "run-1")
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("drop table marts.fct_account_tier_daily")
    page = render(settings, "run-1")
    assert 'id="schemes"' not in page
    assert 'id="audience"' in page


def test_only_the_state_is_shown_before_the_first_release(settings: Settings) -> None:
    page = Page(render(settings, "run-1"))
    assert [attrs["id"] for tag, attrs in page.tags if tag == "section"] == [
        "overview", "quality", "files", "run"
    ]  # fmt: skip
    assert page.data == {}
    assert_runs_our_script_alone(page)
