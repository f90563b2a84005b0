"""A landed file as a table of cells, in whatever format it came, and what the readers of all formats share.

A `Table` is the header, and a SQL relation with one row per record and a column `c<n>` per header cell, in the file's
order. Nothing is typed or evaluated here. Records that cannot be split into cells go to the temporary table `rejects`.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import duckdb

from ingestion.errors import FileRefused
from ingestion.mapping import row_filter
from ingestion.mapping.grammar import Mapping, tidy

Reader: TypeAlias = duckdb.DuckDBPyConnection
# The widest vendor layout seen has 23 columns.
MAX_COLUMNS = 1_000
BLOCK = 1 << 18
TOO_MANY_COLUMNS = f"columns, more than {MAX_COLUMNS:,}"


@dataclass(frozen=True)
class Table:
    """One file as rows of cells.

    Args:
        header: names of the columns as they stand in the file.
        relation: SQL that gives `c0`, `c1`, ... and, where `has_lines`, `source_line`.
        row: SQL of a record as it was read, for people.
        types: SQL type of the columns that are not text.
        has_header: whether a header stands in the file, so that it may stand there again.
        has_serials: whether bare numbers may be times, as spreadsheets store them.
        is_number: makes SQL that says whether the file holds the cell at a position as a number; null where never.
        paths: JSON path of each column, where cells may hold objects.
        rest: makes SQL for what a record holds besides the columns at these positions, where it is no list of cells.
        rows_hint: records, as far as they could be counted, for a file that is refused.
        number: makes of a table of the relation's rows a temporary view with `place` and `source_line`, returns the
            records read.
        left_out: records that were quarantined on purpose before any cell was read.
        hint: what a person may say to find a column that is missing.
        notes: what people should know of how it was read.
    """

    header: list[str]
    relation: str
    row: str
    number: Callable[[Reader, str, str], int]
    has_lines: bool = False
    types: dict[int, str] = field(default_factory=dict)
    has_header: bool = True
    has_serials: bool = False
    is_number: Callable[[int], str | None] = lambda _: None
    paths: dict[int, str] = field(default_factory=dict)
    rest: Callable[[list[int]], str] | None = None
    rows_hint: int = 0
    left_out: int = 0
    hint: str = ""
    notes: tuple[str, ...] = ()


def list_of_cells(width: int) -> str:
    """A record as read: a JSON list of its cells."""
    return "cast(to_json([" + ", ".join(f"c{index}" for index in range(width)) + "]) as varchar)"


def without_cells(row: str, places: Collection[int]) -> str:
    """The SQL of a record as read, the cells at some places empty."""
    return re.sub(r"\bc(\d+)\b", lambda found: "null" if int(found[1]) in places else found[0], row)


def is_of_the_machine(error: duckdb.Error) -> bool:
    """Whether an error says nothing of the file: too little memory, or a disk that is full or failing."""
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.InterruptException):
        return True
    words = ("write", "no space left", "temporary", "offload")
    return isinstance(error, duckdb.IOException) and any(word in str(error).lower() for word in words)


def plain_words(error: duckdb.Error) -> str:
    """The first line of what DuckDB says, or what a person can make of it."""
    message = str(error)
    if "state machine reached an invalid state" in message:
        return "its line ends are mixed: end every line in the same way, without single carriage returns"
    return next(iter(message.splitlines()), type(error).__name__)


def list_of_texts(width: int) -> str:
    return "cast(to_json([" + ", ".join(f"cast(c{index} as varchar)" for index in range(width)) + "]) as varchar)"


def number_given(reader: Reader, table: str, view: str, read: int | None = None) -> int:
    """Number rows that carry their lines already, against the records that were announced, where they were."""
    reader.execute(f"create temp view {view} as select rowid as place, * from {table}")
    found = one(reader, f"select (select count(*) from {table}) + (select count(*) from rejects)")
    if read is not None and found != read:
        raise FileRefused(f"{read:,} records were announced, {found:,} were read; send it again", max(read, found))
    return found


def read_into(reader: Reader, table: str, query: str, rows_hint: int) -> None:
    """Read a file into a temporary table. Raises FileRefused where the file is why that fails."""
    try:
        reader.execute(f"create temp table {table} as {query}")
    except duckdb.Error as error:
        if is_of_the_machine(error):
            raise
        raise FileRefused(f"it cannot be read ({plain_words(error)})", rows_hint) from error


def one(reader: Reader, query: str) -> int:
    """The one number that a query gives."""
    row = reader.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def names_of(mapping: Mapping) -> Iterator[str]:
    """Every name of a column that a mapping asks for."""
    for part in mapping.parts:
        for source in part.columns.values():
            if source.from_ is not None:
                yield tidy(source.from_)
            yield from source.other_columns
        if part.keep:
            yield from row_filter.parse(part.keep).columns
