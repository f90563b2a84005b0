"""What Spark has made is read back: parts of windowed marts, whole tables, views over Parquet. Without Spark."""

import builtins
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError
from warehouse.build import dbt, spark

DAYS = [date(2026, 1, day) for day in (1, 2, 3)]


class Cursor:
    """Answers of a Thrift server, by the statement that asks."""

    def __init__(self, answers: dict[str, list[tuple[Any, ...]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def execute(self, statement: str) -> None:
        self.asked.append(statement)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.answers.get(self.asked[-1], [])


def node(
    name: str, columns: dict[str, str], materialized: str = "incremental", schema: str = "marts", **meta: str
) -> Any:
    return SimpleNamespace(
        name=name,
        schema=schema,
        columns={column: SimpleNamespace(name=column, data_type=kind) for column, kind in columns.items()},
        config=SimpleNamespace(materialized=materialized, meta=meta),
    )


COLUMNS = {"day": "date", "account_id": "varchar", "amount": "decimal(20,6)"}
ON_SPARK = [("account_id", "string", ""), ("amount", "decimal(20,6)", ""), ("day", "date", "")]
PARTITION_NOTES = [("# Partition Information", "", ""), ("# col_name", "data_type", "comment"), ("day", "date", "")]


@pytest.fixture
def built(settings: Settings) -> Settings:
    """Private databases of a run that plans the second and the third of January."""
    settings.build_db.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.build_db)) as build:
        build.execute("create schema meta; create table meta.plan (model varchar, snapshot_date date)")
        build.executemany("insert into meta.plan values ('fct_x', ?)", [[day] for day in DAYS[1:]])
    duckdb.connect(str(settings.marts_db)).close()
    return settings


def parts(folder: Path, rows: dict[date, list[tuple[str, str]]]) -> None:
    """Parquet parts as Spark leaves them, the day in the name of the folder alone."""
    for day, of_day in rows.items():
        part = folder / f"day={day}"
        part.mkdir(parents=True, exist_ok=True)
        values = ", ".join(f"('{account}', cast('{amount}' as decimal(20, 6)))" for account, amount in of_day)
        duckdb.execute(f"copy (from (values {values}) as t (account_id, amount)) to '{part / 'part-0.parquet'}'")


def read_back(settings: Settings, home: Path, *nodes: Any) -> None:
    described = {f"describe {one.schema}.{one.name}": [*ON_SPARK, *PARTITION_NOTES] for one in nodes}
    cursor = Cursor({"set spark.sql.warehouse.dir": [("spark.sql.warehouse.dir", f"file:{home}")], **described})
    spark._read_back(cursor, settings, nodes)


def rows_of(settings: Settings, relation: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.build_db)) as build:
        build.execute(f"attach '{settings.marts_db}' as groundswell")
        return build.execute(f"select day, account_id, cast(amount as varchar) from {relation} order by all").fetchall()


def test_planned_parts_of_a_mart_are_replaced_and_an_empty_one_ends_empty(built: Settings, tmp_path: Path) -> None:
    home = tmp_path / "warehouse"
    folder = home / "marts.db" / "fct_x"
    parts(folder, {day: [("a", "1")] for day in DAYS})
    read_back(built, home, node("fct_x", COLUMNS, part_column="day"))
    assert rows_of(built, "groundswell.marts.fct_x") == [(day, "a", "1.000000") for day in DAYS]

    # Of the first, which is not planned, nothing is taken; the third has no rows any more.
    parts(folder, {DAYS[0]: [("a", "9")], DAYS[1]: [("a", "2"), ("b", "3.5")]})
    (folder / f"day={DAYS[2]}" / "part-0.parquet").unlink()
    read_back(built, home, node("fct_x", COLUMNS, part_column="day"))
    assert rows_of(built, "groundswell.marts.fct_x") == [
        (DAYS[0], "a", "1.000000"), (DAYS[1], "a", "2.000000"), (DAYS[1], "b", "3.500000"),
    ]  # fmt: skip


def test_a_whole_mart_is_replaced_and_has_the_types_of_its_contract(built: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "marts.db" / "dim_y"
    parts(folder, {DAYS[0]: [("a", "1")]})
    read_back(built, tmp_path, node("dim_y", COLUMNS, "table"))
    parts(folder, {DAYS[0]: [("b", "2")]})
    read_back(built, tmp_path, node("dim_y", COLUMNS, "table"))
    assert rows_of(built, "groundswell.marts.dim_y") == [(DAYS[0], "b", "2.000000")]
    with duckdb.connect(str(built.marts_db)) as marts:
        described = marts.execute("select column_name, lower(column_type) from (describe marts.dim_y)").fetchall()
    assert dict(described) == COLUMNS


def test_a_column_more_than_the_contract_is_refused_and_the_mart_stands(built: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "marts.db" / "dim_y"
    parts(folder, {DAYS[0]: [("a", "1")]})
    read_back(built, tmp_path, node("dim_y", COLUMNS, "table"))
    fewer = {name: kind for name, kind in COLUMNS.items() if name != "amount"}
    with pytest.raises(duckdb.Error, match="amount"):
        read_back(built, tmp_path, node("dim_y", fewer, "table"))
    assert rows_of(built, "groundswell.marts.dim_y") == [(DAYS[0], "a", "1.000000")]


def test_what_is_no_mart_is_a_view_over_its_parquet_also_without_rows(built: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "intermediate.db" / "int_z"
    parts(folder, {DAYS[0]: [("a", "1")]})
    made = node("int_z", COLUMNS, schema="intermediate")
    read_back(built, tmp_path, made)
    assert rows_of(built, "intermediate.int_z") == [(DAYS[0], "a", "1.000000")]
    next(folder.rglob("*.parquet")).unlink()
    read_back(built, tmp_path, made)
    assert rows_of(built, "intermediate.int_z") == []


def test_marts_and_what_they_are_made_of_are_read_back_together(built: Settings, tmp_path: Path) -> None:
    parts(tmp_path / "marts.db" / "fct_x", {DAYS[1]: [("a", "1")]})
    parts(tmp_path / "intermediate.db" / "int_z", {DAYS[1]: [("b", "2")]})
    of_x, of_z = node("fct_x", COLUMNS, part_column="day"), node("int_z", COLUMNS, schema="intermediate")
    read_back(built, tmp_path, of_x, of_z)
    assert rows_of(built, "groundswell.marts.fct_x") == [(DAYS[1], "a", "1.000000")]
    assert rows_of(built, "intermediate.int_z") == [(DAYS[1], "b", "2.000000")]


def test_what_a_run_leaves_alone_stays_on_spark_and_what_nobody_owns_goes(tmp_path: Path) -> None:
    cursor = Cursor(
        {
            "show tables in intermediate": [("", "int_alone", False), ("", "int_gone", False), ("", "int_seen", False)],
            "show views in intermediate": [("", "int_seen", False, False)],
        }
    )
    spark._drop_stale(cursor, tmp_path, {"int_alone"}, fresh=False, changed=())
    dropped = ["drop table intermediate.int_gone", "drop view intermediate.int_seen"]
    assert [asked for asked in cursor.asked if asked.startswith("drop")] == dropped
    cursor.asked.clear()
    spark._drop_stale(cursor, tmp_path, {"int_alone", "int_gone", "int_seen"}, fresh=False, changed=["int_gone"])
    assert [asked for asked in cursor.asked if asked.startswith("drop")] == dropped[:1]
    cursor.asked.clear()
    spark._drop_stale(cursor, tmp_path, {"int_alone", "int_gone", "int_seen"}, fresh=True, changed=())
    assert [asked for asked in cursor.asked if asked.startswith("drop")] == [
        "drop table intermediate.int_alone", *dropped,
    ]  # fmt: skip


def test_the_folder_of_a_table_that_was_never_finished_goes(tmp_path: Path) -> None:
    """A full disk, a killed server: Spark would refuse to make the table over it, on every night from then on."""
    home = tmp_path / "intermediate.db"
    for name in ("int_alone", "int_half"):
        parts(home / name, {DAYS[0]: [("a", "1")]})
    cursor = Cursor({"show tables in intermediate": [("", "int_alone", False)]})
    spark._drop_stale(cursor, tmp_path, {"int_alone", "int_half"}, fresh=False, changed=())
    assert [folder.name for folder in home.iterdir()] == ["int_alone"]


@pytest.fixture
def answers(tmp_path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What a Thrift server says; to any other statement it answers with an error."""
    return {
        "set spark.sql.warehouse.dir": [("spark.sql.warehouse.dir", f"file:{tmp_path / 'warehouse'}")],
        "select run_id from meta.run": [("last",)],
    }


@pytest.fixture
def left(settings: Settings, tmp_path: Path, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A windowed table of Spark, as the run `last` has left it."""
    parts(tmp_path / "warehouse" / "marts.db" / "fct_x", {day: [("a", "1")] for day in DAYS})

    class Error(Exception):
        """As PyHive's."""

    class Server(Cursor):
        def execute(self, statement: str) -> None:
            super().execute(statement)
            if statement not in self.answers:
                raise Error(statement)

    @contextmanager
    def connected(_: Settings) -> Iterator[Any]:
        yield Server(answers)

    monkeypatch.setitem(sys.modules, "pyhive", SimpleNamespace(exc=SimpleNamespace(Error=Error)))
    monkeypatch.setitem(sys.modules, "pyhive.exc", SimpleNamespace(Error=Error))
    monkeypatch.setattr(spark, "connected", connected)
    (spark.home_of(settings) / "sources").mkdir(parents=True)
    with connected(settings) as server:
        spark._write_down_what_is_left(server, settings)
    return tmp_path / "warehouse" / "marts.db" / "fct_x"


def test_what_the_last_run_left_stands_for_it_alone(left: Path, settings: Settings) -> None:
    assert spark.stands_for(settings, "last")
    assert not spark.stands_for(settings, "another")
    assert not spark.stands_for(settings, None)


def test_a_server_that_knows_no_run_holds_nothing_of_use(
    left: Path, settings: Settings, answers: dict[str, Any]
) -> None:
    del answers["select run_id from meta.run"]
    assert not spark.stands_for(settings, "last")


@pytest.mark.parametrize("change", ["gone", "more", "cut", "whole table", "nothing written down"])
def test_parts_that_changed_since_the_last_run_are_of_no_use(left: Path, settings: Settings, change: str) -> None:
    """A run that was killed while it wrote, and a table or a part that somebody dropped."""
    part = next(left.rglob("*.parquet"))
    if change == "gone":
        part.unlink()
    elif change == "more":
        part.with_name("part-1.parquet").write_bytes(part.read_bytes())
    elif change == "cut":
        part.write_bytes(part.read_bytes()[:-1])
    elif change == "whole table":
        shutil.rmtree(left)
    else:
        spark._left_by_last_run(settings).unlink()
    assert not spark.stands_for(settings, "last")


def test_a_feed_of_which_spark_reads_other_rows_is_named() -> None:
    cursor = Cursor({})
    spark._require_all_seen(cursor)
    [asked] = cursor.asked
    cursor.answers[asked] = [("orders", 0, 1_200), ("touches", 7, 8)]
    with pytest.raises(ContractError, match="orders: 0 rows read, 1,200 landed; touches: 7 rows read, 8 landed"):
        spark._require_all_seen(cursor)


def test_rows_of_each_feed_are_held_against_what_is_landed() -> None:
    """The question is one that DuckDB reads as well: a feed without visible files, one read whole, one read in part."""
    cursor = Cursor({})
    spark._require_all_seen(cursor)
    with duckdb.connect() as both:
        both.execute("create schema raw; create schema meta")
        for feed in load_feeds():
            both.execute(f"create table raw.{feed} as select * from range({5 if feed in ('orders', 'touches') else 0})")
        both.execute(f"create table meta.{spark.VISIBLE} (feed varchar, path varchar, rows bigint)")
        both.execute(
            f"insert into meta.{spark.VISIBLE} values ('orders', 'a', 2), ('orders', 'b', 3), ('touches', 'c', 6)"
        )
        assert both.execute(cursor.asked[0]).fetchall() == [("touches", 5, 6)]


def test_days_let_go_before_are_not_built_on_spark(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when no platform is short any more: nothing could make those days anew."""
    monkeypatch.setattr(spark.ledger, "days_of_derived", lambda _: [("youtube", "2026-01-01")])
    with pytest.raises(ContractError, match="rows of youtube may be kept for some days only"):
        spark.build(None, None, settings, False, (), (), set(), None)  # type: ignore[arg-type]


def test_what_spark_cannot_do_is_said_in_its_words(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Error(Exception):
        """As PyHive's, which holds the answer of the server."""

    class Connection:
        def cursor(self) -> Any:
            return self

        def close(self) -> None:
            """Nothing to close."""

    hive = SimpleNamespace(connect=lambda *_, **__: Connection())
    monkeypatch.setitem(sys.modules, "pyhive", SimpleNamespace(hive=hive, exc=SimpleNamespace(Error=Error)))
    answer = SimpleNamespace(status=SimpleNamespace(errorMessage="Job aborted: No space left on device\n\tat java"))
    said = "Spark fails: Job aborted: No space left on device; nothing is published, the last release stands"
    with pytest.raises(ContractError, match=f"^{said}$"), spark.connected(settings):
        raise Error(answer)
    with pytest.raises(ContractError, match="Spark fails: gone;"), spark.connected(settings):
        raise Error("gone")


def test_without_what_speaks_to_spark_the_remedy_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *others: Any) -> Any:
        if name == "pyhive":
            raise ImportError(name)
        return really(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ContractError, match=r"make .venv/.spark"), spark.connected(settings):
        pass


def test_dbt_is_told_of_the_server_that_the_settings_name(settings: Settings) -> None:
    """Also where `.env` names it, which is no environment."""
    told = settings.model_copy(update={"spark_host": "spark.example", "spark_port": 10_009})
    with dbt.dbt_environment(told):
        assert (os.environ["GROUNDSWELL_SPARK_HOST"], os.environ["GROUNDSWELL_SPARK_PORT"]) == (
            "spark.example",
            "10009",
        )
