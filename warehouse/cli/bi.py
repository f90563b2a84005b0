"""`groundswell bi`: Superset on 127.0.0.1, in an environment of its own, with the dashboards of the project.

The environment is `.venv-bi` of the working directory, made from `requirements-bi.txt` and anew when that changes.
Superset's own database lies under `<data>/superset`, its key and its password under `<data>/state/superset`.
"""

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import click

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings, get_settings
from ingestion.errors import ContractError, UsageError
from warehouse.cli import environments
from warehouse.cli.airflow_env import HOST
from warehouse.cli.airflow_serve import port_is_free
from warehouse.cli.command import DONE, FAILED
from warehouse.dashboards import FOLDER

LOCK = PROJECT_DIR / "requirements-bi.txt"
# Superset 6.1 names 3.10 to 3.12; the lock is made for 3.11 and newer.
OLDEST, NEWEST = (3, 11), (3, 12)
START_SECONDS = 120
LOGIN = "admin"


def environment_folder() -> Path:
    """Where Superset is installed: beside what is called, as every relative path is."""
    return Path.cwd() / ".venv-bi"


def run(port: int, python: str | None) -> int:
    """Install and prepare what is not yet, then serve until interrupted. Returns 1 when Superset ends by itself."""
    settings = get_settings()
    postgres = postgres_url()
    if not postgres and not (settings.published / "groundswell.duckdb").exists():
        raise ContractError(f"nothing is published under {settings.published} yet: run `make nightly` first")
    if not port_is_free(port):
        raise ContractError(f"port {port} is taken; choose another: make bi PORT={port + 1}")
    folder = environment_folder()
    install(folder, python)
    home = settings.data / "superset"
    for owned in (home, settings.data / "state" / "superset"):
        owned.mkdir(parents=True, exist_ok=True)
        ledger.keep_to_owner(owned)
    environment = environment_of(settings, home, postgres)
    prepare(folder, home, environment)
    return serve(folder, home, environment, port, Path(environment["BI_PASSWORD_FILE"]))


def postgres_url() -> str | None:
    """Address of PostgreSQL, where releases go there too; null where they do not."""
    found = get_settings().postgres_url
    return found.get_secret_value() if found else None


# --- installing


def install(folder: Path, python: str | None) -> None:
    """Make the environment from the lock, unless it is made from it already. Raises ContractError where it fails."""
    environments.install(folder, LOCK, lambda: find_python(python), "Superset", "2 to 5 minutes, 0.9 GB", "make bi")


def find_python(named: str | None) -> str:
    """A Python that Superset supports: the one that is named, else this one, else one of the machine.

    Raises UsageError for a named one that it does not support, ContractError where there is none.
    """
    span = f"{OLDEST[0]}.{OLDEST[1]} or {NEWEST[0]}.{NEWEST[1]}"
    if named:
        found = version_of(named)
        if found is None:
            raise UsageError(f"{named} is no Python that can be called; name one of {span}: make bi BI_PYTHON=<path>")
        if not OLDEST <= found <= NEWEST:
            raise UsageError(f"Superset runs on Python {span}, and {named} is {found[0]}.{found[1]}")
        return named
    for candidate in (sys.executable, "python3.12", "python3.11"):
        found = version_of(candidate)
        if found is not None and OLDEST <= found <= NEWEST:
            return candidate
    raise ContractError(
        f"Superset runs on Python {span}, and none is found; install one, or name it: make bi BI_PYTHON=<path>"
    )


def version_of(python: str) -> tuple[int, int] | None:
    """Major and minor version of an interpreter; null where it cannot be called."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=True
        )
        major, minor = done.stdout.split()
        return int(major), int(minor)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


# --- preparing


def environment_of(settings: Settings, home: Path, postgres: str | None) -> dict[str, str]:
    """Variables of Superset's processes. Those of the warehouse's own environment do not reach them."""
    state = settings.data / "state" / "superset"
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "SUPERSET", "FLASK", "MAKE", "GROUNDSWELL_", "AIRFLOW", "VIRTUAL_ENV"))
    }
    return {
        **kept,
        "PYTHONPATH": str(FOLDER),
        "PYTHONWARNINGS": "ignore",
        "SUPERSET_HOME": str(home),
        "SCARF_ANALYTICS": "false",
        "BI_HOME": str(home),
        "BI_PUBLISHED": str(settings.published),
        "BI_SECRET_KEY_FILE": str(secret(state / "secret_key", 64)),
        "BI_PASSWORD_FILE": str(secret(state / "password", 16)),
        **({"BI_POSTGRES_URL": postgres} if postgres else {}),
    }


def secret(file: Path, size: int) -> Path:
    """A file with a secret of this data folder, made once, readable by its owner alone."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(secrets.token_urlsafe(size))
    return file


def fingerprint(environment: dict[str, str]) -> str:
    """What Superset's own database is made from: lock, dashboards, what prepares it, login, kind of database."""
    digest = hashlib.sha256()
    files = [LOCK, FOLDER / "prepare.py", *sorted((FOLDER / "assets").rglob("*.yaml"))]
    for path in (*files, Path(environment["BI_PASSWORD_FILE"])):
        digest.update(path.read_bytes() + b"\0")
    digest.update(b"postgresql" if "BI_POSTGRES_URL" in environment else b"duckdb")
    return digest.hexdigest()


def prepare(folder: Path, home: Path, environment: dict[str, str]) -> None:
    """Bring Superset's own database up to date, unless it is. Raises ContractError where it fails."""
    prepared = home / "prepared"
    wanted = fingerprint(environment)
    if prepared.is_file() and prepared.read_text(encoding="utf-8") == wanted and (home / "superset.db").is_file():
        return
    click.echo("preparing Superset and its dashboards (once per version; 1 to 2 minutes)")
    prepared.unlink(missing_ok=True)
    log = home / "prepare.log"
    with log.open("w") as target:
        done = subprocess.run(
            [str(folder / "bin" / "python"), str(FOLDER / "prepare.py")],
            env=environment, cwd=home, stdout=target, stderr=target, check=False,
        )  # fmt: skip
    if done.returncode:
        said = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        raise ContractError(f"Superset could not be prepared: {said[-1] if said else done.returncode}; its log: {log}")
    prepared.write_text(wanted, encoding="utf-8")


# --- serving


def serve(folder: Path, home: Path, environment: dict[str, str], port: int, password: Path) -> int:
    """Serve until interrupted.

    One process of several threads: they share the answers that are kept, and DuckDB opens a release once.
    """
    log = home / "server.log"
    command = [
        str(folder / "bin" / "gunicorn"), "--bind", f"{HOST}:{port}", "--workers", "1", "--worker-class", "gthread",
        "--threads", "8", "--timeout", "120", "--graceful-timeout", "5", "superset.app:create_app()",
    ]  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with log.open("ab") as target:
        server = subprocess.Popen(
            command, env=environment, cwd=home, stdout=target, stderr=target, start_new_session=True
        )
    try:
        if not wait_until_healthy(f"http://{HOST}:{port}", server):
            click.echo(f"Superset did not start within {START_SECONDS} s; its log says why: {log}", err=True)
            return FAILED
        click.echo(
            f"\n  address   http://{HOST}:{port}/superset/dashboard/overview/\n  login     {LOGIN}\n"
            f"  password  {password.read_text(encoding='utf-8')}\n\n"
            "Each release shows by itself within a minute. Ctrl-C stops Superset."
        )
        server.wait()
        click.echo(f"Superset ended with code {server.returncode}; its log: {log}", err=True)
        return FAILED
    except KeyboardInterrupt:
        return DONE
    finally:
        stop(server)


def wait_until_healthy(address: str, server: "subprocess.Popen[bytes]") -> bool:
    """Whether Superset answers before its time is over."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.5)
    return False


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End Superset and what it started."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, signum)
        except ProcessLookupError:
            return
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
