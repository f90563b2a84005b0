"""Who besides its captures claims a post: accounts of linked collaborations, and brands' own accounts, which come last.

Models read both as tables of schema `meta`. The feeds that they come from have no day of their own, and a change of one
plans what is made from it in full. A link is new nearly every night, so only the days of posts whose author it may
change become dirty; the own accounts of brands change seldom, and plan the models that read them in full.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb

from ingestion import ledger, raw
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import load_feeds
from warehouse.build import arrivals, meta

CAUSE = "linked to a collaboration, or no longer"
FEEDS = ("brands", "collaboration_posts", "collaborations")
# The first day of each post whose author a link may change. As built, a post is its only account's until an author is
# decided; a new link of the author's own account changes nothing, nor does the end of a link of another account.
MOVED = """
    with added as (select * from linked_now except select * from build.meta.linked_account),
    removed as (select * from build.meta.linked_account except select * from linked_now),
    showings as (select * from build.intermediate.int_snapshot__post_showings),
    authors as (select * from build.intermediate.int_snapshot__post_authors),
    built as (
        select platform, post_id, author_account_id as account_id from authors
        union all
        select platform, post_id, account_id from showings
        where not exists (
            select 1 from authors
            where authors.platform = showings.platform and authors.post_id = showings.post_id
                and authors.snapshot_date <= showings.snapshot_date
        )
    ),
    moved as (
        select added.platform, added.post_id from added
        inner join built using (platform, post_id) where added.account_id <> built.account_id
        union
        select removed.platform, removed.post_id from removed
        inner join authors using (platform, post_id) where removed.account_id = authors.author_account_id
    )
    select distinct cast(min(showings.snapshot_date) as varchar)
    from showings inner join moved using (platform, post_id)
    group by showings.platform, showings.post_id
    order by 1
"""


def rows_of(settings: Settings, run_id: str | None = None) -> dict[str, list[tuple[str, ...]]]:
    """Rows of each table, from the accepted files of its feeds.

    Args:
        run_id: the run that asks, which hashes each raw file once; null for one who only looks.
    """
    with ledger.read(settings) as connection:
        files = [file for file in ledger.accepted_raw_files(connection) if file.feed in FEEDS]
        arrived = [row for row in arrivals.rows_of(connection) if row[1] in FEEDS] if files else []
    if not files:
        return {name: [] for name in meta.CLAIMS}
    raw.verify(settings, [file.seal for file in files], run_id)
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        reader.execute(f"create schema meta; create schema raw; create table meta.arrival ({arrivals.COLUMNS})")
        reader.executemany(f"insert into meta.arrival values ({', '.join('?' * len(arrived[0]))})", arrived)
        for feed in FEEDS:
            paths = [settings.raw / file.path for file in files if file.feed == feed]
            landed = raw.stored(raw.columns_of(load_feeds()[feed]), paths)
            reader.execute(
                f"create view raw.{feed} as select landed.*, arrival.arrival_order from {landed} as landed"
                " left join meta.arrival as arrival using (batch_id)"
            )
        return {name: reader.execute(query).fetchall() for name, query in meta.CLAIMS.items()}


def digest(rows: Mapping[str, list[tuple[str, ...]]]) -> dict[str, str]:
    """What a model changes with that reads the own accounts of brands."""
    return {"own_account": hashlib.sha256(json.dumps(rows["own_account"]).encode()).hexdigest()}


def mark_moved(settings: Settings, build_db: Path, linked: list[tuple[str, ...]]) -> None:
    """Make the days dirty from which on a post may have another author than the build holds, by its links of now.

    Args:
        settings: whose state is written.
        build_db: the build that stands, which may be another folder's; without one all is planned anyway.
    """
    if not build_db.exists():
        return
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        reader.execute(f"attach '{build_db}' as build (read_only)")
        try:
            reader.execute("select 1 from build.meta.linked_account limit 0")
            reader.execute("select 1 from build.intermediate.int_snapshot__post_authors limit 0")
            reader.execute("select 1 from build.intermediate.int_snapshot__post_showings limit 0")
        except duckdb.CatalogException:
            return
        reader.execute("create temp table linked_now (platform varchar, post_id varchar, account_id varchar)")
        if linked:
            reader.executemany("insert into linked_now values (?, ?, ?)", linked)
        days = [day for (day,) in reader.execute(MOVED).fetchall()]
    if days:
        with ledger.write(settings) as connection:
            ledger.mark_dates_dirty(connection, ["post_snapshots"], days, CAUSE)
