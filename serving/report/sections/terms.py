"""Answers of sources that lie longer than the terms of their platform allow, and what was let go for them."""

from ingestion import ledger
from ingestion.config import utc_now
from ingestion.errors import ConfigError
from ingestion.sources.terms import past_terms
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common


def read(source: Source, common: Common) -> Row | None:
    """Files past their terms, and days that were let go, by source; null where nothing is.

    Of what is past nothing is said where doctor names what is wrong with the file.
    """
    with ledger.read(source.settings) as connection:
        gone = _by_source(ledger.let_go(connection))
        try:
            found = past_terms(source.settings, connection, utc_now().date())
        except ConfigError:
            found = []
    return {"past": found, "gone": gone} if found or gone else None


def _by_source(rows: list[ledger.Row]) -> list[Row]:
    """Of each source the days that were let go, and what went with them."""
    found = []
    for name in sorted({row["source"] for row in rows}):
        mine = [row for row in rows if row["source"] == name]
        days = sorted({row["snapshot_date"] for row in mine})
        found.append(
            {
                "source": name,
                "kept_days": max(mine, key=lambda row: str(row["let_go_at"]))["kept_days"],
                "days": len(days),
                "first": days[0],
                "last": days[-1],
                "files": sum(row["files"] for row in mine),
                "rows": sum(row["rows"] for row in mine),
                "keeps_derived": any(row["keeps_derived"] for row in mine),
            }
        )
    return found


SECTION = Section("terms", "Terms", read)
