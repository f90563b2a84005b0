"""Whom a source asks for on a day: the watchlist, and the accounts and posts of collaborations."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

import duckdb

from ingestion import erasure, ledger, raw
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import load_feeds
from ingestion.sources.platform import ACCOUNT, POST, Target
from ingestion.user_config.watchlist import load_watchlist

# A creator goes on to be captured so long after an agreement, so that its return can be told from a habit.
DAYS_AFTER_END = 120
# Earned media is valued at the counts of a post 30 days after publication.
DAYS_OF_POSTS = 35


@dataclass(frozen=True)
class Targets:
    """Accounts and posts of one platform on one day, each once.

    Args:
        problems: lines of the watchlist that nobody is asked for, with file, line and remedy.
    """

    accounts: tuple[Target, ...] = ()
    posts: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)


def targets_of(settings: Settings, platform: str, day: date, latest_posts: int) -> Targets:
    """Whom to ask for, the watchlist first; whoever was erased is left out.

    Args:
        latest_posts: posts of an account, where the watchlist says nothing of it.
    """
    watchlist = load_watchlist(settings)
    accounts: dict[str, Target] = {}
    for row in watchlist.rows:
        if row.platform == platform and (row.since is None or row.since <= day):
            most = latest_posts if row.latest_posts is None else row.latest_posts
            accounts.setdefault(row.account, Target(row.account, most))
    for account in _of_collaborations(settings, platform, day):
        accounts.setdefault(account, Target(account, latest_posts))
    kept = _not_erased(settings, platform, ACCOUNT, list(accounts))
    posts = _not_erased(settings, platform, POST, _linked_posts(settings, platform, day))
    return Targets(tuple(accounts[each] for each in kept), tuple(posts), watchlist.problems)


def watched_platforms(settings: Settings) -> dict[str, list[str]]:
    """Accounts of the watchlist by platform."""
    found: dict[str, list[str]] = {}
    for row in load_watchlist(settings).rows:
        found.setdefault(row.platform, []).append(row.account)
    return found


def _of_collaborations(settings: Settings, platform: str, day: date) -> list[str]:
    """Accounts of collaborations, by their latest delivery, until so long after their end."""
    return _ask(
        settings,
        "collaborations",
        """
        select account_id from (
            select account_id, end_date from landed where platform = $platform
            qualify row_number() over (
                partition by collaboration_id order by as_of desc, valid_from desc nulls last, source_line desc
            ) = 1
        )
        where end_date is null or end_date + to_days(cast($days as integer)) >= cast($day as date)
        group by 1 order by 1
        """,
        {"platform": platform, "day": str(day), "days": DAYS_AFTER_END},
    )


def _linked_posts(settings: Settings, platform: str, day: date) -> list[str]:
    """Posts of collaborations for so long after their link first landed."""
    return _ask(
        settings,
        "collaboration_posts",
        """
        select post_id from landed where platform = $platform group by 1
        having min(as_of) + to_days(cast($days as integer)) >= cast($day as date) order by 1
        """,
        {"platform": platform, "day": str(day), "days": DAYS_OF_POSTS},
    )


def _ask(settings: Settings, feed: str, query: str, values: dict[str, object]) -> list[str]:
    if not settings.ledger.exists():
        return []
    with ledger.read(settings) as connection:
        files = [settings.raw / file.path for file in ledger.accepted_raw_files(connection) if file.feed == feed]
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        landed = f"select * from {raw.stored(raw.columns_of(load_feeds()[feed]), files)}"
        rows = reader.execute(f"with landed as ({landed}) {query}", values).fetchall()
    return [str(row[0]) for row in rows]


def _not_erased(settings: Settings, platform: str, kind: str, values: list[str]) -> list[str]:
    """Values without those on the list of erasures, in their order."""
    erased = erasure.erased_among(settings, kind, platform, values)
    return [value for value in values if value not in erased]
