"""Are the counts that this run would publish plausible, taken together?

Evaluated are the dates of the run's plan. Each finding is a share of accounts: a single account may fall or rise as it
likes, that is what the trust marts look at.
"""

from collections import defaultdict
from contextlib import closing

import duckdb

from expectations.suites import NAMED, Check, Suite, Threshold
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError

MART = "fct_account_daily"
FEED = "account_snapshots"

# One account is more than a twentieth of fewer.
MIN_ACCOUNTS_FOR_A_SHARE = 20
# A rise over a long absence says nothing about last night.
MAX_GAP_DAYS = 7

HALVED = Threshold(
    maximum=0.05,
    observed="0 of 29,765 known changes; the deepest fall left 0.504 of one account's followers, on 2022-07-30",
    date="2022-07-16 .. 2024-05-17",
    reason="Platform purges take a few per cent of each account; halves of many are a misread unit or column.",
)
DOUBLED = Threshold(
    maximum=0.05,
    observed="1 of 2,350 accounts on 2022-07-25, none on 13 other dates",
    date="2022-07-16 .. 2024-05-17",
    reason="One creator goes viral, not one in twenty; a warning, as a roster of beginners may.",
)
MEDIAN_CHANGE = Threshold(
    maximum=0.05,
    observed="0 on 13 dates, 0.0004 on 2022-07-30; nine accounts in ten changed by less than 0.0056",
    date="2022-07-16 .. 2024-05-17",
    reason="A twentieth a day for the middle account is ten times what the liveliest tenth does.",
)
WITHOUT_TIER = Threshold(
    maximum=0.20,
    observed="0 of 33,824 accounts and days with known followers",
    date="2022-07-15 .. 2024-05-17",
    reason="A custom scheme may leave gaps on purpose; a fifth is a platform or a period that it forgot.",
)
# The models bar such a day by the same two numbers (`int_snapshot__counts_held`), whatever bound a user sets here.
FEWEST_HELD = 5
HELD_SHARE = Threshold(
    maximum=0.02,
    observed="at most 2 of 2,721 accounts of a date (0.0007)",
    date="2022-07-15 .. 2024-05-17",
    reason="Who wins or loses a factor of 5 in a day does so alone; thirty times the most ever seen is a misread file.",
)
VIEWS_FALLEN = Threshold(
    maximum=0.10,
    observed="0.003 to 0.025 on 13 dates, most on 2022-07-17",
    date="2022-07-16 .. 2022-08-01",
    reason="Creators delete videos, so a total may fall; four times the most ever seen is a change of definition.",
)

CONFIRM = (
    "these counts are null, and confirm none of a later day before a person acknowledges that they are right;"
    " a file that misreads them is rejected by `make reject BATCH=` with the 12 characters of its batch"
)
REJECT = (
    "reject a bad file with `make reject BATCH=` and the 12 characters of its batch, deliver a corrected one,"
    " and run again"
)

# One row per planned date that the mart holds. A change is per 24 hours: followers before = followers - change x gap.
METRICS = """
with planned as (
    select *, followers - followers_change_per_day * gap_hours / 24 as before
    from marts.fct_account_daily
    where snapshot_date in (select unnest($days::date[]))
)
select
    snapshot_date,
    count(before) as changes,
    count(*) filter (before > 0 and followers * 2 <= before) as halved,
    count(before) filter (gap_days <= $max_gap) as recent_changes,
    count(*) filter (gap_days <= $max_gap and before > 0 and followers >= before * 2) as doubled,
    median(abs(followers_change_per_day) / nullif(before, 0)) as median_change,
    count(followers) as with_followers,
    count(*) filter (followers is not null and tier is null) as without_tier,
    count(views_total_change_per_day) as views_changes,
    count(*) filter (views_total_change_per_day < 0) as views_fallen,
from planned
group by snapshot_date
order by snapshot_date
"""

# One row per platform and planned date on which a count is held.
HELD = """
select platform, snapshot_date, count(*) filter (followers_held is not null or views_total_held is not null) as held,
    count(*) as accounts
from marts.fct_account_daily
where snapshot_date in (select unnest($days::date[]))
group by platform, snapshot_date
having held > 0
order by platform, snapshot_date
"""


def suite(settings: Settings, run_id: str) -> Suite:
    """The suite with its frame: one row per planned date that the mart holds, and per platform of it with held counts.

    Raises ContractError when there is no mart to evaluate.
    """
    with ledger.read(settings) as connection:
        planned = ledger.planned_dates(connection, run_id, MART)
        sources = _sources(connection, run_id)
    if not settings.marts_db.exists():
        raise ContractError("there are no marts to check; run build_marts first")
    with closing(duckdb.connect(str(settings.marts_db), read_only=True, config=settings.duckdb_config)) as marts:
        rows = marts.execute(METRICS, {"days": planned, "max_gap": MAX_GAP_DAYS}).fetchall()
        held_rows = marts.execute(HELD, {"days": planned}).fetchall()

    result = Suite("marts.fct_account_daily", checks(), expected_rows=len(sources))
    result.files = {batch: file for batches in sources.values() for batch, file in batches}
    for row in rows:
        day, changes, halved, recent, doubled, median_change, known, without_tier, views, fallen = row
        batches = " ".join(batch for batch, _ in sources.get(str(day), [])[:NAMED])
        cells = {
            "share_of_accounts_that_halved": _share(halved, changes),
            "share_of_accounts_that_doubled": _share(doubled, recent),
            "median_relative_change_per_day": median_change if changes >= MIN_ACCOUNTS_FOR_A_SHARE else None,
            "share_of_accounts_without_tier": _share(without_tier, known),
            "share_of_views_total_fallen": _share(fallen, views),
        }
        for name, value in cells.items():
            result.measure(name, str(day), value, batches)
    for platform, day, held, accounts in held_rows:
        batches = " ".join(batch for batch, _ in sources.get(str(day), [])[:NAMED])
        share = held / accounts if held >= FEWEST_HELD else None
        result.measure("share_of_accounts_held", f"{platform} {day}", share, batches)
    return result


def checks() -> list[Check]:
    """Checks of this suite with the bounds of the package."""
    return [
        Check("share_of_accounts_that_halved", "critical", HALVED, REJECT),
        Check("share_of_accounts_held", "critical", HELD_SHARE, CONFIRM),
        Check("share_of_accounts_that_doubled", "warning", DOUBLED),
        Check("median_relative_change_per_day", "warning", MEDIAN_CHANGE),
        Check("share_of_accounts_without_tier", "warning", WITHOUT_TIER),
        Check("share_of_views_total_fallen", "warning", VIEWS_FALLEN),
    ]


def _sources(connection: ledger.Connection, run_id: str) -> dict[str, list[tuple[str, str]]]:
    """Accepted batches (first 12 characters, file) of each planned date that has any: the mart must hold these."""
    sources = defaultdict(list)
    for row in ledger.batches_of_planned_dates(connection, run_id, MART, FEED):
        sources[row["snapshot_date"]].append((row["batch_id"][:12], row["file"]))
    return dict(sources)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= MIN_ACCOUNTS_FOR_A_SHARE else None
