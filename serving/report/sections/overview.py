"""The head of the report: the latest day in a sentence, how the run ended, what is simulated, key figures."""

from collections.abc import Iterator

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common


def read(source: Source, common: Common) -> Row:
    """The run's end and the marts that hold simulated rows."""
    return {"status": source.state["status"], "simulated": list(_simulated(source))}


def _simulated(source: Source) -> Iterator[Row]:
    """Marts with rows of simulated data, and how many."""
    for mart, columns in source.columns.items():
        if "data_origin" in columns:
            name = mart.replace('"', '""')
            found = source.row(
                f"select count(*) as rows, count(*) filter (where data_origin = 'simulated') as simulated"
                f' from marts."{name}"'
            )
            if found["simulated"]:
                yield {"mart": mart, **found}


SECTION = Section("overview", None, read)
