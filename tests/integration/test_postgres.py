"""A release in PostgreSQL: types exact, views swapped whole, and every refusal in words."""

import datetime
import threading
import time
from decimal import Decimal

import duckdb
import psycopg
import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError, TargetUnavailable, UsageError
from serving import postgres as target
from tests.postgres import Database, release_id, settings_for, show_release, write_release

DIM = "select 'youtube' as platform, 'a' as account_id"
DAILY = "select 'youtube' as platform, 'a' as account_id, date '2026-01-05' as snapshot_date, {} as followers"
KEYS = {"fct_account_daily": ["platform", "account_id", "snapshot_date"], "dim_account": ["platform", "account_id"]}


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.fixture
def world(settings: Settings, postgres: Database) -> Settings:
    """An empty warehouse whose releases go into an empty database."""
    return settings_for(settings, postgres.url())


def write(settings: Settings, number: int, followers: int | None = None, **more: str) -> str:
    """A release of two marts whose follower count is its number."""
    query = DAILY.format(followers or number)
    return write_release(settings, number, {"fct_account_daily": query, "dim_account": DIM, **more}, KEYS)


def test_a_release_is_loaded_indexed_commented_and_shown(world: Settings, postgres: Database) -> None:
    name = write(world, 1)
    shown = target.follow(world, quiet)
    assert (shown.release_id, shown.status, shown.rows, shown.attempts) == (name, "shown", 2, 1)
    assert postgres.rows("select * from marts.fct_account_daily") == [("youtube", "a", datetime.date(2026, 1, 5), 1)]
    schema = "release_20260105t021500_000001"
    assert postgres.schemas() == [schema]
    indexes = postgres.rows(f"select indexdef from pg_indexes where schemaname = '{schema}' order by 1")
    assert [row[0].partition(" USING ")[2] for row in indexes] == [
        "btree (snapshot_date)", "btree (platform, account_id)", "btree (platform, account_id, snapshot_date)",
    ]  # fmt: skip
    assert postgres.rows("select obj_description('marts.dim_account'::regclass)") == [("All of dim_account.",)]
    assert postgres.rows("select col_description('marts.dim_account'::regclass, 1)") == [
        ("It's the first of dim_account.",)
    ]
    assert target.follow(world, quiet).status == "unchanged"


def test_types_are_exact(world: Settings, postgres: Database) -> None:
    query = (
        "select 'x' || chr(0) || 'é' as varchar_, 9223372036854775807 as bigint_, cast(-7 as integer) as integer_,"
        " cast('12345678901234567890123456789012.123456' as decimal(38,6)) as decimal_, 0.1::double as double_,"
        " date '0044-03-15' as date_, timestamp '2026-01-05 02:15:00.123456' as timestamp_, true as boolean_,"
        " timestamptz '2026-01-05 02:15:00+02' as zoned, ['b', 'a', null] as texts, null::decimal(9,2) as unknown_"
    )
    write_release(world, 1, {"fct_types": query})
    target.follow(world, quiet)
    zoned = datetime.datetime(2026, 1, 5, 0, 15, tzinfo=datetime.UTC)
    assert postgres.rows("select * from marts.fct_types") == [
        (
            "x\N{REPLACEMENT CHARACTER}é", 9223372036854775807, -7, Decimal("12345678901234567890123456789012.123456"),
            0.1, datetime.date(44, 3, 15), datetime.datetime(2026, 1, 5, 2, 15, 0, 123456), True, zoned,
            ["b", "a", None], None,
        )
    ]  # fmt: skip
    kinds = postgres.rows(
        "select format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = 'marts.fct_types'::regclass and attnum > 0 order by attnum"
    )
    assert [kind for (kind,) in kinds] == [
        "text", "bigint", "integer", "numeric(38,6)", "double precision", "date", "timestamp without time zone",
        "boolean", "timestamp with time zone", "text[]", "numeric(9,2)",
    ]  # fmt: skip


def test_a_type_that_is_not_exact_there_is_refused(world: Settings, postgres: Database) -> None:
    write_release(world, 1, {"fct_types": "select sum(1) as total"})
    with pytest.raises(ContractError, match=r"fct_types\.total is HUGEINT.*cast it in the model"):
        target.follow(world, quiet)
    assert postgres.schemas() == []


# --- releases that follow each other


def test_a_gained_column_comes_last_and_keeps_others_views(world: Settings, postgres: Database) -> None:
    write(world, 1)
    target.follow(world, quiet)
    postgres.run("create schema own; create view own.mine as select followers from marts.fct_account_daily")
    gained = DAILY.format(2).replace("'a' as account_id", "'a' as account_id, 'nano' as tier")
    write_release(world, 2, {"fct_account_daily": gained, "dim_account": DIM}, KEYS)
    target.follow(world, quiet)
    with postgres.connect() as reader:
        found = reader.execute("select * from marts.fct_account_daily")
        assert [column.name for column in found.description or []] == [
            "platform", "account_id", "snapshot_date", "followers", "tier",
        ]  # fmt: skip
    assert postgres.rows("select * from own.mine") == [(2,)]


def test_a_lost_column_waits_for_who_depends_on_it(world: Settings, postgres: Database) -> None:
    write(world, 1)
    target.follow(world, quiet)
    postgres.run("create schema own; create view own.mine as select followers from marts.fct_account_daily")
    lost = DAILY.format(2).replace("2 as followers", "2.5::double as followers")
    write_release(world, 2, {"fct_account_daily": lost, "dim_account": DIM}, KEYS)
    with pytest.raises(ContractError, match=r"marts\.fct_account_daily loses a column.*view own\.mine depends"):
        target.follow(world, quiet)
    assert postgres.rows("select * from own.mine") == [(1,)]
    postgres.run("drop view own.mine")
    target.follow(world, quiet)
    assert postgres.rows("select followers from marts.fct_account_daily") == [(2.5,)]
    assert postgres.rows("select has_table_privilege('groundswell_reader', 'marts.fct_account_daily', 'select')") == [
        (True,)
    ]


def test_a_mart_that_goes_takes_its_view_and_no_other(world: Settings, postgres: Database) -> None:
    write(world, 1, fct_gone="select 1 as one")
    target.follow(world, quiet)
    postgres.run("create view marts.theirs as select 1 as one")
    write(world, 2)
    target.follow(world, quiet)
    names = postgres.rows("select table_name from information_schema.views where table_schema = 'marts' order by 1")
    assert names == [("dim_account",), ("fct_account_daily",), ("theirs",)]


def test_a_table_of_others_in_the_way_is_named_and_stays(world: Settings, postgres: Database) -> None:
    postgres.run("create schema marts; create table marts.dim_account (one int)")
    write(world, 1)
    with pytest.raises(ContractError, match=r"marts\.dim_account in PostgreSQL is no view of ours: rename or drop it"):
        target.follow(world, quiet)
    assert postgres.rows("select * from marts.dim_account") == []


def test_an_earlier_release_is_shown_without_a_load(world: Settings, postgres: Database) -> None:
    first = write(world, 1)
    target.follow(world, quiet)
    write(world, 2)
    target.follow(world, quiet)
    show_release(world, first)
    shown = target.follow(world, quiet)
    assert (shown.release_id, shown.rows) == (first, 0)
    assert postgres.rows("select followers from marts.fct_account_daily") == [(1,)]


def test_a_schema_stays_as_long_as_its_release(world: Settings, postgres: Database) -> None:
    for number in (1, 2, 3):
        write(world, number)
        target.follow(world, quiet)
    assert len(postgres.schemas()) == 3
    for number in (1, 2):
        folder = world.published / "releases" / release_id(number)
        folder.rename(world.data / folder.name)
    assert target.follow(world, quiet).status == "unchanged"
    assert postgres.schemas() == ["release_20260105t021500_000003"]


def test_a_load_that_was_killed_is_removed_by_the_next(world: Settings, postgres: Database) -> None:
    write(world, 1)
    # As a kill leaves it: tables, no mark that they are whole.
    postgres.run(
        "create schema release_20260105t021500_000001; create table release_20260105t021500_000001.half (a int)"
    )
    postgres.run("create schema release_20260104t021500_000009")
    assert target.follow(world, quiet).rows == 2
    assert postgres.schemas() == ["release_20260105t021500_000001"]
    assert postgres.rows("select followers from marts.fct_account_daily") == [(1,)]


def test_two_releases_within_a_second_end_with_the_newer(world: Settings, postgres: Database) -> None:
    """Two loads at once: whichever gets its turn first, what is shown at the end is what the file shows."""
    write(world, 1)
    said: list[str] = []
    loads = [threading.Thread(target=target.follow, args=(world, said.append)) for _ in range(2)]
    for number, load in enumerate(loads):
        write(world, number + 2)
        load.start()
    for load in loads:
        load.join()
    assert postgres.rows("select followers from marts.fct_account_daily") == [(3,)]
    assert said[-1].startswith("PostgreSQL shows 20260105T021500-000003")


# --- what goes wrong


def test_without_a_database_or_a_release_it_says_what_is_missing(settings: Settings, world: Settings) -> None:
    with pytest.raises(UsageError, match="GROUNDSWELL_POSTGRES_URL is not set"):
        target.follow(settings, quiet)
    with pytest.raises(UsageError, match="no release yet"):
        target.follow(world, quiet)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://user:pass-word@127.0.0.1:1/x", "cannot be reached: is it running"),
        ("postgresql://user:pass%zz-word@127.0.0.1/x", "GROUNDSWELL_POSTGRES_URL cannot be read: write it as"),
        ("pass-word", "GROUNDSWELL_POSTGRES_URL cannot be read: write it as"),
    ],
)
def test_a_database_that_is_not_there_is_said_without_the_password(settings: Settings, url: str, words: str) -> None:
    write(settings, 1)
    with pytest.raises((TargetUnavailable, UsageError), match=words) as caught:
        target.follow(settings_for(settings, url), quiet)
    assert "word" not in str(caught.value).replace("password", "")
    assert caught.value.__suppress_context__


def test_what_the_extension_says_of_a_password_is_hidden(world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extension names its whole connection in an error: reached by a database that goes away between the two."""
    write(world, 1)
    really = target._copy_rows
    monkeypatch.setattr(
        target, "_copy_rows", lambda info, *more: really(info.replace("dbname=t_", "dbname=gone_"), *more)
    )
    with pytest.raises(TargetUnavailable, match=r"password=\*\*\*.*gone_\w+\" does not exist") as caught:
        target.follow(world, quiet)
    assert "pass-word" not in str(caught.value)


def test_a_role_without_rights_is_refused_and_told_what_it_needs(settings: Settings, postgres: Database) -> None:
    postgres.run("drop role if exists weak; create role weak login")
    write(settings, 1)
    with pytest.raises(ContractError, match=r"permission denied for database .*grant create on database"):
        target.follow(settings_for(settings, postgres.url("weak")), quiet)
    postgres.run(f"grant create on database {postgres.name} to weak")
    said: list[str] = []
    weak = settings_for(settings, postgres.url("weak"), postgres_read_role="nobody_yet")
    assert target.follow(weak, said.append).status == "shown"
    assert "create role nobody_yet nologin" in said[0]


def test_a_reader_reads_the_marts_and_nothing_else(world: Settings, postgres: Database) -> None:
    postgres.run("drop role if exists ana; create role ana login")
    write(world, 1)
    target.follow(world, quiet)
    postgres.run("grant groundswell_reader to ana")
    assert postgres.rows("select followers from marts.fct_account_daily", "ana") == [(1,)]
    for statement in (
        "insert into marts.dim_account values ('x', 'y')", "drop view marts.dim_account",
        "select * from release_20260105t021500_000001.dim_account", "create table marts.own (a int)",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres.run(statement, "ana")


def test_a_role_that_may_not_look_at_others_waits_for_them_all(settings: Settings, postgres: Database) -> None:
    """Without pg_read_all_stats nobody's snapshot is seen: every open transaction of this database counts."""
    postgres.run(
        f"drop role if exists plain; create role plain login; grant create on database {postgres.name} to plain"
    )
    plain = settings_for(settings, postgres.url("plain"), postgres_read_role="nobody_yet")
    write(settings, 1)
    with postgres.connect(autocommit=False) as other:
        other.execute("select 1")
        with pytest.raises(TargetUnavailable, match=f"still open .process {other.info.backend_pid} of postgres"):
            target.follow(plain, quiet, patience=0.3)
    assert target.follow(plain, quiet).release_id == release_id(1)


def test_a_reader_that_keeps_a_lock_is_named_and_undisturbed(world: Settings, postgres: Database) -> None:
    write(world, 1)
    target.follow(world, quiet)
    with postgres.connect(autocommit=False) as reader:
        assert reader.execute("select followers from marts.fct_account_daily").fetchall() == [(1,)]
        write(world, 2)
        waited: list[float] = []
        is_over = threading.Event()

        def others() -> None:
            with postgres.connect() as other:
                while not is_over.is_set():
                    began = time.monotonic()
                    other.execute("select followers from marts.fct_account_daily").fetchall()
                    waited.append(time.monotonic() - began)
                    time.sleep(0.02)

        thread = threading.Thread(target=others)
        thread.start()
        pid = reader.info.backend_pid
        with pytest.raises(TargetUnavailable, match=rf"readers held the views for 2 s \(process {pid} of postgres"):
            target.follow(world, quiet, patience=2.0)
        is_over.set()
        thread.join()
        # Others wait for one attempt at most; the one that holds the lock reads on.
        assert max(waited) < 1.0
        assert reader.execute("select followers from marts.fct_account_daily").fetchall() == [(1,)]
    assert target.follow(world, quiet).rows == 0
    assert postgres.rows("select followers from marts.fct_account_daily") == [(2,)]


def test_a_snapshot_from_before_the_load_never_finds_the_marts_empty(world: Settings, postgres: Database) -> None:
    write(world, 1)
    target.follow(world, quiet)
    with postgres.connect(autocommit=False) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1")
        write(world, 2)
        with pytest.raises(TargetUnavailable, match="a transaction that began before it was loaded is still open"):
            target.follow(world, quiet, patience=0.5)
        assert reader.execute("select followers from marts.fct_account_daily").fetchall() == [(1,)]
    target.follow(world, quiet)


def test_a_full_disk_and_a_slow_server_are_told_apart(
    world: Settings, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(world, 1)
    target.follow(world, quiet)
    write(world, 2)

    def fails(error: Exception) -> None:
        def load(*_: object) -> int:
            raise error

        monkeypatch.setattr(target, "_copy_rows", load)

    fails(psycopg.errors.DiskFull('could not extend file "base/5/1": No space left on device'))
    with pytest.raises(TargetUnavailable, match=r"its disk is full: make room there.*Its readers see what they saw"):
        target.follow(world, quiet)
    monkeypatch.undo()
    slow = settings_for(world, f"{postgres.url()}&options=-c%20default_transaction_read_only%3Doff")
    monkeypatch.setattr(target, "STATEMENT_SECONDS", 0.001)
    huge = "select range as account_id, repeat('x', 1000) as text from range(20000)"
    write_release(world, 3, {"fct_huge": huge})
    with pytest.raises(TargetUnavailable, match="it is too slow"):
        target.follow(slow, quiet)
    assert postgres.rows("select followers from marts.fct_account_daily") == [(1,)]


def test_a_key_that_comes_twice_is_not_shown(world: Settings, postgres: Database) -> None:
    write(world, 1)
    target.follow(world, quiet)
    write_release(world, 2, {"dim_account": f"{DIM} union all {DIM}", "fct_account_daily": DAILY.format(2)}, KEYS)
    with pytest.raises(ContractError, match="a mart holds a key twice"):
        target.follow(world, quiet)
    assert postgres.rows("select followers from marts.fct_account_daily") == [(1,)]


def test_a_release_that_lost_rows_is_not_shown(world: Settings, postgres: Database) -> None:
    name = write(world, 1)
    note = world.published / "releases" / name / "release.json"
    note.write_text(note.read_text().replace('"row_count": 1', '"row_count": 2', 1))
    with pytest.raises(ContractError, match="holds 1 rows, where 2 were published"):
        target.follow(world, quiet)
    assert postgres.schemas() == []


def test_a_text_too_long_for_an_index_is_loaded_without_one(world: Settings, postgres: Database) -> None:
    long = "select 'youtube' as platform, string_agg(md5(range::varchar), '') as account_id from range(300)"
    write_release(world, 1, {"dim_account": long}, KEYS)
    target.follow(world, quiet)
    assert postgres.rows("select length(account_id) from marts.dim_account") == [(9600,)]
    assert postgres.rows("select * from pg_indexes where tablename = 'dim_account'") == []


def test_what_is_in_a_text_or_a_comment_is_text(world: Settings, postgres: Database) -> None:
    text = "%s {} $1 \\ '; drop schema marts cascade; --"
    quoted = text.replace("'", "''")
    write_release(world, 1, {"dim_account": f"select '{quoted}' as platform"})
    with duckdb.connect(str(world.published / "latest" / "groundswell.duckdb")) as made:
        made.execute(f"comment on table marts.dim_account is '{quoted}'")
    target.follow(world, quiet)
    assert postgres.rows("select * from marts.dim_account") == [(text,)]
    assert postgres.rows("select obj_description('marts.dim_account'::regclass)") == [(text,)]
