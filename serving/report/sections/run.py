"""The run that led to the page, and the release that the page shows."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common

MARTS = "select mart, row_count from marts.fct_publication where release_id = $release_id order by mart"


def read(source: Source, common: Common) -> Row:
    """The run's plan, the release, and rows per mart."""
    release = source.release
    marts = source.rows(MARTS, release_id=release["release_id"]) if release else []
    return {"plan": source.state["plan"], "release": release, "marts": marts}


SECTION = Section("run", "Run", read)
