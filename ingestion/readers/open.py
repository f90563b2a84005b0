"""Open a landed file in the format that it has."""

from pathlib import Path

from ingestion.mapping.grammar import Mapping
from ingestion.readers.csv import read_csv
from ingestion.readers.jsonl import read_jsonl
from ingestion.readers.parquet import read_parquet
from ingestion.readers.table import Reader, Table
from ingestion.readers.xlsx import read_xlsx


def open_table(
    reader: Reader, plain: Path, mapping: Mapping, file_format: str, wanted: set[str], is_whole: bool
) -> Table:
    """Read a plain file as cells.

    Args:
        plain: unpacked copy; its name holds no pattern characters.
        wanted: names that the mapping asks for; only these cells of a JSON record are taken apart.
        is_whole: whether a manifest has said so: the last line may then lack its line end.
    Raises:
        FileRefused: when the file cannot be read as a whole.
    """
    readers = {"csv": read_csv, "jsonl": read_jsonl, "parquet": read_parquet, "xlsx": read_xlsx}
    for name in ("reject_scans", "reject_errors", "rejects", "records", "lines", "sheet"):
        reader.execute(f"drop table if exists {name}")
    reader.execute(
        "create temp table rejects"
        ' (source_line bigint, column_name varchar, value varchar, reason varchar, "row" varchar)'
    )
    return readers[file_format](reader, plain, mapping, wanted, is_whole)
