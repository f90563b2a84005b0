"""Nights in processes of their own: each is a fork of one that has everything in memory already."""

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.config import PROJECT_DIR, Settings

from .small import day, read_tiers


class Forks:
    """Starts nights; `log` of a night is beside its data."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def night(self, settings: Settings, run_id: str, number: int, **asked: object) -> int:
        """Exit code of one night of this day, negative for a signal."""
        return self._ask(settings, run_id, number, asked | {"wait": True})

    def begin(self, settings: Settings, run_id: str, number: int, **asked: object) -> int:
        """Process id of a night that goes on beside us."""
        return self._ask(settings, run_id, number, asked | {"wait": False})

    def _ask(self, settings: Settings, run_id: str, number: int, asked: dict[str, object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = {
            "data": str(settings.data),
            "run_id": run_id,
            "day": str(day(number)),
            "log": str(log_of(settings, run_id)),
        }
        self._process.stdin.write(json.dumps(line | asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process that forks is gone"
        return int(answer)


def log_of(settings: Settings, run_id: str) -> Path:
    """What a night printed."""
    return settings.data.with_name(f"{settings.data.name}-{run_id}.log")


@contextmanager
def open_forks(folder: Path) -> Iterator[Forks]:
    """A process that forks, as long as the context lasts; it goes on from the project that this one has read."""
    (folder / "project").write_bytes(pickle.dumps(read_tiers(Settings(_env_file=None, data=folder / "read"))))  # type: ignore[call-arg]
    with (folder / "forks.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.night", str(folder / "project")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=PROJECT_DIR,
        )  # fmt: skip
    try:
        yield Forks(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
