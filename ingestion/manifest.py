"""Notes that a sender lays beside a delivery: `_manifest.json` or `_SUCCESS`, with what each file must be.

Both hold `{"files": [{"name": ..., "bytes": ..., "sha256": ..., "rows": ..., "as_of": ..., "origin": ...,
"delivers": ...}]}`; every key but `name` may be missing. A `_SUCCESS` that holds anything else says nothing of any
file. A file that is not what its note says waits while it is fresh, and is quarantined whole after that.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ingestion.errors import FileNotReady, FileRefused

NAMES = ("_manifest.json", "_SUCCESS")
MAX_BYTES = 16 << 20
# A file that differs from its note may still be on its way for so long after its last change.
PATIENCE_SECONDS = 900


class Entry(BaseModel):
    """What a note says of one file. `as_of` is UTC where it names no zone.

    `beside` are the other files of the note: of a delivery in parts none may be missing.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    bytes: int | None = Field(default=None, ge=0)
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    rows: int | None = Field(default=None, ge=0)
    as_of: datetime | None = None
    origin: Literal["observed", "simulated"] | None = None
    delivers: Literal["changes", "full"] | None = None
    beside: tuple["Entry", ...] = ()

    @field_validator("as_of")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value and value.tzinfo else value

    def check_bytes(self, size: int, sha256: str, seconds_old: float) -> None:
        """Raise FileNotReady, or after a while FileRefused, when the file is not the one that was announced."""
        wrong = []
        if self.bytes is not None and self.bytes != size:
            wrong.append(f"it has {size:,} bytes, its manifest says {self.bytes:,}")
        elif self.sha256 is not None and self.sha256.lower() != sha256:
            wrong.append("its SHA-256 is not the one in its manifest")
        if wrong and seconds_old < PATIENCE_SECONDS:
            raise FileNotReady(wrong[0])
        if wrong:
            raise FileRefused(f"{wrong[0]}; send it again, or correct the manifest")

    def check_rows(self, rows: int) -> None:
        """Raise FileRefused when the file holds another number of rows than was announced."""
        if self.rows is not None and self.rows != rows:
            raise FileRefused(f"it has {rows:,} rows, its manifest says {self.rows:,}; send it again", rows)


class Manifest(BaseModel):
    """The notes of one folder."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    files: tuple[Entry, ...] = ()

    def entry(self, name: str) -> Entry | None:
        """What is said of a file, null where nothing is."""
        found = next((entry for entry in self.files if PurePosixPath(entry.name).name == name), None)
        return found and found.model_copy(update={"beside": tuple(each for each in self.files if each is not found)})


def read(open_file: Callable[[str], int], path: str, required: bool) -> Entry | None:
    """What the notes beside a landed file say of it, null where there are none.

    Args:
        open_file: opens a path inside landing without following links.
        required: whether the feed's settings ask for a note.
    Raises:
        FileNotReady: when the note is missing though required, or cannot be read yet.
    """
    parent, name = PurePosixPath(path).parent, PurePosixPath(path).name
    for note in NAMES:
        try:
            descriptor = open_file((parent / note).as_posix())
        except (FileNotReady, FileRefused):
            continue
        with os.fdopen(descriptor, "rb") as source:
            text = source.read(MAX_BYTES)
        try:
            entry = Manifest.model_validate(json.loads(text)).entry(name)
        except (ValueError, ValidationError, RecursionError) as error:
            if note == "_SUCCESS":
                continue
            raise FileNotReady(f"{note} beside it cannot be read ({str(error).splitlines()[0]}); correct it") from error
        if entry is not None:
            return entry
    if required:
        raise FileNotReady("its feed asks for a manifest, and none names it yet; see docs/data-contract.md")
    return None
