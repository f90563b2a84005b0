"""A ledger of any age is brought up to date when it is opened, in one transaction."""

import sqlite3

import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.ledger import store


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}


@pytest.fixture
def old(settings: Settings) -> Settings:
    """A ledger as the first version wrote it, with something in it."""
    settings.ledger.parent.mkdir(parents=True)
    with sqlite3.connect(settings.ledger) as connection:
        connection.executescript(f"{store.SCHEMA} pragma user_version = 1;")
        connection.execute("insert into released_dates values ('2026-01-05', 'first')")
    return settings


def test_an_old_ledger_gets_what_came_since_and_keeps_what_it_has(old: Settings) -> None:
    with ledger.read(old) as connection:
        assert {"rollbacks", "plan_ranges", "suppressed", "erasures"} <= tables(connection)
        assert connection.execute("pragma user_version").fetchone()[0] == len(store.MIGRATIONS)
        assert connection.execute("select count(*) from released_dates").fetchone()[0] == 1


def test_a_new_ledger_is_the_same_as_an_old_one_brought_up_to_date(old: Settings, settings: Settings) -> None:
    fresh = settings.model_copy(update={"data": settings.data / "fresh"})
    query = "select name, sql from sqlite_master where sql is not null order by 1"
    with ledger.read(old) as brought, ledger.read(fresh) as new:
        assert [tuple(row) for row in brought.execute(query)] == [tuple(row) for row in new.execute(query)]


def test_a_step_that_fails_changes_nothing(old: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*store.MIGRATIONS, "create table one (a text); create table one (a text);")
    monkeypatch.setattr(store, "MIGRATIONS", broken)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        ledger.connect(old)
    with sqlite3.connect(old.ledger) as connection:
        assert "one" not in tables(connection)
        assert connection.execute("pragma user_version").fetchone()[0] == 1


def fill(settings: Settings) -> None:
    """Write until there is no room, which SQLite is told to be soon."""
    with ledger.write(settings) as connection:
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages}")
        for number in range(1000):
            connection.execute("insert into released_dates values (?, ?)", (str(number), "x" * 1000))


def test_a_full_disk_is_not_hidden_by_a_rollback_that_sqlite_has_done_by_itself(settings: Settings) -> None:
    with pytest.raises(sqlite3.OperationalError, match="database or disk is full"):
        fill(settings)


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(settings: Settings) -> None:
    with ledger.write(settings) as connection:
        connection.execute(f"pragma user_version = {len(store.MIGRATIONS) + 1}")
    before = settings.ledger.read_bytes()
    with pytest.raises(ContractError, match="written by a newer version"), ledger.write(settings):
        pass
    with pytest.raises(ContractError, match="restore the data folder"), ledger.read_copy(settings):
        pass
    assert settings.ledger.read_bytes() == before
