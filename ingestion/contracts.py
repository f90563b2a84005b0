"""Feeds as data: what a landed file must hold. Source: `feeds/*.yml`, the landing contract."""

import hashlib
import json
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from ingestion.yaml_file import Strict, load_model

FEEDS_DIR = Path(__file__).with_name("feeds")
# Types of numbers, of any kind, and of those that say how much: of what one adds up.
NUMBERS = ("count", "integer", "amount", "rate", "figure")
MEASURES = ("count", "amount", "figure")
# How cells of a type are read is no part of what a file is known by: one that was accepted stays as it was read.
READING = {"known", "signed", "words", "hidden_as_minus_1", "on_invalid"}
# The feeds as v0.1.0 had them, and the fingerprints that it gave every file of theirs. Never edited.
FIRST_CONTRACTS = FEEDS_DIR / "v0.1.0.json"


class FeedColumn(Strict):
    """One column of a feed.

    `code` is lower-cased text (one of `values` where they are listed), `id` an opaque key, `count` a whole number
    from 0 to 10^12 that keeps its reason when null, `integer` any other whole number from 0, `amount` money of 0 or
    more with at most 6 decimals, `rate` a ratio of 0 or more with at most 8, `figure` any
    other number, also a negative one, with at most 8, `currency` an ISO 4217 code in upper
    case, `boolean` yes or no, `date` an ISO 8601 date, `timestamp` an ISO 8601 instant (UTC unless it names a zone),
    `list` texts separated by `|`, `text` anything else.

    Args:
        known: the table of codes and their spellings that its cells are looked up in.
        signed: an amount that may be negative, as a credit note is.
        words: the texts of a list are single words, so one with blanks or commas within is a list in another way.
        hidden_as_minus_1: a count that sources write as -1 where its owner hides it.
        on_invalid: what a cell that cannot be read costs where the column is optional: its row, or the cell alone.
    """

    type: Literal[
        "code",
        "id",
        "timestamp",
        "date",
        "count",
        "integer",
        "amount",
        "rate",
        "figure",
        "currency",
        "boolean",
        "list",
        "text",
    ]
    required: bool = False
    values: tuple[str, ...] = ()
    known: Literal["platforms", "countries"] | None = None
    signed: bool = False
    words: bool = False
    hidden_as_minus_1: bool = False
    on_invalid: Literal["null", "quarantine"] | None = None

    @model_validator(mode="after")
    def _values_of_codes(self) -> "FeedColumn":
        if self.values and self.type != "code":
            raise ValueError("only a code can list its values")
        return self

    @property
    def may_be_negative(self) -> bool:
        """Whether a number below 0 is one of its values."""
        return self.signed or self.type == "figure"

    @property
    def invalid_is_null(self) -> bool:
        """Whether a cell that cannot be read becomes null, so that its row loads; a mapping may say otherwise.

        A row without its key, or with another sum of money than was sent, is worse than none.
        """
        if self.on_invalid is not None:
            return self.on_invalid == "null"
        return not self.required and self.type not in ("id", "amount", "currency")


class Feed(Strict):
    """The landing contract of one feed: columns in order, key of a row, and what places a row in time.

    `time` is the instant at which the row was captured: rows of one key and different instants stand side by side.
    `date` is the column whose UTC date is the row's day (default: `time`; a feed with neither takes its file's
    `as_of`). Models see the raw files of their `planned_days`, or of `all_days` that may be built. What is absent from
    a full delivery is `withdrawn`, or only `noted`, as an agreement is none the less. `line` is the column of the key
    that tells the lines of one record apart: rows of one file without it are numbered as they stand, equal ones too.
    `shown_by` is the column whose values show one record side by side at one instant, as the accounts of a co-authored
    post do.
    """

    feed: str
    key: tuple[str, ...]
    time: str | None = None
    date: str | None = None
    visible: Literal["planned_days", "all_days"]
    absence: Literal["withdrawn", "noted"] | None = None
    line: str | None = None
    shown_by: str | None = None
    columns: dict[str, FeedColumn]

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns that tell two rows of one file apart: the key, who shows it and the instant, where there are such."""
        return (*self.key, *filter(None, (self.shown_by, self.time)))

    @property
    def day(self) -> str | None:
        """Column whose UTC date is the row's day; null where that is the file's `as_of`."""
        return self.date or self.time

    def fingerprint_of(self, filled: Collection[str]) -> str:
        """Changes whenever a file that fills these columns would be read otherwise.

        An optional column that the file does not fill is no part of it, nor is what models see of the rows (`visible`,
        `absence`), which rows are told apart by their place (`line`) or by who shows them (`shown_by`), nor how cells
        are read (`READING`): files that were accepted stay accepted.
        A file that is still read as v0.1.0 read it keeps the fingerprint that v0.1.0 gave it.
        """
        left_out: Any = {
            "visible": True,
            "absence": True,
            "line": True,
            "shown_by": True,
            "columns": dict.fromkeys(self.columns, READING),
        }
        contract = self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
        meaning = _as_far_as(contract, filled)
        first = _first_contracts().get(self.feed)
        if first is not None and meaning == _as_far_as(first["contract"], filled):
            return str(first["fingerprint"])
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]

    @property
    def first_fingerprint(self) -> str | None:
        """What v0.1.0 gave every file of the feed; null for a feed that it did not have."""
        first = _first_contracts().get(self.feed)
        return str(first["fingerprint"]) if first else None

    @property
    def required(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.required]

    @property
    def counts(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.type == "count"]


@lru_cache(maxsize=1)
def load_feeds() -> dict[str, Feed]:
    """All feeds by name."""
    feeds = [load_model(Feed, path) for path in sorted(FEEDS_DIR.glob("*.yml"))]
    return {feed.feed: feed for feed in feeds}


def _as_far_as(contract: dict[str, Any], filled: Collection[str]) -> str:
    """A feed's contract as JSON, as far as it concerns a file that fills these columns."""
    columns = {name: rule for name, rule in contract["columns"].items() if rule.get("required") or name in filled}
    return json.dumps(contract | {"key": [name for name in contract["key"] if name in columns], "columns": columns})


@lru_cache(maxsize=1)
def _first_contracts() -> dict[str, Any]:
    """Per feed of v0.1.0 its `contract`, and the `fingerprint` that stands in the ledgers of that version."""
    contracts: dict[str, Any] = json.loads(FIRST_CONTRACTS.read_text(encoding="utf-8"))
    return contracts


def undated_feeds() -> set[str]:
    """Feeds whose rows have no day of their own: models see all of their accepted rows at any day."""
    return {name for name, feed in load_feeds().items() if feed.day is None}
