"""The landed files that a feed's checks read: which days, which files of them, which batches."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any

import duckdb

from ingestion import ledger, raw
from ingestion.config import Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.mapping.in_use import load_mappings

# Headers of a mapping that are looked through for the last one under a name of the same shape.
HEADERS_BEFORE = 50


@dataclass(frozen=True)
class File:
    """Rows of one UTC day in one accepted batch."""

    day: date
    batch: str
    name: str
    path: str
    sha256: str
    rows: int

    @property
    def seal(self) -> tuple[str, str, str]:
        """Path, sha-256 and batch, by which its bytes are verified."""
        return self.path, self.sha256, self.batch


# Raw files, and these with the column `filename`; `verified` gives their values.
RAW = "read_parquet($paths, union_by_name = true, hive_partitioning = false)"
RAW_BY_FILE = f"{RAW[:-1]}, filename = true)"


def verified(settings: Settings, feed: Feed, files: Collection[File], run_id: str) -> dict[str, Any]:
    """Values of `RAW` for these files: with the empty one that has all columns of the feed, as older files lack some.

    A run hashes each file once. Raises ContractError when one is damaged or gone.
    """
    raw.verify(settings, sorted(file.seal for file in files), run_id)
    return {
        "paths": [str(settings.raw / path) for path in (f"{feed.feed}/_schema.parquet", *(file.path for file in files))]
    }


def days_to_check(connection: ledger.Connection, feed: str, day: date) -> set[date]:
    """The run's day and every dirty date that may be built: up to that day, or to what an earlier run has built."""
    dirty = ledger.dirty_dates_of(connection, feed, ledger.last_buildable_day(connection, day))
    return {day, *map(date.fromisoformat, dirty)}


def files_of(
    connection: ledger.Connection, feed: str, first: date, last: date, state: str = "accepted"
) -> dict[date, list[File]]:
    """Files of a feed with rows on these dates, by date; accepted ones, or those of another state."""
    found = defaultdict(list)
    for row in ledger.raw_files_between(connection, feed, str(first), str(last), state):
        day = date.fromisoformat(row["snapshot_date"])
        found[day].append(File(day, row["batch_id"][:12], row["file"], row["path"], row["sha256"], row["rows"]))
    return dict(found)


def latest_files(connection: ledger.Connection, feed: str, day: date) -> list[File]:
    """Files of the last date with rows at or before a day."""
    last = ledger.last_date_with_rows(connection, feed, str(day))
    if last is None:
        return []
    return files_of(connection, feed, date.fromisoformat(last), date.fromisoformat(last))[date.fromisoformat(last)]


def hours_since_last_row(
    settings: Settings,
    reader: duckdb.DuckDBPyConnection,
    feed: Feed,
    latest: list[File],
    empty: list[ledger.Row],
    day: date,
) -> float | None:
    """Hours from the last row, or the last file that says there is none, to the end of a day, UTC; null without any.

    A date without a time lasts until its end; of rows without a date the file's `as_of` counts.
    """
    last = max((datetime.fromisoformat(row["as_of"]) for row in empty), default=None)
    if latest:
        column = feed.day or "as_of"
        is_date = feed.day is not None and feed.columns[feed.day].type == "date"
        (found,) = reader.execute(
            f"select max({column})::timestamp{' + interval 1 day' if is_date else ''} from {RAW}",
            {"paths": [str(settings.raw / file.path) for file in latest]},
        ).fetchone() or (None,)
        last = max(filter(None, (last, found)), default=None)
    end = datetime.combine(day + timedelta(days=1), time())
    return None if last is None else (end - last) / timedelta(hours=1)


@dataclass(frozen=True)
class Drift:
    """Names that came and went in a header, or only moved where a mapping reads by position."""

    came: tuple[str, ...]
    went: tuple[str, ...]
    moved: int

    @property
    def names(self) -> int:
        """How many names changed."""
        return len(self.came) + len(self.went) or self.moved

    @property
    def words(self) -> str:
        """What changed, the first names of it."""
        said = [f"came: {', '.join(name[:40] for name in self.came[:5])}"] if self.came else []
        said += [f"went: {', '.join(name[:40] for name in self.went[:5])}"] if self.went else []
        return "; ".join(said) or ("columns have moved" if self.moved else "")


def drift(header: list[str], before: list[str], by_position: bool) -> Drift:
    """Names that came or went, twins counted; of a layout that is read by positions also those that only moved."""
    new, old = Counter(header), Counter(before)
    came, went = tuple((new - old).elements()), tuple((old - new).elements())
    moved = sum(name != was for name, was in zip(header, before, strict=False)) if by_position else 0
    return Drift(came, went, moved)


def header_drifts(settings: Settings, connection: ledger.Connection, batches: list[ledger.Row]) -> dict[str, Drift]:
    """What has changed in the header of each of these accepted batches, by the start of its id.

    It is compared with the accepted batch of the same mapping before it whose file name has the same shape: so two
    platforms' files in one layout are no drift of each other.
    """
    mappings = load_mappings(settings)
    known = {**mappings.library, **mappings.in_use}
    found = {}
    for batch in batches:
        if batch["state"] != "accepted" or batch["header"] is None or not batch["rows_read"]:
            continue
        before = ledger.headers_before(connection, batch, HEADERS_BEFORE)
        alike = [row for row in before if _shape(row["file"]) == _shape(batch["file"])] or before
        if alike:
            mapping = known.get(batch["mapping"])
            found[batch["batch_id"][:12]] = drift(
                json.loads(batch["header"]),
                json.loads(alike[0]["header"]),
                mapping is not None and mapping.has_positions,
            )
    return found


def _shape(file: str) -> str:
    """A file's name without its numbers and dates."""
    return re.sub(r"[\d_.:TZ+-]+", "#", PurePosixPath(file).name)


def of_no_feed(batch: ledger.Row) -> bool:
    """Whether a file was claimed by no feed: the checks of accounts name it, or nobody would see it."""
    return batch["feed"] not in load_feeds()
