"""Processes that outlive the command that starts them: each leads a group of its own and has a file that names it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ingestion.lease import process_start

END_SECONDS = 15
LAST_LINES = 6


@dataclass(frozen=True)
class Process:
    """A process that was started, as its file holds it.

    Attributes:
        name: what it is called in messages and in the names of its files.
        pid: its id, which is that of its group.
        started: when it began, in clock ticks since boot; empty where the machine does not say.
        address: where it is reached; empty where nobody asks it.
        command: what it was started with.
    """

    name: str
    pid: int
    started: str
    address: str
    command: tuple[str, ...]

    @property
    def is_alive(self) -> bool:
        """Whether the process itself runs; another one that was given its id since does not count."""
        if os.path.exists("/proc/self/stat"):
            return bool(self.started) and process_start(self.pid) == self.started
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, 0)
            return True
        return False

    @property
    def has_group(self) -> bool:
        """Whether anything of its group runs: the process, or a child that it has left behind."""
        now = process_start(self.pid)
        if now and self.started and now != self.started:
            return False  # The id is another process's now, which no group of that id allows while it has members.
        if not os.path.exists("/proc/self/stat"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, 0)
                return True
            return False
        return any(_group_of(entry) == self.pid for entry in Path("/proc").glob("[0-9]*/stat"))


def _group_of(stat: Path) -> int | None:
    """Group of a process by its file under /proc; null of one that has ended."""
    try:
        state, _, group, *_ = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)


def launch(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    state: Path,
    address: str,
) -> "subprocess.Popen[bytes]":
    """Start a process in a group of its own, and write its file `<state>/<name>.pid`.

    Its log begins anew; that of the start before is kept beside it, as `<log>.1`.
    """
    if log.exists():
        os.replace(log, f"{log}.1")
    with log.open("wb") as target:
        begun = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=target, stderr=target,
            start_new_session=True,
        )  # fmt: skip
    process = Process(name, begun.pid, process_start(begun.pid), address, tuple(command))
    (state / f"{name}.pid").write_text(json.dumps(asdict(process)), encoding="utf-8")
    return begun


def known(state: Path, names: Iterable[str]) -> dict[str, Process]:
    """The processes that have a file, in the order of the names; one whose file cannot be read has none."""
    found = {}
    for name in names:
        with suppress(OSError, ValueError, TypeError):
            held = json.loads((state / f"{name}.pid").read_text(encoding="utf-8"))
            found[name] = Process(**{**held, "command": tuple(held["command"])})
    return found


def end(processes: Sequence[Process], state: Path) -> None:
    """End processes and their groups, first the last: asked to end, and killed when they do not within 15 s each."""
    for process in reversed(processes):
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if not process.has_group:
                break
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signum)
            deadline = time.monotonic() + END_SECONDS
            while time.monotonic() < deadline and process.has_group:
                time.sleep(0.1)
        (state / f"{process.name}.pid").unlink(missing_ok=True)


def last_lines(log: Path) -> str:
    """The end of a log, indented; a word where it is empty."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line for line in text.splitlines() if line.strip()][-LAST_LINES:]
    return "\n".join(f"  {line[:300]}" for line in lines) or "  (its log is empty)"
