"""What is kept of each source's answers, how long, and by which term: the one table that `terms` and `expire` read."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.config import Settings
from ingestion.mapping.in_use import library_mappings
from ingestion.sources.catalog import SOURCES
from ingestion.sources.platform import Source
from ingestion.sources.settings import FILE, Entry, load_sources

# Columns that every row has, or that say nothing of anybody.
UNSAID = {"platform", "captured_at"}


@dataclass(frozen=True)
class Kept:
    """What of one source is kept.

    Args:
        feeds: by feed the columns that its mappings fill.
        days: that an answer is kept; null without an end.
        why: which term, or who, says so.
        terms: where the terms stand.
        changes: what would let the days be others.
        is_asked: whether `sources.yml` asks the source today; what it brought before is kept alike.
    """

    source: str
    what: str
    feeds: dict[str, tuple[str, ...]]
    days: int | None
    why: str
    terms: str
    changes: str
    is_asked: bool


def kept(settings: Settings) -> dict[str, Kept]:
    """What is kept of each source, by its name. Raises ConfigError where `sources.yml` is not in order."""
    entries = load_sources(settings)
    return {name: _of(source, entries.get(name)) for name, source in SOURCES.items()}


def _of(source: Source, entry: Entry | None) -> Kept:
    own = entry.retention_days if entry else None
    feeds: dict[str, dict[str, None]] = {}
    for name in source.mappings:
        for part in library_mappings()[name].parts:
            feeds.setdefault(part.feed, {}).update(dict.fromkeys(key for key in part.columns if key not in UNSAID))
    return Kept(
        source.name, source.keeps, {feed: tuple(columns) for feed, columns in feeds.items()},
        own or source.retention_days, f"`retention_days` of config/{FILE}" if own else source.term, source.terms,
        source.would_change, entry is not None,
    )  # fmt: skip


def lines(settings: Settings) -> Iterator[str]:
    """For people: each source with what is kept of it, how long, by which term, and what would change that."""
    for held in kept(settings).values():
        yield f"{held.source} ({'asked' if held.is_asked else f'not in config/{FILE}'})"
        yield f"  kept: {held.what}"
        for feed, columns in held.feeds.items():
            yield f"    {feed}: {', '.join(columns)}"
        yield f"  for: {f'{held.days:,} days' if held.days else 'as long as you keep it'}"
        yield f"  by: {held.why} ({held.terms})"
        yield f"  what would change it: {held.changes}"
        yield ""
    yield "groundswell expire --dry-run says what is past that, and groundswell expire removes it"
