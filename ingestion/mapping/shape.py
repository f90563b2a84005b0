"""How a file of unknown layout is written, before any of its cells is understood: the traits that open it."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion import containers
from ingestion.errors import FileRefused
from ingestion.mapping import encodings
from ingestion.mapping.grammar import Mapping, tidy
from ingestion.mapping.questions import Answer, Question
from ingestion.readers import xlsx
from ingestion.readers.jsonl import json_path
from ingestion.readers.open import open_table
from ingestion.readers.table import Reader
from ingestion.sql import quote

DELIMITERS = ",;\t|"
HEAD_BYTES, HEAD_ROWS = 8 << 20, 400
# A cell that is a value, not the name of a column.
VALUE = re.compile(r"[-+(]?[€$£]?\s*\d[\d.,\s]*[%KkMm)]?|\d{4}-\d\d-\d\d[T ].*|(?i:true|false)")
DATES = (r"\d{4}-\d{2}-\d{2}", r"\d{4}/\d{2}/\d{2}", r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", r"\d{4}-\d{2}")
MOST_SHEETS = 12
PROBE = {"mapping": "probe", "pattern": "*", "feed": "brands", "columns": {}}


@dataclass
class Shape:
    """Traits of a mapping that open a file, with a remark by trait and what only a person can say of them."""

    content: dict[str, Any] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)

    @property
    def probe(self) -> Mapping:
        """A mapping that opens the file and reads nothing of it."""
        return Mapping.model_validate({**PROBE, "unended_last_line": True, **self.content})

    def but(self, remark: str = "", /, **traits: Any) -> "Shape":
        """The same with other traits."""
        remarks = self.remarks | ({next(iter(traits)): remark} if remark else {})
        return Shape(self.content | traits, remarks, list(self.questions))


def format_of(path: Path, name: str) -> str:
    """How a file is written, by its first bytes, else by its name. Raises FileRefused for what holds no table."""
    with path.open("rb") as source:
        head = source.read(4096)
    if not head:
        raise FileRefused("it is empty; send it again")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    for start, kind in (
        (b"%PDF", "a PDF"), (b"\xd0\xcf\x11\xe0", "an old .xls workbook"), (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"), (b"BZh", "packed with bzip2"),
        (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"), (b"\x7fELF", "a program"),
        (b"SQLite format 3\0", "an SQLite database"),
    ):  # fmt: skip
        if head.startswith(start):
            raise FileRefused(f"it is {kind}, which holds no table that can be read; export it as CSV or XLSX")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise FileRefused("it is a page of HTML or XML, not an export; download it again, as CSV or XLSX")
    if (
        b"\0" in head
        and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
        and not encodings.likely(head).name.startswith("utf-16")
    ):
        raise FileRefused("its bytes are no text and no format that is known; export it as CSV, JSON, XLSX or Parquet")
    named = Mapping.model_validate(PROBE).format_of(name)
    if named in ("xlsx", "parquet"):
        named = None
    return named or ("jsonl" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "csv")


def shapes(reader: Reader, path: Path, file_format: str) -> Iterator[Shape]:
    """The ways in which a file could be opened, the plainest first. Raises FileRefused where there is none."""
    if file_format == "xlsx":
        yield from _sheets(path)
    elif file_format == "jsonl":
        yield from _documents(reader, path)
    elif file_format == "csv":
        yield _delimited(path)
    else:
        yield Shape()


# --- delimited text


def _delimited(path: Path) -> Shape:
    head, last = _head_and_end(path)
    shape = _encoded(head)
    encoding = shape.content.get("encoding", "utf-8")
    if not last.endswith(b"\n\0" if encoding == "utf-16-le" else b"\n"):
        shape.content["unended_last_line"] = True
        shape.remarks["unended_last_line"] = "its last line has no end: if the sender does end it, this file was cut"
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    if not text.strip():
        raise FileRefused("it holds blank lines and nothing else; send it again")
    comment = "#" if text.startswith("#") and not _is_header_of_values(text) else ""
    if comment:
        shape.content["comment"] = comment
        shape.remarks["comment"] = "lines that begin so are passed over"
        text = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith(comment))
    delimiter, mark, rows = _dialect(text)
    if delimiter != ",":
        shape.content["delimiter"] = delimiter
    if mark != '"':
        shape.content["quote"] = mark
    header_row, index = _header_of(rows)
    if header_row != 1:
        shape.content["header_row"] = header_row
        if header_row == 0:
            shape.remarks["header_row"] = "its first line looks like a row of values, not like a header: is it?"
    if (below := _second_table(rows, index)) is not None:
        shape.content["ends_at_blank_line"] = True
        shape.remarks["ends_at_blank_line"] = f"below a blank line stands something else: {below}"
    return shape


def _head_and_end(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as source:
        head = source.read(HEAD_BYTES)
        source.seek(-min(2, path.stat().st_size), io.SEEK_END)
        return head, source.read()


def _encoded(head: bytes) -> Shape:
    """The encoding, with what else it could be."""
    found = encodings.likely(head)
    shape = Shape({} if found.name == "utf-8" else {"encoding": found.name})
    if found.words:
        shown = found.words[0][1]
        shape.remarks["encoding"] = f"by its bytes, which then read {shown!r}"
    if found.rivals:
        answers = tuple(Answer(f"encoding: {name}", shown) for name, shown in found.words)
        shape.questions.append(
            Question("encoding", "its bytes are text in several encodings: which is right?", answers)
        )
    return shape


def _is_header_of_values(text: str) -> bool:
    """Whether a first line that begins with # is a header all the same, as `#,Name,Followers`."""
    first, _, rest = text.partition("\n")
    return not any(line.startswith("#") for line in rest.split("\n", 3)[:2]) and len(re.findall(r"[,;\t|]", first)) > 0


def _dialect(text: str) -> tuple[str, str, list[tuple[int, list[str]]]]:
    """Delimiter, quote, and rows with their lines: those under which most rows have as many cells, more than one."""
    best: tuple[float, str, str, list[tuple[int, list[str]]]] | None = None
    for delimiter in DELIMITERS:
        for mark in ('"', "'"):
            if mark == "'" and not re.search(
                rf"(?m)^'|{re.escape(delimiter)}'[^']*'(?={re.escape(delimiter)}|\r?$)", text
            ):
                continue
            rows = _rows(text, delimiter, mark)
            widths = [len(row) for _, row in rows if any(cell.strip() for cell in row)]
            if not widths:
                continue
            width = max(set(widths), key=lambda w: (widths.count(w) * (w > 1), w))
            score = widths.count(width) / len(widths) * (1 + width / 100) if width > 1 else 0.01
            score -= 0.001 * (mark == "'" and not any("'" in line for line in text.splitlines()[:1]))
            if best is None or score > best[0]:
                best = (score, delimiter, mark, rows)
    if best is None:
        raise FileRefused("its lines cannot be split into cells; is it text?")
    return best[1:]


def _rows(text: str, delimiter: str, mark: str) -> list[tuple[int, list[str]]]:
    """The first rows, each with the line that it begins in."""
    rows: list[tuple[int, list[str]]] = []
    source = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=mark)
    line = 1
    try:
        for row in source:
            rows.append((line, row))
            line = source.line_num + 1
            if len(rows) >= HEAD_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _header_of(rows: list[tuple[int, list[str]]]) -> tuple[int, int]:
    """Line of the header, 0 where there is none, and its place among the rows."""
    widths = [len(row) for _, row in rows if any(cell.strip() for cell in row)]
    width = max(set(widths), key=lambda w: (widths.count(w) * (w > 1), w))
    for place, (line, row) in enumerate(rows):
        filled = [cell.strip() for cell in row if cell.strip()]
        # The index that pandas writes before the other columns has no header; a title above has one cell.
        if len(row) != width or len(filled) < max(min(2, width), width * 0.6):
            continue
        if _is_of_values(row, [other for _, other in rows[place + 1 : place + 20] if len(other) == width]):
            return (0, 0) if place == 0 else (line, place)
        return line, place
    return 1, 0


def _is_of_values(row: list[str], below: list[list[str]]) -> bool:
    """Whether a row is one of values, where its header should be: its cells are like those below them."""
    alike = [
        column
        for column, cell in enumerate(row)
        if VALUE.fullmatch(cell.strip()) and any(VALUE.fullmatch(other[column].strip()) for other in below)
    ]
    # Years, or places, may stand side by side as headers.
    words = [cell for cell in row if re.search(r"[^\W\d_]", cell)]
    return bool(alike) and len(alike) >= 0.25 * len(row) and len(words) < len(row) and not _are_dates(row)


def _are_dates(row: list[str]) -> bool:
    return any(sum(bool(re.fullmatch(pattern, tidy(cell))) for cell in row) > 1 for pattern in DATES)


def _second_table(rows: list[tuple[int, list[str]]], header: int) -> str | None:
    """What stands below the first blank line of the table and is no row of it; null where there is nothing."""
    width = len(rows[header][1]) if rows else 0
    for place in range(header + 2, len(rows) - 1):
        if not any(cell.strip() for cell in rows[place][1]):
            rest = [row for _, row in rows[place + 1 :] if any(cell.strip() for cell in row)]
            other = next((row for row in rest if len(row) != width), None)
            return repr(", ".join(other)[:60]) if other is not None else None
    return None


def dates_side_by_side(header: list[str]) -> dict[str, Any] | None:
    """How columns become rows whose headers are dates; null where they are none."""
    for pattern in DATES:
        if sum(bool(re.fullmatch(pattern, tidy(name))) for name in header) > 1:
            return {"name": "date", "values": {"followers": pattern}}
    return None


# --- workbooks


def _sheets(path: Path) -> Iterator[Shape]:
    """A shape for each visible sheet that holds a table."""
    with path.open("rb") as source:
        names = containers.visible_sheets(source)
    seen = 0
    for name in names[:MOST_SHEETS]:
        shape = Shape({"sheet": name} if len(names) > 1 else {})
        _, grid, _ = xlsx.read_sheet(path, shape.probe)
        texts = [sum(isinstance(cell, str) and cell.strip() != "" for cell in row) for row in grid[:50]]
        widest = max((sum(cell != "" for cell in row) for row in grid[:50]), default=0)
        header_row = next((n for n, count in enumerate(texts, 1) if count >= max(min(2, widest), widest * 0.6)), 0)
        if not widest or not header_row:
            continue
        seen += 1
        if len(names) > 1:
            others = ", ".join(repr(other) for other in names if other != name)
            shape.remarks["sheet"] = f"not read: {others}"
        yield shape if header_row == 1 else shape.but(header_row=header_row)
    if not seen:
        raise FileRefused("none of its visible sheets holds a table with a header")


# --- JSON


def _documents(reader: Reader, path: Path) -> Iterator[Shape]:
    """A record for each object, and for each item of the lists that lie within."""
    head, _ = _head_and_end(path)
    plain = _encoded(head)
    open_table(reader, path, plain.probe, "jsonl", set(), is_whole=True)
    lists = _lists(reader)
    row = reader.execute("select count(*) from lines").fetchone()
    records = row[0] if row else 0
    yield plain
    for where in lists:
        trait = "rows_at" if records == 1 else "explode"
        if trait == "rows_at" and not _is_one_document(head):
            trait = "explode"
        yield plain.but("a row for each item of this list", **{trait: where})


def _is_one_document(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _lists(reader: Reader) -> list[str]:
    """Paths of the lists of objects within records, at most two keys deep."""
    found = []
    paths = [(name,) for name in _keys(reader, "text")]
    for path in [*paths, *((key, inner) for (key,) in paths for inner in _keys(reader, _at((key,))))]:
        at = _at(path)
        if all(re.fullmatch(r"\w[\w -]*", key) for key in path) and reader.execute(
            f"select count(*) from (select text from lines limit 50) where json_type({at}) = 'ARRAY'"
            f" and json_type(json_extract({at}, '$[0]')) = 'OBJECT'"
        ).fetchone() != (0,):
            found.append(".".join(path))
    return found[:5]


def _at(path: tuple[str, ...]) -> str:
    return f"json_extract(text, {json_path(list(path))})"


def _keys(reader: Reader, value: str) -> list[str]:
    rows = reader.execute(
        f"select distinct unnest(json_keys({value})) from (select text from lines limit 50)"
        f" where json_type({value}) = 'OBJECT' limit 60"
    ).fetchall()
    return sorted(row[0] for row in rows)


def nested(reader: Reader) -> set[str]:
    """Paths of plain values inside the objects of JSON records, two levels down at most."""
    found: set[str] = set()
    for key in _keys(reader, "text"):
        at = _at((key,))
        for inner in _keys(reader, at):
            deeper = _keys(reader, _at((key, inner)))
            found |= {f"{key}.{inner}.{last}" for last in deeper} or {f"{key}.{inner}"}
    return {path for path in found if all(path.split(".")) and quote(path)}
