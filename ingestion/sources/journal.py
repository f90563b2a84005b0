"""What a capture has received so far: one line a call, appended and synced, so that a killed capture goes on.

A line that a kill cut short is no line: it is removed, and its call is made once more.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ingestion.errors import LeaseLost

JOURNAL = "capture.journal"


@dataclass(frozen=True)
class Record:
    """What became of one call.

    Args:
        key: names the call among those of its capture.
        items: what is to land, as it came; empty where only the outcome is wanted.
        outcomes: kind and target with what became of it.
        facts: what the calls that follow are made of.
        error: the reason for which there is no answer; null where there is one.
    """

    key: str
    endpoint: str
    items: list[Any] = field(default_factory=list)
    outcomes: list[tuple[str, str, str]] = field(default_factory=list)
    facts: Any = None
    error: str | None = None
    units: int = 0
    money: str = "0"
    calls: int = 0


class Journal:
    """The journal of one source. Its first line says what the capture is: its instant and whom it asks."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / JOURNAL
        self._lock: IO[bytes] | None = None
        self._out: IO[bytes] | None = None

    def __enter__(self) -> "Journal":
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = (self.file.parent / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise LeaseLost(f"another capture of {self.file.parent.name} is at work; let it end") from error
        return self

    def __exit__(self, *_: object) -> None:
        for held in (self._out, self._lock):
            if held is not None:
                held.close()

    def head(self) -> dict[str, Any] | None:
        """The first line; null where there is no capture to go on with."""
        self._mend()
        if not self.file.exists():
            return None
        with self.file.open("rb") as source:
            first = source.readline()
        if not first:
            return None
        try:
            found: dict[str, Any] = json.loads(first)
        except ValueError:
            # Nobody knows what it was of: the next capture begins anew.
            return None
        return found

    def begin(self, head: dict[str, Any]) -> None:
        """Begin a capture: its first line is there whole, or not at all."""
        partial = self.file.with_suffix(".part")
        with partial.open("wb") as target:
            target.write(_line(head))
            target.flush()
            os.fsync(target.fileno())
        os.replace(partial, self.file)

    def append(self, record: Record) -> None:
        """One more call, safely on disk when this returns."""
        if self._out is None:
            self._out = self.file.open("ab")
        self._out.write(_line(vars(record)))
        self._out.flush()
        os.fsync(self._out.fileno())

    def records(self) -> Iterator[Record]:
        """Every call so far, in the order in which they were made."""
        with self.file.open("rb") as source:
            source.readline()
            for line in source:
                held = json.loads(line)
                held["outcomes"] = [(kind, target, outcome) for kind, target, outcome in held["outcomes"]]
                yield Record(**held)

    def end(self) -> None:
        """The capture has landed: nothing is left to go on with."""
        if self._out is not None:
            self._out.close()
            self._out = None
        self.file.unlink(missing_ok=True)

    def _mend(self) -> None:
        """Remove a last line that was cut."""
        if not self.file.exists():
            return
        with self.file.open("r+b") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
            file.truncate(whole)


def key_of(*parts: object) -> str:
    """A short name of a call."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
