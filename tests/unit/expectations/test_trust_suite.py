"""The guard against our own faults, and the warnings that name accounts, each in a world where it fires."""

from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta

import duckdb
import pytest

from expectations.run import check_marts
from expectations.suites.marts import fct_follower_trust_daily
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse import plan

from .test_marts_suite import COLUMNS, TRUST_COLUMNS, write_withheld

DAY = date(2026, 1, 1)
ACCOUNTS = 200
TRUSTED = (100, "trusted", None, "insufficient_data", 0, 0)
SUSPICIOUS = (30, "suspicious", None, "insufficient_data", 2, 0)
LIKED = (100, "trusted", 25, "suspicious", 0, 2)
UNKNOWN = (None, "insufficient_data", None, "insufficient_data", 0, 0)


@pytest.fixture
def mart(settings: Settings, night: Callable[..., None]) -> Callable[..., None]:
    """Plan 1 January and write a trust mart: the rows of that day (after account and date), and of the day before."""

    def make(rows: list[tuple], before: list[tuple] | None = None, withheld: list[tuple] | None = None) -> None:
        night(0, [1000] * len(rows))
        plan.make(settings, "r1", DAY, [plan.Model("fct_follower_trust_daily", "f", True)], True)
        write_withheld(settings, *(withheld or []))
        with closing(duckdb.connect(str(settings.marts_db))) as marts:
            marts.execute(f"create schema marts; create table marts.fct_account_daily ({COLUMNS})")
            marts.execute(f"create table marts.fct_follower_trust_daily ({TRUST_COLUMNS})")
            for day, content in ((DAY, rows), (DAY - timedelta(days=1), before or [])):
                for number, row in enumerate(content):
                    marts.execute(
                        "insert into marts.fct_follower_trust_daily values ('tiktok', ?, ?, ?, ?, ?, ?, ?, ?)",
                        [f"a{number:03d}", day, *row],
                    )

    return make


def check(settings: Settings) -> dict:
    return {row["expectation"]: row for row in check_marts(settings, "r1", DAY, log=lambda _: None)}


@pytest.mark.parametrize(("suspicious", "warns"), [(4, False), (5, True)])
def test_more_new_suspicions_than_ever_seen_warn(settings, mart, suspicious, warns):
    # 4 of 200 are the 2 % that may be, 5 are more.
    mart([SUSPICIOUS] * suspicious + [TRUSTED] * (ACCOUNTS - suspicious))
    assert check(settings)["share_of_accounts_newly_suspicious"]["passed"] is not warns


@pytest.mark.parametrize(("suspicious", "blocks"), [(20, False), (21, True)])
def test_everybody_is_our_fault_and_blocks(settings, mart, suspicious, blocks):
    # 20 of 200 are the tenth that may be.
    mart([SUSPICIOUS] * suspicious + [TRUSTED] * (ACCOUNTS - suspicious))
    if blocks:
        with pytest.raises(ContractError, match=r"suspicious_at_once: 0\.1050 at tiktok 2026-01-01.*our fault"):
            check(settings)
    else:
        assert check(settings)["share_of_accounts_suspicious_at_once"]["passed"]


WITHHELD = (None, None, None, "insufficient_data", 2, 0)


def test_a_withheld_date_is_a_warning_that_names_platform_and_signal(settings, mart):
    mart(
        [WITHHELD] * ACCOUNTS,
        withheld=[("tiktok", DAY, "burst", ACCOUNTS, 10), ("tiktok", date(2025, 12, 1), "drip", 200, 200)],
    )
    results = check(settings)
    row = results["share_of_accounts_newly_suspicious"]
    assert (row["severity"], row["passed"]) == ("warning", False)
    assert row["detail"].startswith("0.0500 at tiktok 2026-01-01, mostly burst; verdicts of these dates are withheld")
    assert results["share_of_accounts_suspicious_at_once"]["passed"]


def test_a_withheld_date_of_everybody_blocks(settings, mart):
    mart([WITHHELD] * ACCOUNTS, withheld=[("tiktok", DAY, "burst", ACCOUNTS, 150)])
    with pytest.raises(ContractError, match=r"suspicious_at_once: 0\.7500 at tiktok 2026-01-01, mostly burst"):
        check(settings)


def test_who_was_suspicious_before_is_not_news(settings, mart):
    mart([SUSPICIOUS] * 20 + [TRUSTED] * 180, before=[SUSPICIOUS] * 20 + [TRUSTED] * 180)
    results = check(settings)
    assert results["share_of_accounts_newly_suspicious"]["observed"] == "0 (1)"
    # 20 of 200 are the tenth that may be.
    assert results["share_of_accounts_suspicious"]["passed"]


def test_a_growing_share_of_suspicious_accounts_warns(settings, mart):
    mart([SUSPICIOUS] * 21 + [TRUSTED] * 179, before=[SUSPICIOUS] * 21 + [TRUSTED] * 179)
    row = check(settings)["share_of_accounts_suspicious"]
    assert (row["severity"], row["passed"]) == ("warning", False)


def test_a_small_roster_has_no_share(settings, mart):
    mart([SUSPICIOUS] * 5 + [TRUSTED] * 194 + [UNKNOWN] * 50)
    assert check(settings)["share_of_accounts_newly_suspicious"]["observed"] == "not evaluated"


def test_suspicious_counts_are_named(settings, mart):
    mart([LIKED, SUSPICIOUS, *[TRUSTED] * 198])
    results = check(settings)
    followers, engagement = results["score_of_followers"], results["score_of_engagement"]
    assert not followers["passed"]
    assert not engagement["passed"]
    assert {followers["severity"], engagement["severity"]} == {"warning"}
    assert followers["detail"].startswith("30 at tiktok/a001")
    assert engagement["detail"].startswith("25 at tiktok/a000")
    assert "what else it could be" in followers["detail"]


def test_the_accounts_of_a_result_are_bounded(settings, mart, monkeypatch):
    monkeypatch.setattr(fct_follower_trust_daily, "MAX_ACCOUNTS", 3)
    mart([SUSPICIOUS] * 4 + [TRUSTED] * 250)
    assert check(settings)["score_of_followers"]["observed"] == "30 at tiktok/a000 (3 of 3)"


def test_nobody_suspicious_is_well(settings, mart):
    mart([TRUSTED] * ACCOUNTS)
    results = check(settings)
    assert results["score_of_followers"]["passed"]
    assert results["score_of_engagement"]["passed"]


def test_a_planned_date_that_the_mart_lacks_blocks(settings, mart):
    mart([TRUSTED])
    with closing(duckdb.connect(str(settings.marts_db))) as marts:
        marts.execute("delete from marts.fct_follower_trust_daily")
    with pytest.raises(ContractError, match=r"marts\.fct_follower_trust_daily is blocked"):
        check(settings)
    with ledger.read(settings) as connection:
        row = connection.execute(
            "select * from check_results where suite = 'marts.fct_follower_trust_daily' and passed = 0"
        ).fetchone()
    assert row["expectation"] == "frame_is_complete"
