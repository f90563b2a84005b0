"""Small files that become very much when they are read, by name: ending, content, the reason of their quarantine.

`python -m tests.unit.ingestion.bombs NAME` lands one beside a good file, and says whether both became what they should.
"""

import argparse
import io
import re
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

from ingestion import ledger, raw
from ingestion.config import Settings
from ingestion.landing import land_files

from .test_formats import xlsx

HEADER = ["platform", "account_id", "captured_at", "followers"]
RECORD = '"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05T03:00:00Z"'
KEY = {"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05T03:00:00Z"}


def workbook_with(sheet: bytes, shared: bytes | None = None) -> bytes:
    """A workbook with another sheet in place of its first, and other shared texts."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(HEADER))) as plain, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        for name in plain.namelist():
            content = plain.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = re.sub(rb"<sheetData>.*</sheetData>", b"<sheetData>" + sheet + b"</sheetData>", content)
            if name != "xl/sharedStrings.xml" or shared is None:
                book.writestr(name, content)
        if shared is not None:
            book.writestr("xl/sharedStrings.xml", shared)
    return made.getvalue()


def far_cell(place: str, row: int) -> bytes:
    """One cell at the far end, where somebody scrolled to and typed."""
    return f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>'.encode()


def deep(levels: int, opening: str, closing: str) -> str:
    return f'{{{RECORD}, "extra": {opening * levels}1{closing * levels}}}\n'


def claiming() -> bytes:
    """A Parquet footer that claims two thousand million columns."""
    footer = bytes([0x15, 0x02, 0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07]) + bytes(50)
    return b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"


def nested(levels: int) -> bytes:
    """A Parquet file with a value that nests so deeply."""
    value = "1"
    for _ in range(levels):
        value = f"{{'a': {value}}}"
    columns = ", ".join(f"'{text}' as {name}" for name, text in KEY.items())
    return parquet_of(f"select {columns}, {value} as nested")


def parquet_of(query: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        duckdb.execute(f"copy ({query}) to '{folder}/x.parquet' (format parquet)")
        return (Path(folder) / "x.parquet").read_bytes()


class Bomb(NamedTuple):
    """A file that is quarantined whole, and why."""

    ending: str
    content: Callable[[], bytes | str]
    reason: str


def shared_text() -> bytes:
    """600,000 cells of one text of 2 kB that is stored once."""
    cells = b"".join(b'<row r="%d">%s</row>' % (row, b'<c t="s"><v>0</v></c>' * 100) for row in range(1, 6_001))
    texts = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    return workbook_with(cells, texts % (b"x" * 2_000))


BOMBS = {
    "far cell": Bomb(
        ".xlsx", lambda: workbook_with(far_cell("XFD1048576", 1_048_576)), "spans 1,048,576 rows of 16,384"
    ),
    "far row": Bomb(
        ".xlsx", lambda: workbook_with(far_cell("AA1048576", 1_048_576)), "spans 1,048,576 rows of 27 cells"
    ),
    "one text": Bomb(".xlsx", shared_text, "take more than 1,073,741,824 bytes"),
    "objects": Bomb(".jsonl", lambda: deep(150_000, '{"a":', "}"), "line 1 holds more than 500 levels"),
    "lists": Bomb(".jsonl", lambda: deep(900_000, "[", "]"), "line 1 holds more than 500 levels"),
    "a later line": Bomb(".jsonl", lambda: deep(3, "[", "]") * 50 + deep(501, "[", "]"), "line 51 holds more than 500"),
    "a document": Bomb(".json", lambda: "[\n" + deep(501, "[\n", "]\n") + "]", "more than 500 levels"),
    "a claim": Bomb(".parquet", claiming, "its footer claims more columns than it can hold"),
    "structs": Bomb(".parquet", lambda: nested(51), "more than 50 levels"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(BOMBS))
    bomb = BOMBS[parser.parse_args().name]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder) / "data", settle_seconds=0.0)  # type: ignore[call-arg]
        raw.write_empty_schemas(settings)
        place = settings.landing / "account_snapshots"
        place.mkdir(parents=True)
        content = bomb.content()
        (place / f"bomb{bomb.ending}").write_bytes(content.encode() if isinstance(content, str) else content)
        (place / "zz_good.csv").write_text("platform,account_id,captured_at,followers\nyoutube,a,2026-01-05,1\n")
        land_files(settings, "bomb", lambda _: None)
        with ledger.read(settings) as connection:
            became = [tuple(row) for row in connection.execute("select state, reason from batches order by file")]
    as_said = [state for state, _ in became] == ["quarantined", "accepted"] and bomb.reason in became[0][1]
    return int(not as_said)


if __name__ == "__main__":
    sys.exit(main())
