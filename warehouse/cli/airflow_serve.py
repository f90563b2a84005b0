"""A local Airflow on 127.0.0.1 with the DAGs loaded and its scheduler running.

The four parts of Airflow as children of this process: `airflow standalone` would also open log servers on all
interfaces, and leave its children behind when it is stopped.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ingestion.config import get_settings
from warehouse.cli.airflow_env import HOST, airflow_environment

START_SECONDS = 180
# A part that ends by itself is started again so often: Airflow's scheduler on SQLite stops when a row that it has just
# seen is rejected (a backfill whose creation failed and was tried again does that).
RESTARTS = 5


def serve(port: int) -> int:
    """Serve until interrupted. Returns 1 when a part of Airflow ends by itself, or the port is taken."""
    settings = get_settings()
    environment = {**os.environ, **airflow_environment(settings, port)}
    home = Path(environment["AIRFLOW_HOME"])
    logs = home / "logs" / "services"
    logs.mkdir(parents=True, exist_ok=True)
    print(f"starting Airflow (logs: {os.path.relpath(logs)})", flush=True)
    if not port_is_free(port):
        print(f"port {port} is taken; choose another: make airflow PORT={port + 1}")
        return 1
    with (logs / "migrate.log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, stdout=log, stderr=log
        )
    commands = {
        "api-server": ["api-server", "--host", HOST, "--port", str(port)],
        "scheduler": ["scheduler", "--skip-serve-logs"],
        "dag-processor": ["dag-processor"],
        "triggerer": ["triggerer", "--skip-serve-logs"],
    }
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parts: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str) -> None:
        with (logs / f"{name}.log").open("ab") as log:
            parts[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *commands[name]],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    try:
        for name in commands:
            start(name)
        if not _wait_until_healthy(f"http://{HOST}:{port}", parts):
            print(f"Airflow did not start within {START_SECONDS} s; its logs say why: {logs}")
            return 1
        password = json.loads((home / "passwords.json").read_text(encoding="utf-8"))["admin"]
        print(f"\n  address   http://{HOST}:{port}\n  login     admin\n  password  {password}\n")
        print("The latest scheduled run starts by itself. Ctrl-C stops Airflow.", flush=True)
        return _watch(parts, start, logs)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(parts)


def port_is_free(port: int) -> bool:
    """Whether nothing listens on a port of 127.0.0.1."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _wait_until_healthy(address: str, parts: dict[str, "subprocess.Popen[bytes]"]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and all(part.poll() is None for part in parts.values()):
        try:
            with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
                if all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor")):
                    return True
        except (urllib.error.URLError, OSError, KeyError, ValueError):
            pass
        time.sleep(1)
    return False


def _watch(parts: dict[str, "subprocess.Popen[bytes]"], start: Callable[[str], None], logs: Path) -> int:
    restarts = 0
    while True:
        for name, part in list(parts.items()):
            if part.poll() is None:
                continue
            log = logs / f"{name}.log"
            if restarts == RESTARTS:
                print(f"the {name} ended with code {part.returncode}; its log: {log}")
                return 1
            restarts += 1
            print(f"the {name} ended with code {part.returncode} and is started again; its log: {log}", flush=True)
            start(name)
        time.sleep(1)


def _stop(parts: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for part in parts.values():
            try:
                os.killpg(part.pid, signum)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and any(part.poll() is None for part in parts.values()):
            time.sleep(0.2)
