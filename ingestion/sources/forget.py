"""Forget an account in what sources keep: a capture that is under way, the cache, the watchlist, the names in state."""

import re
import shutil

from ingestion import erasure, ledger
from ingestion.config import Settings
from ingestion.sources.capture import folder_of, land_open
from ingestion.sources.catalog import SOURCES
from ingestion.user_config import watchlist


def land_what_is_open(settings: Settings, platform: str) -> None:
    """Land captures of a platform that were killed, without the account, which is on the list of erasures by now.

    What they hold of others is then in landing as any delivery. Raises LeaseLost while a capture is at work.
    """
    for source in SOURCES.values():
        if source.platform in erasure.codes_of(settings, platform):
            land_open(settings, source)


def names_at_sources(settings: Settings, platform: str, account_id: str) -> set[str]:
    """The account's id, and what else the sources of its platform call it."""
    codes = erasure.codes_of(settings, platform)
    return {account_id}.union(*(each.names_of(account_id) for each in SOURCES.values() if each.platform in codes))


def forget(settings: Settings, platform: str, account_id: str) -> int:
    """Remove the account from cache, watchlist and outcomes, while raw still knows its names; returns lines removed."""
    codes = erasure.codes_of(settings, platform)
    names = {*erasure.handles_of(settings, platform, account_id), *names_at_sources(settings, platform, account_id)}
    for source in SOURCES.values():
        if source.platform in codes:
            # A cache is made anew by itself; what it holds of an account is no longer asked for.
            shutil.rmtree(folder_of(settings, source.name) / "etags", ignore_errors=True)
    gone = {name.lower() for name in names} | set(erasure.posts_of(settings, platform, account_id))
    pattern = re.compile(erasure.pattern_of(account_id))
    with ledger.write(settings) as connection:
        ledger.forget_targets(
            connection, codes, lambda target: target.lower() in gone or target in gone or bool(pattern.search(target))
        )
    return sum(watchlist.remove(settings, code, names) for code in codes)
