"""A release in PostgreSQL, for many users at once: loaded into a schema of its own, then shown by one transaction.

`follow` leads PostgreSQL to the release that readers of the file see. A reader of the views `marts.*` sees one whole
release within a transaction: no view is replaced while a transaction has read one of them, and none is led to rows that
an open snapshot cannot see. A schema stays as long as its release is kept on disk, so what an erasure removes there is
removed here. Nothing of the file release is touched, whatever fails.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote as url_quoted

import duckdb
import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingestion.config import Settings
from ingestion.errors import ContractError, TargetUnavailable, UsageError
from ingestion.sql import quote
from serving.release import release_seen

MARTS = "marts"
EXTENSION = "postgres_scanner"
# A schema of a release: its id in lower case, `-` as `_`.
RELEASE_SCHEMA = re.compile(r"release_\d{8}t\d{6}_[0-9a-f]{6}")
RELEASE_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
# What the schemas' comments say: of `marts`, which release its views show; of a release's, that nothing is missing.
SHOWN, WHOLE = "Groundswell release {}", "Groundswell release {}, whole"
# One load at a time, whoever runs: "groundsw" as a number.
TURN = 0x67726F756E647377
# A reader that asks for a view while it is being replaced waits at most about so long: below the 1 s after which
# PostgreSQL looks for a deadlock, so that the swap is undone and never a reader.
LOCK_TIMEOUT_MS = 150
SWAP_BUDGET = 0.6
# How long a load waits for its turn, for older snapshots to end, and for readers to let go of the views.
PATIENCE = 600.0
CONNECT_SECONDS = 10
STATEMENT_SECONDS = 3600
# PostgreSQL holds no zero byte in a text.
NUL = "\N{REPLACEMENT CHARACTER}"
# Exact in both databases; DECIMAL and lists are built from these.
TYPES = {
    "VARCHAR": "text", "BIGINT": "bigint", "INTEGER": "integer", "SMALLINT": "smallint", "TINYINT": "smallint",
    "DOUBLE": "double precision", "FLOAT": "real", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}  # fmt: skip

Log = Callable[[str], None]
Session = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Shown:
    """What readers of PostgreSQL see after `follow`.

    Attributes:
        status: `shown`, or `unchanged` where they saw it before.
        rows: rows that were loaded; 0 where its schema was there.
        load_seconds, swap_seconds: the load with its indexes; the one transaction that was committed.
        attempts: how often the swap was tried.
    """

    release_id: str
    status: str
    rows: int = 0
    load_seconds: float = 0.0
    swap_seconds: float = 0.0
    attempts: int = 0


@dataclass(frozen=True)
class State:
    """What a database holds of ours, as the doctor looks at it.

    Attributes:
        shown: id of the release that `marts` shows; null before the first.
        schemas: schemas of releases, each with whether it is whole.
        has_role: whether the role that reads is there.
    """

    shown: str | None
    schemas: dict[str, bool]
    has_role: bool


class Column(NamedTuple):
    """A column of a mart: its name, its type in PostgreSQL, its comment."""

    name: str
    kind: str
    comment: str | None


@dataclass(frozen=True)
class Mart:
    """A mart of a release: its columns in order, its comment, the columns of its key (empty where nobody says)."""

    name: str
    comment: str | None
    columns: list[Column] = field(default_factory=list)
    key: tuple[str, ...] = ()

    @property
    def days(self) -> list[str]:
        """Days of the key that do not lead it, so that its own index finds none of them."""
        kinds = {column.name: column.kind for column in self.columns}
        return [name for name in self.key[1:] if kinds.get(name) == "date"]


def schema_of(release_id: str) -> str:
    """Name of a release's schema. Raises ContractError for what is no id of a release."""
    if not RELEASE_ID.fullmatch(release_id):
        raise ContractError(f"{release_id!r} is no id of a release, as 20260105T021500-0a1b2c")
    return f"release_{release_id.lower().replace('-', '_')}"


def follow(settings: Settings, log: Log = print, patience: float = PATIENCE) -> Shown:
    """Show in PostgreSQL what readers of the file see, and remove the schemas of releases that are not kept.

    Safe to repeat, also at the same time: one load runs, others wait. Raises UsageError where no database or no release
    is there, ContractError for what a retry cannot mend, TargetUnavailable for what a later try may; readers then see
    what they saw. No message holds a password.

    Args:
        patience: seconds to wait for the turn, and again for readers.
    """
    conninfo = _conninfo(settings)
    if release_seen(settings) is None:
        raise UsageError("no release yet, so there is nothing to load into PostgreSQL: run `make nightly`")
    with _in_words(settings), closing(psycopg.connect(conninfo, autocommit=True)) as session:
        _take_turn(session, patience, log)
        role = _reading_role(session, settings.postgres_read_role, log)
        while True:
            release = release_seen(settings)
            assert release is not None
            shown = _show(session, conninfo, settings, release, role, log, patience)
            # Another release may have been published, or rolled back to, meanwhile.
            if release == release_seen(settings):
                break
        _remove_schemas(session, settings, release, log)
    return shown


def look(settings: Settings) -> State:
    """What the database holds. Raises ContractError or TargetUnavailable, in words, where it cannot be asked."""
    with _in_words(settings), closing(psycopg.connect(_conninfo(settings), autocommit=True)) as session:
        return State(_shown(session), _schemas(session), _has_role(session, settings.postgres_read_role))


# --- one release


def _show(
    session: Session, conninfo: str, settings: Settings, release: Path, role: str | None, log: Log, patience: float
) -> Shown:
    schema = schema_of(release.name)
    with closing(duckdb.connect(config=settings.duckdb_config)) as source:
        source.execute(f"attach {quote(str(release / 'groundswell.duckdb'))} as release (read_only)")
        marts = _marts_of(source, release)
        is_whole = _schemas(session).get(schema, False)
        if is_whole and _shown(session) == release.name:
            _grant(session, role)
            log(f"PostgreSQL shows {release.name} already")
            return Shown(release.name, "unchanged")
        began, rows = time.monotonic(), 0
        if not is_whole:
            rows = _load(session, conninfo, source, release, schema, marts)
    load_seconds = time.monotonic() - began
    swap_seconds, attempts = _swap(session, release.name, schema, marts, role, patience)
    log(
        f"PostgreSQL shows {release.name}: "
        + (f"{rows:,} rows in {len(marts)} marts loaded in {load_seconds:.1f} s, " if rows else "")
        + f"views swapped in {swap_seconds * 1000:.0f} ms"
        + (f" at attempt {attempts}" if attempts > 1 else "")
    )
    return Shown(release.name, "shown", rows, load_seconds, swap_seconds, attempts)


def _marts_of(source: duckdb.DuckDBPyConnection, release: Path) -> list[Mart]:
    """The marts of a release by name. Raises ContractError for a type that PostgreSQL does not hold exactly."""
    dictionary = release / "marts" / "dictionary.json"
    described = json.loads(dictionary.read_text(encoding="utf-8"))["marts"] if dictionary.is_file() else []
    keys = {mart["name"]: tuple(mart.get("key", ())) for mart in described}
    marts = {
        name: Mart(name, comment, [], keys.get(name, ()))
        for name, comment in source.execute(
            "select table_name, comment from duckdb_tables() where database_name = 'release' and schema_name = ?"
            " order by 1",
            [MARTS],
        ).fetchall()
    }
    for mart, column, kind, comment in source.execute(
        "select table_name, column_name, data_type, comment from duckdb_columns()"
        " where database_name = 'release' and schema_name = ? order by table_name, column_index",
        [MARTS],
    ).fetchall():
        if mart in marts:
            marts[mart].columns.append(Column(column, type_of(mart, column, kind), comment))
    return list(marts.values())


def type_of(mart: str, column: str, kind: str) -> str:
    """The type in PostgreSQL that holds each value of a DuckDB type exactly. Raises ContractError for any other."""
    if kind.endswith("[]"):
        return type_of(mart, column, kind.removesuffix("[]")) + "[]"
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return f"numeric({found[1]},{found[2]})"
    if kind not in TYPES:
        raise ContractError(
            f"{mart}.{column} is {kind}, which PostgreSQL does not hold exactly: cast it in the model to one of"
            f" {', '.join(TYPES)}, DECIMAL, or a list of these"
        )
    return TYPES[kind]


def _release_of(schema: str) -> str:
    """Id of the release that a schema is of."""
    return schema.removeprefix("release_").replace("t", "T", 1).replace("_", "-")


def _load(
    session: Session, conninfo: str, source: duckdb.DuckDBPyConnection, release: Path, schema: str, marts: list[Mart]
) -> int:
    """Load a release into its schema; returns its rows. What a load that broke off left there is removed first."""
    try:
        with session.transaction():
            session.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
            session.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
            for mart in marts:
                session.execute(_table(schema, mart))
        rows = _copy_rows(conninfo, source, release, schema, marts)
        with session.transaction():
            for mart in marts:
                _index(session, schema, mart)
            _run(session, [part for mart in marts for part in _comments(schema, "table", mart)])
            _comment_schema(session, schema, WHOLE.format(release.name))
        _run(session, [sql.SQL("analyze {}").format(sql.Identifier(schema, mart.name)) for mart in marts])
    except (psycopg.Error, duckdb.Error, ContractError):
        _drop_half(session, schema)
        raise
    return rows


def _table(schema: str, mart: Mart) -> sql.Composed:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.kind)) for column in mart.columns
    )
    return sql.SQL("create table {} ({})").format(sql.Identifier(schema, mart.name), columns)


def _copy_rows(conninfo: str, source: duckdb.DuckDBPyConnection, release: Path, schema: str, marts: list[Mart]) -> int:
    """Copy each mart through DuckDB's extension. Raises ContractError where a mart is not what the release says."""
    source.execute(f"load {quote(str(_extension()))}")
    source.execute(f"set pg_null_byte_replacement = {quote(NUL)}")
    source.execute(f"attach {quote(conninfo)} as target (type postgres, schema {quote(schema)})")
    note = json.loads((release / "release.json").read_text(encoding="utf-8")).get("marts", {})
    total = 0
    for mart in marts:
        names = ", ".join(f'"{column.name}"' for column in mart.columns)
        row = source.execute(
            f'insert into target."{schema}"."{mart.name}" ({names}) select {names} from release.marts."{mart.name}"'
        ).fetchone()
        copied = int(row[0]) if row else 0
        expected = note.get(mart.name, {}).get("row_count", copied)
        if copied != expected:
            raise ContractError(
                f"{mart.name} of release {release.name} holds {copied:,} rows, where {expected:,} were published:"
                " make doctor says more"
            )
        total += copied
    source.execute("detach target")
    return total


def _extension() -> Path:
    """The extension's file in its wheel: nothing is fetched at run time."""
    found = find_spec(f"duckdb_extension_{EXTENSION}")
    file = (
        Path(str(found.origin)).parent / "extensions" / f"v{duckdb.__version__}" / f"{EXTENSION}.duckdb_extension"
        if found
        else None
    )
    if file is None or not file.is_file():
        raise ContractError(
            f"DuckDB's extension for PostgreSQL is not installed for DuckDB {duckdb.__version__}: make clean setup"
        )
    return file


def _index(session: Session, schema: str, mart: Mart) -> None:
    """Index the key, which is unique, and the days in it. A text too long for an index leaves the key without one."""
    table = sql.Identifier(schema, mart.name)
    if mart.key:
        try:
            with session.transaction():
                session.execute(
                    sql.SQL("create unique index on {} ({})").format(
                        table, sql.SQL(", ").join(map(sql.Identifier, mart.key))
                    )
                )
        except errors.ProgramLimitExceeded:
            # One text of more than 2.6 kB: every query still answers, only slower.
            pass
    for day in mart.days:
        session.execute(sql.SQL("create index on {} ({})").format(table, sql.Identifier(day)))


def _comments(
    schema: str, kind: str, mart: Mart, known: dict[tuple[str, str], str] | None = None
) -> list[sql.Composed]:
    """Statements that comment a table or view and its columns; those that `known` holds already are left out."""
    target = sql.Identifier(schema, mart.name)
    statements = []
    for column, comment in (("", mart.comment), *((column.name, column.comment) for column in mart.columns)):
        if comment == (known or {}).get((mart.name, column)):
            continue
        if column:
            text = sql.SQL("comment on column {} is {}").format(
                sql.Identifier(schema, mart.name, column), sql.Literal(comment)
            )
        else:
            text = sql.SQL("comment on {} {} is {}").format(
                sql.SQL("view" if kind == "view" else "table"), target, sql.Literal(comment)
            )
        statements.append(text)
    return statements


def _comment_schema(session: Session, schema: str, text: str) -> None:
    session.execute(sql.SQL("comment on schema {} is {}").format(sql.Identifier(schema), sql.Literal(text)))


def _run(session: Session, statements: list[sql.Composed]) -> None:
    """Run statements without parameters in one message."""
    if statements:
        session.execute(sql.SQL("; ").join(statements))


def _drop_half(session: Session, schema: str) -> None:
    """Give the room of a broken load back, where the database still answers; else the next load does."""
    with suppress(psycopg.Error):
        session.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


# --- the swap


def _swap(
    session: Session, release_id: str, schema: str, marts: list[Mart], role: str | None, patience: float
) -> tuple[float, int]:
    """Lead the views to a release in one transaction; returns its seconds and how often it was tried."""
    session.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(MARTS)))
    deadline = time.monotonic() + patience
    _await_older(session, release_id, deadline)
    attempts = 0
    while True:
        attempts += 1
        began = time.monotonic()
        try:
            with session.transaction():
                session.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT_MS)))
                _replace_views(session, schema, marts, began + SWAP_BUDGET)
                known = _commented(session)
                _run(session, [part for mart in marts for part in _comments(MARTS, "view", mart, known)])
                _grant(session, role)
                _comment_schema(session, MARTS, SHOWN.format(release_id))
            return time.monotonic() - began, attempts
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if time.monotonic() >= deadline:
                raise TargetUnavailable(
                    f"PostgreSQL does not show {release_id}: readers held the views for {patience:,.0f} s"
                    f" ({_holders(session)}); they go on with what they see. The next load tries again; to end such a"
                    " reader: select pg_terminate_backend(<process>)"
                ) from None
            # Readers that overlap are let through; the pause grows and is never the same twice.
            time.sleep(random.uniform(0.05, min(2.0, 0.1 * attempts)))


def _replace_views(session: Session, schema: str, marts: list[Mart], until: float) -> None:
    """Lead each view to its table; a view keeps the order of its columns, and new ones come last."""
    held = _views(session)
    for name in sorted(set(_our_views(session)) - {mart.name for mart in marts}):
        _drop_view(session, name)
    for mart in marts:
        kinds = {column.name: column.kind for column in mart.columns}
        before = held.get(mart.name, {})
        if not all(kinds.get(name) == _plain(kind) for name, kind in before.items()):
            _drop_view(session, mart.name)
            before = {}
        names = [*before, *(name for name in kinds if name not in before)]
        try:
            session.execute(
                sql.SQL("create or replace view {} as select {} from {}").format(
                    sql.Identifier(MARTS, mart.name),
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.Identifier(schema, mart.name),
                )
            )
        except errors.WrongObjectType:
            raise ContractError(
                f"{MARTS}.{mart.name} in PostgreSQL is no view of ours: rename or drop it, then run groundswell"
                " postgres"
            ) from None
        if time.monotonic() > until:
            # Those that wait for a view which is replaced already have waited long enough.
            raise errors.LockNotAvailable


def _plain(kind: str) -> str:
    """A type of the catalog as `type_of` writes it."""
    for long, short in (("timestamp without time zone", "timestamp"), ("timestamp with time zone", "timestamptz")):
        kind = kind.replace(long, short)
    return kind


def _drop_view(session: Session, name: str) -> None:
    try:
        session.execute(sql.SQL("drop view {}").format(sql.Identifier(MARTS, name)))
    except errors.DependentObjectsStillExist as error:
        raise ContractError(
            f"{MARTS}.{name} loses a column, changes a type or goes with this release, and others' objects depend on"
            f" it: {error.diag.message_detail}. PostgreSQL stays with the release before. Have their owners change"
            " or drop them, then run groundswell postgres"
        ) from None


def _await_older(session: Session, release_id: str, deadline: float) -> None:
    """Wait until no transaction is open that began before now and holds a snapshot.

    Such a snapshot does not hold the rows just loaded: its reader would find the marts empty. A role that may not see
    others' snapshots (pg_read_all_stats) waits for every transaction of the database that is open now.
    """
    older = [row[0] for row in session.execute(OPEN_TRANSACTIONS).fetchall()]
    while older:
        left = session.execute(STILL_OPEN, [older]).fetchall()
        if not left:
            return
        if time.monotonic() >= deadline:
            named = ", ".join(f"process {pid} of {user}" for pid, user in left)
            raise TargetUnavailable(
                f"PostgreSQL does not show {release_id}: a transaction that began before it was loaded is still open"
                f" ({named}) and would find it empty; readers go on with what they see. The next load tries again; to"
                " end such a transaction: select pg_terminate_backend(<process>)"
            )
        time.sleep(0.05)


def _holders(session: Session) -> str:
    rows = session.execute(HOLDERS, [MARTS]).fetchall()
    return ", ".join(f"process {pid} of {user}" for pid, user in rows) or "none of them is there any more"


# --- schemas, roles, rights


def _remove_schemas(session: Session, settings: Settings, release: Path, log: Log) -> None:
    """Remove what is no release on disk any more; a reader of one that does not let go keeps the rest from nothing.

    Raises TargetUnavailable, when all others are removed, where one could not be.
    """
    folder = settings.published / "releases"
    kept = {schema_of(path.name) for path in folder.iterdir() if RELEASE_ID.fullmatch(path.name)}
    left = []
    for schema, is_whole in _schemas(session).items():
        if schema == schema_of(release.name) or (schema in kept and is_whole):
            continue
        try:
            with session.transaction():
                session.execute("set local lock_timeout = '5s'")
                session.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
        except errors.LockNotAvailable:
            left.append(schema)
            continue
        log(f"PostgreSQL keeps {schema} no longer")
    if left:
        raise TargetUnavailable(
            f"PostgreSQL still holds {', '.join(left)}, whose release is gone: a reader holds it. Readers of the views"
            " are not concerned; the next load removes it"
        )


def _schemas(session: Session) -> dict[str, bool]:
    """Schemas of releases, each with whether it is whole."""
    rows = session.execute(
        "select nspname, coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace order by 1"
    ).fetchall()
    return {
        name: comment == WHOLE.format(_release_of(name)) for name, comment in rows if RELEASE_SCHEMA.fullmatch(name)
    }


def _shown(session: Session) -> str | None:
    """Id of the release that the views show."""
    row = session.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s", [MARTS]
    ).fetchone()
    found = re.fullmatch(SHOWN.format(f"({RELEASE_ID.pattern})"), (row[0] if row else None) or "")
    return found[1] if found else None


def _views(session: Session) -> dict[str, dict[str, str]]:
    """Columns of each view of `marts`, in order, with their types."""
    views: dict[str, dict[str, str]] = {}
    for view, column, kind in session.execute(VIEW_COLUMNS, [MARTS]).fetchall():
        views.setdefault(view, {})[column] = kind
    return views


def _our_views(session: Session) -> list[str]:
    """Views of `marts` that read a release; what others have put there is theirs."""
    return [name for (name,) in session.execute(OUR_VIEWS, [MARTS, f"^{RELEASE_SCHEMA.pattern}$"]).fetchall()]


def _commented(session: Session) -> dict[tuple[str, str], str]:
    """Comments of the views of `marts` and of their columns; a view's own has no column."""
    return {(view, column): comment for view, column, comment in session.execute(COMMENTS, [MARTS]).fetchall()}


def _has_role(session: Session, role: str) -> bool:
    return session.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None


def _reading_role(session: Session, role: str, log: Log) -> str | None:
    """The role that may read the views, made where it is missing; null where it can neither be found nor made."""
    if _has_role(session, role):
        return role
    try:
        session.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    except errors.InsufficientPrivilege:
        log(
            f"PostgreSQL has no role {role} and this one may make none, so nobody else can read: have it made once"
            f" (create role {role} nologin), then run groundswell postgres"
        )
        return None
    except (errors.DuplicateObject, errors.UniqueViolation):
        return role
    return role


def _grant(session: Session, role: str | None) -> None:
    """Let the role read what it may not read yet: the views alone, no schema of a release."""
    if role is None:
        return
    missing = [name for (name,) in session.execute(NOT_GRANTED, [MARTS, role]).fetchall()]
    statements = [
        sql.SQL("grant select on {} to {}").format(sql.Identifier(MARTS, name), sql.Identifier(role))
        for name in missing
    ]
    if statements:
        statements.append(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(MARTS), sql.Identifier(role)))
    _run(session, statements)


def _take_turn(session: Session, patience: float, log: Log) -> None:
    """Wait for another load to end. The turn is given back with the connection."""
    deadline, is_told = time.monotonic() + patience, False
    while True:
        row = session.execute("select pg_try_advisory_lock(%s)", [TURN]).fetchone()
        if row and row[0]:
            return
        if time.monotonic() >= deadline:
            raise TargetUnavailable(
                f"another load into PostgreSQL has been at work for {patience:,.0f} s; it shows the newest release when"
                " it is done"
            )
        if not is_told:
            log("waiting for another load into PostgreSQL")
            is_told = True
        time.sleep(0.1)


# --- connection and errors


def _conninfo(settings: Settings) -> str:
    """What both clients connect with. Raises UsageError where it is not set, or cannot be read; it is never shown."""
    if settings.postgres_url is None:
        raise UsageError("GROUNDSWELL_POSTGRES_URL is not set, so nothing is loaded into PostgreSQL (docs/postgres.md)")
    try:
        given = conninfo_to_dict(settings.postgres_url.get_secret_value())
    except psycopg.Error:
        raise UsageError(
            "GROUNDSWELL_POSTGRES_URL cannot be read: write it as postgresql://user:password@host:5432/database, signs"
            " of the password such as @ : / % in their percent form"
        ) from None
    timeout = f"-c statement_timeout={STATEMENT_SECONDS * 1000}"
    kept: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "groundswell",
        "keepalives_idle": 30,
        "tcp_user_timeout": 60_000,
        **given,
        "options": f"{given.get('options') or ''} {timeout}".strip(),
    }
    return make_conninfo(**kept)


@contextmanager
def _in_words(settings: Settings) -> Iterator[None]:
    """Say an error of either client in words, without its traceback: DuckDB's names the password."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise ContractError(
            f"PostgreSQL refuses: {_text(error, settings)}. The role of GROUNDSWELL_POSTGRES_URL needs to own what it"
            " loads: grant create on database <name> to <role>"
        ) from None
    except errors.UniqueViolation as error:
        raise ContractError(
            f"a mart holds a key twice, so nothing of the release is shown in PostgreSQL: {_text(error, settings)}"
        ) from None
    except (psycopg.Error, duckdb.Error) as error:
        text = _text(error, settings)
        if isinstance(error, errors.DiskFull) or re.search("no space left|could not extend|disk full", text, re.I):
            why = "its disk is full: make room there, or keep fewer releases (GROUNDSWELL_KEEP_RELEASES)"
        elif isinstance(error, errors.QueryCanceled) or "statement timeout" in text:
            why = f"it is too slow: a statement took more than {STATEMENT_SECONDS:,} s"
        elif isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            why = "it cannot be reached: is it running, and is GROUNDSWELL_POSTGRES_URL right?"
        else:
            why = "it failed"
        raise TargetUnavailable(
            f"PostgreSQL does not show the newest release, {why} ({text}). Its readers see what they saw; the next load"
            " tries again: groundswell postgres"
        ) from None


def _text(error: Exception, settings: Settings) -> str:
    """The first lines of an error without the password."""
    text = " ".join(str(error).split())[:500]
    given = conninfo_to_dict(settings.postgres_url.get_secret_value()) if settings.postgres_url else {}
    password = str(given.get("password") or "")
    for secret in {password, url_quoted(password), url_quoted(password, safe="")} - {""}:
        text = text.replace(secret, "***")
    return re.sub(r"password=('(?:[^'\\]|\\.)*'|\S+)", "password=***", text)


OPEN_TRANSACTIONS = """
select l.virtualxid
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'virtualxid' and l.granted and l.pid <> pg_backend_pid() and a.datname = current_database()
"""

# A null state is that of a session which this role may not look at.
STILL_OPEN = """
select a.pid, coalesce(a.usename, '(unknown)')
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'virtualxid' and l.virtualxid = any(%s)
  and (a.state is null or (a.backend_xmin is not null and a.backend_type = 'client backend'))
order by 1
"""

HOLDERS = """
select distinct a.pid, coalesce(a.usename, '(unknown)')
from pg_locks l join pg_stat_activity a on a.pid = l.pid
join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
where l.locktype = 'relation' and l.granted and l.pid <> pg_backend_pid() and n.nspname = %s
order by 1
"""

VIEW_COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname = %s and c.relkind = 'v' and a.attnum > 0 and not a.attisdropped
order by c.relname, a.attnum
"""

OUR_VIEWS = """
select distinct v.relname
from pg_class v join pg_namespace n on n.oid = v.relnamespace
join pg_rewrite r on r.ev_class = v.oid
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
where n.nspname = %s and v.relkind = 'v' and tn.nspname ~ %s
"""

COMMENTS = """
select c.relname, coalesce(a.attname, ''), d.description
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass
left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
where n.nspname = %s and c.relkind = 'v'
"""

NOT_GRANTED = """
select c.relname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relkind = 'v' and not has_table_privilege(%s, c.oid, 'select')
order by 1
"""
