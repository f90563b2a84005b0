"""Did the posts arrive, in time, and in the usual volume?

Evaluated as the accounts' counts are: the run's day and every date that no release holds yet.
"""

from datetime import date, timedelta

import duckdb

from expectations.suites import Check, Severity, Suite, Threshold
from expectations.suites.landing import account_snapshots as accounts
from ingestion import ledger, raw
from ingestion.config import Settings

FEED = "post_snapshots"

ARRIVAL = Threshold(
    minimum=1,
    observed="no real series of nights of posts is at hand; the accounts' sample has days without a file",
    date="2022-07-15 .. 2022-08-01",
    reason="A post's counts at an age are gone with the day; rates use the captures of 7 days and outlast one.",
)
FRESHNESS_HOURS = Threshold(
    maximum=accounts.FRESHNESS_HOURS.maximum,
    observed=accounts.FRESHNESS_HOURS.observed,
    date=accounts.FRESHNESS_HOURS.date,
    reason="One missed night may be chance, two are a fault, of the posts as of the accounts.",
)
# A warning alone: how many posts are captured follows what creators publish, and no real series says how far.
VOLUME = Threshold(
    minimum=0.5,
    maximum=2.0,
    observed="no real series of nights of posts is at hand; accounts moved by under 1 % in the median, 34 % at most",
    date="2022-07-15 .. 2022-08-01",
    reason="Half or twice the usual posts are a crawler whose list or depth has changed. Revisit with 28 real nights.",
)

DELIVER = f"put the file under landing/{FEED}/ and run again, or take the feed out of GROUNDSWELL_REQUIRED_FEEDS"


def is_expected(settings: Settings) -> bool:
    """Whether posts are required, or have ever come: who captures no posts is told nothing about them."""
    with ledger.read(settings) as connection:
        has_come = ledger.has_accepted(connection, FEED)
    return FEED in settings.required_feeds or has_come


def suite(settings: Settings, run_id: str, day: date) -> Suite:
    """The suite with its frame: one row for the run, one per date that is not released yet.

    Raises ContractError when a raw file is damaged.
    """
    with ledger.read(settings) as connection:
        days = accounts.days_to_check(connection, FEED, day)
        first = min(days) - timedelta(days=accounts.TRAILING_DAYS)
        files = accounts.files_of(connection, FEED, first, max(days))
        latest = accounts.latest_files(connection, FEED, day)
        batches = ledger.batches_of_run(connection, run_id, FEED)
        drifts = accounts.header_drifts(settings, connection, run_id, [FEED])
    raw.verify(settings, sorted((file.path, file.sha256, file.batch) for file in latest), run_id)
    evaluated = [file for file in files if file.day in days]

    expected_rows = len({file.day for file in evaluated}) + len(drifts) + 1
    result = Suite(f"landing.{FEED}", checks(settings), expected_rows=expected_rows)
    result.files = {file.batch: file.name for file in evaluated} | {
        row["batch_id"][:12]: row["file"] for row in batches
    }
    run = f"the run of {day}"
    result.measure("arrival", run, sum(file.rows for file in evaluated if file.day == day))
    accounts.measure_batches(result, run, batches)
    for batch, names in drifts.items():
        result.measure("header_drift", "the header", names, batch)
    accounts.measure_volume(result, files, days)
    with duckdb.connect(config=settings.duckdb_config) as reader:
        result.measure("freshness_hours", run, accounts.hours_since_capture(settings, reader, latest, day))
    return result


def checks(settings: Settings) -> list[Check]:
    """Checks of this suite with the bounds of the package."""
    presence: Severity = "critical" if FEED in settings.required_feeds else "warning"
    return [
        Check("arrival", presence, ARRIVAL, DELIVER),
        Check("freshness_hours", presence, FRESHNESS_HOURS, DELIVER),
        Check("volume_change", "warning", VOLUME),
        Check("header_drift", "warning", accounts.HEADER_DRIFT),
        Check("files_quarantined_whole", "warning", accounts.FILES_QUARANTINED),
        Check("share_of_rows_quarantined", "warning", accounts.ROWS_QUARANTINED),
        Check("share_of_cells_invalid", "warning", accounts.CELLS_INVALID, accounts.LOOK),
    ]
