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
from typing import Any, Literal

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
        try:
            return value.astimezone(UTC).replace(tzinfo=None) if value and value.tzinfo else value
        except OverflowError as error:
            raise ValueError("in UTC it lies beyond the calendar") from error

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


def _entry(text: bytes, name: str) -> Entry | None:
    """What a folder's note says of a file, null where it says nothing. What is wrong with others is theirs.

    Raises ValueError for a note that is no object with a list `files`, for what it says of this file where that cannot
    be, and for an entry without a name where none names the file: it may be meant.
    """
    content = json.loads(text)
    files = content.get("files", []) if isinstance(content, dict) else None
    if not isinstance(files, list):
        raise ValueError('it is no object with a list "files"')
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in files]
    named = [entry for entry, given in zip(files, names, strict=True) if PurePosixPath(str(given)).name == name]
    if named:
        try:
            entry = Entry.model_validate(named[0])
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        others = (other for other in files if other is not named[0] and isinstance(other, dict) and "name" in other)
        return entry.model_copy(update={"beside": tuple(_other(other, entry) for other in others)})
    if not all(isinstance(given, str) for given in names):
        raise ValueError("one of its entries names no file")
    return None


def _other(said: dict[str, Any], entry: Entry) -> Entry:
    """What a note says of another file; one of which it says what cannot be counts as a part of the same delivery."""
    try:
        return Entry.model_validate(said)
    except ValidationError:
        return Entry(name=str(said["name"]), as_of=entry.as_of)


def read(open_file: Callable[[str], int], path: str, required: bool) -> Entry | None:
    """What the notes beside a landed file say of it, null where there are none.

    Args:
        open_file: opens a path inside landing without following links.
        required: whether the feed's settings ask for a note.
    Raises:
        FileNotReady: when the note is missing though required, or is there and cannot be opened or read.
    """
    parent, name = PurePosixPath(path).parent, PurePosixPath(path).name
    for note in NAMES:
        try:
            descriptor = open_file((parent / note).as_posix())
        except (FileNotReady, FileRefused) as error:
            if isinstance(error.__cause__, FileNotFoundError):
                continue
            # What it says is not known, which is not the same as that it says nothing.
            raise FileNotReady(f"{note} beside it cannot be opened ({error}); mend or remove it") from error
        with os.fdopen(descriptor, "rb") as source:
            text = source.read(MAX_BYTES)
        try:
            entry = _entry(text, name)
        except (ValueError, RecursionError) as error:
            if note == "_SUCCESS":
                continue
            raise FileNotReady(f"{note} beside it cannot be read ({str(error).splitlines()[0]}); correct it") from error
        if entry is not None:
            return entry
    if required:
        raise FileNotReady("its feed asks for a manifest, and none names it yet; see docs/data-contract.md")
    return None
