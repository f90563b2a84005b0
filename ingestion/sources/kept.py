"""What is kept of each source's answers, how long, and by which term: the one table that `terms` and `expire` read."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingestion import ledger
from ingestion.config import Settings
from ingestion.mapping.in_use import library_mappings
from ingestion.sources.catalog import SOURCES
from ingestion.sources.platform import Source
from ingestion.sources.settings import FILE, Entry, load_sources

# Trust weighs 90 days before a day, each against the 28 before it; a tier that is held stands on 25 more.
DAYS_OF_TRUST = 120
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
        platform: what its accounts are filed under; empty for a source without accounts.
        keeps_derived: whether tiers, rates and verdicts that are made of answers may outlast them.
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
    platform: str = ""
    keeps_derived: bool = True

    @property
    def is_short(self) -> bool:
        """Whether it is kept for too short to tell of trust and of tiers that are held."""
        return self.days is not None and self.days < DAYS_OF_TRUST and not self.keeps_derived


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
        source.would_change, entry is not None, source.platform,
        source.keeps_derived if entry is None or entry.keep_derived is None else entry.keep_derived,
    )  # fmt: skip


def _after(held: Kept) -> str:
    """What is left when the days are over."""
    left = "tiers, rates and verdicts of them stay" if held.keeps_derived else "all that is made of them goes too"
    short = f"; under {DAYS_OF_TRUST} days there is no verdict of trust and no held tier" if held.is_short else ""
    return f"after that: {left} (`keep_derived`){short}"


def short_platforms(settings: Settings) -> list[str]:
    """Platforms of which too few days are kept to tell of trust and of tiers that are held, in order.

    They are those that a source asks, or of which one has let something go.
    """
    held = kept(settings)
    short = {name for name, each in held.items() if each.is_short and each.platform}
    if short and settings.ledger.exists():
        with ledger.read(settings) as connection:
            gone = {row["source"] for row in ledger.let_go(connection)}
    else:
        gone = set()
    return sorted({held[name].platform for name in short if held[name].is_asked or name in gone})


def limit_of(settings: Settings, source: str) -> str | None:
    """For who is about to ask a source: how long its answers are kept, and what that costs; null without an end."""
    held = kept(settings)[source]
    if held.days is None:
        return None
    after = f"; {_after(held)}" if held.platform else ""
    return f"{source}: answers are kept for {held.days:,} days, by {held.why}{after}"


def lines(settings: Settings) -> Iterator[str]:
    """For people: each source with what is kept of it, how long, by which term, and what would change that."""
    for held in kept(settings).values():
        yield f"{held.source} ({'asked' if held.is_asked else f'not in config/{FILE}'})"
        yield f"  kept: {held.what}"
        for feed, columns in held.feeds.items():
            yield f"    {feed}: {', '.join(columns)}"
        yield f"  for: {f'{held.days:,} days' if held.days else 'as long as you keep it'}"
        if held.days and held.platform:
            yield f"  {_after(held)}"
        yield f"  by: {held.why} ({held.terms})"
        yield f"  what would change it: {held.changes}"
        yield ""
    yield "groundswell expire --dry-run says what is past that; a night lets go of it, and groundswell expire at once"
