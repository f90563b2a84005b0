"""What differs between two sets of marts: rows per mart, tiers that changed, the largest moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ingestion.config import DUCKDB_CONFIG
from ingestion.sql import quote

# The operational marts tell of runs, and differ after every one of them.
OPERATIONAL = ("fct_landed_file", "fct_quality_result", "fct_publication")
# Where a row came from: another delivery of the same values is no other value.
LINEAGE = ("batch_id", "source_file", "source_line")
LARGEST = 5


@dataclass(frozen=True)
class MartDiff:
    """Rows of one mart by key: new, gone, and with other values; `relineaged` have other sources alone."""

    mart: str
    added: int
    removed: int
    changed: int
    relineaged: int = 0


@dataclass
class Diff:
    """Everything that differs. `tiers` counts account days by change of tier, `moves` are the largest of followers."""

    marts: list[MartDiff] = field(default_factory=list)
    tiers: list[tuple[str, str, int]] = field(default_factory=list)
    moves: list[tuple[str, str, str, int | None, int | None]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.marts

    def lines(self) -> list[str]:
        """The difference for people."""
        if self.is_empty:
            return ["diff  no row of any mart differs"]
        lines = [f"diff  {'mart':<34} {'added':>10} {'removed':>10} {'changed':>10}"]
        for found in self.marts:
            other = f"  ({found.relineaged:,} more from another delivery, values alike)" if found.relineaged else ""
            lines.append(f"diff  {found.mart:<34} {found.added:>10,} {found.removed:>10,} {found.changed:>10,}{other}")
        lines += [f"diff  tier {before} -> {after}: {count:,} account days" for before, after, count in self.tiers]
        lines += [
            f"diff  followers of {platform}/{account} on {day}: {_number(before)} -> {_number(after)}"
            for platform, account, day, before, after in self.moves
        ]
        return lines


def compare(before: Path | None, after: Path, keys: dict[str, list[str]]) -> Diff:
    """Compare the marts of two DuckDB files that nobody writes.

    Args:
        before: null when there was nothing before: every row is new.
        keys: columns of the grain of each mart; a mart without one is left out.
    """
    diff = Diff()
    with _attached(before, after) as connection:
        old, new = _columns(connection, "old"), _columns(connection, "new")
        for mart in sorted(set(old) | set(new)):
            if mart in OPERATIONAL or mart not in keys:
                continue
            found = _compare_mart(connection, mart, keys[mart], old.get(mart), new.get(mart))
            if found.added or found.removed or found.changed or found.relineaged:
                diff.marts.append(found)
        if "fct_account_daily" in {found.mart for found in diff.marts} and "fct_account_daily" in old:
            diff.tiers = connection.execute(TIERS).fetchall()
            diff.moves = connection.execute(MOVES.format(largest=LARGEST)).fetchall()
    return diff


@contextmanager
def _attached(before: Path | None, after: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config=DUCKDB_CONFIG)
    try:
        for name, file in (("old", before), ("new", after)):
            if file is None:
                connection.execute(f"attach ':memory:' as {name}")
            else:
                connection.execute(f"attach {quote(str(file))} as {name} (read_only)")
        yield connection
    finally:
        connection.close()


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = ? and schema_name = 'marts'"
        " order by column_index",
        [database],
    ).fetchall():
        columns.setdefault(table, []).append(column)
    return columns


def _compare_mart(
    connection: duckdb.DuckDBPyConnection, mart: str, key: list[str], old: list[str] | None, new: list[str] | None
) -> MartDiff:
    if old is None or new is None:
        side = "old" if new is None else "new"
        rows = _one(connection, f"select count(*) from {side}.marts.{mart}")[0]
        return MartDiff(mart, added=0 if new is None else rows, removed=rows if new is None else 0, changed=0)
    shared = [column for column in new if column in old and column not in key]
    # A column that came or went makes every row another one.
    values = [column for column in shared if column not in LINEAGE]
    differs = " or ".join(_distinct(column) for column in values) or "false"
    if set(old) != set(new):
        differs = "true"
    moved = " or ".join(_distinct(column) for column in shared if column in LINEAGE) or "false"
    joined = " and ".join(f"o.{column} is not distinct from n.{column}" for column in key)
    added, removed, changed, relineaged = _one(
        connection,
        f"select count(*) filter (o.is_row is null), count(*) filter (n.is_row is null),"
        f" count(*) filter (o.is_row and n.is_row and ({differs})),"
        f" count(*) filter (o.is_row and n.is_row and not ({differs}) and ({moved}))"
        f" from (select *, true as is_row from old.marts.{mart}) o"
        f" full outer join (select *, true as is_row from new.marts.{mart}) n on {joined}",
    )
    return MartDiff(mart, added, removed, changed, relineaged)


def _distinct(column: str) -> str:
    return f'o."{column}" is distinct from n."{column}"'


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"


TIERS = """
select coalesce(o.tier, 'unknown') as before, coalesce(n.tier, 'unknown') as after, count(*)
from old.marts.fct_account_daily o
join new.marts.fct_account_daily n using (platform, account_id, snapshot_date)
where o.tier is distinct from n.tier
group by all
order by 3 desc, 1, 2
"""

MOVES = """
select platform, account_id, cast(snapshot_date as varchar), o.followers, n.followers
from old.marts.fct_account_daily o
join new.marts.fct_account_daily n using (platform, account_id, snapshot_date)
where o.followers is distinct from n.followers
order by abs(coalesce(n.followers, 0) - coalesce(o.followers, 0)) desc, 1, 2, 3
limit {largest}
"""
