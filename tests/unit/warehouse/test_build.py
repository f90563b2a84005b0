"""The build starts anew when its files are gone or damaged, and says which run it holds."""

from datetime import date
from pathlib import Path

import duckdb

from ingestion import raw
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.user_config import load as user_config
from warehouse import build_database, plan
from warehouse.build import arrivals, meta
from warehouse.build import run as build
from warehouse.build.idle import Standing


def quiet(_: str) -> None:
    """Say nothing."""


def marked(settings: Settings) -> None:
    """Both build files as a run leaves them."""
    settings.build_db.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute(
            "create schema if not exists meta; create or replace table meta.run as select 'r1' as run_id"
        )
    duckdb.connect(str(settings.marts_db)).close()


def test_no_build_holds_no_run(settings: Settings) -> None:
    assert build_database.current_run(settings) is None


def test_the_run_that_was_built(settings: Settings) -> None:
    marked(settings)
    assert build_database.current_run(settings) == "r1"
    assert build._open_or_renew(settings, quiet) is False


def test_a_missing_half_starts_anew(settings: Settings) -> None:
    marked(settings)
    settings.marts_db.unlink()
    assert build._open_or_renew(settings, quiet) is True
    assert build_database.current_run(settings) is None


def test_a_damaged_file_starts_anew_and_is_named(settings: Settings) -> None:
    marked(settings)
    data = bytearray(settings.build_db.read_bytes())
    data[:4096] = b"\0" * 4096
    settings.build_db.write_bytes(bytes(data))
    said: list[str] = []
    assert build._open_or_renew(settings, said.append) is True
    assert "build.duckdb is damaged" in said[0]
    assert not Path(f"{settings.build_db}.wal").exists()


def test_a_count_that_came_after_a_file_is_unsupported_in_it() -> None:
    """Null with its reason, as any column that a file lacks; a reason that stands in raw stays."""
    counts = load_feeds()["account_snapshots"].counts
    names = ", ".join(f"{name}, {name}_null_reason" for name in counts)
    rows = {1: ("1", "null"), 2: ("null", "'hidden'"), 3: ("null", "null")}
    values = ", ".join(f"({line}, {', '.join(pair * len(counts))})" for line, pair in rows.items())
    told = ", ".join(f"null as {name}" for name in ("as_of", *arrivals.READING))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {meta._raw_columns(load_feeds()['account_snapshots'])} from"
            f" (select *, null as as_of from (values {values}) t (line, {names})) landed cross join (select {told}) arrival"
        ).fetchall()
    reasons = {row[0]: set(row[2 : 1 + 2 * len(counts) : 2]) for row in found}
    assert reasons == {1: {None}, 2: {"hidden"}, 3: {"unsupported"}}


def test_a_feed_without_counts_is_taken_as_it_is_with_when_it_came() -> None:
    columns = meta._raw_columns(load_feeds()["accounts"])
    assert columns.startswith("landed.* replace (coalesce(arrival.as_of, landed.as_of) as as_of), arrival.")


def told(settings: Settings, version: str = "v1", was_published: bool = True) -> Standing:
    """What stands in the build, as a run of 5 January finds it."""
    raw.write_empty_schemas(settings)
    settings.build_db.parent.mkdir(parents=True, exist_ok=True)
    run_plan = plan.Plan("run", date(2026, 1, 5), date(2026, 1, 5), 0)
    known = plan.Model("int_known", "same", windowed=False)
    return meta.write_meta(settings, user_config.load(settings), run_plan, [known], version, was_published)


def test_a_build_is_settled_after_a_run_that_published_under_the_same_code(settings: Settings) -> None:
    assert not told(settings).is_consistent
    assert told(settings) == Standing(True, {}, "2026-01-05")
    assert not told(settings, was_published=False).is_consistent
    assert not told(settings, version="v2").is_consistent


def test_a_build_is_not_settled_when_raw_has_another_column(settings: Settings) -> None:
    """A view over raw must be made anew, or it names columns that are gone."""
    told(settings)
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute("create or replace view raw.orders as select 1 as order_id")
    assert not told(settings).is_consistent
    assert told(settings).is_consistent


def test_a_relation_that_no_model_owns_is_dropped(settings: Settings) -> None:
    told(settings)
    for database, schema in ((settings.build_db, "intermediate"), (settings.marts_db, "marts")):
        with duckdb.connect(str(database)) as connection:
            connection.execute(
                f"create schema if not exists {schema}; create table {schema}.of_nobody as select 1 as n"
            )
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute("create table intermediate.int_known as select 1 as n where false")
    assert told(settings).rows == {"int_known": False}
    assert build_database.marts_of(settings) == []
