"""Every guard of the mart suite with a world in which it passes and one in which it fires."""

from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta

import duckdb
import pytest

from expectations.run import check_marts
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse import plan

FIRST_DAY = date(2026, 1, 1)
ACCOUNTS = 100
COLUMNS = (
    "snapshot_date date, account_id varchar, followers bigint, followers_change_per_day double,"
    " views_total_change_per_day double, gap_days integer, tier varchar, platform varchar default 'youtube',"
    " followers_held bigint, views_total_held bigint, gap_hours double generated always as (gap_days * 24)"
)
TRUST_COLUMNS = (
    "platform varchar, account_id varchar, snapshot_date date, trust_score integer, verdict varchar,"
    " engagement_score integer, engagement_verdict varchar, audience_signals integer, engagement_signals integer"
)
FILLED = (
    "snapshot_date", "account_id", "followers", "followers_change_per_day", "views_total_change_per_day", "gap_days",
    "tier",
)  # fmt: skip
CALM = (1000, 1.0, 50.0, 1, "nano")


def write_withheld(settings: Settings, *rows: tuple) -> None:
    """The build database: no delivery that withdraws, and the dates whose verdicts the models withheld."""
    settings.build_db.parent.mkdir(parents=True, exist_ok=True)
    with closing(duckdb.connect(str(settings.build_db))) as build:
        build.execute(
            "create schema staging; create schema meta;"
            "create table staging.stg_landing__withdrawing_deliveries (feed varchar, mapping varchar, as_of timestamp,"
            " keys_withdrawn bigint, share_of_keys double, share_of_amount double);"
            "create table meta.arrival (batch_id varchar, feed varchar, mapping varchar, as_of timestamp, file varchar);"
            "create schema intermediate; create table intermediate.int_trust__dates_withheld (platform varchar,"
            " snapshot_date date, main_signal varchar, accounts_evaluated integer, accounts_newly_suspicious integer)"
        )
        for row in rows:
            build.execute("insert into intermediate.int_trust__dates_withheld values (?, ?, ?, ?, ?)", row)


@pytest.fixture
def mart(settings: Settings, night: Callable[..., None]) -> Callable[..., None]:
    """Plan one day that has landed rows, and write a mart with the given rows (after account and date)."""

    def make(rows: list[tuple], day: int = 0) -> None:
        night(day, [1000] * ACCOUNTS)
        on = FIRST_DAY + timedelta(days=day)
        plan.make(settings, "r1", on, [plan.Model("fct_account_daily", "f", True)], True)
        write_withheld(settings)
        with closing(duckdb.connect(str(settings.marts_db))) as marts:
            marts.execute(f"create schema marts; create table marts.fct_account_daily ({COLUMNS})")
            marts.execute(f"create table marts.fct_follower_trust_daily ({TRUST_COLUMNS})")
            if rows:
                marts.executemany(
                    f"insert into marts.fct_account_daily ({', '.join(FILLED)}) values (?, ?, ?, ?, ?, ?, ?)",
                    [(on, f"a{number}", *row) for number, row in enumerate(rows)],
                )

    return make


def check(settings: Settings) -> dict:
    return {row["expectation"]: row for row in check_marts(settings, "r1", FIRST_DAY, log=lambda _: None)}


def failed(results: dict) -> set[str]:
    return {name for name, row in results.items() if not row["passed"]}


def test_a_calm_day_passes_and_is_recorded(settings, mart, recorded):
    mart([CALM] * ACCOUNTS)
    assert failed(check(settings)) == set()
    rows = recorded("r1")
    # Six shares, five of trust, and whether each frame is complete.
    assert len(rows) == 12
    # 1 follower more than 999.
    assert rows["median_relative_change_per_day"]["observed"] == "0.0010 (1)"


@pytest.mark.parametrize(("halved", "blocks"), [(5, False), (6, True)])
def test_halves_of_many_block(settings, mart, recorded, halved, blocks):
    # From 1,000 to 500 over two days.
    mart([*[(500, -250.0, 50.0, 2, "nano")] * halved, *[CALM] * (ACCOUNTS - halved)])
    if blocks:
        with pytest.raises(ContractError, match=r"halved: 0\.0600 at 2026-01-01 \(.*01-01\.csv, batch \w{12}"):
            check(settings)
    else:
        assert failed(check(settings)) == set()
    row = recorded("r1")["share_of_accounts_that_halved"]
    assert (row["severity"], row["passed"]) == ("critical", not blocks)


def test_a_fall_to_nothing_is_a_halving(settings, mart):
    mart([(0, -1000.0, 50.0, 1, "below")] * ACCOUNTS)
    with pytest.raises(ContractError, match="share_of_accounts_that_halved: 1 at"):
        check(settings)


@pytest.mark.parametrize(("gap", "warns"), [(7, True), (8, False)])
def test_doubles_of_many_warn_unless_after_a_long_absence(settings, mart, gap, warns):
    # From 1,000 to 2,000 over the gap: 94 calm accounts keep the median still.
    mart([*[(2000, 1000 / gap, 50.0, gap, "nano")] * 6, *[CALM] * 94])
    assert failed(check(settings)) == ({"share_of_accounts_that_doubled"} if warns else set())


@pytest.mark.parametrize(("change", "warns"), [(-50.0, False), (-51.0, True)])
def test_a_move_of_the_middle_account_warns(settings, mart, change, warns):
    mart([(int(1000 + change), change, 50.0, 1, "nano")] * ACCOUNTS)
    assert failed(check(settings)) == ({"median_relative_change_per_day"} if warns else set())


@pytest.mark.parametrize(("without", "warns"), [(20, False), (21, True)])
def test_known_followers_without_tier_warn(settings, mart, without, warns):
    mart([*[(1000, 1.0, 50.0, 1, None)] * without, *[CALM] * (ACCOUNTS - without)])
    assert failed(check(settings)) == ({"share_of_accounts_without_tier"} if warns else set())


def test_unknown_followers_need_no_tier(settings, mart):
    mart([*[(None, None, None, None, None)] * 50, *[CALM] * 50])
    assert failed(check(settings)) == set()


@pytest.mark.parametrize(("fallen", "warns"), [(10, False), (11, True)])
def test_fallen_totals_of_views_warn(settings, mart, fallen, warns):
    mart([*[(1000, 1.0, -1.0, 1, "nano")] * fallen, *[CALM] * (ACCOUNTS - fallen)])
    assert failed(check(settings)) == ({"share_of_views_total_fallen"} if warns else set())


def test_nineteen_known_changes_are_not_evaluated(settings, mart):
    mart([*[(500, -500.0, -1.0, 1, "nano")] * 19, *[(1000, None, None, None, "nano")] * 81])
    results = check(settings)
    assert failed(results) == set()
    assert results["share_of_accounts_that_halved"]["observed"] == "not evaluated"


def test_a_planned_date_that_the_mart_lacks_blocks(settings, mart, recorded):
    mart([])
    with pytest.raises(ContractError, match="frame_is_complete"):
        check(settings)
    assert recorded("r1")["frame_is_complete"]["observed"] == "0 rows"


def test_a_planned_date_without_landed_rows_may_be_empty(settings, mart):
    mart([])
    with ledger.write(settings) as connection:
        connection.execute("update batches set state = 'rejected'")
    assert failed(check(settings)) == set()


def test_dates_outside_the_plan_are_not_evaluated(settings, mart):
    mart([CALM] * ACCOUNTS)
    with closing(duckdb.connect(str(settings.marts_db))) as marts:
        marts.execute(
            f"insert into marts.fct_account_daily ({', '.join(FILLED)})"
            " select date '2025-12-31', account_id, 1, -999, -1, 1, null"
            " from marts.fct_account_daily"
        )
    assert failed(check(settings)) == set()


def test_without_marts_the_remedy_is_named(settings):
    with pytest.raises(ContractError, match="run build_marts first"):
        check(settings)


@pytest.mark.parametrize(
    ("held", "accounts", "blocks"), [(4, ACCOUNTS, False), (5, ACCOUNTS, True), (5, 250, False), (6, 250, True)]
)
def test_many_held_counts_of_a_platform_block_and_name_it(settings, mart, held, accounts, blocks):
    """Five and over 2 % of it: 5 of 250 are 2 %. As many again of another platform say nothing of this one."""
    mart([CALM] * (accounts + 4))
    with closing(duckdb.connect(str(settings.marts_db))) as marts:
        marts.execute(
            "update marts.fct_account_daily set followers = null, followers_held = 1"
            " where substr(account_id, 2)::integer < ?",
            [held - 1],
        )
        # An account with both counts held is one.
        marts.execute(
            "update marts.fct_account_daily set views_total_held = 1 where account_id in ('a0', ?)", [f"a{held - 1}"]
        )
        marts.execute(
            "update marts.fct_account_daily set platform = 'tiktok', followers_held = 1"
            " where substr(account_id, 2)::integer >= ?",
            [accounts],
        )
    if not blocks:
        assert failed(check(settings)) == set()
        return
    with pytest.raises(ContractError, match=r"share_of_accounts_held: 0\.0\d+ at youtube 2026-01-01 .*make reject"):
        check(settings)
