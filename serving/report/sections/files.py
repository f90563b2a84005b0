"""Landed files: every row that was read is accounted for."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common


def read(source: Source, common: Common) -> Row:
    """The latest landed files, and the sums over all of them."""
    return {"totals": source.state["totals"], "files": source.state["files"]}


SECTION = Section("files", "Files", read)
