"""A database that is written anew holds what it held, and no byte of rows that were taken out."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from ingestion import raw
from ingestion.config import Settings
from warehouse.rows_let_go import write_anew

GONE, STAYS = "handle_of_a_past_day", "handle_of_today"


@pytest.fixture
def databases(settings: Settings) -> tuple[Path, Path]:
    """The private databases, of which each lost a row, with views over both and comments."""
    folder = settings.build_db.parent
    folder.mkdir(parents=True)
    with closing(duckdb.connect(str(settings.build_db))) as build:
        build.execute(f"attach '{settings.marts_db}' as groundswell")
        for catalog, schema in (("build", "intermediate"), ("groundswell", "marts")):
            build.execute(f"create schema {catalog}.{schema}")
            table = f"{catalog}.{schema}.accounts"
            build.execute(f"create table {table} as select '{GONE}' as handle, 1 as day")
            build.execute(f"insert into {table} select '{STAYS}', 2")
        build.execute("create view build.intermediate.both as select * from build.intermediate.accounts")
        build.execute("create view build.intermediate.of_marts as select * from groundswell.marts.accounts")
        build.execute("comment on column groundswell.marts.accounts.handle is 'Name on the platform.'")
        build.execute("checkpoint build")
        build.execute("checkpoint groundswell")
        for table in ("build.intermediate.accounts", "groundswell.marts.accounts"):
            build.execute(f"delete from {table} where day = 1")
        build.execute("checkpoint build")
        build.execute("checkpoint groundswell")
    return settings.build_db, settings.marts_db


def test_bytes_of_rows_that_went_are_gone_and_all_else_stands(settings: Settings, databases: tuple[Path, Path]) -> None:
    build, marts = databases
    # Without it they are there, for whoever reads bytes.
    assert all(GONE.encode() in path.read_bytes() for path in databases)
    write_anew(settings, build, marts)
    write_anew(settings, marts)
    for path in databases:
        assert GONE.encode() not in path.read_bytes()
        assert STAYS.encode() in path.read_bytes()
    assert sorted(path.name for path in build.parent.iterdir() if path.is_file()) == [build.name, marts.name]
    with closing(duckdb.connect(str(build), read_only=True)) as connection:
        connection.execute(f"attach '{marts}' as groundswell (read_only)")
        for relation in ("intermediate.accounts", "intermediate.both", "intermediate.of_marts"):
            assert connection.execute(f"select * from build.{relation}").fetchall() == [(STAYS, 2)]
        comments = connection.execute("select comment from duckdb_columns() where comment is not null").fetchall()
        assert comments == [("Name on the platform.",)]


def test_killed_before_the_swap_the_file_stands_and_the_next_call_completes_it(
    settings: Settings, databases: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, marts = databases
    before = marts.read_bytes()

    class Killed(BaseException):
        """The process ends here."""

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(raw.os, "replace", die)
        with pytest.raises(Killed):
            write_anew(settings, marts)
    assert marts.read_bytes() == before
    write_anew(settings, marts)
    assert GONE.encode() not in marts.read_bytes()
