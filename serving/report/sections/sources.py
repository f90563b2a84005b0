"""Sources: what each was asked for and what came on its last day, and answers that lie past their terms."""

from ingestion.config import utc_now
from ingestion.errors import ContractError
from ingestion.sources.retention import past_terms
from ingestion.sources.settings import load_sources
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common

REASONS = (
    "not_found", "private", "suspended", "not_supported", "throttled", "budget", "unreachable", "auth", "contract",
)  # fmt: skip

LAST_DAYS = f"""
select
    source, platform, snapshot_date, accounts_asked, accounts_received, posts_asked, posts_received, calls,
    nullif(concat_ws(', ', {
    ", ".join(f"case when accounts_{reason} > 0 then accounts_{reason} || ' {reason}' end" for reason in REASONS)
}), '') as missing
from marts.fct_capture_daily
qualify row_number() over (partition by source, platform order by snapshot_date desc) = 1
order by source, platform
"""


def read(source: Source, common: Common) -> Row | None:
    """The last day of each source and platform; null where nothing was ever captured."""
    rows = source.rows(LAST_DAYS)
    try:
        past = list(past_terms(source.settings, load_sources(source.settings), utc_now().date()))
    except ContractError:
        # The doctor says what is wrong with the file; what came stands all the same.
        past = []
    return {"rows": rows, "past": past} if rows else None


SECTION = Section("sources", "Sources", read, ("fct_capture_daily",))
