"""Open a landed file in the format that it has."""

from pathlib import Path

from ingestion.errors import FileRefused
from ingestion.mapping.grammar import Mapping
from ingestion.readers.csv import read_csv
from ingestion.readers.jsonl import Parts, read_json
from ingestion.readers.parquet import read_parquet
from ingestion.readers.reshape import unpivot, with_lines
from ingestion.readers.table import Reader, Table
from ingestion.readers.xlsx import read_xlsx


def open_table(
    reader: Reader,
    plain: Path,
    mapping: Mapping,
    file_format: str,
    wanted: set[str],
    is_whole: bool,
    parts: Parts = (),
) -> Table:
    """Read a plain file as cells.

    Args:
        plain: unpacked copy; its name holds no pattern characters.
        wanted: names that the mapping asks for; only these cells of a JSON record are taken apart.
        is_whole: whether a manifest has said so: the last line may then lack its line end.
        parts: what the file supplies to the feed that it is read for, which says what is a row.
    Raises:
        FileRefused: when the file cannot be read as a whole.
    """
    reader.execute("drop view if exists located")
    for name in ("reject_scans", "reject_errors", "rejects", "records", "lines", "documents", "sheet", "cells"):
        reader.execute(f"drop table if exists {name}")
    reader.execute(
        "create temp table rejects"
        ' (source_line bigint, column_name varchar, value varchar, reason varchar, "row" varchar)'
    )
    table = _read(reader, plain, mapping, file_format, wanted, is_whole, parts)
    if parts and parts[0].unpivot:
        return unpivot(reader, table, parts[0].unpivot)
    needs_lines = len(parts) > 1 or any(source.line_number for part in parts for source in part.columns.values())
    return with_lines(reader, table) if needs_lines else table


def _read(
    reader: Reader, plain: Path, mapping: Mapping, file_format: str, wanted: set[str], is_whole: bool, parts: Parts
) -> Table:
    if file_format == "jsonl":
        return read_json(reader, plain, mapping, wanted, is_whole, parts)
    if file_format == "parquet":
        return read_parquet(reader, plain, mapping, wanted, is_whole, parts)
    if parts and parts[0].explode:
        raise FileRefused(f"{file_format.upper()} holds no nested lists; leave out `explode`")
    readers = {"csv": read_csv, "xlsx": read_xlsx}
    return readers[file_format](reader, plain, mapping, wanted, is_whole)
