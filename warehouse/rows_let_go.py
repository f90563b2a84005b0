"""Rows of days that a source may keep no longer, taken out of a database where they stand.

A row belongs to a day by `snapshot_date`, else by `activity_date`; of a table without either by the latest of its
dates. It stays where a file that is kept brings the same account, or post, on that day. A value that is carried from an
earlier day has that day beside it (`<column>_known_at`, `_known_on`, `_date`), and goes with it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ingestion import ledger
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.raw import columns_of, commit_file, stored
from ingestion.sql import quote

# Domains and marts of what is derived of counts, and what of their rows is a count all the same.
DERIVED_DOMAINS = ("benchmark", "engagement", "tier", "trust")
DERIVED_MARTS = (
    "fct_account_benchmark_daily", "fct_account_engagement_daily", "fct_account_tier_daily", "fct_follower_trust_daily",
    "fct_tier_benchmark_daily",
)  # fmt: skip
COUNTS = frozenset(
    {
        "comments", "followers", "followers_after", "followers_before", "following", "highest", "impressions", "likes",
        "likes_total", "posts", "previous_followers", "reach", "saves", "shares", "views", "views_total",
    }
)  # fmt: skip
DAY_COLUMNS = ("snapshot_date", "activity_date")
BESIDE = ("_known_at", "_known_on", "_date")
# Dates that say nothing of when a row's values were captured.
OTHER_DATES = ("as_of_date", "valid_to", "consented_at")
# Counts of an earlier day that stand in a later row: the first day that they can be of.
BEFORE_PUBLICATION = "cast(published_at as date) - 7"
OF_EARLIER_DAYS = (
    ("intermediate.int_snapshot__counts_held", "accepted_count", "cast(accepted_at as date)"),
    ("intermediate.int_snapshot__post_traits_changed", "followers_at_publication", BEFORE_PUBLICATION),
    ("marts.fct_post", "followers_at_publication", BEFORE_PUBLICATION),
    ("intermediate.int_trust__rises_raised", "followers_before", "window_start"),
    ("intermediate.int_trust__events_evaluated", "followers_before", "event_start"),
    ("intermediate.int_trust__events_evaluated", "highest", "event_start"),
)
# Values that are carried without a day of their own stay while a day that is kept says them: table, key, days, values.
POST_COUNTS = ("likes", "comments", "creator_replies", "shares", "saves", "views", "reach", "impressions")
CARRIED = (
    (
        "intermediate.int_snapshot__account_last_known_values", "account_id",
        "intermediate.int_snapshot__account_days_deduplicated", ("niche", "country", "language"),
    ),
    ("marts.fct_post", "post_id", "marts.fct_post_daily", POST_COUNTS),
)  # fmt: skip


@dataclass(frozen=True)
class Days:
    """Days of a platform that were let go.

    Args:
        kept: path of the raw files that hold something else of these days; `gone` those that are about to go.
        keeps_derived: whether rates, tiers and verdicts of these days stay.
    """

    platform: str
    days: tuple[str, ...]
    kept: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    gone: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    keeps_derived: bool = False


def days_let_go(settings: Settings, connection: ledger.Connection, going: Collection[str] = ()) -> list[Days]:
    """Of each platform the days that were let go, with the raw files that still hold something of them.

    Args:
        going: paths of raw files that are about to go.
    """
    found: dict[tuple[str, bool], set[str]] = {}
    for row in ledger.let_go(connection):
        if row["platform"]:
            found.setdefault((row["platform"], bool(row["keeps_derived"])), set()).add(row["snapshot_date"])
    files = ledger.raw_files_with_state(connection)
    made = []
    for (platform, keeps_derived), days in sorted(found.items()):
        kept: dict[str, tuple[Path, ...]] = {}
        gone: dict[str, tuple[Path, ...]] = {}
        for file in files:
            if file["snapshot_date"] not in days or not (path := settings.raw / file["path"]).exists():
                continue
            held = gone if file["path"] in going else kept
            if held is gone or file["state"] == "accepted":
                held[file["feed"]] = (*held.get(file["feed"], ()), path)
        made.append(Days(platform, tuple(sorted(days)), kept, gone, keeps_derived))
    return made


def remove_rows(database: duckdb.DuckDBPyConnection, let_go: Iterable[Days]) -> dict[str, set[str] | None]:
    """Take rows of these days out of every table of a database; returns by table which days changed, null for all."""
    changed: dict[str, set[str] | None] = {}
    tables = _tables(database)
    for days in let_go:
        _write_kept(database, days)
        for table, columns in tables.items():
            before = changed.get(table, set())
            touched = list(_of_table(database, table, columns, days))
            if None in touched or before is None:
                changed[table] = None
            elif touched:
                changed[table] = before | {day for day in touched if day is not None}
        for table in _forget_carried(database, tables, days):
            changed[table] = None
        database.execute("drop table temp.kept_key")
    return changed


def write_anew(settings: Settings, database: Path, *read_by_views: Path) -> None:
    """Write a database file again from what it holds: DuckDB keeps the bytes of rows that went in blocks it has freed.

    Killed before the end, the file stands as it was. Nobody has it open.

    Args:
        read_by_views: databases that its views name.
    """
    anew = database.with_name(f"{database.name}.anew")
    for left_over in (anew, Path(f"{anew}.wal")):
        left_over.unlink(missing_ok=True)
    with closing(duckdb.connect(config=settings.duckdb_config)) as connection:
        for each in (database, *read_by_views):
            connection.execute(f"attach {quote(str(each))} as {each.stem} (read_only)")
        connection.execute(f"attach {quote(str(anew))} as anew")
        connection.execute(f"copy from database {database.stem} to anew")
        connection.execute("checkpoint anew")
    commit_file(anew, database)


def restore_derived(settings: Settings, seen: Path) -> list[str]:
    """Take what is derived of days that were let go over from a release, where the build holds none of it any more.

    A changed model, or a build that was made anew, has lost it, and nothing that is kept could make it. Returns the
    marts that took rows.
    """
    with ledger.read(settings) as connection:
        frozen = ledger.days_of_derived(connection)
    if not frozen:
        return []
    taken = []
    listed = ", ".join(f"({quote(platform)}, date {day!r})" for platform, day in frozen)
    with closing(duckdb.connect(str(settings.marts_db), config=settings.duckdb_config)) as marts:
        marts.execute(f"attach {quote(str(seen))} as seen (read_only)")
        held: dict[tuple[str, str], list[str]] = {}
        for database, table, column in marts.execute(
            "select database_name, table_name, column_name from duckdb_columns() where schema_name = 'marts'"
        ).fetchall():
            held.setdefault((database, table), []).append(column)
        for mart in DERIVED_MARTS:
            mine, theirs = held.get((settings.marts_db.stem, mart), []), held.get(("seen", mart), [])
            columns = ", ".join(name for name in mine if name in theirs and name not in COUNTS)
            if not columns:
                continue
            lost = (
                f"from seen.marts.{mart} where (platform, snapshot_date) in ({listed}) and (platform, snapshot_date)"
                f" not in (select distinct platform, snapshot_date from marts.{mart})"
            )
            if marts.execute(f"select 1 {lost} limit 1").fetchone():
                marts.execute(f"insert into marts.{mart} by name select {columns} {lost}")
                taken.append(mart)
    with ledger.write(settings) as connection:
        for mart in taken:
            ledger.forget_parts(connection, mart, None)
    return taken


def _tables(database: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns and types of each table that names a platform, by its name with its schema."""
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in database.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where schema_name in ('intermediate', 'marts') and (database_name, schema_name, table_name) in"
        " (select (database_name, schema_name, table_name) from duckdb_tables())"
        " and database_name = current_database() order by 1, 2, column_index"
    ).fetchall():
        found.setdefault(f"{schema}.{table}", {})[column] = kind
    return {table: columns for table, columns in found.items() if "platform" in columns}


def _write_kept(database: duckdb.DuckDBPyConnection, days: Days) -> None:
    """Table `kept_key`: accounts and posts that a file which is kept brings on these days, and no other of them."""
    database.execute("create or replace temp table kept_key (account_id varchar, post_id varchar, snapshot_date date)")
    for feed, contract in load_feeds().items():
        if "account_id" not in contract.columns or "platform" not in contract.columns or not days.kept.get(feed):
            continue
        key = f"account_id, {'post_id' if 'post_id' in contract.columns else 'null as post_id'}, snapshot_date"
        where = f"where platform = {quote(days.platform)}"
        kept, gone = (
            f"select {key} from {stored(columns_of(contract), files)} {where}"
            for files in (days.kept[feed], days.gone.get(feed, ()))
        )
        database.execute(f"insert into kept_key select distinct * from ({kept} except {gone})")


def _of_table(
    database: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], days: Days
) -> Iterator[str | None]:
    """Take rows and carried values out of a table; yields the days that lost rows, null where others changed."""
    day = next((name for name in DAY_COLUMNS if name in columns), None)
    dates = [
        f"cast({name} as date)"
        for name, kind in columns.items()
        if kind in ("DATE", "TIMESTAMP") and name not in OTHER_DATES and not name.endswith(("_known_at", "_known_on"))
    ]
    if not dates:
        return
    key = next((name for name in ("post_id", "account_id") if name in columns), None)
    of_key = f" and kept_key.{key} = {table}.{key}" if key else ""

    def let_go(when: str) -> str:
        """Condition of rows whose values are of such a day, and of no file that is kept."""
        return (
            f"platform = {quote(days.platform)} and {when} in ({', '.join(f'date {each!r}' for each in days.days)})"
            f" and not exists (select 1 from kept_key where kept_key.snapshot_date = {when}{of_key})"
        )

    def change(what: str, where: str) -> bool:
        """Whether there were rows to change."""
        if database.execute(f"select 1 from {table} where {where} limit 1").fetchone() is None:
            return False
        database.execute(f"{what} where {where}")
        return True

    own_day = day or f"greatest({', '.join(dates)})"
    if days.keeps_derived and _is_derived(table):
        counts = [name for name in columns if name in COUNTS]
        known = " or ".join(f"{name} is not null" for name in counts)
        nulls = ", ".join(f"{name} = null" for name in counts)
        if counts and change(f"update {table} set {nulls}", f"{let_go(own_day)} and ({known})"):
            yield None
        return
    lost = database.execute(
        f"select distinct cast({own_day} as varchar) from {table} where {let_go(own_day)}"
    ).fetchall()
    if lost and change(f"delete from {table}", let_go(own_day)):
        yield from (found for (found,) in lost)
    if day and "last_seen_date" in columns and change(f"delete from {table}", let_go("last_seen_date")):
        yield None
    for name in columns:
        for beside in (f"{name}{end}" for end in BESIDE):
            is_carried = f"{name} is not null and {let_go(f'cast({beside} as date)')}"
            if beside in columns and change(f"update {table} set {name} = null", is_carried):
                yield None


def _is_derived(table: str) -> bool:
    schema, _, name = table.partition(".")
    domain = name.removeprefix("int_").partition("__")[0]
    return name in DERIVED_MARTS if schema == "marts" else domain in DERIVED_DOMAINS


def _forget_carried(
    database: duckdb.DuckDBPyConnection, tables: Mapping[str, Mapping[str, str]], days: Days
) -> Iterator[str]:
    """Null values of later rows that no day which is kept says; yields the tables that changed."""
    mine, last = f"platform = {quote(days.platform)}", f"date {max(days.days)!r}"
    changes = [
        (table, column, f"{mine} and {column} is not null and {first_day} <= {last}")
        for table, column, first_day in OF_EARLIER_DAYS
        if column in tables.get(table, ())
    ]
    for table, key, said, columns in CARRIED:
        changes += [
            (
                table, column,
                f"{mine} and {column} is not null and not exists (select 1 from {said} as said where said.platform ="
                f" {table}.platform and said.{key} = {table}.{key} and said.{column} = {table}.{column})",
            )
            for column in columns
            if column in tables.get(table, ()) and column in tables.get(said, ())
        ]  # fmt: skip
    for table, column, where in changes:
        if database.execute(f"select 1 from {table} where {where} limit 1").fetchone():
            database.execute(f"update {table} set {column} = null where {where}")
            yield table
