"""The doctor before landing: whether sources bring what they are asked for, and what is past the terms of their use."""

from collections.abc import Iterator
from datetime import timedelta

from ingestion import ledger
from ingestion.config import utc_now
from ingestion.errors import ContractError
from ingestion.sources.capture import folder_of, share_of_day
from ingestion.sources.errors import RECEIVED
from ingestion.sources.journal import JOURNAL
from ingestion.sources.settings import load_sources
from ingestion.sources.terms import past_terms
from warehouse.doctor.landing import Context, Finding, counted, some

# A capture of 22:00 is 26 h old at the next midnight; past this one was missed.
STALE_HOURS = 36


def check_sources(context: Context) -> Iterator[Finding]:
    """Each configured source: its last capture, what of it did not come, and what lies longer than its terms allow."""
    settings = context.settings
    try:
        entries = load_sources(settings)
    except ContractError as error:
        yield Finding("WRONG", "sources", str(error))
        return
    days = ledger.captures_by_day(context.ledger)
    for name, entry in entries.items():
        last = max((row["snapshot_date"] for row in days if row["source"] == name), default=None)
        if last is None:
            yield Finding("note", "sources", f"{name} was never captured", (), f"groundswell capture --source {name}")
            continue
        missing = [
            f"{row['targets']:,} {row['outcome']}"
            for row in days
            if row["source"] == name and row["snapshot_date"] == last and row["outcome"] != RECEIVED
        ]
        share = share_of_day(name, last, context.ledger)
        at = ledger.last_capture(context.ledger, name)
        hours = (utc_now() - at).total_seconds() / 3600 if at else 0.0
        is_well = share >= entry.least_share and hours <= STALE_HOURS
        yield Finding(
            "ok" if is_well else "note", "sources",
            f"{name}: {share:.0%} of {last} came, {hours:,.0f} h ago", some(missing),
            "" if is_well else f"docs/runbooks/capture.md; groundswell capture --source {name}",
        )  # fmt: skip
        if (folder_of(settings, name) / JOURNAL).exists() and not context.is_running:
            words = f"{name}: a capture did not end, or is at work"
            yield Finding("note", "sources", words, (), "the next capture of it goes on, or lands what there is")
    yield from _past_terms(context)


def _past_terms(context: Context) -> Iterator[Finding]:
    """Answers that lie longer than the platform's terms allow; what is past since midnight the next night lets go."""
    today = utc_now().date()
    overdue = {past.source for past in past_terms(context.settings, context.ledger, today - timedelta(days=1))}
    for past in past_terms(context.settings, context.ledger, today):
        files = [f"landing/{past.source}/{file.name}" for file in past.landed]
        files += [f"raw/{row['path']}" for row in past.raw]
        files += [file.relative_to(context.settings.data).as_posix() for file in past.state]
        said = f"{past.source}: {counted(len(files), 'file')} of answers past the {past.kept_days} days of its terms"
        if past.source not in overdue:
            yield Finding("note", "sources", f"{said}, since midnight", some(files), "the next night lets them go")
            continue
        yield Finding(
            "WRONG", "sources", said, some(files),
            f"{past.terms} says what may be kept; every night lets go of it, and so does make expire",
        )  # fmt: skip
