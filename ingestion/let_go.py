"""Days that a source has let go take nothing in any more, whoever delivers it."""

from ingestion import ledger
from ingestion.config import Settings
from ingestion.contracts import Feed
from ingestion.erasure import keep_back
from ingestion.readers.table import Reader
from ingestion.sql import listed, quote


def leave_out(settings: Settings, reader: Reader, feed: Feed) -> int:
    """Take rows of days that were let go out of the view `accepted` before raw is written; returns how many went.

    They count neither as read nor as anything else: what those days need from before them is gone too.
    """
    if "platform" not in feed.columns or not settings.ledger.exists():
        return 0
    with ledger.read(settings) as connection:
        frozen = ledger.frozen_days(connection, feed.feed)
    if not frozen:
        return 0
    is_frozen = " or ".join(
        f"(platform = {quote(platform)} and cast(snapshot_date as varchar) in ({listed(days)}))"
        for platform, days in frozen.items()
    )
    return keep_back(reader, feed, f"select * from accepted where not coalesce({is_frozen}, false)", "still_kept")
