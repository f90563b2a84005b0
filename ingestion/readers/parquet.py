"""Parquet as a table of cells, with DuckDB's types where they are known."""

import io
from pathlib import Path

import duckdb

from ingestion.errors import FileRefused, too_large
from ingestion.mapping.grammar import Mapping
from ingestion.readers.jsonl import Parts, table_of_records
from ingestion.readers.table import (
    MAX_COLUMNS,
    TOO_MANY_COLUMNS,
    Reader,
    Table,
    is_of_the_machine,
    list_of_cells,
    list_of_texts,
    number_given,
    one,
    plain_words,
    read_into,
)
from ingestion.sql import quote
from ingestion.values import WHOLE_NUMBERS

# Levels within each other: a list takes two. At hundreds DuckDB takes minutes.
MAX_LEVELS = 50
BYTES_OF_A_CELL = 4


def read_parquet(
    reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool, parts: Parts = ()
) -> Table:
    _refuse_unlike_parquet(plain)
    refuse_deep(reader, plain)
    source = f"read_parquet({quote(str(plain))}, file_row_number = true, hive_partitioning = false)"
    try:
        described = reader.execute(f"describe from {source}").fetchall()
        sizes = reader.execute(
            f"select sum(total_uncompressed_size), max(num_rows) from parquet_metadata({quote(str(plain))}),"
            f" parquet_file_metadata({quote(str(plain))})"
        ).fetchone()
    except duckdb.Error as error:
        if is_of_the_machine(error):
            raise
        raise FileRefused(f"it cannot be read as Parquet ({plain_words(error)}); send it again") from error
    names = [row[0] for row in described if row[0] != "file_row_number"]
    if len(names) > MAX_COLUMNS:
        raise FileRefused(f"it has {len(names):,} {TOO_MANY_COLUMNS}")
    rows = int(sizes[1] or 0) if sizes else 0
    # Equal values are stored once: what they are when they are read, at a few bytes each, is what counts.
    limit = one(reader, "select getvariable('max_unpacked_bytes')")
    if max(int(sizes[0] or 0) if sizes else 0, rows * len(names) * BYTES_OF_A_CELL) > limit:
        raise too_large(limit)
    if parts and parts[0].explode:
        named = ", ".join(f"{quote(name)}, {_name(name)}" for name in names)
        text = f"cast(json_object({named}) as varchar)"
        read_into(reader, "lines", f"select file_row_number + 1 as source_line, {text} as text from {source}", rows)
        return table_of_records(reader, rows, wanted, parts)
    kinds = {row[0]: str(row[1]) for row in described}
    cells, types = [], {}
    for index, name in enumerate(names):
        cell, kind = _parquet_cell(name, kinds[name])
        cells.append(f"{cell} as c{index}")
        if kind != "VARCHAR":
            types[index] = kind
    return Table(
        header=names,
        relation=f"(select file_row_number + 1 as source_line{''.join(f', {cell}' for cell in cells)} from {source})",
        row=list_of_cells(len(names)) if not types else list_of_texts(len(names)),
        number=lambda reader, table, view: number_given(reader, table, view, rows),
        has_lines=True,
        types=types,
        is_number=lambda index: "true" if types.get(index, "VARCHAR").startswith(NUMBERS) else None,
        has_header=False,
        rows_hint=rows,
    )


def _refuse_unlike_parquet(plain: Path) -> None:
    with plain.open("rb") as file:
        head = file.read(4)
        file.seek(0, io.SEEK_END)
        if file.tell() == 0:
            raise FileRefused("it is empty; send it again")
        file.seek(max(0, file.tell() - 4))
        tail = file.read(4)
    if head != b"PAR1":
        raise FileRefused("it is no Parquet file, whatever its name; correct the name")
    if tail != b"PAR1":
        raise FileRefused("its footer is missing, so it was cut; send it again")


def refuse_deep(reader: Reader, plain: Path) -> None:
    """Raise FileRefused for values that nest deeply, or a footer that claims more than it can hold."""
    try:
        held = reader.execute(f"select name, num_children from parquet_schema({quote(str(plain))})").fetchall()
    except duckdb.OutOfMemoryException as error:
        raise FileRefused("its footer claims more columns than it can hold; send it again") from error
    except duckdb.Error:
        # Read once more by the caller, which says what is wrong with it.
        return
    # Of each level that is open, how many of its children are still to come; the root comes first.
    open_levels: list[int] = []
    for _, children in held:
        while open_levels and open_levels[-1] == 0:
            open_levels.pop()
        if open_levels:
            open_levels[-1] -= 1
        if children:
            open_levels.append(children)
        if len(open_levels) > MAX_LEVELS:
            raise FileRefused(f"its values hold more than {MAX_LEVELS} levels within each other: flatten them")


# Types whose values are compared and shown as text; all other plain types stay what they are.
AS_TEXT = ("BLOB", "BIT", "INTERVAL", "UUID", "ENUM", "TIME")
NUMBERS = (*WHOLE_NUMBERS, "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")


def _parquet_cell(name: str, kind: str) -> tuple[str, str]:
    """SQL of a column and its type: lists of texts joined by `|`, other nested values as JSON, the rest as it is."""
    column = _name(name)
    if kind == "VARCHAR[]":
        return f"array_to_string({column}, '|')", "VARCHAR"
    if kind.endswith("]") or kind.startswith(NESTED):
        return f"cast(to_json({column}) as varchar)", "VARCHAR"
    if kind.startswith("TIMESTAMP"):
        wide = "TIMESTAMP WITH TIME ZONE" if kind.endswith("ZONE") else "TIMESTAMP"
        return f"cast({column} as {wide})", wide
    return (f"cast({column} as varchar)", "VARCHAR") if kind.startswith(AS_TEXT) else (column, kind)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
