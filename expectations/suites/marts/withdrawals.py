"""Does a delivery that no release holds yet withdraw more orders, refunds or costs than anybody meant to take back?"""

from contextlib import closing

import duckdb

from expectations.suites import Check, Suite, Threshold
from ingestion import ledger
from ingestion.config import Settings

ORDERS = "orders"
# A shop that deletes ten test orders at once is tidy, whatever their share.
MOST_KEYS = 10

WITHDRAWN = Threshold(
    maximum=0.02,
    observed="1 of 20 to 40 orders in each of 36 situations of public bug reports, none above ten at once",
    date="2026-11-28",
    reason="An export that is cut, filtered or of another shop withdraws thousands; what people delete is a handful.",
)
REMEDY = (
    "look at the files of that delivery: take them back with `make reject BATCH=` and the 12 characters of their batch;"
    " if all of it is meant, write the share into config/thresholds.yml with the reason"
)

SHARES = """
select feed, cast(as_of as varchar), keys_withdrawn, greatest(share_of_keys, share_of_amount)
from staging.stg_landing__withdrawing_deliveries
where (feed, mapping, as_of) in (
    select (feed, mapping, as_of) from meta.arrival where batch_id in (select unnest($batches))
)
order by all
"""


def suite(settings: Settings) -> Suite | None:
    """The suite with a row per withdrawing delivery of which a file is new; null where there is none."""
    with ledger.read(settings) as connection:
        batches = ledger.dirty_batches(connection)
    if not batches or not settings.build_db.exists():
        return None
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=settings.duckdb_config)) as build:
        rows = build.execute(SHARES, {"batches": [*batches]}).fetchall()
        names = build.execute("select batch_id[:12], file from meta.arrival").fetchall()
    if not rows:
        return None
    result = Suite("marts.withdrawals", checks(), expected_rows=len(rows))
    result.files = dict(names)
    for feed, as_of, keys, share in rows:
        value = share if keys > MOST_KEYS else 0.0
        result.measure("share_withdrawn_at_once", f"{feed} as of {as_of[:16]}", value)
    return result


def checks() -> list[Check]:
    """The check of this suite with the bound of the package."""
    return [Check("share_withdrawn_at_once", "critical", WITHDRAWN, REMEDY)]
