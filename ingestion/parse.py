"""One landed CSV to typed rows and reasons, in DuckDB: no row is dropped, every cell is accepted or named.

The file is read once, into the temporary table `judged`: one row per record that could be split into cells, with a
value `v_<name>` per feed column and, where a cell is bad, its name, text and reason. `numbered` is the same with
`source_line`; `dropped` lists the lines of twins that do not stay; `rejects` holds what goes to quarantine
(source_line, column_name, value, reason, row); `accepted` is the view that `raw` writes. Records are counted a
second time on the bytes themselves, so a parser that skips one is noticed.
"""

import csv
import difflib
import io
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import duckdb
import numpy as np

from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import CanonicalMapping, ColumnSource, Feed, FeedColumn, Mapping
from ingestion.errors import FileRefused

Reader: TypeAlias = duckdb.DuckDBPyConnection

MAX_COUNT = 10**12
MAX_ID_BYTES = 255
MAX_TEXT_CHARACTERS = 10_000
# The widest vendor layout seen has 23 columns.
MAX_COLUMNS = 1_000
# Longer than DuckDB's own limit of a record (2 MB), which quarantines one record; past this there are no lines.
MAX_LINE_BYTES = 32 << 20
# A clock a day off in either zone is honest; more is a wrong year or a wrong unit.
MAX_HOURS_AHEAD = 48
# The oldest platform here, YouTube, opened in 2005.
EARLIEST = "2005-01-01"
HEADER_LIMIT = 1 << 20
BLOCK = 1 << 18
VALUE_SHOWN = 200
DECIMALS = {"amount": ("decimal(18, 4)", 4), "rate": ("decimal(18, 8)", 8)}
YES, NO = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"
LINE_ENDS = "chr(13) || chr(10)"

UTC_TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?)?"
# No zone on earth is more than 14 h from UTC; DuckDB would take +99:00.
OFFSET_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
# A line that ends inside a quoted cell. A quote opens a cell only at the cell's start, after blanks at most.
LEFT_OPEN = re.compile(rb'(?:(?: *+"[^"]*+(?:""[^"]*+)*+"[^,]*+|(?! *")[^,]*+)(?:,|\Z))*+ *+"')
CLOSES = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')


@dataclass(frozen=True)
class Delivery:
    """What every row of a file carries besides its cells. Times are UTC without zone."""

    batch_id: str
    sha256: str
    file: str
    as_of: datetime
    file_time: datetime | None
    loaded_at: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of a file: read = accepted + quarantined + duplicate."""

    state: str
    reason: str | None = None
    header: list[str] | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    has_rejects: bool = False


@dataclass(frozen=True)
class Shape:
    """Header of a file, where its records begin, and how many lines it has."""

    header: list[str]
    header_lines: int
    lines: int

    @property
    def data_lines(self) -> int:
        return max(0, self.lines - self.header_lines)


@dataclass(frozen=True)
class Layout:
    """How one file is read: its shape, the feed it fills, the mapping, and where each feed column stands in it."""

    plain: Path
    shape: Shape
    feed: Feed
    mapping: Mapping
    positions: dict[str, int]
    delivery: Delivery


def connect(settings: Settings) -> Reader:
    """A DuckDB of its own for reading landed files; spills under `build/`."""
    spill = settings.data / "build" / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    reader = duckdb.connect(":memory:", config={**DUCKDB_CONFIG, "temp_directory": str(spill)})
    reader.execute("set TimeZone = 'UTC'")
    return reader


def read_file(reader: Reader, plain: Path, feed: Feed, mapping: Mapping, delivery: Delivery) -> Outcome:
    """Type one plain CSV into `accepted` and `rejects`.

    Args:
        plain: unpacked copy; its name holds no pattern characters.
    Raises:
        FileRefused: when the file cannot be read as a whole (empty, cut, a required column missing).
    """
    shape = read_shape(plain)
    layout = Layout(plain, shape, feed, mapping, match_header(shape, feed, mapping), delivery)
    _judge(reader, layout)
    rows_read = _number_lines(reader, layout)
    if rows_read == 0:
        raise FileRefused("it holds a header and no row; if a day has no rows, send no file")
    duplicates = _settle_twins(reader, layout)
    rejected = _one(reader, "select count(*) from rejects")
    accepted = _one(reader, f"select count(*) from numbered where {_STAYS}")
    outages = _outages(reader, mapping)
    notes = [
        *_note_absent(layout),
        *(f"outage: {share:.0%} of {n} are 0, read as not captured" for n, share in outages),
    ]
    if accepted == 0:
        example = reader.execute("select source_line, column_name, reason from rejects order by 1 limit 1").fetchone()
        first = f"line {example[0]}, {example[1] or 'the whole line'}: {example[2]}" if example else "a duplicate"
        notes.insert(0, f"no row was accepted; the first: {first}")
    _make_accepted_view(reader, layout, {name for name, _ in outages})
    return Outcome(
        state="accepted" if accepted else "quarantined",
        reason="; ".join(notes) or None,
        header=shape.header,
        rows_read=rows_read,
        rows_accepted=accepted,
        rows_quarantined=rejected,
        rows_duplicate=duplicates,
        has_rejects=rejected > 0,
    )


def read_shape(plain: Path) -> Shape:
    """Header and number of lines. Raises FileRefused for an empty, cut or wrongly encoded file."""
    lines = unended = 0
    last = b""
    with plain.open("rb") as source:
        head = block = source.read(HEADER_LIMIT)
        if not head:
            raise FileRefused("it is empty; send it again")
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise FileRefused("it is UTF-16; save it as UTF-8")
        while block:
            ends = block.count(b"\n")
            lines += ends
            unended = 0 if ends else unended + len(block)
            if unended > MAX_LINE_BYTES:
                raise FileRefused(f"line {lines + 1} is longer than {MAX_LINE_BYTES:,} bytes; is it a CSV?", lines)
            last = block[-1:]
            block = source.read(BLOCK)
    header, header_lines = _read_header(head, lines)
    if last != b"\n":
        raise FileRefused(
            "its last line has no line end, so it may be cut; end the file with one, or send it again", lines
        )
    return Shape(header, header_lines, lines)


def _read_header(head: bytes, lines: int) -> tuple[list[str], int]:
    """Header cells, and how many lines they take."""
    try:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")
        records = csv.reader(io.StringIO(text, newline="\n"), strict=True)
        header = [cell.strip() for cell in next(records)]
    except (csv.Error, StopIteration) as error:
        raise FileRefused(f"its header line cannot be read ({error})", max(0, lines - 1)) from error
    if any("\0" in cell for cell in header):
        raise FileRefused("its header holds a NUL byte; send it again", max(0, lines - 1))
    if len(header) > MAX_COLUMNS:
        raise FileRefused(f"its header has {len(header):,} cells, more than {MAX_COLUMNS:,}", max(0, lines - 1))
    return header, records.line_num


def match_header(shape: Shape, feed: Feed, mapping: Mapping) -> dict[str, int]:
    """Position in the file of each feed column that it supplies.

    Raises FileRefused when a required column is missing (naming the nearest header) or stands there twice.
    """
    canonical = isinstance(mapping, CanonicalMapping)
    names = [name.lower() if canonical else name for name in shape.header]
    found = {}
    for column, source in mapping.columns.items():
        if source.from_ is None:
            continue
        positions = [index for index, name in enumerate(names) if name == source.from_]
        if len(positions) > 1:
            raise FileRefused(
                f"header {source.from_!r} stands there {len(positions)} times; keep one", shape.data_lines
            )
        if positions:
            found[column] = positions[0]
        elif feed.columns[column].required or not canonical:
            hint = _nearest(source.from_, shape.header)
            reason = f"missing required column {source.from_!r}{hint}; rename it or add a mapping"
            raise FileRefused(reason, shape.data_lines)
    return found


def _nearest(name: str, header: Sequence[str]) -> str:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return f"; the header reads as one column, {header[0][:80]!r}: separate cells with commas"
    near = difflib.get_close_matches(name.lower(), [cell.lower() for cell in header], n=1, cutoff=0.5)
    shown = ", ".join(repr(cell[:40]) for cell in header[:8])
    return f"; the nearest header is {near[0][:80]!r}" if near else f"; the header begins {shown}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _csv_sql(layout: Layout) -> str:
    """The file as cells c0, c1, ..., all text, its broken records in `reject_errors`; the header is skipped."""
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(layout.shape.header)))
    return (
        f"read_csv({_quote(str(layout.plain))}, auto_detect = false, header = false, skip = 1, delim = ',',"
        f" quote = '\"', escape = '\"', columns = {{{columns}}}, strict_mode = true, null_padding = false,"
        " store_rejects = true, rejects_limit = 0)"
    )


def _cells_sql(layout: Layout) -> str:
    """A record as read: a JSON list of its cells."""
    return "cast(to_json([" + ", ".join(f"c{index}" for index in range(len(layout.shape.header))) + "]) as varchar)"


def _extra_sql(layout: Layout) -> str:
    """Cells that no feed column takes, as JSON by header; a repeated or empty header gets a name of its own."""
    header = layout.shape.header
    ignored = {index for index, name in enumerate(header) if name in layout.mapping.ignore}
    names: dict[str, int] = {}
    for index, header_name in enumerate(header):
        if index not in ignored and index not in layout.positions.values():
            name = header_name or f"column_{index + 1}"
            names[f"{name}#{index + 1}" if name in names else name] = index
    pairs = ", ".join(f"{_quote(name)}, c{index}" for name, index in names.items())
    return f"cast(json_object({pairs}) as varchar)" if pairs else "cast(null as varchar)"


def _text_sql(layout: Layout, name: str) -> str:
    """The cell of a feed column as trimmed text, null when empty or not supplied."""
    source = layout.mapping.columns.get(name)
    if source is None:
        return "cast(null as varchar)"
    if source.constant is not None:
        return _quote(source.constant)
    if source.from_file_time:
        if layout.delivery.file_time is None:
            raise FileRefused("its name carries no time, and its rows neither")
        return _quote(layout.delivery.file_time.isoformat(sep=" "))
    if name not in layout.positions:
        return "cast(null as varchar)"
    raw = f"c{layout.positions[name]}"
    # `trim` on every cell would be a quarter of the landing's time; few cells have blanks around them.
    cell = f"case when {raw} like ' %' or {raw} like '% ' then nullif(trim({raw}), '') when {raw} <> '' then {raw} end"
    return f"nullif(regexp_extract({cell}, {_quote(source.extract)}, 1), '')" if source.extract else cell


def _value_sql(column: FeedColumn, text: str) -> str:
    """Typed value of a trimmed text, null where it is not one."""
    kind = column.type
    if kind in ("count", "integer"):
        number = f"cast({text} as bigint)"
        # Most counts read back as they were written; the pattern, which costs more, judges the others.
        plain = f"cast(try_cast({text} as bigint) as varchar) = {text} and {number} between 0 and {MAX_COUNT}"
        padded = f"regexp_full_match({text}, '[0-9]{{1,13}}') and {number} <= {MAX_COUNT}"
        return f"case when {plain} then {number} when {padded} then {number} end"
    if kind == "timestamp":
        # A bare `timestamp` cast drops an offset without a word; a cast with one wants the seconds written out.
        with_seconds = f"regexp_replace({text}, '^(.{{16}})(Z|[+-])', '\\1:00\\2')"
        return (
            f"case when {text} like '____-__-__T__:__:__Z' then try_cast({text} as timestamp)"
            f" when regexp_full_match({text}, '{UTC_TIME}') then try_cast({text} as timestamp)"
            f" when regexp_full_match({text}, '{OFFSET_TIME}')"
            f" then try_cast({with_seconds} as timestamptz) at time zone 'UTC' end"
        )
    if kind == "date":
        midnight = "[T ]00:00(:00(\\.0+)?)?Z?"
        return (
            f"case when {text} like '____-__-__' then try_cast({text} as date)"
            f" when regexp_full_match({text}, '\\d{{4}}-\\d\\d-\\d\\d{midnight}') then try_cast(left({text}, 10) as date) end"
        )
    if kind in DECIMALS:
        sql_type, places = DECIMALS[kind]
        digits = f"regexp_full_match({text}, '[0-9]{{1,{18 - places}}}(\\.[0-9]{{0,{places}}}0*)?')"
        return f"case when {digits} and {text} <> '.' then try_cast({text} as {sql_type}) end"
    if kind == "boolean":
        word = f"lower({text})"
        return f"case when {word} in {YES} then true when {word} in {NO} then false end"
    if kind == "currency":
        return f"case when regexp_full_match({text}, '[A-Za-z]{{3}}') then upper({text}) end"
    if kind == "code" and column.values:
        return (
            f"case when lower({text}) in ({', '.join(_quote(value) for value in column.values)}) then lower({text}) end"
        )
    if kind == "code":
        return f"case when regexp_full_match({text}, '[A-Za-z0-9_.-]{{1,40}}') then lower({text}) end"
    if kind == "id":
        controls = f"regexp_matches({text}, '[[:cntrl:]]')"
        return f"case when strlen({text}) <= {MAX_ID_BYTES} and not {controls} then {text} end"
    is_short = f"(strlen({text}) <= {MAX_TEXT_CHARACTERS} or length({text}) <= {MAX_TEXT_CHARACTERS})"
    return f"case when {is_short} and not contains({text}, chr(0)) then {text} end"


def _reason_sql(column: FeedColumn, text: str, value: str, latest: str) -> str:
    """Why a text is no value of its kind, for people."""
    kind = column.type
    if kind in ("count", "integer"):
        return (
            f"case when regexp_full_match({text}, '-[0-9.]+') then 'a negative {'count' if kind == 'count' else 'number'}'"
            f" when regexp_full_match({text}, '[0-9]+') then '{'a count' if kind == 'count' else 'a number'} above 10^12'"
            " else 'not a whole number' end"
        )
    if kind in DECIMALS:
        noun, places = ("amount", "4") if kind == "amount" else ("rate", "8")
        return (
            f"case when regexp_full_match({text}, '-[0-9.]+') then 'a negative {noun}'"
            f" when regexp_full_match({text}, '[0-9]+\\.[0-9]+') then 'more than {places} decimals, or too large'"
            f" when regexp_full_match({text}, '[0-9]+') then 'too large' else 'not {'an' if kind == 'amount' else 'a'} {noun}"
            " like 1234.50' end"
        )
    if kind == "date":
        return "'not an ISO 8601 date like 2026-01-05'"
    if kind == "boolean":
        return "'neither yes nor no (true, false, yes, no, 1, 0)'"
    if kind == "currency":
        return "'not a currency code of three letters like USD'"
    if kind == "code" and column.values:
        return _quote(f"not one of {', '.join(column.values)}")
    if kind == "timestamp":
        return (
            f"case when {value} is null then 'not an ISO 8601 time like 2026-01-05T03:00:00Z'"
            f" when {value} > {latest} then 'more than {MAX_HOURS_AHEAD} h ahead of the landing'"
            f" else 'before {EARLIEST}' end"
        )
    if kind == "code":
        return "'not a code of letters, digits, _ . -'"
    if kind == "id":
        return (
            f"case when strlen({text}) > {MAX_ID_BYTES} then 'longer than {MAX_ID_BYTES} bytes'"
            " else 'holds a control character (line break, tab, NUL)' end"
        )
    too_long = f"'longer than {MAX_TEXT_CHARACTERS:,} characters'"
    return f"case when contains({text}, chr(0)) then 'holds a NUL byte' else {too_long} end"


def _bad_sql(name: str, column: FeedColumn, source: ColumnSource | None, cell: str, latest: str) -> str:
    """Whether the cell of a feed column is refused."""
    tests = [f"(t_{name} is not null and v_{name} is null)"]
    if column.type == "timestamp":
        tests += [f"v_{name} > {latest}", f"v_{name} < timestamp '{EARLIEST}'"]
    if column.required:
        tests.append(f"t_{name} is null")
    elif source is not None and source.extract:
        tests.append(f"(t_{name} is null and trim({cell}) <> '')")
    return " or ".join(tests)


def _judge(reader: Reader, layout: Layout) -> None:
    """Read the file into `judged`: values, `extra`, and of a bad row the first bad column, its text, reason, cells."""
    latest = f"(timestamp '{layout.delivery.loaded_at.isoformat(sep=' ')}' + interval {MAX_HOURS_AHEAD} hour)"
    texts, values, tests, shown, reasons = [], [], [], [], []
    for name, column in layout.feed.columns.items():
        source = layout.mapping.columns.get(name)
        cell = f"c{layout.positions[name]}" if name in layout.positions else "cast(null as varchar)"
        texts.append(f"{_text_sql(layout, name)} as t_{name}")
        values.append(f"{_value_sql(column, f't_{name}')} as v_{name}")
        tests.append(f"when {_bad_sql(name, column, source, cell, latest)} then '{name}'")
        shown.append(f"when '{name}' then {cell}")
        absent = (
            f"when t_{name} is null then if(coalesce(trim({cell}), '') = '', 'empty, but required',"
            " 'not of the shape that the mapping extracts')"
        )
        reasons.append(
            f"when '{name}' then case {absent} else {_reason_sql(column, f't_{name}', f'v_{name}', latest)} end"
        )
    names = ", ".join(f"v_{name}" for name in layout.feed.columns)
    is_bad = "case when bad_column is not null then"
    _drop_tables(reader)
    try:
        reader.execute(
            f"""
            create temp table judged as
            select {names}, extra, bad_column,
                {is_bad} left(case bad_column {" ".join(shown)} end, {VALUE_SHOWN}) end as bad_value,
                {is_bad} case bad_column {" ".join(reasons)} end end as bad_reason,
                {is_bad} {_cells_sql(layout)} end as cells
            from (select *, case {" ".join(tests)} end as bad_column
                  from (select *, {", ".join(values)}
                        from (select *, {", ".join(texts)}, {_extra_sql(layout)} as extra
                              from {_csv_sql(layout)})))
            """
        )
    except (duckdb.DataError, duckdb.ProgrammingError) as error:
        raise FileRefused(f"it cannot be read as CSV ({_plain_words(error)})", layout.shape.data_lines) from error


def _drop_tables(reader: Reader) -> None:
    for view in ("accepted", "numbered"):
        reader.execute(f"drop view if exists {view}")
    for table in ("reject_scans", "reject_errors", "judged", "records", "rejects", "dropped", "twins", "reread"):
        reader.execute(f"drop table if exists {table}")
    reader.execute("create temp table dropped (source_line bigint)")
    reader.execute(
        "create temp table rejects"
        ' (source_line bigint, column_name varchar, value varchar, reason varchar, "row" varchar)'
    )


def _plain_words(error: duckdb.Error) -> str:
    message = str(error)
    if "state machine reached an invalid state" in message:
        return "its line ends are mixed: end every line in the same way, without single carriage returns"
    return next(iter(message.splitlines()), type(error).__name__)


def _number_lines(reader: Reader, layout: Layout) -> int:
    """Make `numbered` (judged with source_line) and fill `rejects`. Returns records read.

    Where each line is one record and none was rejected the row's place is its line; else the records are found
    again on the bytes. Raises FileRefused when the two counts of records differ.
    """
    rows = _one(reader, "select count(*) from judged")
    broken = _one(reader, "select count(distinct line_byte_position) from reject_errors")
    if broken == 0 and rows == layout.shape.data_lines:
        first = layout.shape.header_lines + 1
        reader.execute(
            f"create temp view numbered as select rowid + {first} as source_line, rowid as place, * from judged"
        )
        read = rows
    else:
        read = _locate_records(reader, layout, rows, broken)
    reader.execute(
        "insert into rejects select source_line, bad_column, bad_value, bad_reason, cells from numbered"
        " where bad_column is not null"
    )
    return read


def _locate_records(reader: Reader, layout: Layout, rows: int, broken: int) -> int:
    """Number the rows of a file with blank, broken or many-lined records; move the broken ones to `rejects`."""
    offsets, lines, sizes = index_records(layout.plain, layout.shape.header_lines)
    read = len(offsets)
    if read != rows + broken:
        raise FileRefused(
            f"{read:,} records by its line ends, {rows + broken:,} by its quotes: a quote is missing somewhere",
            max(read, rows + broken),
        )
    reader.register("record_index", {"byte_offset": offsets, "source_line": lines, "size": sizes})
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
                min(case error_type
                    when 'MISSING COLUMNS' then 'fewer cells than the header: ' || error_message
                    when 'TOO MANY COLUMNS' then 'more cells than the header: ' || error_message
                    when 'INVALID ENCODING' then 'not UTF-8'
                    when 'UNQUOTED VALUE' then 'a quote is missing or stands inside a quoted cell'
                    when 'LINE SIZE OVER MAXIMUM' then 'longer than 2,000,000 bytes'
                    else lower(error_type) || ': ' || error_message end) as reason
            from reject_errors group by line_byte_position
        ) error on error.byte_offset = record_index.byte_offset and (not is_misquoted or seen_size = size)
            and first_place >= record_index.byte_offset and last_place <= record_index.byte_offset + size + 2
        """
    )
    reader.unregister("record_index")
    if _one(reader, "select count(*) from records where reason is not null") != broken:
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


def index_records(plain: Path, header_lines: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Byte offset, 1-based line and bytes (without line end) of every record after the header, but blank lines.

    A line end inside quotes belongs to its cell. Time is linear in the bytes, whatever they hold.
    """
    offsets, lines, sizes = array("q"), array("q"), array("q")
    offset, is_open, opened = 0, False, 0
    with plain.open("rb") as source:
        for number, line in enumerate(source, start=1):
            start = 3 if number == 1 and line.startswith(b"\xef\xbb\xbf") else 0
            if not is_open:
                opened = number
                if number > header_lines and line not in (b"\n", b"\r\n"):
                    offsets.append(offset)
                    lines.append(number)
            if is_open or b'"' in line:
                is_open = _ends_open(line, start, is_open)
            offset += len(line)
            if not is_open and len(sizes) < len(offsets):
                sizes.append(offset - offsets[-1] - len(line) + len(line.rstrip(b"\r\n")))
    if is_open:
        raise FileRefused(f"a quote opened in line {opened} is never closed", len(offsets))
    return np.array(offsets), np.array(lines), np.array(sizes)


def _ends_open(line: bytes, start: int, is_open: bool) -> bool:
    """Whether a line ends inside a quoted cell, given whether it began in one."""
    if is_open:
        closing = CLOSES.match(line)
        if closing is None:
            return True
        comma = line.find(b",", closing.end())
        if comma < 0:
            return False
        start = comma + 1
    return LEFT_OPEN.match(line, start) is not None


_STAYS = "bad_column is null and source_line not in (select source_line from dropped)"


def _settle_twins(reader: Reader, layout: Layout) -> int:
    """Rows of one key and instant: equal ones are duplicates, differing ones go to quarantine. Returns duplicates.

    Under `tie_break: last_line` the last of differing rows stays and the others count as duplicates.
    """
    feed, mapping = layout.feed, layout.mapping
    key = ", ".join(f"v_{name}" for name in feed.identity)
    repeated = f"select {key} from judged where bad_column is null group by {key} having count(*) > 1"
    if not _one(reader, f"select count(*) from ({repeated} limit 1)"):
        return 0
    content = ", ".join([*(f"v_{name}" for name in feed.columns), "extra"])
    keeper = "max" if mapping.tie_break == "last_line" else "min"
    reader.execute(
        f"""
        create temp table twins as
        select source_line, place, cast(v_{feed.identity[-1]} as varchar) as shown,
            count(distinct content) over same as contents, {keeper}(source_line) over same as kept_line,
            min(source_line) over same as first_line, max(source_line) over same as last_line,
            count(*) over same as rows
        from (select source_line, place, {key}, row({content}) as content
              from numbered join ({repeated}) using ({key}) where bad_column is null)
        window same as (partition by {key})
        """
    )
    is_conflict = "false" if mapping.tie_break else "contents > 1"
    if _one(reader, f"select count(*) from twins where {is_conflict}"):
        _quarantine_conflicts(reader, layout, is_conflict)
    reader.execute(f"insert into dropped select source_line from twins where {is_conflict} or source_line <> kept_line")
    return _one(reader, f"select count(*) from twins where not ({is_conflict}) and source_line <> kept_line")


def _quarantine_conflicts(reader: Reader, layout: Layout, is_conflict: str) -> None:
    """Move conflicting twins to `rejects` with their cells as read, for which the file is read once more."""
    for table in ("reject_scans", "reject_errors"):
        reader.execute(f"drop table {table}")
    reader.execute(f"create temp table reread as select {_cells_sql(layout)} as cells from {_csv_sql(layout)}")
    if _one(reader, "select count(*) from reread") != _one(reader, "select count(*) from judged"):
        raise FileRefused("two readings of it differ; check its quotes", layout.shape.data_lines)
    reader.execute(
        f"""
        insert into rejects
        select source_line, {_quote(layout.feed.identity[-1])}, shown,
            rows || ' rows with one key{" and instant" if layout.feed.time else ""} and differing values, in lines '
                || first_line || if(rows > 2, ' to ', ' and ') || last_line,
            reread.cells
        from twins join reread on reread.rowid = twins.place where {is_conflict}
        """
    )


def _note_absent(layout: Layout) -> list[str]:
    """Say which header of a canonical file looks much like a count that the file does not supply."""
    if not isinstance(layout.mapping, CanonicalMapping):
        return []
    absent = [name for name in layout.feed.counts if name not in layout.positions]
    notes = []
    for name in layout.shape.header:
        near = [] if name.lower() in layout.feed.columns else difflib.get_close_matches(name.lower(), absent, 1, 0.6)
        if near:
            notes.append(f"no column {near[0]!r}: is {name[:80]!r} meant? its values are kept in extra")
    return notes


def _outages(reader: Reader, mapping: Mapping) -> list[tuple[str, float]]:
    """Columns in which too large a share of the rows is 0, where 0 means not captured, with that share."""
    if mapping.outage_share is None or not mapping.zero_is_null:
        return []
    sums = ", ".join(f"count(*) filter (v_{name} = 0)" for name in mapping.zero_is_null)
    row = reader.execute(f"select greatest(count(*), 1), {sums} from numbered where {_STAYS}").fetchone()
    assert row is not None
    shares = [(name, zeros / row[0]) for name, zeros in zip(mapping.zero_is_null, row[1:], strict=True)]
    return [(name, share) for name, share in shares if share > mapping.outage_share]


def _make_accepted_view(reader: Reader, layout: Layout, outages: set[str]) -> None:
    """The view `accepted`: the raw layer's columns, in its order."""
    mapping, delivery = layout.mapping, layout.delivery
    columns = []
    for name, column in layout.feed.columns.items():
        if column.type != "count":
            columns.append(f"v_{name} as {name}")
            continue
        absent = "not_captured" if name in layout.positions else "unsupported"
        zero = f"v_{name} = 0" if name in mapping.zero_is_null else "false"
        why_zero = "outage" if name in outages else "not_captured"
        why = f"case when {zero} then '{why_zero}' when v_{name} is null then '{absent}' end"
        columns += [f"case when {zero} then null else v_{name} end as {name}", f"{why} as {name}_null_reason"]
    has_dropped = _one(reader, "select count(*) from dropped") > 0
    day = f"cast(v_{layout.feed.day} as date)" if layout.feed.day else f"date '{delivery.as_of.date()}'"
    reader.execute(
        f"""
        create temp view accepted as
        select {", ".join(columns)}, extra, '{mapping.origin}' as data_origin,
            {_quote(delivery.file)} as source_file, source_line, '{delivery.sha256}' as source_sha256,
            '{delivery.batch_id}' as batch_id, timestamp '{delivery.as_of}' as as_of,
            timestamp '{delivery.loaded_at}' as loaded_at, {day} as snapshot_date
        from numbered where {_STAYS if has_dropped else "bad_column is null"}
        """
    )


def _one(reader: Reader, query: str) -> int:
    row = reader.execute(query).fetchone()
    assert row is not None
    return int(row[0])
