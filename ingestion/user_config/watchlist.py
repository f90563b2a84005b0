"""`config/watchlist.csv`: the accounts that sources ask for besides those of collaborations.

A line that cannot be read is named and passed over: it costs no other account its day.
"""

import csv
import io
import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.user_config.load import USUAL, folder_of, read_rows
from ingestion.user_config.tables import Placed, Row, Table, Word

FILE = "watchlist.csv"
Account = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s\x00-\x1f]+$")]


class Watched(Row):
    """An account that is asked for each day.

    Args:
        since: first UTC day of it; null for at once.
        legal_basis: why it may be kept, in your own words, such as `contract` or `legitimate interest`.
        latest_posts: of how many posts the counts are taken; null for what its source says.
    """

    platform: Word
    account: Account
    since: date | None = None
    legal_basis: str | None = None
    latest_posts: Annotated[int, Field(ge=0, le=500)] | None = None
    tags: str | None = None


TABLE = Table(
    "watchlist",
    Watched,
    ("platform", "account"),
    {
        "platform": "varchar",
        "account": "varchar",
        "since": "date",
        "legal_basis": "varchar",
        "latest_posts": "integer",
        "tags": "varchar",
    },
    lambda _: iter(()),
)


@dataclass(frozen=True)
class Watchlist:
    """The accounts in the order of the file, and what of it could not be read, with file, line and remedy."""

    placed: list[Placed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[Watched]:
        return [item.row for item in self.placed]


def load_watchlist(settings: Settings) -> Watchlist:
    """The list as far as it can be read; empty where there is none."""
    path = _file(settings)
    if not path.exists():
        return Watchlist()
    problems: list[str] = []
    return Watchlist(list(read_rows(TABLE, path, True, problems)), problems)


def add(settings: Settings, watched: Watched) -> Path:
    """One more line, with a header where the file has none. Raises UsageError where the account is there already."""
    path = _file(settings)
    held = load_watchlist(settings)
    there = next((item for item in held.placed if TABLE.key_of(item.row) == TABLE.key_of(watched)), None)
    if there is not None:
        raise UsageError(f"{watched.platform} {watched.account} is there already: {there.place}")
    text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    has_header = any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())
    columns = _columns(text) if has_header else TABLE.columns
    row = watched.model_dump()
    lost = [name for name, value in row.items() if value is not None and name not in columns]
    if lost:
        raise UsageError(f"{path} has no column {', '.join(lost)}; add it to its header")
    if text and not text.endswith("\n"):
        text += "\n"
    lines = "" if has_header else _line(columns)
    _write(path, text + lines + _line(["" if row[name] is None else str(row[name]) for name in columns]))
    return path


def remove(settings: Settings, platform: str, accounts: set[str]) -> int:
    """Take accounts off; returns how many lines went. What else stands in the file stays as it is."""
    path = _file(settings)
    lines = {
        item.line
        for item in load_watchlist(settings).placed
        if item.row.platform == platform and item.row.account in accounts
    }
    if lines:
        kept = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        _write(path, "".join(line for number, line in enumerate(kept, start=1) if number not in lines))
    return len(lines)


def _file(settings: Settings) -> Path:
    return (folder_of(settings) or Path.cwd() / USUAL) / FILE


def _columns(text: str) -> list[str]:
    first = next(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return [name.strip() for name in next(csv.reader([first]))]


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _write(path: Path, text: str) -> None:
    """The whole file anew, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
