"""Feeds and mappings as data: what a landed file must hold, and how a vendor's layout says it.

Sources: `feeds/*.yml` (the landing contract) and `mappings/*.yml` (one per vendor layout).
"""

import fnmatch
import hashlib
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingestion.config import PROJECT_DIR
from ingestion.errors import ContractError, FileRefused

FEEDS_DIR = PROJECT_DIR / "ingestion" / "feeds"
MAPPINGS_DIR = PROJECT_DIR / "ingestion" / "mappings"

# A canonical name may carry its day or instant (UTC): `accounts_2026-01-05.csv`, `x_2026-01-05T03-01-02.csv.gz`.
CANONICAL_TIME = re.compile(r"(20\d\d-\d\d-\d\d)(?:[T_ ](\d\d)[-:.]?(\d\d)[-:.]?(\d\d))?")


Model = TypeVar("Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedColumn(_Strict):
    """One column of a feed.

    `code` is lower-cased text (one of `values` where they are listed), `id` an opaque key, `count` a whole number
    from 0 to 10^12 that keeps its reason when null, `integer` any other whole number from 0, `amount` money of 0 or
    more with at most 4 decimals, `rate` a ratio of 0 or more with at most 8, `currency` an ISO 4217 code in upper
    case, `boolean` yes or no, `date` an ISO 8601 date, `timestamp` an ISO 8601 instant (UTC unless it names a zone),
    `list` texts separated by `|`, `text` anything else.
    """

    type: Literal[
        "code", "id", "timestamp", "date", "count", "integer", "amount", "rate", "currency", "boolean", "list", "text"
    ]
    required: bool = False
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _values_of_codes(self) -> "FeedColumn":
        if self.values and self.type != "code":
            raise ValueError("only a code can list its values")
        return self


class Feed(_Strict):
    """The landing contract of one feed: columns in order, key of a row, and what places a row in time.

    `time` is the instant at which the row was captured: rows of one key and different instants stand side by side.
    `date` is the column whose UTC date is the row's day (default: `time`; a feed with neither takes its file's
    `as_of`). Models see the raw files of their `planned_days`, or of `all_days` that may be built.
    """

    feed: str
    key: tuple[str, ...]
    time: str | None = None
    date: str | None = None
    visible: Literal["planned_days", "all_days"]
    columns: dict[str, FeedColumn]

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns that tell two rows of one file apart: the key, and the instant where there is one."""
        return (*self.key, self.time) if self.time else self.key

    @property
    def day(self) -> str | None:
        """Column whose UTC date is the row's day; null where that is the file's `as_of`."""
        return self.date or self.time

    @property
    def fingerprint(self) -> str:
        """Changes whenever a file would be read otherwise; what models see of the rows (`visible`) is free."""
        return hashlib.sha256(self.model_dump_json(exclude={"visible"}).encode()).hexdigest()[:16]

    @property
    def required(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.required]

    @property
    def counts(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.type == "count"]


class FileTime(_Strict):
    """The instant that a file's name carries: group 1 of `regex`, read with `format`, at `zone`."""

    regex: str
    format: str
    zone: str

    @field_validator("regex")
    @classmethod
    def _one_group(cls, value: str) -> str:
        if re.compile(value).groups != 1:
            raise ValueError("needs exactly one group, around the time")
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {value!r}; write one like Asia/Taipei or UTC") from error
        return value

    def read(self, name: str) -> datetime:
        """UTC instant in a file name, without zone. Raises FileRefused where there is none."""
        match = re.search(self.regex, name)
        try:
            if match:
                local = datetime.strptime(match[1], self.format).replace(tzinfo=ZoneInfo(self.zone))
                return local.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            pass
        raise FileRefused(f"no time like {self.format} in the file name; rename the file as its publisher does")


class ColumnSource(_Strict):
    """Where a feed column comes from: a header, a constant or the file's time."""

    from_: str | None = Field(default=None, alias="from")
    extract: str | None = None
    constant: str | None = None
    from_file_time: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "ColumnSource":
        if sum([self.from_ is not None, self.constant is not None, self.from_file_time]) != 1:
            raise ValueError("say exactly one of: from, constant, from_file_time")
        if self.extract and (self.from_ is None or re.compile(self.extract).groups != 1):
            raise ValueError("extract needs `from` and exactly one group")
        return self


class Mapping(_Strict):
    """A vendor's layout of one feed.

    `zero_is_null` counts read 0 as not captured; when more than `outage_share` of a file's rows are 0 in such
    a column the reason is `outage`. `tie_break: last_line` keeps the later of two rows with one key and instant.
    """

    mapping: str
    feed: str
    pattern: str
    file_time: FileTime | None = None
    columns: dict[str, ColumnSource]
    zero_is_null: tuple[str, ...] = ()
    outage_share: float | None = Field(default=None, gt=0, lt=1)
    ignore: tuple[str, ...] = ()
    tie_break: Literal["last_line"] | None = None
    origin: Literal["observed", "simulated"] = "observed"

    @property
    def fingerprint(self) -> str:
        """Changes whenever the meaning of the mapping, or of its feed, does (comments and order of keys are free)."""
        meaning = self.model_dump_json() + load_feeds()[self.feed].fingerprint
        return hashlib.sha256(meaning.encode()).hexdigest()[:16]

    def file_time_of(self, name: str) -> datetime | None:
        """UTC instant that the file's name carries, null where it carries none."""
        return self.file_time.read(name) if self.file_time else None


class CanonicalMapping(Mapping):
    """The feed's own layout: headers are the feed's column names, in any order and case."""

    @property
    def fingerprint(self) -> str:
        return f"canonical-{load_feeds()[self.feed].fingerprint}"

    def file_time_of(self, name: str) -> datetime | None:
        match = CANONICAL_TIME.search(name)
        if match is None:
            return None
        try:
            return datetime.fromisoformat(f"{match[1]} {match[2] or '00'}:{match[3] or '00'}:{match[4] or '00'}")
        except ValueError:
            return None


def _load(model: type[Model], path: Path) -> Model:
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: not valid YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ContractError(f"{path.name}: {where}: {first['msg']}") from error


@lru_cache(maxsize=1)
def load_feeds() -> dict[str, Feed]:
    """All feeds by name."""
    feeds = [_load(Feed, path) for path in sorted(FEEDS_DIR.glob("*.yml"))]
    return {feed.feed: feed for feed in feeds}


def load_mappings(folder: Path = MAPPINGS_DIR) -> list[Mapping]:
    """All vendors' mappings, checked against their feed. Raises ContractError that names the file and key."""
    mappings = []
    for path in sorted(folder.glob("*.yml")):
        mapping = _load(Mapping, path)
        feed = load_feeds().get(mapping.feed)
        if feed is None:
            raise ContractError(f"{path.name}: feed: unknown feed {mapping.feed!r}; known: {', '.join(load_feeds())}")
        for name in [*mapping.columns, *mapping.zero_is_null]:
            if name not in feed.columns:
                raise ContractError(f"{path.name}: columns: {mapping.feed} has no column {name!r}")
        for name in feed.required:
            if name not in mapping.columns:
                raise ContractError(f"{path.name}: columns: required column {name!r} is not mapped")
        mappings.append(mapping)
    return mappings


def canonical_mapping(feed: Feed) -> CanonicalMapping:
    """The mapping of a feed's own layout."""
    columns = {name: ColumnSource.model_validate({"from": name}) for name in feed.columns}
    return CanonicalMapping(mapping="canonical", feed=feed.feed, pattern="*", columns=columns)


def choose_mapping(relative_path: str, mappings: list[Mapping]) -> Mapping:
    """The mapping of a landed file: a vendor's by file name, else the canonical one of its top folder.

    Raises FileRefused when neither a mapping nor a feed folder claims the file, or two mappings do.
    """
    folder, _, _ = relative_path.partition("/")
    name = relative_path.rpartition("/")[2]
    claims = [
        mapping
        for mapping in mappings
        if fnmatch.fnmatchcase(name, mapping.pattern) and (folder == mapping.feed or folder not in load_feeds())
    ]
    if len(claims) > 1:
        names = " and ".join(mapping.mapping for mapping in claims)
        raise FileRefused(f"mappings {names} both claim this name; narrow one pattern")
    if claims:
        return claims[0]
    if folder in load_feeds():
        return canonical_mapping(load_feeds()[folder])
    known = ", ".join(load_feeds())
    where = f"no feed is named {folder[:80]!r}" if "/" in relative_path else "it lies in no feed's folder"
    raise FileRefused(f"{where}; move it under landing/<feed>/ with one of: {known}")
