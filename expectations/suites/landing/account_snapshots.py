"""Did the counts arrive, in time, in the usual volume, and did the scraper capture anything?

Evaluated are the run's day and every date that no release holds yet, so a blocked night is evaluated again by the next.
Read are the ledger and, of those dates' accepted raw files, two columns.
"""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

import duckdb

from expectations.suites import NAMED, Check, Severity, Suite, Threshold
from ingestion import ledger, raw
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.mapping.in_use import load_mappings

FEED = "account_snapshots"

# Feeds with a suite of their own. A file of any other feed, or of none, counts here: nobody else would see it.
CHECKED_ELSEWHERE = frozenset({"post_snapshots"})

TRAILING_DAYS = 28
# Two days make no median worth blocking a night for; the sample's first three dates are never evaluated.
MIN_TRAILING_DATES = 3
# One account is more than a fifth of a smaller file.
MIN_ROWS_FOR_A_SHARE = 20

ARRIVAL = Threshold(
    minimum=1,
    observed="2,279 to 3,060 rows on 14 dates, none on 2022-07-27, 28, 29 and 31",
    date="2022-07-15 .. 2022-08-01",
    reason="No API gives history: a missed day can be fetched only while it lasts.",
)
FRESHNESS_HOURS = Threshold(
    maximum=36,
    observed="0.3 to 5 hours on a day with a capture, 29 on the first day without, 53 on the second",
    date="2022-07-15 .. 2022-08-01",
    reason="One missed night may be chance, two are a fault.",
)
VOLUME_TRAILING = Threshold(
    minimum=0.5,
    observed="0.965 to 1.295 times the trailing median on 11 dates; lowest on 2022-07-30, when 98 channels had left",
    date="2022-07-18 .. 2022-08-01",
    reason="Half of a roster does not leave overnight: such a file is cut. Revisit with 90 days.",
)
VOLUME_CHANGE = Threshold(
    minimum=0.85,
    maximum=1.15,
    observed="the median nightly change was under 1 %; 2022-07-17 came with 7 % more (2,292, 2,443, 2,363 rows)"
    " and 2022-08-01 with 34 % more (2,279, 3,060), an honest growth of the roster",
    date="2022-07-15 .. 2022-08-01",
    reason="Twice the passing bulge of 7 %; the honest 34 % is worth a look and must not block.",
)
NULL_FOLLOWERS = Threshold(
    maximum=0.20,
    observed="1 to 2 % in 15 files of 2022, 5 % on 2024-05-16, 54 % on 2024-05-17, an outage",
    date="2022-07-15 .. 2024-05-17",
    reason="Unknown counts are stored as null and harm nobody, but the scraper needs mending.",
)
ZERO_FOLLOWERS = Threshold(
    maximum=0.20,
    observed="0 in 17 files, whose mapping reads 0 as not captured; as written they hold 1 to 2 %, 54 % on 2024-05-17",
    date="2022-07-15 .. 2024-05-17",
    reason="Zeros for everyone are a scraper that failed, never a purge, and would pass for a fall to nothing.",
)
HEADER_DRIFT = Threshold(
    maximum=0,
    observed="the same 23 names in all 17 files",
    date="2022-07-15 .. 2024-05-17",
    reason="A name that came or went is a publisher's change that the mapping may not know. The order is free, but for"
    " a mapping that reads columns by their position.",
)
FILES_QUARANTINED = Threshold(
    maximum=0,
    observed="0 of 17 files",
    date="2022-07-15 .. 2024-05-17",
    reason="A file quarantined whole is a delivery that nobody can see in the marts.",
)
ROWS_QUARANTINED = Threshold(
    maximum=0.01,
    observed="0 of 37,510 rows",
    date="2022-07-15 .. 2024-05-17",
    reason="Single bad rows happen; one in a hundred is a pattern.",
)
CELLS_INVALID = Threshold(
    maximum=0.01,
    observed="0 of 37,510 rows in any column",
    date="2022-07-15 .. 2024-05-17",
    reason="Their rows load without the cell; one in a hundred of a column is a layout that its mapping does not know.",
)

LOOK = "`make preview FILE=` shows the cells; a mapping says how they are read"
REJECT = "a bad file is rejected by `make reject BATCH=` with the 12 characters of its batch"
DELIVER = f"put the file under landing/{FEED}/ and run again, or take the feed out of GROUNDSWELL_REQUIRED_FEEDS"
HONEST = "if the fall is honest, set volume_against_trailing_median in config/thresholds.yml, with its reason"


@dataclass(frozen=True)
class File:
    """Rows of one UTC day in one accepted batch."""

    day: date
    batch: str
    name: str
    path: str
    sha256: str
    rows: int


def suite(settings: Settings, run_id: str, day: date) -> Suite:
    """The suite with its frame: one row for the run, one per file and date that is not released yet, one per new batch.

    Raises ContractError when a raw file is damaged.
    """
    with ledger.read(settings) as connection:
        days = days_to_check(connection, FEED, day)
        files = files_of(connection, FEED, min(days) - timedelta(days=TRAILING_DAYS), max(days))
        latest = latest_files(connection, FEED, day)
        batches = ledger.batches_of_run(connection, run_id)
        drifts = header_drifts(
            settings, connection, run_id, [feed for feed in load_feeds() if feed not in CHECKED_ELSEWHERE]
        )
    evaluated = [file for file in files if file.day in days]
    to_read = {*evaluated, *latest}
    raw.verify(settings, sorted((file.path, file.sha256, file.batch) for file in to_read), run_id)

    result = Suite("landing.account_snapshots", checks(settings), expected_rows=len(evaluated) + len(drifts) + 1)
    result.files = {file.batch: file.name for file in evaluated} | {
        row["batch_id"][:12]: row["file"] for row in batches
    }
    run = f"the run of {day}"
    result.measure("arrival", run, sum(file.rows for file in evaluated if file.day == day))
    measure_batches(result, run, [row for row in batches if row["feed"] not in CHECKED_ELSEWHERE])
    for batch, names in drifts.items():
        result.measure("header_drift", "the header", names, batch)
    measure_volume(result, files, days)
    with closing(duckdb.connect(config=settings.duckdb_config)) as reader:
        result.measure("freshness_hours", run, hours_since_capture(settings, reader, latest, day))
        _measure_shares(result, settings, reader, evaluated)
    return result


def checks(settings: Settings) -> list[Check]:
    """Checks of this suite with the bounds of the package."""
    presence: Severity = "critical" if FEED in settings.required_feeds else "warning"
    return [
        Check("arrival", presence, ARRIVAL, DELIVER),
        Check("freshness_hours", presence, FRESHNESS_HOURS, DELIVER),
        Check("volume_against_trailing_median", "critical", VOLUME_TRAILING, f"{REJECT}; {HONEST}"),
        Check("volume_change", "warning", VOLUME_CHANGE),
        Check("share_of_null_followers", "warning", NULL_FOLLOWERS),
        Check("share_of_zero_followers", "critical", ZERO_FOLLOWERS, f"{REJECT}, or its mapping says `zero_is_null`"),
        Check("header_drift", "warning", HEADER_DRIFT),
        Check("files_quarantined_whole", "warning", FILES_QUARANTINED),
        Check("share_of_rows_quarantined", "warning", ROWS_QUARANTINED),
        Check("share_of_cells_invalid", "warning", CELLS_INVALID, LOOK),
    ]


def days_to_check(connection: ledger.Connection, feed: str, day: date) -> set[date]:
    """The run's day and every dirty date that may be built: up to that day, or to what an earlier run has built."""
    dirty = ledger.dirty_dates_of(connection, feed, ledger.last_buildable_day(connection, day))
    return {day, *map(date.fromisoformat, dirty)}


def files_of(connection: ledger.Connection, feed: str, first: date, last: date) -> list[File]:
    """Accepted files of a feed with rows on these dates."""
    rows = ledger.raw_files_between(connection, feed, str(first), str(last))
    return [
        File(
            day=date.fromisoformat(row["snapshot_date"]),
            batch=row["batch_id"][:12],
            name=row["file"],
            path=row["path"],
            sha256=row["sha256"],
            rows=row["rows"],
        )
        for row in rows
    ]


def latest_files(connection: ledger.Connection, feed: str, day: date) -> list[File]:
    """Files of the last date with rows at or before a day."""
    last = ledger.last_date_with_rows(connection, feed, str(day))
    return files_of(connection, feed, date.fromisoformat(last), date.fromisoformat(last)) if last else []


def header_drifts(
    settings: Settings, connection: ledger.Connection, run_id: str, feeds: Iterable[str]
) -> dict[str, int]:
    """What has changed in a header, per new batch, against the accepted batch of the same mapping before it."""
    mappings = load_mappings(settings)
    known = {**mappings.library, **mappings.in_use}
    by_position = {name for name, mapping in known.items() if mapping.has_positions}
    return {
        row["batch_id"][:12]: _drift(
            json.loads(row["header"]), json.loads(row["header_before"]), row["mapping"] in by_position
        )
        for feed in feeds
        for row in ledger.headers_with_the_one_before(connection, run_id, feed)
        if row["header_before"]
    }


def _drift(header: list[str], before: list[str], by_position: bool) -> int:
    """Names that came or went, twins counted; of a layout that is read by positions also those that only moved."""
    new, old = Counter(header), Counter(before)
    changed = (new - old).total() + (old - new).total()
    moved = sum(name != was for name, was in zip(header, before, strict=False))
    return changed or (moved if by_position else 0)


def measure_batches(result: Suite, run: str, mine: list[ledger.Row]) -> None:
    """What of these files of a run was quarantined, and which cells of the rows that load could not be read."""
    whole = [row["batch_id"][:12] for row in mine if row["state"] == "quarantined"]
    result.measure("files_quarantined_whole", run, len(whole), " ".join(whole[:NAMED]))
    accepted = [row for row in mine if row["state"] == "accepted"]
    if read := sum(row["rows_read"] for row in accepted):
        result.measure(
            "share_of_rows_quarantined",
            run,
            sum(row["rows_quarantined"] - row["rows_left_out"] for row in accepted) / read,
        )
        invalid: Counter[tuple[str, str]] = Counter()
        rows: Counter[str] = Counter()
        for row in accepted:
            rows[row["feed"]] += row["rows_accepted"]
            for column, cells in json.loads(row["invalid_cells"] or "{}").items():
                invalid[row["feed"], column] += cells
        shares = (cells / rows[feed] for (feed, _), cells in invalid.items())
        named = " ".join(row["batch_id"][:12] for row in accepted if row["invalid_cells"])
        result.measure("share_of_cells_invalid", run, max(shares, default=0.0), named)


def measure_volume(result: Suite, files: list[File], days: set[date]) -> None:
    """Rows of each date against the median of the dates before it.

    A date's rows are those of its largest file: several captures a day are normal, and their sum is no roster.
    """
    largest: dict[date, File] = {}
    for file in files:
        if file.day not in largest or file.rows > largest[file.day].rows:
            largest[file.day] = file
    for day in sorted(days & set(largest)):
        before = (day - timedelta(days=back) for back in range(1, TRAILING_DAYS + 1))
        rows = [largest[earlier].rows for earlier in before if earlier in largest]
        ratio = largest[day].rows / median(rows) if len(rows) >= MIN_TRAILING_DATES else None
        result.measure("volume_against_trailing_median", str(day), ratio, largest[day].batch)
        result.measure("volume_change", str(day), ratio, largest[day].batch)


def hours_since_capture(
    settings: Settings, reader: duckdb.DuckDBPyConnection, latest: list[File], day: date
) -> float | None:
    """Hours from the last capture to the end of a day, UTC; null when nothing was ever captured."""
    if not latest:
        return None
    row = reader.execute(
        "select max(captured_at) from read_parquet($paths, union_by_name = true, hive_partitioning = false)",
        {"paths": [str(settings.raw / file.path) for file in latest]},
    ).fetchone()
    captured_at: datetime | None = row[0] if row else None
    end = datetime.combine(day + timedelta(days=1), time())
    return None if captured_at is None else (end - captured_at) / timedelta(hours=1)


def _measure_shares(
    result: Suite, settings: Settings, reader: duckdb.DuckDBPyConnection, evaluated: list[File]
) -> None:
    """Null and zero followers per file, not per date: a failed capture must not hide among the day's good ones."""
    if not evaluated:
        return
    rows = reader.execute(
        "select filename, count(*), count(*) filter (followers is null), count(*) filter (followers = 0)"
        " from read_parquet($paths, union_by_name = true, hive_partitioning = false, filename = true) group by all",
        {"paths": [str(settings.raw / file.path) for file in evaluated]},
    ).fetchall()
    counted = {path: (total, nulls, zeros) for path, total, nulls, zeros in rows}
    for file in evaluated:
        total, nulls, zeros = counted[str(settings.raw / file.path)]
        enough = total >= MIN_ROWS_FOR_A_SHARE
        result.measure("share_of_null_followers", str(file.day), nulls / total if enough else None, file.batch)
        result.measure("share_of_zero_followers", str(file.day), zeros / total if enough else None, file.batch)
