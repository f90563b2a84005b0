"""A landed file as a table of cells, in whatever format it came. Nothing is typed or judged here.

Each reader returns a `Table`: the header, and a SQL relation with one row per record and a column `c<n>` per header
cell, in the file's order. Records that cannot be split into cells go to the temporary table `rejects`. Records are
counted a second time on the bytes themselves where a format allows it, so a parser that skips one is noticed.
"""

import codecs
import csv
import io
import json
import re
import shutil
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

import duckdb
import numpy as np
import pandas as pd

from ingestion.contracts import Mapping, tidy
from ingestion.errors import FileRefused
from ingestion.mapping import row_filter
from ingestion.values import quote

Reader: TypeAlias = duckdb.DuckDBPyConnection

# The widest vendor layout seen has 23 columns.
MAX_COLUMNS = 1_000
# Longer than DuckDB's own limit of a record (2 MB), which quarantines one record; past this there are no lines.
MAX_LINE_BYTES = 32 << 20
HEADER_LIMIT = 1 << 20
BLOCK = 1 << 18
LINE_ENDS = "chr(13) || chr(10)"
BOM = b"\xef\xbb\xbf"
NOT_UTF8 = "not UTF-8"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
# More cells than a spreadsheet of a million rows and a hundred columns has.
MAX_CELLS = 100_000_000
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
        paths: JSON path of each column, where cells may hold objects.
        rest: makes SQL for what a record holds besides the columns at these positions, where it is no list of cells.
        rows_hint: records, as far as they could be counted, for a file that is refused.
        number: makes the temporary view `numbered` of `judged`, returns the records read.
        notes: what people should know of how it was read.
    """

    header: list[str]
    relation: str
    row: str
    number: Callable[[Reader], int]
    has_lines: bool = False
    types: dict[int, str] = field(default_factory=dict)
    has_header: bool = True
    has_serials: bool = False
    paths: dict[int, str] = field(default_factory=dict)
    rest: Callable[[list[int]], str] | None = None
    rows_hint: int = 0
    notes: tuple[str, ...] = ()


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
    readers = {"csv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet, "xlsx": _read_xlsx}
    for name in ("reject_scans", "reject_errors", "rejects", "records", "lines", "sheet"):
        reader.execute(f"drop table if exists {name}")
    reader.execute(
        "create temp table rejects"
        ' (source_line bigint, column_name varchar, value varchar, reason varchar, "row" varchar)'
    )
    return readers[file_format](reader, plain, mapping, wanted, is_whole)


# --- CSV


@dataclass(frozen=True)
class _Text:
    """A delimited file: where its records are, and how they are written."""

    body: Path
    skip: int
    header: list[str]
    header_lines: int
    lines: int
    delimiter: str
    quote: str
    encoding: str

    @property
    def data_lines(self) -> int:
        return max(0, self.lines - self.header_lines)


def _read_csv(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    text = _open_text(plain, mapping, is_whole)
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
        row=_list_of_cells(len(text.header)),
        number=lambda reader: _number_lines(reader, text),
        has_header=mapping.header_row > 0,
        rows_hint=text.data_lines,
    )


def _list_of_cells(width: int) -> str:
    """A record as read: a JSON list of its cells."""
    return "cast(to_json([" + ", ".join(f"c{index}" for index in range(width)) + "]) as varchar)"


def _open_text(plain: Path, mapping: Mapping, is_whole: bool) -> _Text:
    """Header and number of lines. Raises FileRefused for an empty, cut or wrongly encoded file."""
    source = plain if _is_utf8(mapping) else _transcode(plain, mapping.encoding)
    head, lines, last = _scan_lines(source, mapping)
    header, header_lines = _find_header(head, lines, mapping)
    if last != b"\n":
        if not (is_whole or mapping.unended_last_line):
            raise FileRefused(
                "its last line has no line end, so it may be cut; end the file with one, or send it again", lines
            )
        source, lines = _with_last_line_end(source, head), lines + 1
    body, skip = source, 1
    if mapping.header_row == 0:
        skip = 0
    elif mapping.header_row > 1:
        body, skip = _without_first_lines(source, header_lines), 0
    return _Text(body, skip, header, header_lines, lines, mapping.delimiter, mapping.quote, mapping.encoding)


def _is_utf8(mapping: Mapping) -> bool:
    return codecs.lookup(mapping.encoding).name == "utf-8"


def _scan_lines(source: Path, mapping: Mapping) -> tuple[bytes, int, bytes]:
    """Beginning of a file, its line ends, and its last byte."""
    lines = unended = 0
    last = b""
    with source.open("rb") as file:
        head = block = file.read(HEADER_LIMIT)
        if not head.removeprefix(BOM):
            raise FileRefused("it is empty; send it again")
        if head.startswith(UTF16_BOMS) or _looks_like_utf16(head):
            raise FileRefused("it is UTF-16; save it as UTF-8, or say `encoding: utf-16` in a mapping")
        while block:
            ends = block.count(b"\n")
            lines += ends
            unended = 0 if ends else unended + len(block)
            if unended > MAX_LINE_BYTES:
                raise FileRefused(f"line {lines + 1} is longer than {MAX_LINE_BYTES:,} bytes; is it text?", lines)
            last = block[-1:]
            block = file.read(BLOCK)
    return head, lines, last


def _looks_like_utf16(head: bytes) -> bool:
    """Every other byte of plain text in UTF-16 is NUL."""
    sample = head[:2000]
    return len(sample) >= 4 and max(sample[::2].count(0), sample[1::2].count(0)) > len(sample) // 2 * 0.4


def _invalid_bytes(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are none of the encoding become a byte that no UTF-8 holds, so that their record is set aside."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error("groundswell_invalid", _invalid_bytes)


def _transcode(plain: Path, encoding: str) -> Path:
    """The same text in UTF-8, beside the original. Bytes that are none of the encoding stay invalid."""
    target = plain.with_name(f"{plain.name}.utf8")
    decoder = codecs.getincrementaldecoder(encoding)("groundswell_invalid")
    with plain.open("rb") as source, target.open("wb") as out:
        first = True
        while True:
            block = source.read(BLOCK)
            text = decoder.decode(block, final=not block)
            out.write((text.removeprefix("\ufeff") if first else text).encode("utf-8", "surrogateescape"))
            first = first and not text
            if not block:
                break
    if target.stat().st_size == 0:
        raise FileRefused("it is empty; send it again")
    return target


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
    if any("\0" in cell for cell in header):
        raise FileRefused("its header holds a NUL byte; send it again", data_lines)
    if len(header) > MAX_COLUMNS:
        raise FileRefused(f"its header has {len(header):,} {TOO_MANY_COLUMNS}", data_lines)
    if mapping.header_row == 0:
        return [f"column_{number}" for number in range(1, len(header) + 1)], 0
    return header, mapping.header_row - 1 + records.line_num


def _without_first_lines(source: Path, count: int) -> Path:
    """What stands after the first lines of a file, beside it."""
    target = source.with_name(f"{source.name}.body")
    with source.open("rb") as file, target.open("wb") as out:
        for _ in range(count):
            file.readline()
        while block := file.read(BLOCK):
            out.write(block)
    return target


def _with_last_line_end(source: Path, head: bytes) -> Path:
    """The same text with an end to its last line, beside it."""
    target = source.with_name(f"{source.name}.ended")
    shutil.copyfile(source, target)
    with target.open("ab") as out:
        out.write(b"\r\n" if b"\r\n" in head else b"\n")
    return target


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


def _number_lines(reader: Reader, text: _Text) -> int:
    """Make `numbered` (judged with source_line) and fill `rejects`. Returns records read.

    Where each line is one record and none was rejected the row's place is its line; else the records are found
    again on the bytes. Raises FileRefused when the two counts of records differ.
    """
    rows = one(reader, "select count(*) from judged")
    broken = one(reader, "select count(distinct line_byte_position) from reject_errors")
    if broken == 0 and rows == text.data_lines:
        first = text.header_lines + 1
        reader.execute(
            f"create temp view numbered as select rowid + {first} as source_line, rowid as place, * from judged"
        )
        return rows
    return _locate_records(reader, text, rows, broken)


def _locate_records(reader: Reader, text: _Text, rows: int, broken: int) -> int:
    """Number the rows of a file with blank, broken or many-lined records; move the broken ones to `rejects`."""
    before = text.header_lines if text.skip == 0 else 0
    offsets, lines, sizes = index_records(text.body, text.header_lines - before, text.delimiter, text.quote)
    read = len(offsets)
    if read != rows + broken:
        raise FileRefused(
            f"{read:,} records by its line ends, {rows + broken:,} by its quotes: a quote is missing somewhere",
            max(read, rows + broken),
        )
    reader.register("record_index", {"byte_offset": offsets, "source_line": lines + before, "size": sizes})
    # DuckDB's position of a broken record, and its text, may begin with the line ends and blank lines before it.
    # A misplaced quote must break the same bytes here and there, and within the record that DuckDB blames (near a
    # single line feed in a file of CRLF it blames the one before), or rows would get the lines of others.
    reader.execute(
        f"""
        create temp table records as
        select record_index.*, error.reason, error.row_text
        from record_index left join (
            select line_byte_position - 1 + strlen(any_value(csv_line))
                    - strlen(ltrim(any_value(csv_line), {LINE_ENDS})) as byte_offset,
                ltrim(any_value(csv_line), {LINE_ENDS}) as row_text,
                min(byte_position) - 1 as first_place, max(byte_position) - 1 as last_place,
                strlen(trim(any_value(csv_line), {LINE_ENDS})) as seen_size,
                bool_or(error_type = 'UNQUOTED VALUE') as is_misquoted,
                min({_why_broken(text.encoding)}) as reason
            from reject_errors group by line_byte_position
        ) error on error.byte_offset = record_index.byte_offset and (not is_misquoted or seen_size = size)
            and first_place >= record_index.byte_offset and last_place <= record_index.byte_offset + size + 2
        """
    )
    reader.unregister("record_index")
    if one(reader, "select count(*) from records where reason is not null") != broken:
        raise FileRefused("its broken lines cannot be located; check its quotes", read)
    reader.execute(
        "insert into rejects select source_line, null, null, reason, row_text from records where reason is not null"
    )
    reader.execute(
        """
        create temp view numbered as
        select spot.source_line, spot.place, judged.* from judged
        join (select row_number() over (order by byte_offset) - 1 as place, source_line
              from records where reason is null) spot on judged.rowid = spot.place
        """
    )
    return read


def _why_broken(encoding: str) -> str:
    known = NOT_UTF8 if encoding == "utf-8" else f"not {encoding}"
    return f"""case error_type
        when 'MISSING COLUMNS' then 'fewer cells than the header: ' || error_message
        when 'TOO MANY COLUMNS' then 'more cells than the header: ' || error_message
        when 'INVALID ENCODING' then {quote(known)}
        when 'UNQUOTED VALUE' then 'a quote is missing or stands inside a quoted cell'
        when 'LINE SIZE OVER MAXIMUM' then 'longer than 2,000,000 bytes'
        else lower(error_type) || ': ' || error_message end"""


def index_records(
    plain: Path, header_lines: int, delimiter: str = ",", mark: str = '"'
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Byte offset, 1-based line and bytes (without line end) of every record after the header, but blank lines.

    A line end inside quotes belongs to its cell. Time is linear in the bytes, whatever they hold.
    """
    offsets, lines, sizes = array("q"), array("q"), array("q")
    offset, is_open, opened = 0, False, 0
    ends_open, quote_byte = _open_test(delimiter, mark), mark.encode()
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


def _open_test(delimiter: str, mark: str) -> Callable[[bytes, int, bool], bool]:
    """A test whether a line ends inside a quoted cell, given whether it began in one."""
    if not mark:
        return lambda line, start, is_open: False
    cut, quoted = re.escape(delimiter.encode()), re.escape(mark.encode())
    # A quote opens a cell only at the cell's start, after blanks at most.
    left_open = re.compile(
        rb"(?:(?: *+Q[^Q]*+(?:QQ[^Q]*+)*+Q[^D]*+|(?! *Q)[^D]*+)(?:D|\Z))*+ *+Q".replace(b"Q", quoted).replace(b"D", cut)
    )
    closes = re.compile(rb"[^Q]*+(?:QQ[^Q]*+)*+Q".replace(b"Q", quoted))
    separator = delimiter.encode()

    def ends_open(line: bytes, start: int, is_open: bool) -> bool:
        if is_open:
            closing = closes.match(line)
            if closing is None:
                return True
            cell_end = line.find(separator, closing.end())
            if cell_end < 0:
                return False
            start = cell_end + len(separator)
        return left_open.match(line, start) is not None

    return ends_open


# --- JSON lines


def _read_jsonl(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    source = plain if _is_utf8(mapping) else _transcode(plain, mapping.encoding)
    head, ends, last = _scan_lines(source, mapping)
    if head.removeprefix(BOM).lstrip()[:1] == b"[":
        raise FileRefused("it is a JSON array; write one object a line (`jq -c '.[]'` does so)", ends)
    offsets, sizes = _index_lines(source)
    options = (
        "auto_detect = false, header = false, delim = '\x1f', quote = '', escape = '', strict_mode = true,"
        " columns = {'text': 'VARCHAR'}, null_padding = false, store_rejects = true, rejects_limit = 0"
    )
    try:
        reader.execute(f"create temp table lines as select text from read_csv({quote(str(source))}, {options})")
    except duckdb.Error as error:
        if is_of_the_machine(error):
            raise
        raise FileRefused(f"it cannot be read as JSON lines ({plain_words(error)})", len(offsets)) from error
    _number_json_lines(reader, offsets, sizes, mapping.encoding)
    _reject_non_objects(reader, cut=last != b"\n", total=len(offsets))
    keys = [row[0] for row in reader.execute(KEYS, {"most": MAX_COLUMNS + 1}).fetchall()]
    records = one(reader, "select count(*) from lines") + one(reader, "select count(*) from rejects")
    if len(keys) > MAX_COLUMNS:
        raise FileRefused(f"its objects have {len(keys):,} different {TOO_MANY_COLUMNS}", records)
    header, paths = _json_columns(keys, wanted)
    cells = ", ".join(f"json_extract_string(text, {path}) as c{index}" for index, path in paths.items())
    return Table(
        header=header,
        relation=f"(select source_line, text as whole{', ' if cells else ''}{cells} from lines order by source_line)",
        row="whole",
        number=lambda reader: _number_given(reader, records),
        has_lines=True,
        has_header=False,
        paths=paths,
        rest=lambda taken: _json_rest([keys.index(header[index]) for index in taken if header[index] in keys], keys),
        rows_hint=records,
    )


KEYS = """
select key from (select unnest(json_keys(text)) as key, source_line from lines)
group by key order by min(source_line), key limit $most
"""


def _index_lines(source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Byte offset and bytes of every line."""
    offsets, sizes = array("q"), array("q")
    offset = 0
    with source.open("rb") as file:
        for line in file:
            offsets.append(offset)
            sizes.append(len(line.rstrip(b"\r\n")))
            offset += len(line)
    return np.array(offsets), np.array(sizes)


def _number_json_lines(reader: Reader, offsets: np.ndarray, sizes: np.ndarray, encoding: str) -> None:
    """Give each row of `lines` its line; lines that are no text at all go to `rejects`."""
    why_broken = _why_broken(encoding)
    errors = reader.execute(
        f"select line_byte_position - 1, min({why_broken}), any_value(csv_line) from reject_errors group by 1"
    ).fetchall()
    broken = np.searchsorted(offsets, [row[0] for row in errors]) if errors else np.array([], dtype=np.int64)
    rows = one(reader, "select count(*) from lines")
    if rows + len(set(broken)) != len(offsets) or any(broken >= len(offsets)):
        raise FileRefused("its lines cannot be told apart; end each with one line feed", len(offsets))
    spots = np.delete(np.arange(1, len(offsets) + 1), broken)
    reader.register("spots", {"place": np.arange(len(spots)), "source_line": spots})
    reader.execute(
        "create or replace temp table lines as select source_line, text from lines join spots on lines.rowid = place"
        " where trim(text) <> ''"
    )
    reader.unregister("spots")
    controls = "a raw control character; JSON writes it as \\u001f"
    for place, (_, why, shown) in zip(broken, errors, strict=True):
        why = controls if why.startswith("more cells") else why
        reader.execute("insert into rejects values (?, null, null, ?, ?)", [int(place) + 1, why, shown])


def _reject_non_objects(reader: Reader, cut: bool, total: int) -> None:
    """Move lines that are no JSON object to `rejects`. A broken last line without an end means a cut file."""
    if cut and one(reader, f"select count(*) from lines where source_line = {total} and not json_valid(text)"):
        raise FileRefused("its last line is cut; send it again", total)
    reader.execute(
        """
        create or replace temp table lines as
        select *, case when not json_valid(text) then 'not JSON' when json_type(text) <> 'OBJECT' then 'no JSON object'
            when len(json_keys(text)) <> len(list_distinct(json_keys(text))) then 'a key stands there twice'
            end as problem
        from lines
        """
    )
    reader.execute(
        "insert into rejects select source_line, null, null, problem, text from lines where problem is not null"
    )
    reader.execute("delete from lines where problem is not null")


def _json_columns(keys: list[str], wanted: set[str]) -> tuple[list[str], dict[int, str]]:
    """Names of the columns (keys, and the paths that are asked for), and the path of each that is asked for."""
    header = list(keys)
    paths = {}
    for name in sorted(wanted, key=lambda name: (name not in keys, name)):
        found = name if name in keys else next((key for key in keys if key.lower() == name), None)
        if found is not None:
            paths[header.index(found)] = _json_path([found])
        elif "." in name and name.split(".")[0] in keys:
            header.append(name)
            paths[len(header) - 1] = _json_path(name.split("."))
    return header, paths


def _json_path(keys: list[str]) -> str:
    escaped = (key.replace("\\", "\\\\").replace('"', '\\"') for key in keys)
    return quote("$" + "".join(f'."{key}"' for key in escaped))


def json_list(cell: str, path: str) -> str:
    """A cell of a JSON record as text; a list of plain values joined by `|`, as the feeds write lists."""
    found = f"json_extract(whole, {path})"
    is_plain = f"json_type({found}) = 'ARRAY' and not regexp_matches(cast({found} as varchar), '^\\[.*[\\[{{|]')"
    joined = f"array_to_string(from_json({found}, '[\"VARCHAR\"]'), '|')"
    return f"case when {cell} like '[%' and {is_plain} then {joined} else {cell} end"


def _json_rest(taken: list[int], keys: list[str]) -> str:
    """The record without the keys that were taken, null where nothing is left."""
    patch = quote(json.dumps({keys[index]: None for index in taken}, ensure_ascii=False))
    return f"nullif(cast(json_merge_patch(whole, {patch}) as varchar), '{{}}')"


# --- Parquet


def _read_parquet(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    _refuse_unlike_parquet(plain)
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
        row=_list_of_cells(len(names)) if not types else _list_of_texts(len(names)),
        number=lambda reader: _number_given(reader, rows),
        has_lines=True,
        types=types,
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


# Types whose values are compared and shown as text; all other plain types stay what they are.
AS_TEXT = ("BLOB", "BIT", "INTERVAL", "UUID", "ENUM", "TIME")
NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")


def _parquet_cell(name: str, kind: str) -> tuple[str, str]:
    """SQL of a column and its type: lists of texts joined by `|`, other nested values as JSON, the rest as it is."""
    column = '"' + name.replace('"', '""') + '"'
    if kind == "VARCHAR[]":
        return f"array_to_string({column}, '|')", "VARCHAR"
    if kind.endswith("]") or kind.startswith(NESTED):
        return f"cast(to_json({column}) as varchar)", "VARCHAR"
    if kind.startswith("TIMESTAMP"):
        wide = "TIMESTAMP WITH TIME ZONE" if kind.endswith("ZONE") else "TIMESTAMP"
        return f"cast({column} as {wide})", wide
    return (f"cast({column} as varchar)", "VARCHAR") if kind.startswith(AS_TEXT) else (column, kind)


def _list_of_texts(width: int) -> str:
    return "cast(to_json([" + ", ".join(f"cast(c{index} as varchar)" for index in range(width)) + "]) as varchar)"


# --- XLSX


def _read_xlsx(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    name, grid, others = _read_sheet(plain, mapping)
    first = max(mapping.header_row, 0)
    if mapping.header_row:
        if len(grid) < mapping.header_row:
            raise FileRefused(
                f"sheet {name!r} holds no header in row {mapping.header_row}; say `header_row` or `sheet`"
            )
        header = [(_cell_text(cell) or "").strip() for cell in grid[mapping.header_row - 1]]
        while header and not header[-1]:
            header.pop()
    else:
        header = [f"column_{number}" for number in range(1, max(map(len, grid), default=0) + 1)]
    if not any(header):
        raise FileRefused(f"sheet {name!r} holds no header in row {mapping.header_row}; say `header_row` or `sheet`")
    if len(header) > MAX_COLUMNS:
        raise FileRefused(f"its header has {len(header):,} {TOO_MANY_COLUMNS}", max(0, len(grid) - first))
    rows = [(line, cells) for line, cells in enumerate(grid[first:], start=first + 1) if any(c != "" for c in cells)]
    width = len(header)
    frame = pd.DataFrame({"source_line": np.array([line for line, _ in rows], dtype="int64")})
    beyond = pd.Series([any(c != "" for c in cells[width:]) for _, cells in rows], dtype=bool)
    columns = {
        f"c{index}": pd.Series([_cell_text(cells[index]) for _, cells in rows], dtype=object) for index in range(width)
    }
    reader.register("frame", pd.concat([frame, pd.DataFrame({**columns, "is_wide": beyond})], axis=1))
    casts = ", ".join(f"cast(c{index} as varchar) as c{index}" for index in range(width))
    reader.execute(f"create temp table sheet as select source_line, is_wide, {casts} from frame order by source_line")
    reader.unregister("frame")
    reader.execute(
        "insert into rejects select source_line, null, null, 'more cells than the header',"
        f" {_list_of_cells(width)} from sheet where is_wide"
    )
    return Table(
        header=header,
        relation="(select * exclude (is_wide) from sheet where not is_wide order by source_line)",
        row=_list_of_cells(width),
        number=lambda reader: _number_given(reader, len(rows)),
        has_lines=True,
        has_header=mapping.header_row > 0,
        has_serials=True,
        rows_hint=len(rows),
        notes=(f"read was sheet {name!r}, not {', '.join(repr(other) for other in others)}",) if others else (),
    )


def _read_sheet(plain: Path, mapping: Mapping) -> tuple[str, list[list[Any]], list[str]]:
    """Name and cells of the sheet that the mapping asks for, and the names of the others that are visible."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        with CalamineWorkbook.from_path(plain) as book:
            visible = [meta.name for meta in book.sheets_metadata if meta.visible == SheetVisibleEnum.Visible]
            name = _choose_sheet(book.sheet_names, visible, mapping.sheet)
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height * sheet.total_width > MAX_CELLS:
                raise FileRefused(f"sheet {name!r} spans {sheet.total_height:,} rows of {sheet.total_width:,} cells")
            grid = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ValueError) as error:
        raise FileRefused(f"it cannot be read as XLSX ({error}); save it again as .xlsx") from error
    except BaseException as error:
        # A panic of the reader, which is written in Rust, is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FileRefused(f"it cannot be read as XLSX ({error}); save it again as .xlsx") from error
    return name, grid, [] if mapping.sheet is not None else [other for other in visible if other != name]


def _choose_sheet(names: list[str], visible: list[str], wanted: str | int | None) -> str:
    if not names:
        raise FileRefused("it has no sheet")
    if wanted is None:
        return (visible or names)[0]
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(names):
            raise FileRefused(f"it has no sheet number {wanted}; it has {', '.join(map(repr, names))}")
        return names[wanted - 1]
    if wanted not in names:
        raise FileRefused(f"it has no sheet {wanted!r}; it has {', '.join(map(repr, names))}")
    return wanted


def _cell_text(cell: Any) -> str | None:
    """A cell as its text: whole numbers without a point, times in ISO 8601; an empty one, or a failed formula, null."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(int(cell.total_seconds()))
    return str(cell)


def verify_zip(plain: Path, limit: int) -> None:
    """Unpack a zip to nowhere, with its checksums, under a limit of bytes. Raises FileRefused where either fails."""
    size = 0
    try:
        with zipfile.ZipFile(plain) as archive:
            for member in archive.infolist():
                with archive.open(member) as source:
                    while block := source.read(BLOCK):
                        size += len(block)
                        if size > limit:
                            raise FileRefused(
                                f"unpacks to more than {limit:,} bytes; if that is honest, raise"
                                " GROUNDSWELL_MAX_UNPACKED_BYTES"
                            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise FileRefused(f"it is no whole XLSX file ({error}); save it again, or correct its name") from error


# --- shared


def _number_given(reader: Reader, read: int) -> int:
    """`numbered` where the table carries its lines already."""
    reader.execute("create temp view numbered as select rowid as place, * from judged")
    found = one(reader, "select (select count(*) from judged) + (select count(*) from rejects)")
    if found != read:
        raise FileRefused(f"{read:,} records were announced, {found:,} were read; send it again", max(read, found))
    return read


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
            yield from source.template_columns
        if part.keep:
            yield from row_filter.parse(part.keep).columns
