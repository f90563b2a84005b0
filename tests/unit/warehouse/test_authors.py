"""Which days a link plans: those of posts whose author it may change, from the first on, and no others."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from warehouse.build import authors

# Post, who shows it, first day.
SHOWINGS = [("alone", "ann", 1), ("brand", "hq", 2), ("brand", "ann", 4), ("paid", "bob", 3), ("linked", "bob", 5)]
# Post, author, day from which on.
AUTHORS = [("brand", "ann", 4), ("linked", "cid", 5)]
LINKED = [("tiktok", "linked", "cid")]


@pytest.fixture
def build_db(tmp_path: Path) -> Path:
    file = tmp_path / "build.duckdb"
    with closing(duckdb.connect(str(file))) as build:
        build.execute("create schema meta; create schema intermediate")
        build.execute("create table meta.linked_account (platform varchar, post_id varchar, account_id varchar)")
        build.executemany("insert into meta.linked_account values (?, ?, ?)", LINKED)
        for table, column, rows in (
            ("int_snapshot__post_showings", "account_id", SHOWINGS),
            ("int_snapshot__post_authors", "author_account_id", AUTHORS),
        ):
            build.execute(
                f"create table intermediate.{table} (platform varchar, post_id varchar, {column} varchar, snapshot_date date)"
            )
            build.executemany(
                f"insert into intermediate.{table} values ('tiktok', ?, ?, date '2026-01-01' + cast(? as integer) - 1)",
                rows,
            )
    return file


@pytest.mark.parametrize(
    ("linked", "days"),
    [
        (LINKED, []),
        # The author's own account, and a post that was never captured.
        ([*LINKED, ("tiktok", "alone", "ann"), ("tiktok", "unseen", "ann")], []),
        ([*LINKED, ("instagram", "paid", "cid")], []),
        ([*LINKED, ("tiktok", "paid", "cid")], ["2026-01-03"]),
        # Hers from the 4th on already, and now from the 2nd.
        ([*LINKED, ("tiktok", "brand", "ann")], ["2026-01-02"]),
        ([], ["2026-01-05"]),
        ([("tiktok", "linked", "dan"), ("tiktok", "alone", "dan")], ["2026-01-01", "2026-01-05"]),
    ],
)
def test_a_link_plans_the_posts_whose_author_it_may_change(
    settings: Settings, build_db: Path, linked: list[tuple[str, ...]], days: list[str]
) -> None:
    with ledger.write(settings) as connection:
        ledger.mark_dates_dirty(connection, [], [], "")
    authors.mark_moved(settings, build_db, linked)
    with ledger.read(settings) as connection:
        found = connection.execute("select feed, snapshot_date from dirty_dates order by 2").fetchall()
    assert [tuple(row) for row in found] == [("post_snapshots", day) for day in days]


def test_without_a_build_nothing_is_marked(settings: Settings, tmp_path: Path) -> None:
    authors.mark_moved(settings, tmp_path / "none.duckdb", [("tiktok", "paid", "cid")])
    assert not settings.ledger.exists()
