"""The report says what sources brought on their last day."""

import duckdb
import pytest

from ingestion.config import Settings
from serving.report.sections.sources import REASONS
from tests.unit.serving.test_report import TWO_DAYS, publish, report


@pytest.fixture
def captured(settings: Settings) -> Settings:
    """A release with two days of captures, of which the last one lacks an account."""
    publish(settings, TWO_DAYS)
    missing = ", ".join(f"accounts_{reason} bigint default 0" for reason in REASONS)
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute(
            "create table marts.fct_capture_daily (source varchar, platform varchar, snapshot_date date,"
            f" accounts_asked bigint, accounts_received bigint, {missing}, posts_asked bigint, posts_received bigint,"
            " calls bigint);"
            "insert into marts.fct_capture_daily by name select 'youtube' as source, 'youtube' as platform,"
            " unnest([date '2026-01-04', date '2026-01-05']) as snapshot_date, 1234 as accounts_asked,"
            " 1232 as accounts_received, 2 as accounts_throttled, 0 as posts_asked, 0 as posts_received, 25 as calls"
        )
    return settings


def test_the_last_day_of_a_source_and_why_accounts_did_not_come(captured: Settings) -> None:
    shown = report(captured).text
    assert "1,234" in shown
    assert "2 throttled" in shown


def test_nothing_is_said_where_nothing_was_captured(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    assert "What each source was asked for" not in report(settings).text
