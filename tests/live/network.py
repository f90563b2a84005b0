"""Bluesky's own servers on this machine: what they need, and how they start and end.

The folder that `BLUESKY_TOOLS` names holds the program `network.mjs`, which starts PLC, PDS and AppView, makes accounts
`creator0.test`, `creator1.test`... (password `hunter2x`), writes their DIDs to `run/users.json` and prints READY;
`loopback.cjs`, which keeps the servers on 127.0.0.1; and the package `@atproto/dev-env` in `node_modules`.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

VARIABLE = "BLUESKY_TOOLS"
FILES = ("network.mjs", "loopback.cjs", "node_modules/@atproto/dev-env/package.json")
PROGRAMS = ("node", "initdb", "postgres", "psql", "redis-server")
APPVIEW, PDS = "http://127.0.0.1:2584", "http://127.0.0.1:2583"
PASSWORD = "hunter2x"
PATIENCE_SECONDS = 180


class NotThere(Exception):
    """What the network needs is not on this machine; its text says what to do."""


def tools_of(environment: dict[str, str]) -> Path:
    """The folder with the servers. Raises NotThere with all that is missing."""
    named = environment.get(VARIABLE)
    if not named:
        raise NotThere(
            f"name the folder with Bluesky's servers: make live-test {VARIABLE}=/path/to/folder;"
            f" it holds {', '.join(FILES)} (docs/sources/bluesky.md)"
        )
    folder = Path(named).expanduser().resolve()
    missing = [f"{folder / file} is not there" for file in FILES if not (folder / file).exists()]
    path = environment.get("PATH")
    missing += [f"{name} is not on the PATH" for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        raise NotThere("\n".join([*missing, "docs/sources/bluesky.md says how to install them"]))
    return folder


@dataclass(frozen=True)
class Network:
    """Servers that answer, and the accounts on them.

    Args:
        users: DIDs, in the order of their handles.
        sql: port of the PostgreSQL that the AppView reads its counts from.
    """

    users: tuple[str, ...]
    sql: int

    def play(self, statements: str) -> None:
        """Run SQL in the AppView's database, in one transaction."""
        _psql(self.sql, "bsky", statements)

    @contextmanager
    def session(self, number: int) -> Iterator[httpx.Client]:
        """A client that writes as one of the accounts."""
        with httpx.Client(base_url=PDS, timeout=30) as client:
            login = {"identifier": f"creator{number}.test", "password": PASSWORD}
            answer = client.post("/xrpc/com.atproto.server.createSession", json=login).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['accessJwt']}"
            yield client

    def feed(self, user: str) -> list[dict[str, Any]]:
        """The posts that the AppView shows of an account."""
        answer = httpx.get(f"{APPVIEW}/xrpc/app.bsky.feed.getAuthorFeed", params={"actor": user}, timeout=30)
        return [item["post"] for item in answer.raise_for_status().json()["feed"]]

    def followers(self, user: str) -> set[str]:
        """The followers that the AppView lists of an account, up to 100."""
        params = {"actor": user, "limit": "100"}
        answer = httpx.get(f"{APPVIEW}/xrpc/app.bsky.graph.getFollowers", params=params, timeout=30)
        return {each["did"] for each in answer.raise_for_status().json()["followers"]}

    def counts(self, user: str) -> int:
        """How many followers the AppView says that an account has."""
        answer = httpx.get(f"{APPVIEW}/xrpc/app.bsky.actor.getProfile", params={"actor": user}, timeout=30)
        return int(answer.raise_for_status().json()["followersCount"])


@contextmanager
def network(tools: Path, folder: Path, accounts: int) -> Iterator[Network]:
    """Servers with so many accounts, whose files lie in a folder; all of them end with the block."""
    with ExitStack() as stack:
        sql, redis = _free_port(), _free_port()
        _start_postgres(stack, folder / "postgres", sql)
        redis_command = [
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--port",
            str(redis),
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        _start(stack, redis_command, folder / "redis.log")
        (folder / "run").mkdir()
        log = folder / "network.log"
        _start(
            stack,
            ["node", "--require", str(tools / "loopback.cjs"), str(tools / "network.mjs")],
            log,
            cwd=folder,
            env={
                **os.environ,
                "N": str(accounts),
                "DB_POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{sql}/bsky",
                "REDIS_HOST": f"127.0.0.1:{redis}",
                "LOG_ENABLED": "false",
            },
        )
        _wait(lambda: "READY" in log.read_text(), "Bluesky's servers", log)
        yield Network(tuple(json.loads((folder / "run" / "users.json").read_text())), sql)


def _start_postgres(stack: ExitStack, folder: Path, port: int) -> None:
    """A PostgreSQL without a password on 127.0.0.1. It refuses to run as root, so root starts it as `postgres`."""
    as_whom: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    folder.mkdir()
    if as_whom:
        shutil.chown(folder, "postgres", "postgres")
    log = folder.with_suffix(".log")
    data = folder / "data"
    initdb = [
        "initdb",
        "-D",
        str(data),
        "-U",
        "postgres",
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    with log.open("w") as target:
        subprocess.run(initdb, stdout=target, stderr=target, check=True, cwd=folder, **as_whom)
    command = ["postgres", "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    command += ["-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    _start(stack, command, log, cwd=folder, **as_whom)

    def is_up() -> bool:
        try:
            _psql(port, "postgres", "select 1")
        except subprocess.CalledProcessError:
            return False
        return True

    _wait(is_up, "PostgreSQL", log)
    _psql(port, "postgres", "create database bsky")


def _psql(port: int, database: str, statements: str) -> None:
    command = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", database]
    command += ["-v", "ON_ERROR_STOP=1", "-c", statements]
    subprocess.run(command, capture_output=True, text=True, check=True)


def _start(stack: ExitStack, command: list[str], log: Path, **more: Any) -> None:
    """Start a program whose output goes to a log; it ends, by SIGTERM and then by SIGKILL, with the stack."""
    target = stack.enter_context(log.open("a"))
    program = subprocess.Popen(command, stdout=target, stderr=target, stdin=subprocess.DEVNULL, **more)

    def end() -> None:
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()

    stack.callback(end)


def _wait(is_done: Any, what: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_done():
        if time.monotonic() > until:
            raise NotThere(f"{what}: no answer within {PATIENCE_SECONDS} s; its log ends:\n{log.read_text()[-2000:]}")
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
