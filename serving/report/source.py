"""What a page of the report is made from: the published release, opened read-only, and the state of a run.

DuckDB aggregates; a page's size does not grow with the data.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

from ingestion.config import Settings
from serving.report.state import read_state

Row = dict[str, Any]

HELD = """
select table_name, list(column_name order by ordinal_position) as columns
from information_schema.columns where table_schema = 'marts' group by table_name order by table_name
"""

RELEASE = """
select release_id, run_id, window_start, window_end, published_at, code_version
from marts.fct_publication order by published_at desc, release_id desc limit 1
"""


@dataclass(frozen=True)
class Source:
    """The marts of the published release (`marts` is null before the first), and the state of run `run_id`."""

    settings: Settings
    run_id: str
    marts: duckdb.DuckDBPyConnection | None

    @cached_property
    def state(self) -> Row:
        """Plan, release and checks of the run, and the landed files: see `state.read_state`."""
        return read_state(self.settings, self.run_id)

    @cached_property
    def columns(self) -> dict[str, list[str]]:
        """Columns of each mart that the release holds, by mart; empty before the first release."""
        return {row["table_name"]: row["columns"] for row in self.rows(HELD)} if self.marts else {}

    @cached_property
    def release(self) -> Row | None:
        """The release that readers see, as it names itself; null before the first, or where it does not."""
        return next(iter(self.rows(RELEASE)), None) if self.holds("fct_publication") else None

    @cached_property
    def simulated(self) -> dict[str, tuple[int, int]]:
        """Simulated rows and all rows of each mart that holds any simulated one."""
        found = {}
        for mart, columns in self.columns.items():
            if "data_origin" in columns:
                name = mart.replace('"', '""')
                counts = self.row(
                    f"select count(*) filter (where data_origin = 'simulated') as simulated, count(*) as rows"
                    f' from marts."{name}"'
                )
                if counts["simulated"]:
                    found[mart] = (counts["simulated"], counts["rows"])
        return found

    def holds(self, *marts: str) -> bool:
        """Whether the release holds all of these marts. One that was published by older code may not."""
        return self.marts is not None and all(mart in self.columns for mart in marts)

    def run(self, statement: str, **values: Any) -> None:
        """Execute a statement that gives no rows, such as the making of a temporary table."""
        assert self.marts is not None
        self.marts.execute(statement, values or None)

    def rows(self, query: str, **values: Any) -> list[Row]:
        """All rows of a query, a dict each."""
        assert self.marts is not None
        cursor = self.marts.execute(query, values or None)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, query: str, **values: Any) -> Row:
        """The first row of a query that always gives one."""
        return self.rows(query, **values)[0]


@contextmanager
def open_source(settings: Settings, run_id: str) -> Iterator[Source]:
    """Open the published release for reading; without one, `marts` is null."""
    link = settings.published / "groundswell.duckdb"
    if not link.exists():
        yield Source(settings, run_id, None)
        return
    # The file itself, not the link: DuckDB keeps one database per path within a process.
    with closing(duckdb.connect(str(link.resolve()), read_only=True, config=settings.duckdb_config)) as marts:
        yield Source(settings, run_id, marts)
