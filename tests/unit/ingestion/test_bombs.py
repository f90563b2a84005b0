"""Small files that would become very much when they are read: each is quarantined with a reason, and the next one loads.

What ends a process (a stack that is too deep, memory that is refused in Rust) cannot be caught, so it is seen before.
"""

import io
import json
import re
import struct
import tempfile
import zipfile
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings
from tests.unit.conftest import GOOD, GOOD_FILE, Yard

from .test_formats import xlsx

BOMB = "account_snapshots/bomb"
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


@pytest.mark.parametrize(
    ("ending", "content", "reason"),
    [
        pytest.param(
            ".xlsx", lambda: workbook_with(far_cell("XFD1048576", 1_048_576)), "spans 1,048,576 rows of 16,384"
        ),
        pytest.param(
            ".xlsx", lambda: workbook_with(far_cell("AA1048576", 1_048_576)), "spans 1,048,576 rows of 27 cells"
        ),
        pytest.param(
            ".xlsx",
            lambda: workbook_with(
                b"".join(b'<row r="%d">%s</row>' % (row, b'<c t="s"><v>0</v></c>' * 100) for row in range(1, 6_001)),
                b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
                % (b"x" * 2_000),
            ),
            "take more than 1,073,741,824 bytes",
        ),
        pytest.param(".jsonl", lambda: deep(150_000, '{"a":', "}"), "line 1 holds more than 500 levels"),
        pytest.param(".jsonl", lambda: deep(900_000, "[", "]"), "line 1 holds more than 500 levels"),
        pytest.param(".jsonl", lambda: deep(3, "[", "]") * 50 + deep(501, "[", "]"), "line 51 holds more than 500"),
        pytest.param(".json", lambda: "[\n" + deep(501, "[\n", "]\n") + "]", "more than 500 levels"),
        pytest.param(".parquet", claiming, "its footer claims more columns than it can hold"),
        pytest.param(".parquet", lambda: nested(51), "more than 50 levels"),
    ],
    ids=["far cell", "far row", "one text", "objects", "lists", "a later line", "a document", "a claim", "structs"],
)
def test_a_bomb_is_quarantined_and_the_next_file_loads(yard: Yard, ending: str, content: object, reason: str) -> None:
    made = content() if callable(content) else content
    yard.drop(BOMB + ending, made)
    yard.drop(GOOD_FILE, GOOD)
    yard.land()
    yard.assert_quarantined_whole(BOMB + ending, reason)
    assert len(yard.rows(GOOD_FILE)) == 2


def test_equal_rows_count_as_what_they_are_when_read(yard: Yard, settings: Settings) -> None:
    """Stored once, 200,000 rows of seven equal columns take a few kilobytes."""
    columns = ", ".join(f"'{text}' as {name}" for name, text in KEY.items())
    content = parquet_of(
        f"select {columns}, 1 as followers, 2 as posts, 3 as following, 4 as niche from range(200_000)"
    )
    assert len(content) < 100_000
    yard.settings = settings.model_copy(update={"max_unpacked_bytes": 5_000_000})
    yard.drop(f"{BOMB}.parquet", content)
    yard.drop(GOOD_FILE, GOOD)
    yard.land()
    yard.assert_quarantined_whole(f"{BOMB}.parquet", "unpacks to more than 5,000,000 bytes")


@pytest.mark.parametrize("levels", [1, 499])
def test_what_is_not_too_deep_loads(yard: Yard, levels: int) -> None:
    """Brackets within texts are no levels, however many there are; a quote within them ends no text."""
    text = json.dumps({**KEY, "handle": '"[{' * 1_000})
    yard.drop(f"{BOMB}.jsonl", deep(levels - 1, "[", "]") + text.replace('"a"', '"b"') + "\n")
    yard.land()
    assert len(yard.rows(f"{BOMB}.jsonl")) == 2


def test_a_wide_sheet_and_a_nested_parquet_load(yard: Yard) -> None:
    yard.drop(f"{BOMB}.xlsx", xlsx([*HEADER, *(f"x{n}" for n in range(50))], ["youtube", "a", "2026-01-05", 1]))
    yard.drop(f"{BOMB}.parquet", nested(20))
    yard.land()
    assert len(yard.rows(f"{BOMB}.xlsx")) == len(yard.rows(f"{BOMB}.parquet")) == 1
