"""Accounts and followers by tier: the latest mix, and every day of the periods shown."""

from typing import Any

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import MAX_GAP_DAYS, Common

TABLE_DAYS = 60

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
    periods = source.rows(PERIODS)
    return {
        "days": sum(len(period["days"]) for period in periods),
        "table": source.rows(TABLE),
        "table_days": TABLE_DAYS,
        "max_gap_days": MAX_GAP_DAYS,
        "drawn": _drawn(periods, source.rows(SERIES), common.tiers),
    }


def _drawn(periods: list[Row], rows: list[Row], tiers: list[Row]) -> Row:
    """Keys, dates and figures of the charts; `audience.js` names the tiers."""
    keys = {tier["tier"]: tier["key"] for tier in tiers}
    series: dict[Any, list[Row]] = {}
    for row in rows:
        series.setdefault(row["period"], []).append(
            {"key": keys[row["tier"]], "accounts": row["accounts"], "followers": row["followers"]}
        )
    return {
        "tiers": [{"key": tier["key"], "unknown": tier["is_unknown"]} for tier in tiers],
        "periods": [{**period, "series": series[period["period"]]} for period in periods],
    }


SECTION = Section("audience", "Audience", read, ("fct_account_daily", "dim_tier_scheme"))
