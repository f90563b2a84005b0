"""Answers that lie in landing longer than the terms of their platform allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ingestion.config import Settings
from ingestion.sources.catalog import SOURCES
from ingestion.sources.settings import Entry


@dataclass(frozen=True)
class PastTerms:
    """Files of one source that its terms no longer allow.

    Args:
        kept_days: days that an answer may be kept, counted from the UTC day of its capture.
        terms: address of the platform's terms.
        files: names, the oldest first.
    """

    source: str
    kept_days: int
    terms: str
    files: tuple[str, ...]


def past_terms(settings: Settings, entries: Mapping[str, Entry], today: date) -> Iterator[PastTerms]:
    """What each configured source keeps too long, where its terms name days."""
    for name, entry in entries.items():
        kept_days = entry.retention_days or SOURCES[name].retention_days
        if kept_days is None:
            continue
        oldest = str(today - timedelta(days=kept_days))
        files = sorted(path.name for path in (settings.landing / name).glob("*.jsonl.gz"))
        past = tuple(file for file in files if file.rpartition("_")[2][:10] < oldest)
        if past:
            yield PastTerms(name, kept_days, SOURCES[name].terms, past)
