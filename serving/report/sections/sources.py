"""Sources: what each was asked for and what came on its last day."""

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
    return {"rows": rows} if rows else None


SECTION = Section("sources", "Sources", read, ("fct_capture_daily",))
