"""Answers of sources that lie longer than the terms of their platform allow."""

from ingestion import ledger
from ingestion.config import utc_now
from ingestion.errors import ConfigError
from ingestion.sources.terms import past_terms
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common


def read(source: Source, common: Common) -> Row | None:
    """Files past their terms by source; null where nothing is, or where doctor names what is wrong with the file."""
    with ledger.read(source.settings) as connection:
        try:
            found = past_terms(source.settings, connection, utc_now().date())
        except ConfigError:
            return None
    return {"past": found} if found else None


SECTION = Section("terms", "Terms", read)
