"""One landed file to typed rows and reasons, in DuckDB: no row is dropped, every cell is accepted or named.

`cells` gives the file as a table of cells. It is read once per feed, into the temporary table `judged`: one row per
record that could be split into cells, with a value `v_<name>` per feed column and, where a cell is bad, its name, text
and reason. `numbered` is the same with `source_line`; `dropped` lists the lines of twins that do not stay; `rejects`
holds what goes to quarantine (source_line, column_name, value, reason, row); `accepted` is the view that `raw` writes.
`set_aside` holds the keys of rows that are not loaded, of the feeds whose rows a later delivery can withdraw.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion import values
from ingestion.config import Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.errors import FileRefused
from ingestion.mapping import row_filter
from ingestion.mapping.grammar import CanonicalMapping, ColumnSource, FeedPart, Mapping, tidy
from ingestion.readers import jsonl, text
from ingestion.readers.open import open_table
from ingestion.readers.table import Reader, Table, is_of_the_machine, names_of, one, plain_words
from ingestion.values import EARLIEST, MAX_HOURS_AHEAD, quote

VALUE_SHOWN = 200
# In place of a column's name where a whole row is refused.
HEADER_AGAIN, LEFT_OUT = "(header)", "(left out)"


@dataclass(frozen=True)
class Delivery:
    """What every row of a file carries besides its cells. Times are UTC without zone.

    Args:
        is_whole: whether a manifest names the file's bytes or its SHA-256, so that it cannot be cut.
        is_full: whether it is all that there is, so that what it no longer holds is withdrawn.
    """

    batch_id: str
    sha256: str
    file: str
    as_of: datetime
    file_time: datetime | None
    loaded_at: datetime
    origin: str = "observed"
    is_whole: bool = False
    is_full: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a file in one feed: read = accepted + quarantined + duplicate.

    Args:
        rows_left_out: of the quarantined, those that the mapping's `keep` leaves out on purpose.
        has_keys: whether rows that are not loaded name keys that count: see `set_aside`.
        keys_unread: rows of which not even the key can be read.
        key_dates: days of the rows that `keep` leaves out.
    """

    state: str
    reason: str | None = None
    header: list[str] | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    rows_left_out: int = 0
    has_rejects: bool = False
    has_keys: bool = False
    keys_unread: int = 0
    key_dates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """How one file fills one feed: its cells, and where each column of the feed stands among them."""

    table: Table
    feed: Feed
    mapping: Mapping
    part: FeedPart
    positions: dict[str, int]
    delivery: Delivery

    def source(self, name: str) -> ColumnSource | None:
        """Where a feed column comes from, null where the file does not supply it."""
        return self.part.columns.get(name)


def connect(settings: Settings) -> Reader:
    """A DuckDB of its own for reading landed files; spills under `build/`."""
    settings.inbox.parent.mkdir(parents=True, exist_ok=True)
    reader = duckdb.connect(":memory:", config=settings.duckdb_config)
    reader.execute("set TimeZone = 'UTC'")
    return reader


def is_usable(reader: Reader) -> bool:
    """Whether a reader still answers: an internal error, that a damaged file may cause, ends its connection."""
    try:
        reader.execute("select 1")
    except duckdb.Error:
        return False
    return True


def open_file(reader: Reader, plain: Path, mapping: Mapping, file_format: str, is_whole: bool) -> Table:
    """One plain file as cells, for one call of `read_table`. Raises FileRefused when it cannot be read as a whole.

    Args:
        plain: unpacked copy; its name holds no pattern characters.
        is_whole: whether a manifest names the file's bytes or its SHA-256, so that it cannot be cut.
    """
    _drop_tables(reader)
    return open_table(reader, plain, mapping, file_format, set(names_of(mapping)), is_whole)


def read_file(
    reader: Reader, plain: Path, mapping: Mapping, part: FeedPart, file_format: str, delivery: Delivery
) -> Outcome:
    """Type one plain file for one feed into `accepted` and `rejects`. Raises FileRefused as `read_table` does."""
    table = open_file(reader, plain, mapping, file_format, delivery.is_whole)
    return read_table(reader, table, mapping, part, delivery)


def read_table(reader: Reader, table: Table, mapping: Mapping, part: FeedPart, delivery: Delivery) -> Outcome:
    """Type the cells of a file for one feed into `accepted` and `rejects`. They are used up by it.

    Raises:
        FileRefused: when the file cannot be read as a whole (a required column missing, no row).
    """
    feed = load_feeds()[part.feed]
    layout = Layout(table, feed, mapping, part, match_header(table, feed, mapping, part), delivery)
    _judge(reader, layout)
    rows_read = _number(reader, layout)
    if rows_read == 0:
        raise FileRefused("it holds a header and no row; if a day has no rows, send no file")
    duplicates = _settle_twins(reader, layout)
    rejected = one(reader, "select count(*) from rejects")
    left_out = one(reader, "select count(*) from numbered where bad_column = '(left out)'") if part.keep else 0
    accepted = one(reader, f"select count(*) from numbered where {_STAYS}")
    has_keys, keys_unread, key_dates = _set_keys_aside(reader, layout)
    outages = _outages(reader, part)
    notes = [
        *table.notes,
        *_note_encoding(reader),
        *_note_absent(layout),
        *(f"outage: {share:.0%} of {n} are 0, read as not captured" for n, share in outages),
    ]
    if accepted == 0:
        notes.insert(0, _why_nothing(reader, left_out == rows_read))
    _make_accepted_view(reader, layout, {name for name, _ in outages})
    return Outcome(
        state="accepted" if accepted else "quarantined",
        reason="; ".join(notes) or None,
        header=table.header,
        rows_read=rows_read,
        rows_accepted=accepted,
        rows_quarantined=rejected,
        rows_duplicate=duplicates,
        rows_left_out=left_out,
        has_rejects=rejected > 0,
        has_keys=has_keys,
        keys_unread=keys_unread,
        key_dates=key_dates,
    )


def _why_nothing(reader: Reader, is_left_out: bool) -> str:
    if is_left_out:
        return "no row was accepted: the mapping's `keep` leaves all of them out"
    example = reader.execute(
        "select source_line, column_name, reason from rejects order by reason like 'left out%', 1 limit 1"
    ).fetchone()
    first = f"line {example[0]}, {example[1] or 'the whole line'}: {example[2]}" if example else "a duplicate"
    return f"no row was accepted; the first: {first}"


def match_header(table: Table, feed: Feed, mapping: Mapping, part: FeedPart) -> dict[str, int]:
    """Position in the file of each feed column that one column of the file supplies.

    Raises FileRefused when one is missing (naming the nearest header) or stands there twice.
    """
    found = {}
    for column, source in part.columns.items():
        if source.at is not None:
            if source.at > len(table.header):
                reason = f"it has {len(table.header)} columns; {column} should be at {source.at}"
                raise FileRefused(reason, table.rows_hint)
            found[column] = source.at - 1
        elif source.from_ is not None:
            position = find_column(table, tidy(source.from_), mapping, source.optional)
            if position is not None:
                found[column] = position
        for name in source.template_columns:
            find_column(table, name, mapping, optional=False)
    if part.keep:
        for name in row_filter.parse(part.keep).columns:
            find_column(table, name, mapping, optional=False)
    return found


def find_column(table: Table, name: str, mapping: Mapping, optional: bool) -> int | None:
    """Position of a header, null where an optional one is missing."""
    canonical = isinstance(mapping, CanonicalMapping)
    names = [mapping.name_of(cell) for cell in table.header]
    positions = [index for index, cell in enumerate(names) if cell == name]
    if len(positions) > 1:
        remedy = "keep one" if canonical else f"say `at: {positions[0] + 1}` or `at: {positions[1] + 1}`"
        raise FileRefused(f"header {name!r} stands there {len(positions)} times; {remedy}", table.rows_hint)
    if not positions and not optional:
        hint = _nearest(name, table.header)
        raise FileRefused(f"missing required column {name!r}{hint}; rename it or add a mapping", table.rows_hint)
    return positions[0] if positions else None


def _nearest(name: str, header: Sequence[str]) -> str:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return f"; the header reads as one column, {header[0][:80]!r}: separate cells with commas, or say `delimiter`"
    near = difflib.get_close_matches(name.lower(), [cell.lower() for cell in header], n=1, cutoff=0.5)
    shown = ", ".join(repr(cell[:40]) for cell in header[:8])
    return f"; the nearest header is {near[0][:80]!r}" if near else f"; the header begins {shown}"


def _extra_sql(layout: Layout) -> str:
    """Cells that no feed column takes, as JSON by header; a repeated or empty header gets a name of its own."""
    header = layout.table.header
    left = {index for index, name in enumerate(header) if tidy(name) in {tidy(name) for name in layout.part.ignore}}
    taken = left | set(layout.positions.values())
    if layout.table.rest is not None:
        return layout.table.rest(sorted(taken))
    names: dict[str, int] = {}
    for index, header_name in enumerate(header):
        if index not in taken:
            name = header_name or f"column_{index + 1}"
            names[f"{name}#{index + 1}" if name in names else name] = index
    pairs = ", ".join(f"{quote(name)}, c{index}" for name, index in names.items())
    return f"cast(json_object({pairs}) as varchar)" if pairs else "cast(null as varchar)"


def _cell_text(layout: Layout, position: int) -> str:
    """A cell as text."""
    return f"cast(c{position} as varchar)" if position in layout.table.types else f"c{position}"


def _trimmed(cell: str) -> str:
    # `trim` on every cell would be a quarter of the landing's time; few cells have blanks around them.
    has_blanks = f"{cell} like ' %' or {cell} like '% '"
    return f"case when {has_blanks} then nullif(trim({cell}), '') when {cell} <> '' then {cell} end"


def _named_text(layout: Layout, name: str) -> str:
    """The trimmed text of a column by its header, null where it is empty or spelled so."""
    position = find_column(layout.table, name, layout.mapping, optional=False)
    assert position is not None
    return _without_nulls(_trimmed(_cell_text(layout, position)), layout.mapping.null_values)


def _without_nulls(text: str, spellings: Sequence[str]) -> str:
    if not spellings:
        return text
    listed = ", ".join(quote(spelling) for spelling in spellings)
    return f"case when {text} not in ({listed}) then {text} end"


def _is_native(layout: Layout, name: str) -> bool:
    """Whether the cells of a feed column are typed already, and taken as they are."""
    sql_type = layout.table.types.get(layout.positions.get(name, -1))
    source = layout.source(name)
    plain = not layout.mapping.null_values and not (source and source.hidden_values and sql_type is None)
    return sql_type is not None and plain and values.is_native(layout.feed.columns[name], source, sql_type)


def _text_sql(layout: Layout, name: str) -> str:
    """The cell of a feed column as trimmed text, null when empty or not supplied; a typed one as it is."""
    source = layout.source(name)
    if source is None:
        return "cast(null as varchar)"
    if source.constant is not None:
        return quote(source.constant)
    if source.from_file_time:
        if layout.delivery.file_time is None:
            raise FileRefused("its name carries no time, and its rows neither")
        return quote(layout.delivery.file_time.isoformat(sep=" ") + "Z")
    if source.from_as_of:
        return quote(layout.delivery.as_of.isoformat(sep=" ") + "Z")
    if source.template is not None:
        return _template_sql(layout, source)
    if name not in layout.positions:
        return "cast(null as varchar)"
    if _is_native(layout, name):
        return f"c{layout.positions[name]}"
    position = layout.positions[name]
    cell = _cell_text(layout, position)
    if layout.feed.columns[name].type == "list" and position in layout.table.paths:
        cell = f"({jsonl.json_list(cell, layout.table.paths[position])})"
    spellings = [*layout.mapping.null_values, *source.null_values]
    return _cut(_without_nulls(_trimmed(cell), spellings), source)


def _cut(text: str, source: ColumnSource) -> str:
    """A cell without what the mapping cuts off, or the value that it stands for."""
    if source.extract:
        text = f"nullif(regexp_extract({text}, {quote(source.extract)}, 1), '')"
    if source.values:
        whens = "".join(f" when {quote(word.strip())} then {quote(meant)}" for word, meant in source.values.items())
        return f"case {text}{whens} else {text} end"
    return text


def _template_sql(layout: Layout, source: ColumnSource) -> str:
    assert source.template is not None
    parts, rest = [], source.template
    for name in source.template_columns:
        before, _, rest = rest.partition("{")
        _, _, rest = rest.partition("}")
        parts += [quote(before), _named_text(layout, name)]
    return _cut(" || ".join([*parts, quote(rest)]), source)


def _value_sql(layout: Layout, name: str) -> str:
    column, source, text = layout.feed.columns[name], layout.source(name), f"t_{name}"
    if _is_native(layout, name):
        zone = (source.zone if source else None) or layout.mapping.zone
        return values.native_value(column, text, layout.table.types[layout.positions[name]], zone)
    return values.value(column, source, layout.mapping, text, layout.table.has_serials)


def _bad_sql(layout: Layout, name: str, latest: str) -> str:
    """Whether the cell of a feed column is refused."""
    column, source = layout.feed.columns[name], layout.source(name)
    hidden = _hidden_sql(layout, name)
    tests = [f"(t_{name} is not null and v_{name} is null{f' and not {hidden}' if hidden else ''})"]
    if column.type == "timestamp":
        tests += [f"v_{name} > {latest}", f"v_{name} < timestamp '{EARLIEST}'"]
    if column.required:
        tests.append(f"t_{name} is null")
    elif source is not None and source.extract and name in layout.positions:
        tests.append(f"(t_{name} is null and trim({_cell_text(layout, layout.positions[name])}) <> '')")
    if name in layout.positions and column.type in ("id", "text", "list") and _holds_objects(layout, name):
        tests.append(_object_sql(layout, name))
    return " or ".join(tests)


def _hidden_sql(layout: Layout, name: str) -> str:
    """Whether a count is spelled as hidden, empty where it cannot be."""
    source = layout.source(name)
    if source is None or not source.hidden_values or name not in layout.positions or _is_native(layout, name):
        return ""
    return f"t_{name} in ({', '.join(quote(spelling) for spelling in source.hidden_values)})"


def _holds_objects(layout: Layout, name: str) -> bool:
    return layout.positions[name] in layout.table.paths


def _object_sql(layout: Layout, name: str) -> str:
    """Whether a JSON record holds an object, or a list of more than plain texts, where a text belongs."""
    path = layout.table.paths[layout.positions[name]]
    is_open = f"t_{name} like '{{%' or t_{name} like '[%'"
    return f"(({is_open}) and json_type(whole, {path}) in ('OBJECT', 'ARRAY'))"


def _reason_sql(layout: Layout, name: str, latest: str) -> str:
    column, source = layout.feed.columns[name], layout.source(name)
    text = f"cast(t_{name} as varchar)" if _is_native(layout, name) else f"t_{name}"
    absent = "'empty, but required'"
    if name in layout.positions and (source is None or source.extract):
        cell = _cell_text(layout, layout.positions[name])
        absent = f"if(coalesce(trim({cell}), '') = '', {absent}, 'not of the shape that the mapping extracts')"
    is_object = ""
    if name in layout.positions and _holds_objects(layout, name):
        is_object = f" when {_object_sql(layout, name)} then 'an object or list; name its part, like `from: a.b`'"
    refused = values.reason(column, source, text, f"v_{name}", latest)
    return f"case when t_{name} is null then {absent}{is_object} else {refused} end"


def _whole_row_tests(layout: Layout) -> list[str]:
    """Rows that are refused before their cells are looked at: the header again, and what the mapping leaves out."""
    tests = []
    columns = sorted({position for position in layout.positions.values() if layout.table.header[position]})
    if layout.table.has_header and columns:
        same = (f"trim({_cell_text(layout, c)}) = {quote(layout.table.header[c])}" for c in columns)
        tests.append(f"when {' and '.join(same)} then '{HEADER_AGAIN}'")
    if layout.part.keep:
        kept = row_filter.parse(layout.part.keep).sql(lambda name: _named_text(layout, name))
        tests.append(f"when not ({kept}) then '{LEFT_OUT}'")
    return tests


def _judge(reader: Reader, layout: Layout) -> None:
    """Read the file into `judged`: values, `extra`, and of a bad row the first bad column, its text, reason, cells."""
    latest = f"(timestamp '{layout.delivery.loaded_at.isoformat(sep=' ')}' + interval {MAX_HOURS_AHEAD} hour)"
    texts, typed, shown, reasons = [], [], [], []
    tests = _whole_row_tests(layout)
    for name in layout.feed.columns:
        texts.append(f"{_text_sql(layout, name)} as t_{name}")
        typed.append(f"{_value_sql(layout, name)} as v_{name}")
        tests.append(f"when {_bad_sql(layout, name, latest)} then '{name}'")
        cell = _cell_text(layout, layout.positions[name]) if name in layout.positions else f"t_{name}"
        shown.append(f"when '{name}' then {cell}")
        reasons.append(f"when '{name}' then {_reason_sql(layout, name, latest)}")
    reasons.append(f"when '{HEADER_AGAIN}' then 'the header line again'")
    left_out = f"left out by the mapping, which keeps: {layout.part.keep}"
    reasons.append(f"when '{LEFT_OUT}' then {quote(left_out)}")
    bits = " + ".join(f"case when {sql} then {bit} else 0 end" for bit, sql in _hidden_bits(layout).values())
    names = ", ".join([*(f"v_{name}" for name in layout.feed.columns), *([f"{bits} as hidden"] if bits else [])])
    lines = "source_line, " if layout.table.has_lines else ""
    is_bad = "case when bad_column is not null then"
    try:
        reader.execute(
            f"""
            create temp table judged as
            select {lines}{names}, extra, bad_column,
                {is_bad} left(case bad_column {" ".join(shown)} end, {VALUE_SHOWN}) end as bad_value,
                {is_bad} case bad_column {" ".join(reasons)} end end as bad_reason,
                {is_bad} {layout.table.row} end as cells
            from (select *, case {" ".join(tests)} end as bad_column
                  from (select *, {", ".join(typed)}
                        from (select *, {", ".join(texts)}, {_extra_sql(layout)} as extra
                              from {layout.table.relation})))
            """
        )
    except duckdb.Error as error:
        if is_of_the_machine(error):
            raise
        raise FileRefused(f"it cannot be read ({plain_words(error)})", layout.table.rows_hint) from error


def _hidden_bits(layout: Layout) -> dict[str, tuple[int, str]]:
    """Per count that may be hidden its bit in the column `hidden` of `judged`, and when it is set."""
    tests = ((name, _hidden_sql(layout, name)) for name in layout.feed.counts)
    return {name: (1 << place, sql) for place, (name, sql) in enumerate(tests) if sql}


def _drop_tables(reader: Reader) -> None:
    for view in ("accepted", "numbered"):
        reader.execute(f"drop view if exists {view}")
    for table in ("judged", "dropped", "twins", "reread", "set_aside"):
        reader.execute(f"drop table if exists {table}")
    reader.execute("create temp table dropped (source_line bigint)")


def _number(reader: Reader, layout: Layout) -> int:
    """Make `numbered`, and fill `rejects` with the rows of a bad cell. Returns records read."""
    read = layout.table.number(reader)
    reader.execute(
        "insert into rejects select source_line, case when bad_column not like '(%' then bad_column end, bad_value,"
        " bad_reason, cells from numbered where bad_column is not null"
    )
    return read


_STAYS = "bad_column is null and source_line not in (select source_line from dropped)"


def _settle_twins(reader: Reader, layout: Layout) -> int:
    """Rows of one key and instant: equal ones are duplicates, differing ones go to quarantine. Returns duplicates.

    Under `tie_break: last_line` the last of differing rows stays and the others count as duplicates.
    """
    feed, part = layout.feed, layout.part
    key = ", ".join(f"v_{name}" for name in feed.identity)
    # Lines of one record that have no id of their own are told apart by their place alone.
    is_told = "bad_column is null" + (f" and v_{feed.line} is not null" if feed.line else "")
    repeated = f"select {key} from judged where {is_told} group by {key} having count(*) > 1"
    same_key = " and ".join(f"numbered.v_{name} is not distinct from repeated.v_{name}" for name in feed.identity)
    if not one(reader, f"select count(*) from ({repeated} limit 1)"):
        return 0
    content = ", ".join([*(f"v_{name}" for name in feed.columns), "extra"])
    keeper = "max" if part.tie_break == "last_line" else "min"
    reader.execute(
        f"""
        create temp table twins as
        select source_line, place, cast(v_{feed.identity[-1]} as varchar) as shown,
            count(distinct content) over same as contents, {keeper}(source_line) over same as kept_line,
            min(source_line) over same as first_line, max(source_line) over same as last_line,
            count(*) over same as rows
        from (select source_line, place, {key}, row({content}) as content
              from numbered
              where {is_told} and exists (select 1 from ({repeated}) as repeated where {same_key}))
        window same as (partition by {key})
        """
    )
    is_conflict = "false" if part.tie_break else "contents > 1"
    if one(reader, f"select count(*) from twins where {is_conflict}"):
        _quarantine_conflicts(reader, layout, is_conflict)
    reader.execute(f"insert into dropped select source_line from twins where {is_conflict} or source_line <> kept_line")
    return one(reader, f"select count(*) from twins where not ({is_conflict}) and source_line <> kept_line")


def _set_keys_aside(reader: Reader, layout: Layout) -> tuple[bool, int, tuple[str, ...]]:
    """Make `set_aside` of a file that may withdraw something: the keys of its rows that are not loaded.

    What `keep` leaves out is withdrawn; what is `held`, as a row in quarantine, is no more absent than it is loaded.
    Returns whether there are any, how many rows have no readable key, and the days of what is left out.
    """
    feed, part, is_full = layout.feed, layout.part, layout.delivery.is_full
    withdraws = bool(part.keep) and part.left_out == "withdrawn" and feed.absence == "withdrawn"
    if not feed.absence or not (is_full or withdraws):
        return False, 0, ()
    parts = [name for name in feed.key if name not in ("shop", feed.line)]
    record = f"concat_ws('/', {', '.join(f'v_{name}' for name in parts)})"
    day = f"cast(v_{feed.day} as date)" if feed.day else "null"
    shop = "v_shop" if "shop" in feed.columns else "null"
    line = f"v_{feed.line}" if feed.line else "null"
    in_key = ", ".join(quote(name) for name in feed.key)
    is_unread = " or ".join([*(f"v_{name} is null" for name in parts), f"bad_column in ({in_key})"])
    is_left_out = f"bad_column = '{LEFT_OUT}'"
    reader.execute(
        f"""
        create temp table set_aside as
        select coalesce({shop}, '') as shop, {record} as record_id, {line} as line_id,
            case when {is_left_out} and {withdraws} then 'left_out' else 'held' end as kind,
            cast({day} as date) as row_date, source_line
        from numbered
        where (bad_column <> '{HEADER_AGAIN}' or source_line in (select source_line from dropped))
            and not coalesce({is_unread}, false) and ({is_full} or {is_left_out})
        """
    )
    unread = one(
        reader,
        f"select (select count(*) from numbered where bad_column <> '{HEADER_AGAIN}' and ({is_unread})) + (select"
        " count(*) from rejects where source_line is null or source_line not in (select source_line from numbered))",
    )
    days = "select distinct row_date from set_aside where kind = 'left_out' and row_date is not null order by 1"
    found = tuple(str(day) for (day,) in reader.execute(days).fetchall())
    return one(reader, "select count(*) from set_aside") > 0, unread, found


def _quarantine_conflicts(reader: Reader, layout: Layout, is_conflict: str) -> None:
    """Move conflicting twins to `rejects` with their cells as read, for which the file is read once more."""
    for table in ("reject_scans", "reject_errors"):
        reader.execute(f"drop table if exists {table}")
    reader.execute(f"create temp table reread as select {layout.table.row} as cells from {layout.table.relation}")
    if one(reader, "select count(*) from reread") != one(reader, "select count(*) from judged"):
        raise FileRefused("two readings of it differ; check its quotes", layout.table.rows_hint)
    reader.execute(
        f"""
        insert into rejects
        select source_line, {quote(layout.feed.identity[-1])}, shown,
            rows || ' rows with one key{" and instant" if layout.feed.time else ""} and differing values, in lines '
                || first_line || if(rows > 2, ' to ', ' and ') || last_line,
            reread.cells
        from twins join reread on reread.rowid = twins.place where {is_conflict}
        """
    )


def _note_encoding(reader: Reader) -> list[str]:
    """Say how rows that are not UTF-8 can be read after all."""
    rows = one(reader, f"select count(*) from rejects where reason = {quote(text.NOT_UTF8)}")
    hint = "if the sender writes another encoding, name it in a mapping"
    return [f"rows that are {text.NOT_UTF8}: {rows:,}; {hint}"] if rows else []


def _note_absent(layout: Layout) -> list[str]:
    """Say which header of a canonical file looks much like a column that the file does not supply."""
    if not isinstance(layout.mapping, CanonicalMapping):
        return []
    absent = [name for name in layout.feed.columns if name not in layout.positions]
    notes = []
    for name in layout.table.header:
        near = [] if name.lower() in layout.feed.columns else difflib.get_close_matches(name.lower(), absent, 1, 0.6)
        if near:
            notes.append(f"no column {near[0]!r}: is {name[:80]!r} meant? its values are kept in extra")
    return notes


def _outages(reader: Reader, part: FeedPart) -> list[tuple[str, float]]:
    """Columns in which too large a share of the rows is 0, where 0 means not captured, with that share."""
    if part.outage_share is None or not part.zero_is_null:
        return []
    sums = ", ".join(f"count(*) filter (v_{name} = 0)" for name in part.zero_is_null)
    row = reader.execute(f"select greatest(count(*), 1), {sums} from numbered where {_STAYS}").fetchone()
    assert row is not None
    shares = [(name, zeros / row[0]) for name, zeros in zip(part.zero_is_null, row[1:], strict=True)]
    return [(name, share) for name, share in shares if share > part.outage_share]


def _make_accepted_view(reader: Reader, layout: Layout, outages: set[str]) -> None:
    """The view `accepted`: the raw layer's columns, in its order."""
    delivery = layout.delivery
    columns = []
    for name, column in layout.feed.columns.items():
        columns.append(f"{_accepted_value(layout, name)} as {name}")
        if column.type == "count":
            columns.append(f"{_null_reason(layout, name, name in outages)} as {name}_null_reason")
    has_dropped = one(reader, "select count(*) from dropped") > 0
    day = f"cast(v_{layout.feed.day} as date)" if layout.feed.day else f"date '{delivery.as_of.date()}'"
    reader.execute(
        f"""
        create temp view accepted as
        select {", ".join(columns)}, extra, '{delivery.origin}' as data_origin,
            {quote(delivery.file)} as source_file, source_line, '{delivery.sha256}' as source_sha256,
            '{delivery.batch_id}' as batch_id, timestamp '{delivery.as_of}' as as_of,
            timestamp '{delivery.loaded_at}' as loaded_at, {day} as snapshot_date
        from numbered where {_STAYS if has_dropped else "bad_column is null"}
        """
    )


def _accepted_value(layout: Layout, name: str) -> str:
    return f"case when v_{name} <> 0 then v_{name} end" if name in layout.part.zero_is_null else f"v_{name}"


def _null_reason(layout: Layout, name: str, is_outage: bool) -> str:
    """Why a count is null, null where it is known."""
    whens = []
    if name in layout.part.zero_is_null:
        whens.append(f"when v_{name} = 0 then '{'outage' if is_outage else 'not_captured'}'")
    if name in (bits := _hidden_bits(layout)):
        whens.append(f"when hidden & {bits[name][0]} <> 0 then 'hidden'")
    source = layout.source(name)
    supplied = name in layout.positions or (source is not None and (source.is_fixed or source.template is not None))
    absent = "not_captured" if supplied else "unsupported"
    return f"case {' '.join(whens)} when v_{name} is null then '{absent}' end"
