"""`groundswell spark`: Spark on this machine, a master and two workers with a Thrift server, all on 127.0.0.1.

Spark is that of `GROUNDSWELL_SPARK_HOME`, else it is installed into `.venv-spark` of the working directory from
`requirements-spark-server.txt`. Tables, catalog and spill are under `<data>/build/spark`, logs under
`<data>/state/logs/spark`, and a file for each part under `<data>/state/spark`. Nothing asks for a password: any user of
this machine may use it.
"""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from ingestion import ledger
from ingestion.config import Settings, get_settings
from ingestion.errors import ContractError, LeaseLost, UsageError
from warehouse.build.spark import home_of
from warehouse.cli import processes
from warehouse.cli.airflow_env import HOST
from warehouse.cli.airflow_serve import port_is_free
from warehouse.cli.command import DONE, FAILED
from warehouse.cli.processes import Process
from warehouse.cli.spark_env import (
    PARTS,
    WORKERS,
    Options,
    commands,
    environment_of,
    logs_of,
    require_java,
    spark_home,
    state_of,
)  # fmt: skip

# Measured on two busy cores: 40 to 66.
START_SECONDS = 180
# How Hive's protocol opens: a SASL start (1) that names PLAIN, then a login (2) of any name and password, which Spark
# does not look at. The answer is 5, complete, with nothing more.
HELLO = b"\x01\x00\x00\x00\x05PLAIN" + b"\x02\x00\x00\x00\x18" + b"\x00groundswell\x00groundswell"
COMPLETE = b"\x05\x00\x00\x00\x00"


def start(options: Options) -> int:
    """Start what does not run, and wait until it answers. Running already: says so.

    Raises UsageError and ContractError, with the remedy, where it cannot; what was begun is ended then.
    """
    settings = get_settings()
    if settings.spark_host not in (HOST, "localhost"):
        raise UsageError(
            f"GROUNDSWELL_SPARK_HOST={settings.spark_host} is another host, and `groundswell spark start` serves on"
            f" {HOST} alone; unset it, or use the Spark of that host"
        )
    with alone(settings):
        found = processes.known(state_of(settings), PARTS)
        dead = [name for name in PARTS if name not in found or not found[name].is_alive]
        if not dead:
            if not answers(port_of(found["thrift"])):
                raise ContractError(
                    f"Spark runs, and its Thrift server does not answer at {found['thrift'].address}:"
                    f" `groundswell spark stop`, then start it again; its log: {logs_of(settings) / 'thrift.log'}"
                )
            click.echo("Spark is running already")
            tell(settings, found)
            return DONE
        require_java()
        if set(dead) <= set(WORKERS) & set(found):
            click.echo(f"{', '.join(dead)} of Spark ended and is started again")
            processes.end([found[name] for name in dead], state_of(settings))
            made = {name: found[name].command for name in dead}
            ui_port = int(found["master"].command[-1])
            addresses: dict[str, str] = {}
        else:
            end_all(settings, found)
            require_ports(options)
            # The catalog has ended with the last server: nobody knows these tables any more.
            shutil.rmtree(home_of(settings) / "warehouse", ignore_errors=True)
            made = commands(settings, spark_home(settings), options)
            ui_port = options.ui_port
            addresses = {"master": options.master, "thrift": f"{HOST}:{options.port}"}
            click.echo("starting Spark: a master, two workers and a Thrift server")
        bring_up(settings, made, addresses, ui_port)
        tell(settings, processes.known(state_of(settings), PARTS))
    return DONE


def stop() -> int:
    """End all parts and what they started."""
    settings = get_settings()
    if not state_of(settings).is_dir():
        click.echo("Spark is not running")
        return DONE
    with alone(settings):
        found = processes.known(state_of(settings), PARTS)
        running = [process.name for process in found.values() if process.has_group]
        end_all(settings, found)
    click.echo(f"stopped: {', '.join(running)}" if running else "Spark is not running")
    return DONE


def status() -> int:
    """Say which parts run. Returns 1 where one does not, or Thrift does not answer."""
    settings = get_settings()
    found = processes.known(state_of(settings), PARTS)
    said = {name: state_of_part(name, found.get(name)) for name in PARTS}
    for name, words in said.items():
        click.echo(f"{name:<9} {words}")
    if all(words.startswith("running") for words in said.values()):
        return DONE
    is_hung = all(process.is_alive for process in found.values()) and len(found) == len(PARTS)
    remedy = "stop, then start it again" if is_hung else "start starts what does not run"
    click.echo(f"next      groundswell spark {remedy}; logs: {logs_of(settings)}")
    return FAILED


def state_of_part(name: str, process: Process | None) -> str:
    """What is known of one part, in words."""
    if process is None:
        return "not started"
    if not process.is_alive:
        return f"ended by itself (it was process {process.pid})"
    if name == "thrift" and not answers(port_of(process)):
        return f"does not answer at {process.address} (process {process.pid})"
    return f"running  {process.address or 'one core'} (process {process.pid})"


# --- starting


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the lock of Spark's files. Raises LeaseLost where another `groundswell spark` holds it."""
    folders = (home_of(settings), state_of(settings), logs_of(settings))
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        ledger.keep_to_owner(folder)
    with (state_of(settings) / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LeaseLost("another `groundswell spark` is at work here; let it end") from error
        yield


def end_all(settings: Settings, found: Mapping[str, Process]) -> None:
    """End all parts; what they spilled goes, tables and logs stay."""
    processes.end(list(found.values()), state_of(settings))
    for folder in ("local", "tmp"):
        shutil.rmtree(home_of(settings) / folder, ignore_errors=True)


def require_ports(options: Options) -> None:
    """Raises ContractError where a port is taken."""
    for flag, variable, port in (
        ("--master-port", "MASTER_PORT", options.master_port),
        ("--ui-port", "UI_PORT", options.ui_port),
        ("--port", "PORT", options.port),
    ):
        if not port_is_free(port):
            raise ContractError(
                f"port {port} is taken; choose another: groundswell spark start {flag} {port + 1}, or make spark-start"
                f" {variable}={port + 1}"
            )


def bring_up(
    settings: Settings, made: Mapping[str, tuple[str, ...]], addresses: Mapping[str, str], ui_port: int
) -> None:
    """Start parts and wait until all answer; where one fails, end what was begun here."""
    home, logs, state = home_of(settings), logs_of(settings), state_of(settings)
    (home / "tmp").mkdir(exist_ok=True)
    begun: dict[str, subprocess.Popen[bytes]] = {}
    deadline = time.monotonic() + START_SECONDS
    try:
        for name, command in made.items():
            for old in (home / "local" / name, logs / f"{name}.1"):
                shutil.rmtree(old, ignore_errors=True)
            (home / "local" / name).mkdir(parents=True, exist_ok=True)  # A disk of its own stays.
            with suppress(FileNotFoundError):
                os.replace(logs / name, logs / f"{name}.1")
            spark = Path(command[0]).parent.parent
            begun[name] = processes.launch(
                name, command, environment_of(spark, name), home, logs / f"{name}.log", state, addresses.get(name, "")
            )
            if name == "master":
                wait(lambda: workers_at(ui_port) is not None, "the master", begun, logs, deadline)
        wait(lambda: workers_at(ui_port) == len(WORKERS), "a worker", begun, logs, deadline)
        if "thrift" in made:
            port = int(addresses["thrift"].rpartition(":")[2])
            wait(lambda: answers(port), "the Thrift server", begun, logs, deadline)
    except BaseException:
        processes.end([found for name, found in processes.known(state, PARTS).items() if name in begun], state)
        raise


def wait(
    is_there: Callable[[], bool], what: str, begun: Mapping[str, "subprocess.Popen[bytes]"], logs: Path, deadline: float
) -> None:
    """Wait for a part. Raises ContractError where any part ends meanwhile, or the time is over."""
    while not is_there():
        for name, part in begun.items():
            if part.poll() is not None:
                log = logs / f"{name}.log"
                raise ContractError(
                    f"Spark's {name} ended with code {part.returncode}; the last lines of its log, {log}:\n"
                    f"{processes.last_lines(log)}\nmend this and run `groundswell spark start` again"
                )
        if time.monotonic() > deadline:
            raise ContractError(
                f"Spark did not start within {START_SECONDS} s: {what} does not answer; its logs say why: {logs}"
            )
        time.sleep(0.2)


def workers_at(ui_port: int) -> int | None:
    """How many workers a master has, by its own page; null where it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{ui_port}/json/", timeout=5) as answer:
            return [worker["state"] for worker in json.load(answer)["workers"]].count("ALIVE")
    except (urllib.error.URLError, OSError, ValueError, KeyError, TypeError):
        return None


def answers(port: int) -> bool:
    """Whether a Thrift server of Hive's protocol lets one in."""
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(HELLO)
            return connection.recv(len(COMPLETE), socket.MSG_WAITALL) == COMPLETE
    except OSError:
        return False


def port_of(process: Process) -> int:
    return int(process.address.rpartition(":")[2])


def tell(settings: Settings, found: Mapping[str, Process]) -> None:
    """Where it is, and what to do next."""
    master, thrift = found["master"], found["thrift"]
    is_elsewhere = port_of(thrift) != settings.spark_port
    more = f" GROUNDSWELL_SPARK_PORT={port_of(thrift)}" if is_elsewhere else ""
    click.echo(
        f"\n  master    {master.address}\n  thrift    {thrift.address}\n"
        f"  page      http://{HOST}:{master.command[-1]}\n  logs      {logs_of(settings)}\n\n"
        f"next: GROUNDSWELL_ENGINE={master.address}{more} make nightly\n"
        "`groundswell spark status` says what runs, `groundswell spark stop` ends it."
    )
