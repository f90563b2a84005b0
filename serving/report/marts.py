"""What the report shows of the published release, aggregated by DuckDB: its size does not grow with the data."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb

from ingestion.config import DUCKDB_CONFIG, Settings

Row = dict[str, Any]

# A page stays readable, and small, with about a year of bars.
MAX_DAYS = 400
# A season without data is drawn as a break, not as empty space.
MAX_GAP_DAYS = 60
# More periods than this leave no room for their bars on a telephone.
MAX_PERIODS = 6
TABLE_DAYS = 60
MOVERS = 10
# Compact enough for one table: the eight seeded schemes name eleven tiers.
MAX_SCHEMES = 20
MAX_SCHEME_TIERS = 16

DAYS = """
create or replace temp table days as
select snapshot_date, count(*) as accounts, count(followers) as known, sum(followers) as followers
from marts.fct_account_daily
group by snapshot_date
"""

# The latest days, cut into periods wherever the calendar has a long gap.
SHOWN = f"""
create or replace temp table shown as
with latest as (select * from days order by snapshot_date desc limit {MAX_DAYS}),

gaps as (select *, snapshot_date - lag(snapshot_date) over (order by snapshot_date) as gap_days from latest),

periods as (
    select *, count(*) filter (where gap_days > {MAX_GAP_DAYS}) over (order by snapshot_date) as period from gaps
)

select * from periods qualify period > max(period) over () - {MAX_PERIODS}
"""

LABELLED = """
case when followers is null then 'unknown' when tier is null then 'no tier' else tier end
"""

COUNTED = f"""
create or replace temp table counted as
select snapshot_date, {LABELLED} as tier, count(*) as accounts, sum(followers) as followers
from marts.fct_account_daily
where snapshot_date in (select snapshot_date from shown)
group by all
"""

# The scheme's tiers from small to large, whether seen or not; what lies outside them only where it is seen.
TIERS = """
create or replace temp table tiers as
with scheme_tiers as (
    select tier, min(tier_rank) as place from marts.dim_tier_scheme where scheme = $scheme group by tier
),

seen as (select distinct tier from counted)

select
    coalesce(scheme_tiers.tier, seen.tier) as tier,
    case coalesce(scheme_tiers.tier, seen.tier)
        when 'below' then 0 when 'unclassified' then 1001 when 'no tier' then 1002 when 'unknown' then 1003
        else coalesce(scheme_tiers.place, 1000)
    end as place
from scheme_tiers full join seen on scheme_tiers.tier = seen.tier
"""

GRID = """
create or replace temp table grid as
select
    shown.period, shown.snapshot_date, tiers.tier, tiers.place,
    coalesce(counted.accounts, 0) as accounts,  -- no row: no account of that tier on that day
    counted.followers
from shown cross join tiers
left join counted on shown.snapshot_date = counted.snapshot_date and tiers.tier = counted.tier
"""

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

KEY_FIGURES = """
select
    (select count(*) from marts.dim_account) as accounts,
    count(*) as days,
    min(snapshot_date) as first_day,
    max(snapshot_date) as latest_day,
    max(snapshot_date) filter (where known > 0) as known_day,
    max_by(accounts, snapshot_date) as latest_accounts,
    max_by(accounts - known, snapshot_date) as latest_unknown
from days
"""

MIX = """
select tier, place, accounts, cast(followers as bigint) as followers
from grid where snapshot_date = $day order by place, tier
"""

# A period's change is per elapsed day; what it stands on is the count before it.
MOVES = """
create or replace temp table moves as
select
    platform, account_id, snapshot_date as day, followers, gap_days, count_resolution,
    followers_change_per_day as per_day,
    followers_change_per_day / nullif(followers - followers_change_per_day * gap_days, 0) as share_per_day,
    abs(followers_change_per_day * gap_days) <= count_resolution and count_resolution > 1 as is_one_step
from marts.fct_account_daily
where
    followers_change_per_day is not null
    and snapshot_date = (
        select max(snapshot_date) from marts.fct_account_daily where followers_change_per_day is not null
    )
"""

MOVES_SUMMARY = """
select
    any_value(day) as day, count(*) as measured, count(*) filter (where per_day > 0) as rose,
    count(*) filter (where per_day < 0) as fell, count(*) filter (where per_day = 0) as stood
from moves
"""

MOVERS_OF = """
select moves.*, left(accounts.display_name, 80) as display_name
from moves
left join marts.dim_account as accounts
    on moves.platform = accounts.platform and moves.account_id = accounts.account_id
where moves.per_day * $sign > 0
order by moves.per_day * $sign desc, abs(moves.share_per_day) desc nulls last, moves.platform, moves.account_id
limit $many
"""

SCHEME_TIERS = """
select tier
from (
    select tier, min(min_followers) as place from marts.dim_tier_scheme group by tier
    union all values ('below', -1), ('unclassified', 9e18), ('unknown', 9.1e18)
)
order by place, tier
"""

SCHEMES = """
with seen as (
    select scheme, coalesce(tier, 'unknown') as tier, count(*) as accounts
    from marts.fct_account_tier_daily where snapshot_date = $day group by all
),

named as (
    select distinct scheme, tier from marts.dim_tier_scheme where scheme in (select scheme from seen)
),

cells as (
    select
        coalesce(named.scheme, seen.scheme) as scheme, coalesce(named.tier, seen.tier) as tier,
        coalesce(seen.accounts, 0) as accounts  -- no row: no account in that tier
    from named full join seen on named.scheme = seen.scheme and named.tier = seen.tier
)

select
    scheme, map(list(tier order by tier), list(accounts order by tier)) as counts,
    cast(sum(accounts) as bigint) as accounts
from cells group by scheme order by scheme <> $scheme, scheme
"""

RELEASE = """
select release_id, run_id, window_start, window_end, published_at, code_version
from marts.fct_publication order by published_at desc, release_id desc limit 1
"""

RELEASE_MARTS = "select mart, row_count from marts.fct_publication where release_id = $release_id order by mart"

WITH_ORIGIN = """
select table_name from information_schema.columns
where table_schema = 'marts' and column_name = 'data_origin' order by table_name
"""


def read_release(settings: Settings) -> Row | None:
    """Everything the page shows of the published release, null before the first one."""
    link = settings.published / "groundswell.duckdb"
    if not link.exists():
        return None
    # The file itself, not the link: DuckDB keeps one database per path within a process.
    with closing(duckdb.connect(str(link.resolve()), read_only=True, config=DUCKDB_CONFIG)) as connection:
        return _read(connection, settings.default_scheme)


def _read(connection: duckdb.DuckDBPyConnection, scheme: str) -> Row:
    for statement in (DAYS, SHOWN, COUNTED):
        connection.execute(statement)
    connection.execute(TIERS, {"scheme": scheme})
    connection.execute(GRID)
    connection.execute(MOVES)
    figures = _one(connection, KEY_FIGURES)
    release = _all(connection, RELEASE)
    return {
        "release": release[0] if release else None,
        "release_marts": _all(connection, RELEASE_MARTS, release_id=release[0]["release_id"]) if release else [],
        "simulated": list(_simulated(connection)),
        "figures": figures,
        "tiers": _all(connection, "select tier, place from tiers order by place, tier"),
        "mix": _all(connection, MIX, day=figures["known_day"]),
        "periods": _all(connection, PERIODS),
        "series": _all(connection, SERIES),
        "table": _all(connection, TABLE),
        "moves": _one(connection, MOVES_SUMMARY),
        "gains": _all(connection, MOVERS_OF, sign=1, many=MOVERS),
        "losses": _all(connection, MOVERS_OF, sign=-1, many=MOVERS),
        "schemes": _schemes(connection, scheme, figures["known_day"]),
    }


def _schemes(connection: duckdb.DuckDBPyConnection, scheme: str, day: Any) -> Row | None:
    """Accounts by scheme and tier on a day; null when there are none, or too many for one table."""
    rows = _all(connection, SCHEMES, day=day, scheme=scheme)
    seen = {tier for row in rows for tier in row["counts"]}
    tiers = [row["tier"] for row in _all(connection, SCHEME_TIERS) if row["tier"] in seen]
    is_compact = 0 < len(rows) <= MAX_SCHEMES and len(tiers) <= MAX_SCHEME_TIERS
    return {"tiers": tiers, "rows": rows} if is_compact else None


def _simulated(connection: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """Marts with rows of simulated data, and how many."""
    for row in _all(connection, WITH_ORIGIN):
        mart = row["table_name"].replace('"', '""')
        found = _one(connection, f"select count(*) as simulated from marts.\"{mart}\" where data_origin = 'simulated'")
        if found["simulated"]:
            yield {"mart": row["table_name"], "rows": found["simulated"]}


def _all(connection: duckdb.DuckDBPyConnection, query: str, **values: Any) -> list[Row]:
    cursor = connection.execute(query, values or None)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Row:
    return _all(connection, query)[0]
