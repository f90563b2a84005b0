"""Accounts and followers by tier: the latest mix, and every day of the periods shown."""

from typing import Any

from serving.report import bars
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import MAX_GAP_DAYS, Common

TABLE_DAYS = 60
# Key of what is hatched besides a tier.
UNKNOWN = "unknown"

PERIODS = """
select
    period,
    list(cast(snapshot_date as varchar) order by snapshot_date) as days,
    list(known order by snapshot_date) as known,
    list(accounts - known order by snapshot_date) as unknown,
    first(gap_days order by snapshot_date) - 1 as days_without
from shown group by period order by period
"""

SERIES = """
select
    period, tier,
    list(accounts order by snapshot_date) as accounts,
    list(cast(followers as bigint) order by snapshot_date) as followers
from grid group by period, tier, place order by period, place, tier
"""

TABLE = f"""
select
    any_value(shown.snapshot_date) as day, any_value(shown.accounts) as accounts, any_value(shown.known) as known,
    any_value(cast(shown.followers as bigint)) as followers,
    list(grid.accounts order by grid.place, grid.tier) as accounts_by_tier,
    list(cast(grid.followers as bigint) order by grid.place, grid.tier) as followers_by_tier
from shown join grid on shown.snapshot_date = grid.snapshot_date
group by shown.snapshot_date order by shown.snapshot_date desc limit {TABLE_DAYS}
"""


def read(source: Source, common: Common) -> Row:
    """What the charts draw, and the table behind them."""
    periods, series = source.rows(PERIODS), source.rows(SERIES)
    standing = [
        [("known", "accounts known", period["known"]), (UNKNOWN, "unknown", period["unknown"])] for period in periods
    ]
    return {
        "days": sum(len(period["days"]) for period in periods),
        "table": source.rows(TABLE),
        "table_days": TABLE_DAYS,
        "max_gap_days": MAX_GAP_DAYS,
        "unknown": {tier["key"] for tier in common.tiers if tier["is_unknown"]} | {UNKNOWN},
        "frame": bars.frame(periods),
        "accounts": [bars.panel(periods, _stacks(series, common.tiers, "accounts"))],
        "followers": [
            bars.panel(periods, _stacks(series, common.tiers, "followers")),
            bars.panel(periods, standing),
        ],
    }


def _stacks(rows: list[Row], tiers: list[Row], measure: str) -> list[list[bars.Stack]]:
    """By period the tiers of which anything is known, from small to large."""
    look = {tier["tier"]: tier for tier in tiers}
    stacks: dict[Any, list[bars.Stack]] = {}
    for row in rows:
        stack = stacks.setdefault(row["period"], [])
        if any(value is not None for value in row[measure]):
            tier = look[row["tier"]]
            stack.append((tier["key"], tier["label"], row[measure]))
    return list(stacks.values())


SECTION = Section("audience", "Audience", read, ("fct_account_daily", "dim_tier_scheme"))
