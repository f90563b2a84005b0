"""Checks of the run (of the last checked run where it has none), those that failed first."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common

DATA_DOCS = "data_docs/index.html"


def read(source: Source, common: Common) -> Row:
    """Checks that did not pass, checks that did, and where Data Docs are."""
    checks = source.state["checks"]
    return {
        "failing": [check for check in checks if not check["passed"]],
        "passing": [check for check in checks if check["passed"]],
        "data_docs": DATA_DOCS if (source.settings.reports / DATA_DOCS).is_file() else None,
    }


SECTION = Section("quality", "Quality", read)
