"""Delimited text as a table of cells.

Records are counted a second time on the bytes themselves, so a parser that skips one is noticed.
"""

import csv
import io
import shutil
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ingestion.errors import FileRefused
from ingestion.mapping.grammar import Mapping
from ingestion.readers.table import BLOCK, MAX_COLUMNS, TOO_MANY_COLUMNS, Reader, Table, list_of_cells, one
from ingestion.readers.text import (
    BOM,
    HEADER_LIMIT,
    LINE_ENDS,
    is_utf8,
    open_test,
    scan_lines,
    transcode,
    why_broken,
    with_one_line_end,
)
from ingestion.sql import quote

# So many in a row are no spacing.
MANY_BLANK_LINES = 1_000


@dataclass(frozen=True)
class _Text:
    """A delimited file: where its records are, how they are written, and how many lines stand below its table."""

    body: Path
    skip: int
    header: list[str]
    header_lines: int
    lines: int
    delimiter: str
    quote: str
    encoding: str
    below: int = 0
    has_odd_quotes: bool = False

    @property
    def data_lines(self) -> int:
        return max(0, self.lines - self.header_lines)


def read_csv(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    text = _open_text(plain, mapping, is_whole)
    if text.has_odd_quotes:
        # DuckDB takes memory without bound for a quote that is never closed, where many are doubled after it.
        _index(text)
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(text.header)))
    escape = f"quote = {quote(text.quote)}, escape = {quote(text.quote)}"
    relation = (
        f"read_csv({quote(str(text.body))}, auto_detect = false, header = false, skip = {text.skip},"
        f" delim = {quote(text.delimiter)}, {escape}, columns = {{{columns}}}, strict_mode = true,"
        " null_padding = false, store_rejects = true, rejects_limit = 0)"
    )
    return Table(
        header=text.header,
        relation=relation,
        row=list_of_cells(len(text.header)),
        number=lambda reader, table, view: _number_lines(reader, text, table, view),
        has_header=mapping.header_row > 0,
        rows_hint=text.data_lines,
        notes=(f"not read: {text.below:,} lines below the end of its table",) if text.below else (),
    )


def _open_text(plain: Path, mapping: Mapping, is_whole: bool) -> _Text:
    """Header and number of lines. Raises FileRefused for an empty, cut or wrongly encoded file."""
    source = plain if is_utf8(mapping) else transcode(plain, mapping.encoding)
    scan = scan_lines(source, mapping)
    head, lines = scan.head, scan.lines
    line_end = b"\r\n" if scan.returns else b"\n"
    if scan.is_mixed:
        # A quoted cell keeps its own: what the head holds says no longer how lines end.
        source, line_end = with_one_line_end(source, mapping.delimiter, mapping.quote), b"\n"
        head = _head_of(source)
    if mapping.is_plain_table:
        header, header_lines = _find_header(head, lines, mapping)
    if scan.last != b"\n":
        if not (is_whole or mapping.unended_last_line):
            raise FileRefused(
                "its last line has no line end, so it may be cut; end the file with one, or send it again", lines
            )
        source, lines = _with_last_line_end(source, line_end), lines + 1
    if not mapping.is_plain_table:
        return _cut_out(source, lines, mapping)
    body, skip = source, 1
    if mapping.header_row == 0:
        skip = 0
    elif header_lines > 1:
        # DuckDB skips lines, whatever their quotes say; near another line end it skips all of them.
        body, skip = _without_first_lines(source, header_lines), 0
    return _Text(
        body, skip, header, header_lines, lines, mapping.delimiter, mapping.quote, mapping.encoding,
        has_odd_quotes=scan.quotes % 2 == 1,
    )  # fmt: skip


def _find_header(head: bytes, lines: int, mapping: Mapping) -> tuple[list[str], int]:
    """Header cells, and how many lines stand before the first record."""
    data_lines = max(0, lines - max(mapping.header_row, 1))
    text = head.removeprefix(BOM).decode("utf-8", errors="replace")
    if mapping.header_row > 1:
        before = text.split("\n", mapping.header_row - 1)
        if len(before) < mapping.header_row:
            raise FileRefused(f"it ends before line {mapping.header_row}, where its header should be", lines)
        text = before[-1]
    try:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if mapping.quote else csv.QUOTE_NONE
        lines_of_text = io.StringIO(text, newline="\n")
        records = csv.reader(
            lines_of_text, delimiter=mapping.delimiter, quotechar=mapping.quote or None, quoting=quoting, strict=True
        )
        header = [cell.strip() for cell in next(records)]
    except (csv.Error, StopIteration) as error:
        raise FileRefused(f"its header line cannot be read ({error})", data_lines) from error
    _check_header(header, data_lines)
    if mapping.header_row == 0:
        return [f"column_{number}" for number in range(1, len(header) + 1)], 0
    return header, mapping.header_row - 1 + records.line_num


def _cut_out(source: Path, lines: int, mapping: Mapping) -> _Text:
    """The table that a mapping means, where other lines stand around it; blank ones in its body keep the numbers."""
    target = source.with_name(f"{source.name}.body")
    mark, comment = mapping.quote.encode(), (mapping.comment or "").encode()
    blank, ends_open = b" \t\r\n" + mapping.delimiter.encode(), open_test(mapping.delimiter, mapping.quote)
    header: list[str] | None = None
    header_lines = seen = last = rows = 0
    is_open, record = False, b""
    with source.open("rb") as file, target.open("wb") as out:
        for number, line in enumerate(file, start=1):
            text = line.removeprefix(BOM) if number == 1 else line
            is_start = not is_open
            is_passed = is_start and bool(comment) and text.startswith(comment)
            if not is_passed and mark and (is_open or mark in text):
                is_open = ends_open(text, 0, is_open)
            if header is None:
                record = text if is_start else record + text
                if is_open or is_passed or (mapping.comment and not text.strip(blank)):
                    continue
                cells, seen = _cells(record, mapping), seen + 1
                if mapping.header_row == 0:
                    header = [f"column_{place}" for place in range(1, len(cells) + 1)]
                    out.write(record)
                elif mapping.is_header(cells) if mapping.header else seen == mapping.header_row:
                    header, header_lines = cells, number
            elif is_passed:
                out.write(b"\r\n" if line.endswith(b"\r\n") else b"\n")
            elif is_start and rows and mapping.ends_at_blank_line and not text.strip(blank):
                break
            else:
                rows += 1
                out.write(text)
            last = number
    if header is None:
        reason = mapping.no_header() if mapping.header else f"it ends before its header, line {mapping.header_row}"
        raise FileRefused(reason, lines)
    _check_header(header, lines)
    if is_open:
        raise FileRefused("a quote is never closed", lines)
    return _Text(
        target, 0, header, header_lines, last, mapping.delimiter, mapping.quote, mapping.encoding, below=lines - last
    )


def _cells(record: bytes, mapping: Mapping) -> list[str]:
    """Cells of one record; none where its quotes make no sense."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if mapping.quote else csv.QUOTE_NONE
    lines = io.StringIO(record[:HEADER_LIMIT].decode("utf-8", errors="replace"), newline="\n")
    try:
        reader = csv.reader(lines, delimiter=mapping.delimiter, quotechar=mapping.quote or None, quoting=quoting)
        return [cell.strip() for cell in next(reader)]
    except (csv.Error, StopIteration):
        return []


def _head_of(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(HEADER_LIMIT)


def _check_header(header: list[str], data_lines: int) -> None:
    if any("\0" in cell for cell in header):
        raise FileRefused("its header holds a NUL byte; send it again", data_lines)
    if len(header) > MAX_COLUMNS:
        raise FileRefused(f"its header has {len(header):,} {TOO_MANY_COLUMNS}", data_lines)


def _without_first_lines(source: Path, count: int) -> Path:
    """What stands after the first lines of a file, beside it."""
    target = source.with_name(f"{source.name}.body")
    with source.open("rb") as file, target.open("wb") as out:
        for _ in range(count):
            file.readline()
        while block := file.read(BLOCK):
            out.write(block)
    return target


def _with_last_line_end(source: Path, line_end: bytes) -> Path:
    """The same text with an end to its last line, beside it."""
    target = source.with_name(f"{source.name}.ended")
    shutil.copyfile(source, target)
    with target.open("ab") as out:
        out.write(line_end)
    return target


def _number_lines(reader: Reader, text: _Text, table: str, view: str) -> int:
    """Make a view of a table with `place` and `source_line`, and fill `rejects`. Returns records read.

    Where each line is one record and none was rejected the row's place is its line; else the records are found
    again on the bytes. Raises FileRefused when the two counts of records differ.
    """
    rows = one(reader, f"select count(*) from {table}")
    broken = one(reader, "select count(distinct line_byte_position) from reject_errors")
    if broken == 0 and rows == text.data_lines:
        first = text.header_lines + 1
        reader.execute(
            f"create temp view {view} as select rowid + {first} as source_line, rowid as place, * from {table}"
        )
        return rows
    return _locate_records(reader, text, rows, broken, table, view)


def _locate_records(reader: Reader, text: _Text, rows: int, broken: int, table: str, view: str) -> int:
    """Number the rows of a file with blank, broken or many-lined records; move the broken ones to `rejects`."""
    before = text.header_lines if text.skip == 0 else 0
    offsets, lines, sizes = _index(text)
    read = len(offsets)
    if read != rows + broken:
        raise FileRefused(
            f"{read:,} records by its line ends, {rows + broken:,} by its quotes: a quote is missing somewhere",
            max(read, rows + broken),
        )
    reader.register("record_index", {"byte_offset": offsets, "source_line": lines + before, "size": sizes})
    # DuckDB's position of a broken record, and its text, may begin with the line ends and blank lines before it.
    # A misplaced quote must break the same bytes here and there, and within the record that DuckDB blames, or rows
    # would get the lines of others.
    # Joined by the offset alone, and filtered then: with more conditions the join compares each pair of lines.
    reader.execute(
        f"""
        create temp table records as
        with errors as (
            select line_byte_position - 1 + strlen(any_value(csv_line))
                    - strlen(ltrim(any_value(csv_line), {LINE_ENDS})) as byte_offset,
                ltrim(any_value(csv_line), {LINE_ENDS}) as row_text,
                min(byte_position) - 1 as first_place, max(byte_position) - 1 as last_place,
                strlen(trim(any_value(csv_line), {LINE_ENDS})) as seen_size,
                bool_or(error_type = 'UNQUOTED VALUE') as is_misquoted,
                min({why_broken(text.encoding)}) as reason
            from reject_errors group by line_byte_position
        ),

        blamed as (
            select byte_offset, reason, row_text from errors join record_index using (byte_offset)
            where (not is_misquoted or seen_size = size)
                and first_place >= byte_offset and last_place <= byte_offset + size + 2
        )

        select record_index.*, blamed.reason, blamed.row_text from record_index left join blamed using (byte_offset)
        """
    )
    reader.unregister("record_index")
    if one(reader, "select count(*) from records where reason is not null") != broken:
        raise FileRefused(_why_not_located(lines + before, text.header_lines), read)
    reader.execute(
        "insert into rejects select source_line, null, null, reason, row_text from records where reason is not null"
    )
    reader.execute(
        f"""
        create temp view {view} as
        select spot.source_line, spot.place, {table}.* from {table}
        join (select row_number() over (order by byte_offset) - 1 as place, source_line
              from records where reason is null) spot on {table}.rowid = spot.place
        """
    )
    return read


def _index(text: _Text) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the records of a table are, as `index_records`. Raises FileRefused for a quote that is never closed."""
    before = text.header_lines if text.skip == 0 else 0
    return index_records(text.body, text.header_lines - before, text.delimiter, text.quote)


def _why_not_located(lines: np.ndarray, header_lines: int) -> str:
    """Why broken lines cannot be told apart: blank lines belong to the record after them, and many make it too long."""
    gaps = np.diff(lines, prepend=header_lines) - 1
    widest = int(gaps.argmax()) if len(gaps) else 0
    if len(gaps) and gaps[widest] >= MANY_BLANK_LINES:
        return f"{gaps[widest]:,} blank lines stand before line {lines[widest]:,}; take them out"
    return "its broken lines cannot be located; check its quotes"


def index_records(
    plain: Path, header_lines: int, delimiter: str = ",", mark: str = '"'
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Byte offset, 1-based line and bytes (without line end) of every record after the header, but blank lines.

    A line end inside quotes belongs to its cell. Time is linear in the bytes, whatever they hold.
    """
    offsets, lines, sizes = array("q"), array("q"), array("q")
    offset, is_open, opened = 0, False, 0
    ends_open, quote_byte = open_test(delimiter, mark), mark.encode()
    with plain.open("rb") as source:
        for number, line in enumerate(source, start=1):
            start = 3 if number == 1 and line.startswith(BOM) else 0
            if not is_open:
                opened = number
                if number > header_lines and line[start:] not in (b"\n", b"\r\n"):
                    offsets.append(offset)
                    lines.append(number)
            if mark and (is_open or quote_byte in line):
                is_open = ends_open(line, start, is_open)
            offset += len(line)
            if not is_open and len(sizes) < len(offsets):
                sizes.append(offset - offsets[-1] - len(line) + len(line.rstrip(b"\r\n")))
    if is_open:
        raise FileRefused(f"a quote opened in line {opened} is never closed", len(offsets))
    return np.array(offsets), np.array(lines), np.array(sizes)
