"""One landed file to typed rows and reasons, in DuckDB: no row is dropped, every cell is accepted or named.

The readers give the file as a table of cells. It is read once per feed, into the temporary table `evaluated`: one row
per record that could be split into cells (several, where the mapping makes rows of columns or lists, or fills the feed
several times), with a value `v_<name>` per feed column; of a row that is refused the first bad column, its text and
reason; of a row that loads the texts of its optional cells that are invalid. `numbered` is the same with `source_line`
and `place`, which tells rows of one line apart; `dropped` lists the places of repeated rows that do not stay; `rejects`
holds what goes to quarantine (source_line, column_name, value, reason, row); `accepted` is the view that `raw` writes.
`set_aside` holds the keys of rows that are not loaded, of the feeds whose rows a later delivery can withdraw.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion import names, secret, values
from ingestion.config import Settings
from ingestion.contracts import MEASURES, NUMBERS, Feed, FeedColumn, load_feeds
from ingestion.errors import FileRefused
from ingestion.mapping import arithmetic, row_filter
from ingestion.mapping.grammar import CanonicalMapping, ColumnSource, FeedPart, Mapping, tidy
from ingestion.raw import SQL_TYPES
from ingestion.readers import jsonl, text
from ingestion.readers.open import open_table
from ingestion.readers.table import (
    Reader,
    Table,
    is_of_the_machine,
    names_of,
    number_given,
    one,
    plain_words,
    without_cells,
)
from ingestion.sql import listed, quote
from ingestion.totals import is_total
from ingestion.user_config import load as user_config
from ingestion.values import Reading

VALUE_SHOWN = 200
# In place of a column's name where a whole row is refused.
HEADER_AGAIN, LEFT_OUT, TOTAL, NOBODY = "(header)", "(left out)", "(total)", "(nobody)"
# Of these, what a mapping leaves out on purpose.
ON_PURPOSE = f"('{LEFT_OUT}', '{TOTAL}', '{NOBODY}')"

# The sender says that there is nothing: an arrival, and checks compare its 0 rows with what is usual.
NO_ROW = "a header and no row: 0 rows have arrived"

NULL_REASONS = listed(("not_captured", "unsupported", "hidden", "outage", "invalid"))

LIKE_A_TOTAL = (
    "a row that sums others, by its name: say `skip_totals: true` in its mapping; if it is an id, `skip_totals: false`"
)


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
        invalid_cells: of the accepted, rows by column whose cell could not be read and became null.
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
    invalid_cells: dict[str, int] = field(default_factory=dict)
    has_rejects: bool = False
    has_keys: bool = False
    keys_unread: int = 0
    key_dates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """How one file fills one feed, or does so once of several times: its cells, and where each column stands.

    Args:
        number: which time it is, from 0.
        is_one_of_several: whether there is another.
        others: positions of cells that another time takes.
        filled: columns of the feed that the file supplies, in any of the times; no other is read or kept in between.
    """

    table: Table
    feed: Feed
    mapping: Mapping
    part: FeedPart
    positions: dict[str, int]
    delivery: Delivery
    number: int = 0
    is_one_of_several: bool = False
    others: frozenset[int] = frozenset()
    filled: tuple[str, ...] = ()

    def source(self, name: str) -> ColumnSource | None:
        """Where a feed column comes from, null where the file does not supply it."""
        return self.part.columns.get(name)

    @property
    def loaded_at(self) -> str:
        """The instant of landing, in SQL."""
        return f"timestamp '{self.delivery.loaded_at.isoformat(sep=' ')}'"

    def reading(self, name: str) -> Reading:
        """How the cells of a feed column are read."""
        source, position = self.source(name), self.positions.get(name)
        if source is not None and source.compute is not None:
            # Its operands were read already, as exact numbers.
            return Reading(self.feed.columns[name], source, self.mapping, "true", loaded_at=self.loaded_at)
        if source is not None and source.constant is not None and not source.parse:
            # A constant is written by the mapping's author, with a point whatever the file has.
            return Reading(self.feed.columns[name], source, self.mapping, "true", loaded_at=self.loaded_at)
        return self._reading_at(self.feed.columns[name], source, position)

    def operand(self, name: str, header: str) -> Reading:
        """How a column is read that is part of the sum that makes a feed column; what is rounded is the sum."""
        column, source = FeedColumn(type="amount", signed=True), self.part.columns[name]
        position = find_column(self.table, header, self.mapping, optional=False)
        return self._reading_at(column, source.model_copy(update={"round": None}), position)

    def compared(self, header: str) -> tuple[str | None, Reading]:
        """How a column is read that `keep` names: as the feed column that it fills, else as people write numbers."""
        position = find_column(self.table, header, self.mapping, optional=self.part.keep_may_lack)
        for name, source in self.part.columns.items():
            if (
                position is not None
                and self.positions.get(name) == position
                and self.feed.columns[name].type
                in (
                    *NUMBERS,
                    *values.MOMENTS,
                )
            ):
                return name, self._reading_at(self.feed.columns[name], source, position)
        source = ColumnSource.model_validate({"from": header, "parse": "number"})
        return None, self._reading_at(FeedColumn(type="amount", signed=True), source, position)

    def _reading_at(self, column: FeedColumn, source: ColumnSource | None, position: int | None) -> Reading:
        return Reading(
            column,
            source,
            self.mapping,
            self.table.is_number(position) if position is not None else None,
            self.table.types.get(position) if position is not None else None,
            self.table.has_serials,
            self.loaded_at,
        )

    def invalid_is_null(self, name: str) -> bool:
        """Whether a cell that cannot be read becomes null, so that its row loads."""
        source = self.source(name)
        if source is not None and source.on_invalid is not None:
            return source.on_invalid == "null"
        return self.feed.columns[name].invalid_is_null


def connect(settings: Settings) -> Reader:
    """A DuckDB of its own for reading landed files; spills under `build/`."""
    settings.inbox.parent.mkdir(parents=True, exist_ok=True)
    reader = duckdb.connect(":memory:", config=settings.duckdb_config)
    reader.execute(f"set TimeZone = 'UTC'; set variable max_unpacked_bytes = {settings.max_unpacked_bytes}")
    # Else `x in (...)` of five texts and more becomes a join, after which rows no longer stand in the file's order.
    reader.execute("set disabled_optimizers = 'in_clause'")
    names.teach(reader, user_config.load(settings))
    secret.tell(reader, settings)
    return reader


def is_usable(reader: Reader) -> bool:
    """Whether a reader still answers: an internal error, that a damaged file may cause, ends its connection."""
    try:
        reader.execute("select 1")
    except duckdb.Error:
        return False
    return True


def open_file(
    reader: Reader, plain: Path, mapping: Mapping, parts: tuple[FeedPart, ...], file_format: str, is_whole: bool
) -> Table:
    """One plain file as cells, for one call of `read_table`. Raises FileRefused when it cannot be read as a whole.

    Args:
        plain: unpacked copy; its name holds no pattern characters.
        parts: what the file supplies to one feed.
        is_whole: whether a manifest names the file's bytes or its SHA-256, so that it cannot be cut.
    """
    _drop_tables(reader)
    return open_table(reader, plain, mapping, file_format, set(names_of(mapping)), is_whole, parts)


def read_file(
    reader: Reader,
    plain: Path,
    mapping: Mapping,
    parts: tuple[FeedPart, ...],
    file_format: str,
    delivery: Delivery,
) -> Outcome:
    """Type one plain file for one feed into `accepted` and `rejects`. Raises FileRefused as `read_table` does."""
    table = open_file(reader, plain, mapping, parts, file_format, delivery.is_whole)
    return read_table(reader, table, mapping, parts, delivery)


def read_table(
    reader: Reader, table: Table, mapping: Mapping, parts: tuple[FeedPart, ...], delivery: Delivery
) -> Outcome:
    """Type the cells of a file for one feed into `accepted` and `rejects`. They are used up by it.

    Args:
        parts: what the file supplies to the feed: one or, where a row fills it several times, several.
    Raises:
        FileRefused: when the file cannot be read as a whole (a required column missing).
    """
    feed = load_feeds()[parts[0].feed]
    if any(source.hash for part in parts for source in part.columns.values()):
        secret.require(reader)
    places = [match_header(table, feed, mapping, part) for part in parts]
    times = list(zip(parts, places, strict=True))
    every = frozenset(position for found in places for position in found.values())
    filled = tuple(name for name in feed.columns if any(_is_filled(part, found, name) for part, found in times))
    layouts = [
        Layout(table, feed, mapping, part, found, delivery, number, len(parts) > 1, every, filled)
        for number, (part, found) in enumerate(times)
    ]
    _evaluate(reader, layouts)
    rows_read = _number(reader, table, len(parts))
    if rows_read == 0:
        return Outcome("accepted", NO_ROW, mapping.lasting(table.header))
    duplicates = _resolve_duplicates(reader, layouts)
    rejected = one(reader, "select count(*) from rejects")
    left_out = table.left_out + one(reader, f"select count(*) from numbered where bad_column in {ON_PURPOSE}")
    accepted = one(reader, f"select count(*) from numbered where {_STAYS}")
    has_keys, keys_unread, key_dates = _set_keys_aside(reader, layouts)
    outages = {layout.number: _outages(reader, layout) for layout in layouts}
    invalid = invalid_cells(reader)
    notes = [
        *table.notes,
        *_note_encoding(reader),
        *_note_absent(layouts[0]),
        *_note_cells(reader, layouts, invalid),
        *(
            f"outage: {share:.0%} of {name} are 0, read as not captured"
            for found in outages.values()
            for name, share in found
        ),
    ]
    if accepted == 0:
        notes.insert(0, _why_nothing(reader, left_out == rows_read))
    zeros = {number: {name for name, _ in found} for number, found in outages.items()}
    _make_accepted_view(reader, layouts, zeros, {cells.column for cells in invalid})
    return Outcome(
        state="accepted" if accepted else "quarantined",
        reason="; ".join(notes) or None,
        header=mapping.lasting(table.header),
        rows_read=rows_read,
        rows_accepted=accepted,
        rows_quarantined=rejected,
        rows_duplicate=duplicates,
        rows_left_out=left_out,
        invalid_cells={cells.column: cells.rows for cells in invalid},
        has_rejects=rejected > 0,
        has_keys=has_keys,
        keys_unread=keys_unread,
        key_dates=key_dates,
    )


def _is_filled(part: FeedPart, positions: dict[str, int], name: str) -> bool:
    """Whether a file has what a column of the feed is read from."""
    source = part.columns.get(name)
    return source is not None and (source.from_ is None or name in positions)


def _why_nothing(reader: Reader, is_left_out: bool) -> str:
    if is_left_out:
        return "no row was accepted: the mapping leaves all of them out"
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
            found[column] = _position(table, column, source)
        elif source.from_ is not None:
            position = find_column(table, tidy(source.from_), mapping, source.optional, source.twin)
            if position is not None:
                found[column] = position
        for name in source.other_columns:
            find_column(table, name, mapping, optional=False)
    if part.keep:
        for name in row_filter.parse(part.keep).columns:
            find_column(table, name, mapping, optional=part.keep_may_lack)
    return found


def _position(table: Table, column: str, source: ColumnSource) -> int:
    """Where a column by position stands. Raises FileRefused where another header stands there."""
    assert source.at is not None
    position, titles = source.at - 1, [tidy(cell) for cell in table.header]
    if position >= len(titles):
        reason = f"it has {len(titles)} columns; {column} should be at {source.at}"
        raise FileRefused(reason, table.rows_hint)
    if source.header is None:
        return position
    wanted, seen = tidy(source.header), titles[position]
    places = [index for index, title in enumerate(titles) if title == wanted]
    if position not in places or (source.twin is not None and places.index(position) + 1 != source.twin):
        there = ", ".join(str(place + 1) for place in places) or "nowhere"
        which = f"{wanted!r}" + (f" number {source.twin}" if source.twin else "")
        raise FileRefused(
            f"at position {source.at}, where {column} is read, stands {seen[:80]!r}, not {which}; {wanted!r} stands at"
            f" {there}: its columns have moved, correct the mapping",
            table.rows_hint,
        )
    return position


def find_column(table: Table, name: str, mapping: Mapping, optional: bool, twin: int | None = None) -> int | None:
    """Position of a header, null where an optional one is missing."""
    canonical = isinstance(mapping, CanonicalMapping)
    names = [mapping.name_of(cell) for cell in table.header]
    positions = [index for index, cell in enumerate(names) if cell == name]
    if twin is not None and positions:
        if twin > len(positions):
            reason = f"header {name!r} stands there {len(positions)} times; number {twin} of it is missing"
            raise FileRefused(f"{reason}: its columns have changed, correct the mapping", table.rows_hint)
        return positions[twin - 1]
    if len(positions) > 1:
        at = f"say `at: {positions[0] + 1}` or `at: {positions[1] + 1}` with `header`, or `twin: 1` or `twin: 2`"
        remedy = "keep one" if canonical else at
        raise FileRefused(f"header {name!r} stands there {len(positions)} times; {remedy}", table.rows_hint)
    if not positions and not optional:
        hint = _nearest(name, table.header)
        remedy = table.hint or "rename it or add a mapping"
        raise FileRefused(f"missing required column {name!r}{hint}; {remedy}", table.rows_hint)
    return positions[0] if positions else None


def _nearest(name: str, header: Sequence[str]) -> str:
    if not any(header):
        return "; it names no column at all"
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return f"; the header reads as one column, {header[0][:80]!r}: separate cells with commas, or say `delimiter`"
    near = difflib.get_close_matches(name.lower(), [cell.lower() for cell in header], n=1, cutoff=0.5)
    shown = ", ".join(repr(cell[:40]) for cell in header[:8])
    return f"; the nearest header is {near[0][:80]!r}" if near else f"; the header begins {shown}"


def _extra_sql(layout: Layout) -> str:
    """Cells that no feed column takes, as JSON by header; a repeated or empty header gets a name of its own."""
    header = layout.table.header
    ignored = {tidy(name) for name in layout.part.ignore}
    left = {index for index, name in enumerate(header) if tidy(name) in ignored} | _hashed(layout)
    taken = left | layout.others | set(layout.positions.values())
    if layout.table.rest is not None:
        return layout.table.rest(sorted(taken))
    names: dict[str, int] = {}
    for index, header_name in enumerate(header):
        if index not in taken:
            name = header_name or f"column_{index + 1}"
            names[f"{name}#{index + 1}" if name in names else name] = index
    pairs = ", ".join(f"{quote(name)}, c{index}" for name, index in names.items())
    return f"cast(json_object({pairs}) as varchar)" if pairs else "cast(null as varchar)"


def _hashed(layout: Layout) -> set[int]:
    """Places of the cells that are hashed in one of the feeds, so that no other feed may keep them as they are."""
    sources = [source for part in layout.mapping.parts for source in part.columns.values() if source.hash]
    names = {tidy(name) for source in sources for name in (source.from_ or "", *source.other_columns) if name}
    if layout.table.paths:
        # Of a path into an object the whole object goes.
        names |= {name.split(".")[0] for name in names}
    places = {index for index, name in enumerate(layout.table.header) if tidy(name) in names}
    return places | {source.at - 1 for source in sources if source.at is not None}


def _cell_text(layout: Layout, position: int) -> str:
    """A cell as text."""
    return f"cast(c{position} as varchar)" if position in layout.table.types else f"c{position}"


def _trimmed(cell: str) -> str:
    # `trim` on every cell would be a quarter of the landing's time; few cells have blanks around them.
    # Blanks, tabs and other controls sort before all that is written.
    has_blanks = f"{cell} < '!' or {cell} like '% ' or {cell} like '%\t'"
    return f"case when {has_blanks} then nullif(trim({cell}, ' \t'), '') when {cell} <> '' then {cell} end"


def _named_text(layout: Layout, name: str) -> str:
    """The trimmed text of a column by its header, null where it is empty, spelled so, or may be lacking and is."""
    position = find_column(layout.table, name, layout.mapping, optional=layout.part.keep_may_lack)
    if position is None:
        return "cast(null as varchar)"
    return _without_nulls(_trimmed(_cell_text(layout, position)), layout.mapping.null_values)


def _without_nulls(text: str, spellings: Sequence[str]) -> str:
    if not spellings:
        return text
    return f"case when {text} not in ({listed(spellings)}) then {text} end"


def _is_native(layout: Layout, name: str) -> bool:
    """Whether the cells of a feed column are typed already, and taken as they are."""
    return name in layout.positions and not layout.mapping.null_values and layout.reading(name).is_native


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
    if source.from_file_name is not None:
        return _cut(quote(source.part_of_name(layout.delivery.file)), source)
    if source.line_number:
        line = "cast(source_line as varchar)"
        is_number = layout.feed.columns[name].type == "integer"
        return line if is_number else f"{quote(layout.delivery.file.rpartition('/')[2] + ':')} || {line}"
    if source.template is not None:
        return _template_sql(layout, name, source)
    if source.compute is not None:
        return f"cast({arithmetic.parse(source.compute).sql(lambda each: _operand_sql(layout, name, each))} as varchar)"
    if name not in layout.positions:
        return "cast(null as varchar)"
    if _is_native(layout, name):
        return f"c{layout.positions[name]}"
    position = layout.positions[name]
    cell = _cell_text(layout, position)
    if layout.feed.columns[name].type == "list" and position in layout.table.paths:
        cell = f"({jsonl.json_list(cell, layout.table.paths[position])})"
    spellings = [*layout.mapping.null_values, *source.null_values]
    text = _cut(_without_nulls(_trimmed(cell), spellings), source)
    return values.split_list(text, source.list_separator) if source.list_separator else text


def _operand_sql(layout: Layout, name: str, header: str) -> str:
    """The number of a column that is part of a sum."""
    return layout.operand(name, header).number(_operand_text(layout, name, header))


def _operand_text(layout: Layout, name: str, header: str) -> str:
    source = layout.source(name)
    return _without_nulls(_named_text(layout, header), source.null_values if source else ())


def _unread_operands(layout: Layout, name: str) -> dict[str, str]:
    """By header the condition that a part of a sum holds something that is no number."""
    source = layout.source(name)
    if source is None or source.compute is None:
        return {}
    return {
        header: f"({_operand_text(layout, name, header)} is not null and {_operand_sql(layout, name, header)} is null)"
        for header in arithmetic.parse(source.compute).columns
    }


def _cut(text: str, source: ColumnSource) -> str:
    """A cell without what the mapping cuts off, or the value that it stands for."""
    if source.extract:
        text = f"nullif(regexp_extract({text}, {quote(source.extract)}, 1), '')"
    if source.values:
        whens = "".join(f" when {quote(word.strip())} then {quote(meant)}" for word, meant in source.values.items())
        return f"case {text}{whens} else {text} end"
    return text


def _template_sql(layout: Layout, name: str, source: ColumnSource) -> str:
    """A text made of other columns; the parts of an id are read as ids."""
    assert source.template is not None
    parts, rest = [], source.template
    for header in source.template_columns:
        before, _, rest = rest.partition("{")
        _, _, rest = rest.partition("}")
        part = _named_text(layout, header)
        if layout.feed.columns[name].type == "id":
            part = f"coalesce({Reading(FeedColumn(type='id'), None, layout.mapping).value(part)}, {part})"
        parts += [quote(before), part]
    return _cut(" || ".join([*parts, quote(rest)]), source)


def _value_sql(layout: Layout, name: str) -> str:
    """What a cell is read as, within no bounds; null where it is hidden or cannot be read."""
    reading, text = layout.reading(name), f"t_{name}"
    value = reading.native_value(text) if _is_native(layout, name) else reading.value(text)
    hidden = _hidden_sql(layout, name)
    return f"case when not {hidden} then {value} end" if hidden else value


def _bad_sql(layout: Layout, name: str) -> str:
    """Whether the cell of a feed column cannot be read, or is missing where it is required."""
    column, source = layout.feed.columns[name], layout.source(name)
    if source is None:
        return f"t_{name} is null" if column.required else ""
    hidden = _hidden_sql(layout, name)
    tests = [f"(t_{name} is not null and v_{name} is null{f' and not {hidden}' if hidden else ''})"]
    if column.required:
        tests.append(f"t_{name} is null")
    elif source.extract and name in layout.positions:
        tests.append(f"(t_{name} is null and trim({_cell_text(layout, layout.positions[name])}) <> '')")
    if name in layout.positions and column.type in ("id", "text", "list") and _holds_objects(layout, name):
        tests.append(_object_sql(layout, name))
        tests += [_boolean_sql(layout, name)] if column.type == "id" else []
    tests += _unread_operands(layout, name).values()
    tests += _lost_parts(layout, name).values()
    return " or ".join(tests)


def _lost_parts(layout: Layout, name: str) -> dict[str, str]:
    """By header the condition that a part of an id has lost digits."""
    source = layout.source(name)
    if source is None or source.template is None or layout.feed.columns[name].type != "id":
        return {}
    reading = layout.reading(name)
    return {
        part: f"coalesce({reading.lost_digits(_named_text(layout, part))}, false)" for part in source.template_columns
    }


def _two_way_sql(layout: Layout, name: str) -> str:
    """Whether a cell waits for the mapping to say how it is read; empty where none can."""
    source = layout.source(name)
    if _is_native(layout, name) or source is None or source.on_invalid == "null":
        return ""
    found = layout.reading(name).two_way(f"t_{name}")
    return f"(t_{name} is not null and v_{name} is null and {found})" if found else ""


def _hidden_sql(layout: Layout, name: str) -> str:
    """Whether a count is hidden, by its spelling or by another column; empty where it cannot be."""
    source = layout.source(name)
    if source is None:
        return ""
    tests = []
    if source.hidden_values and name in layout.positions and not _is_native(layout, name):
        tests.append(f"coalesce(t_{name} in ({listed(source.hidden_values)}), false)")
    if layout.feed.columns[name].hidden_as_minus_1 and name in layout.positions:
        minus_1 = "-1" if _is_native(layout, name) else "'-1'"
        tests.append(f"coalesce(t_{name} = {minus_1}, false)")
    if source.hidden_when:
        tests.append(row_filter.parse(source.hidden_when).sql(lambda header: _compared(layout, header)))
    return f"({' or '.join(tests)})" if tests else ""


def _holds_objects(layout: Layout, name: str) -> bool:
    return layout.positions[name] in layout.table.paths


def _object_sql(layout: Layout, name: str) -> str:
    """Whether a JSON record holds an object, or a list of more than plain texts, where a text belongs."""
    path = layout.table.paths[layout.positions[name]]
    is_open = f"t_{name} like '{{%' or t_{name} like '[%'"
    return f"(({is_open}) and json_type(whole, {path}) in ('OBJECT', 'ARRAY'))"


def _boolean_sql(layout: Layout, name: str) -> str:
    """Whether a JSON record holds true or false where an id belongs."""
    path = layout.table.paths[layout.positions[name]]
    return f"(t_{name} in ('true', 'false') and json_type(whole, {path}) = 'BOOLEAN')"


def _reason_sql(layout: Layout, name: str) -> str:
    source, reading = layout.source(name), layout.reading(name)
    absent = "'empty, but required'"
    if name in layout.positions and (source is None or source.extract):
        cell = _cell_text(layout, layout.positions[name])
        absent = f"if(coalesce(trim({cell}), '') = '', {absent}, 'not of the shape that the mapping extracts')"
    parts = [
        f" when {unread} then {quote(f'{header}: ')} || {operand.reason(_operand_text(layout, name, header))}"
        for header, unread in _unread_operands(layout, name).items()
        for operand in [layout.operand(name, header)]
    ]
    parts += [
        f" when {lost} then {quote(f'{header}: {values.LOST_DIGITS}')}"
        for header, lost in _lost_parts(layout, name).items()
    ]
    is_object = ""
    if name in layout.positions and _holds_objects(layout, name):
        is_object = f" when {_object_sql(layout, name)} then 'an object or list; name its part, like `from: a.b`'"
        if layout.feed.columns[name].type == "id":
            is_object += f" when {_boolean_sql(layout, name)} then {quote(values.TRUE_OR_FALSE)}"
    return f"case{''.join(parts)} when t_{name} is null then {absent}{is_object} else {reading.reason(f't_{name}')} end"


def _unsaid_total(layout: Layout) -> tuple[str, str] | None:
    """The id of a feed of numbers, and SQL whether a row seems to sum others, where nobody has said what it is.

    Looked at are the cells that make the id; where no cell makes one, the first of the row.
    """
    if layout.part.skip_totals is not None or not any(c.type in MEASURES for c in layout.feed.columns.values()):
        return None
    ids = [name for name in layout.feed.key if layout.feed.columns[name].type == "id" and name in layout.filled]
    named = {layout.positions[name] for name in ids if name in layout.positions}
    for name in ids:
        source = layout.source(name)
        for column in source.template_columns if source else []:
            named.add(find_column(layout.table, column, layout.mapping, optional=False) or 0)
    return (ids[0], _any_total(layout, named or {0})) if ids else None


def _total_sql(layout: Layout) -> str:
    """Whether a row sums others: its first cell, or an id of it, is such a word."""
    ids = [name for name, column in layout.feed.columns.items() if column.type == "id" and name in layout.positions]
    return _any_total(layout, {0, *(layout.positions[name] for name in ids)})


def _any_total(layout: Layout, cells: set[int]) -> str:
    # Of a record of JSON only what was asked for is taken apart.
    there = [c for c in sorted(cells) if layout.table.rest is None or c in layout.table.paths]
    return " or ".join(f"coalesce({is_total(_trimmed(_cell_text(layout, c)))}, false)" for c in there) or "false"


def _nobody_sql(layout: Layout) -> str:
    """Whether a row holds nothing of those that a feed is filled with several times: neither an id nor a count."""
    named = [name for name, column in layout.feed.columns.items() if name in layout.positions]
    ids = [name for name in named if name in layout.feed.key]
    counts = [name for name in named if layout.feed.columns[name].type in MEASURES]
    return " and ".join(f"t_{name} is null" for name in [*ids, *counts]) if ids else "false"


def _compared(layout: Layout, header: str) -> row_filter.Cell:
    """A column as a filter of the mapping compares it."""
    name, reading = layout.compared(header)
    text = _named_text(layout, header)
    cell = text if name is None else f"cast({_text_sql(layout, name)} as varchar)"
    if reading.column.type in values.MOMENTS:
        plain = reading.value(cell)
        if name is not None and _is_native(layout, name):
            plain = reading.native_value(_text_sql(layout, name))
        return row_filter.Cell(text, f"try_cast({text} as decimal(28, 8))", f"cast({plain} as timestamp)")
    return row_filter.Cell(text, reading.number(cell))


def _whole_row_tests(layout: Layout) -> list[tuple[str, str, str, str]]:
    """Rows that are refused before their cells are looked at: a name for why, the test, what is shown, the reason."""
    tests = []
    columns = sorted({position for position in layout.positions.values() if layout.table.header[position]})
    if layout.table.has_header and columns:
        same = (f"trim({_cell_text(layout, c)}) = {quote(layout.table.header[c])}" for c in columns)
        tests.append((HEADER_AGAIN, " and ".join(same), "null", "'the header line again'"))
    if layout.part.keep:
        chosen = row_filter.parse(layout.part.keep)
        for header, unreadable in chosen.unreadable(lambda each: _compared(layout, each)).items():
            text, (_, reading) = _named_text(layout, header), layout.compared(header)
            why = f"{quote(f'{header!r}, by which the mapping keeps rows: ')} || {reading.reason(text)}"
            tests.append((f"(keep {header})", unreadable, text, why))
        left_out = f"left out by the mapping, which keeps: {layout.part.keep}"
        kept = chosen.sql(lambda header: _compared(layout, header))
        tests.append((LEFT_OUT, f"not ({kept})", "null", quote(left_out)))
    if layout.part.skip_totals:
        tests.append((TOTAL, _total_sql(layout), "null", "'left out by the mapping: a row that sums others'"))
    if layout.is_one_of_several:
        tests.append((NOBODY, _nobody_sql(layout), "null", quote(_nobody_words(layout))))
    if unsaid := _unsaid_total(layout):
        name, test = unsaid
        cell = _cell_text(layout, layout.positions[name]) if name in layout.positions else f"t_{name}"
        tests.append((f"{TOTAL} {name}", test, cell, quote(LIKE_A_TOTAL)))
    return tests


def _evaluate(reader: Reader, layouts: list[Layout]) -> None:
    """Read the file into `evaluated`: values, `extra`, and of a bad row the first bad column, its text and reason."""
    for layout in layouts:
        try:
            into = "insert into evaluated" if layout.number else "create temp table evaluated as"
            reader.execute(f"{into} {_evaluated_sql(layout)}")
        except duckdb.Error as error:
            if is_of_the_machine(error):
                raise
            raise FileRefused(f"it cannot be read ({plain_words(error)})", layout.table.rows_hint) from error


def _evaluated_sql(layout: Layout) -> str:
    texts, typed, bounded, shown, reasons, tests, invalid = [], [], [], [], [], [], []
    for label, test, cell, why in _whole_row_tests(layout):
        tests.append(f"when {test} then {quote(label)}")
        shown.append(f"when {quote(label)} then {cell}")
        reasons.append(f"when {quote(label)} then {why}")
    for name in layout.filled:
        texts.append(f"{_text_sql(layout, name)} as t_{name}")
        typed.append(f"{_value_sql(layout, name)} as v_{name}")
        if (within := layout.reading(name).bounded(f"v_{name}")) != f"v_{name}":
            bounded.append(f"{within} as v_{name}")
        bad = _bad_sql(layout, name)
        cell = _cell_text(layout, layout.positions[name]) if name in layout.positions else f"t_{name}"
        if bad and layout.invalid_is_null(name):
            source = layout.source(name)
            kept = "'(hashed)'" if source and source.hash else f"left({cell}, {VALUE_SHOWN})"
            invalid.append((name, bad, kept, _reason_sql(layout, name)))
            bad = _two_way_sql(layout, name)
        if bad:
            tests.append(f"when {bad} then '{name}'")
            shown.append(f"when '{name}' then {cell}")
            reasons.append(f"when '{name}' then {_reason_sql(layout, name)}")
    marks = {"hidden": "0", "noisy": "0"} if layout.is_one_of_several else {}
    marks |= _marks(layout) | ({"part": str(layout.number)} if layout.is_one_of_several else {})
    columns = ", ".join(
        [*(f"v_{name}" for name in layout.filled), *(f"{bits} as {mark}" for mark, bits in marks.items())]
    )
    lines = "source_line, " if layout.table.has_lines else ""
    is_bad = "case when bad_column is not null then"
    has_invalid = " or ".join(f"({bad})" for _, bad, _, _ in invalid) or "false"
    return f"""
        select {lines}{columns}, extra, {_invalid_sql(invalid)}, bad_column,
            {is_bad} left(case bad_column {" ".join(shown)} end, {VALUE_SHOWN}) end as bad_value,
            {is_bad} case bad_column {" ".join(reasons)} end end as bad_reason,
            {is_bad} {_row_sql(layout)} end as cells
        from (select *, case {" ".join(tests)} end as bad_column,
                  case when {has_invalid} then true end as has_invalid
              from (select *{f" replace ({', '.join(bounded)})" if bounded else ""}
                    from (select *, {", ".join(typed)}
                          from (select *, {", ".join(texts)}, {_extra_sql(layout)} as extra
                                from {layout.table.relation}))))
        """


def _row_sql(layout: Layout) -> str:
    """A refused row as read, for the people who mend it.

    There is nothing to mend in a row that is left out on purpose, so nothing of a customer is kept of it: no cell that
    the mapping hashes or ignores.
    """
    hashed, row = _hashed(layout), layout.table.row
    if not hashed:
        return row
    ignored = {tidy(name) for name in layout.part.ignore}
    places = {index for index, name in enumerate(layout.table.header) if tidy(name) in ignored} | hashed
    rest = "'{}'" if layout.table.rest is not None else without_cells(row, places)
    return f"case when bad_column in {ON_PURPOSE} then {rest} else {row} end"


def _nobody_words(layout: Layout) -> str:
    named = [layout.table.header[layout.positions[name]] for name in layout.feed.key if name in layout.positions]
    return f"left out: its {' and '.join(named)[:200]} is empty, and there is no count"


def _invalid_sql(invalid: list[tuple[str, str, str, str]]) -> str:
    """Two columns of a row's cells that could not be read and became null: texts and reasons, as JSON by column.

    Args:
        invalid: column, whether its cell is bad, its text, the reason.
    """

    def by_column(place: int) -> str:
        pairs = ", ".join(f"'{each[0]}', case when {each[1]} then {each[place]} end" for each in invalid)
        return f"case when has_invalid then cast(json_merge_patch('{{}}', json_object({pairs})) as varchar) end"

    return f"{by_column(2)} as invalid_cells, {by_column(3)} as invalid_reasons"


def _marks(layout: Layout) -> dict[str, str]:
    """Columns of `evaluated` of which each bit says something of one cell."""
    bits = {"hidden": _hidden_bits(layout), "noisy": _noisy_bits(layout)}
    return {
        mark: " + ".join(f"case when {sql} then {bit} else 0 end" for bit, sql in each.values())
        for mark, each in bits.items()
        if each
    }


def _noisy_bits(layout: Layout) -> dict[str, tuple[int, str]]:
    """Per amount and rate its bit in the column `noisy`, and when it is set: it is written as floats are."""
    tests = (
        (name, layout.reading(name).has_noise(f"t_{name}")) for name in layout.filled if layout.source(name) is not None
    )
    return {name: (1 << place, f"v_{name} is not null and {sql}") for place, (name, sql) in enumerate(tests) if sql}


@dataclass(frozen=True)
class InvalidCells:
    """Cells of one column that could not be read and became null: how many, and the first of them."""

    column: str
    rows: int
    first_line: int
    text: str
    reason: str


def invalid_cells(reader: Reader) -> list[InvalidCells]:
    """Of the rows that load, per column the cells that could not be read."""
    rows = reader.execute(
        f"""
        select name, count(*), min(source_line), arg_min(json_extract_string(invalid_cells, '$.' || name), source_line),
            arg_min(json_extract_string(invalid_reasons, '$.' || name), source_line)
        from (select *, unnest(json_keys(invalid_cells)) as name from numbered
              where invalid_cells is not null and {_STAYS})
        group by all order by name
        """
    ).fetchall()
    return [InvalidCells(*row) for row in rows]


def _note_cells(reader: Reader, layouts: list[Layout], invalid: list[InvalidCells]) -> list[str]:
    """Say how many cells of each column are null because they are invalid, and how many were rounded from floats."""
    notes = []
    if invalid:
        said = "; ".join(f"{cell.rows:,} of {cell.column} (line {cell.first_line}: {cell.reason})" for cell in invalid)
        notes.append(f"invalid cells, null now: {said}")
    noise: Counter[str] = Counter()
    for layout in layouts:
        if noisy := _noisy_bits(layout):
            sums = ", ".join(f"count(*) filter (noisy & {bit} <> 0)" for bit, _ in noisy.values())
            mine = f"part = {layout.number} and " if layout.is_one_of_several else ""
            row = reader.execute(f"select {sums} from numbered where {mine}{_STAYS}").fetchone()
            noise.update(dict(zip(noisy, row or (), strict=True)))
    if found := [f"{rows:,} of {name}" for name, rows in noise.items() if rows]:
        notes.append(f"cells with the noise of floats, read as the number that they stand for: {', '.join(found)}")
    return notes


def _hidden_bits(layout: Layout) -> dict[str, tuple[int, str]]:
    """Per count that may be hidden its bit in the column `hidden` of `evaluated`, and when it is set."""
    tests = ((name, _hidden_sql(layout, name)) for name in layout.feed.counts)
    return {name: (1 << place, sql) for place, (name, sql) in enumerate(tests) if sql}


def _drop_tables(reader: Reader) -> None:
    for view in ("accepted", "numbered"):
        reader.execute(f"drop view if exists {view}")
    for table in ("evaluated", "dropped", "repeats", "reread", "set_aside"):
        reader.execute(f"drop table if exists {table}")
    reader.execute("create temp table dropped (place bigint)")


def _number(reader: Reader, table: Table, times: int) -> int:
    """Make `numbered`, and fill `rejects` with the rows of a bad cell. Returns records read."""
    number = table.number if times == 1 else number_given
    read = number(reader, "evaluated", "numbered")
    reader.execute(
        f"insert into rejects select source_line, case when bad_column like '{TOTAL} %'"
        f" then substr(bad_column, {len(TOTAL) + 2}) when bad_column not like '(%' then bad_column end, bad_value,"
        " bad_reason, cells from numbered where bad_column is not null"
    )
    return read


_STAYS = "bad_column is null and place not in (select place from dropped)"


def _resolve_duplicates(reader: Reader, layouts: list[Layout]) -> int:
    """Rows of one key and instant: equal ones are duplicates, differing ones go to quarantine. Returns duplicates.

    What no feed column takes (`extra`) makes no difference: the first row's is kept.
    Under `tie_break: last_line` the last of differing rows stays and the others count as duplicates.
    """
    feed, part, filled = layouts[0].feed, layouts[0].part, layouts[0].filled
    named = [name for name in feed.identity if name in filled]
    key = ", ".join(f"v_{name}" for name in named)
    keys = "{" + ", ".join(f"'{name}': v_{name}" for name in named) + "}"
    own_key = ", ".join(f"numbered.v_{name}" for name in named)
    # An optional part of a key may be empty, and is then alike.
    is_repeated = " and ".join(f"numbered.v_{name} is not distinct from repeated.v_{name}" for name in named)
    # Lines of one record that have no id of their own are told apart by their place alone.
    if feed.line and feed.line not in filled:
        return 0
    is_told = "bad_column is null" + (f" and v_{feed.line} is not null" if feed.line else "")
    repeated = f"select {key} from evaluated where {is_told} group by {key} having count(*) > 1"
    # Hashes take a fraction of the memory; keys of one hash that differ are told apart below.
    hashed = f"select 1 from evaluated where {is_told} group by hash({key}) having count(*) > 1 limit 1"
    if not one(reader, f"select count(*) from ({hashed})"):
        return 0
    content = ", ".join(f"'v_{name}': numbered.v_{name}" for name in filled)
    keeper = "max" if part.tie_break == "last_line" else "min"
    reader.execute(
        f"""
        create temp table repeats as
        select source_line, place, content, cast(v_{named[-1]} as varchar) as shown,
            {keys} as repeat_of, count(distinct content) over same as contents,
            {keeper}(place) over same as kept_place, min(source_line) over same as first_line,
            max(source_line) over same as last_line, count(*) over same as rows
        from (select source_line, place, {own_key}, {{{content}}} as content
              from numbered join ({repeated}) as repeated on {is_repeated} where {is_told})
        window same as (partition by {key})
        """
    )
    is_conflict = "false" if part.tie_break else "contents > 1"
    if one(reader, f"select count(*) from repeats where {is_conflict}"):
        _quarantine_conflicts(reader, layouts, is_conflict)
    reader.execute(f"insert into dropped select place from repeats where {is_conflict} or place <> kept_place")
    return one(reader, f"select count(*) from repeats where not ({is_conflict}) and place <> kept_place")


def _set_keys_aside(reader: Reader, layouts: list[Layout]) -> tuple[bool, int, tuple[str, ...]]:
    """Make `set_aside` of a file that may withdraw something: the keys of its rows that are not loaded.

    What `keep` leaves out is withdrawn; what is `held`, as a row in quarantine, is no more absent than it is loaded.
    Returns whether there are any, how many rows have no readable key, and the days of what is left out.
    """
    feed, filled, is_full = layouts[0].feed, layouts[0].filled, layouts[0].delivery.is_full
    keeps = any(layout.part.keep for layout in layouts)
    withdraws = keeps and layouts[0].part.left_out == "withdrawn" and feed.absence == "withdrawn"
    if not feed.absence or not (is_full or withdraws):
        return False, 0, ()

    def cell(name: str | None) -> str:
        return f"v_{name}" if name in filled else "null"

    # Without the parts that may be empty: a shop, a line, the day of an agreement's version.
    parts = [name for name in feed.key if feed.columns[name].required]
    record = f"concat_ws('/', {', '.join(map(cell, parts))})"
    in_key = ", ".join(quote(name) for name in feed.key)
    is_unread = " or ".join([*(f"{cell(name)} is null" for name in parts), f"bad_column in ({in_key})"])
    account = ", ".join(f"{cell(name if name in parts else None)} as {name}" for name in ("platform", "account_id"))
    is_left_out = f"bad_column = '{LEFT_OUT}'"
    # A header again, a total and a time of which a row fills nothing are no records.
    is_record = f"bad_column not in ('{HEADER_AGAIN}', '{TOTAL}', '{NOBODY}')"
    reader.execute(
        f"""
        create temp table set_aside as
        select {account}, coalesce({cell("shop")}, '') as shop, {record} as record_id, {cell(feed.line)} as line_id,
            case when {is_left_out} and {withdraws} then 'left_out' else 'held' end as kind,
            cast({cell(feed.day)} as date) as row_date, source_line
        from numbered
        where ({is_record} or place in (select place from dropped))
            and not coalesce({is_unread}, false) and ({is_full} or {is_left_out})
        """
    )
    unread = one(
        reader,
        f"select (select count(*) from numbered where {is_record} and ({is_unread})) + (select"
        " count(*) from rejects where source_line is null or source_line not in (select source_line from numbered))",
    )
    days = "select distinct row_date from set_aside where kind = 'left_out' and row_date is not null order by 1"
    found = tuple(str(day) for (day,) in reader.execute(days).fetchall())
    return one(reader, "select count(*) from set_aside") > 0, unread, found


def _quarantine_conflicts(reader: Reader, layouts: list[Layout], is_conflict: str) -> None:
    """Move conflicting repeats to `rejects` with their cells as read, for which the file is read once more."""
    for table in ("reject_scans", "reject_errors"):
        reader.execute(f"drop table if exists {table}")
    feed = layouts[0].feed
    for layout in layouts:
        into = "insert into reread" if layout.number else "create temp table reread as"
        reader.execute(f"{into} select {layout.table.row} as cells from {layout.table.relation}")
    if one(reader, "select count(*) from reread") != one(reader, "select count(*) from evaluated"):
        raise FileRefused("two readings of it differ; check its quotes", layouts[0].table.rows_hint)
    differing = ", ".join(
        f"case when count(distinct row(content.v_{name})) > 1 then '{name}' end" for name in layouts[0].filled
    )
    reader.execute(
        f"""
        insert into rejects
        select source_line, {quote(feed.identity[-1])}, shown,
            rows || ' rows with one key{" and instant" if feed.time else ""} and differing values, in lines '
                || first_line || if(rows > 2, ' to ', ' and ') || last_line || '; they differ in ' || differing,
            reread.cells
        from repeats join reread on reread.rowid = repeats.place
        join (select repeat_of, concat_ws(', ', {differing}) as differing
              from repeats where {is_conflict} group by repeat_of)
            using (repeat_of)
        where {is_conflict}
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


def _outages(reader: Reader, layout: Layout) -> list[tuple[str, float]]:
    """Columns in which too large a share of the rows is 0, where 0 means not captured, with that share."""
    part = layout.part
    counts = [name for name in part.zero_is_null if name in layout.filled]
    if part.outage_share is None or not counts:
        return []
    sums = ", ".join(f"count(*) filter (v_{name} = 0)" for name in counts)
    mine = f"part = {layout.number} and " if layout.is_one_of_several else ""
    row = reader.execute(f"select greatest(count(*), 1), {sums} from numbered where {mine}{_STAYS}").fetchone()
    assert row is not None
    shares = [(name, zeros / row[0]) for name, zeros in zip(counts, row[1:], strict=True)]
    return [(name, share) for name, share in shares if share > part.outage_share]


def _make_accepted_view(reader: Reader, layouts: list[Layout], outages: dict[int, set[str]], invalid: set[str]) -> None:
    """The view `accepted`: the raw layer's columns, in its order; `accepted_within` has some days of it, sorted.

    Args:
        outages: by place of the layout its counts of which each 0 is an outage.
        invalid: columns of which a cell could not be read.
    """
    stays = _STAYS if one(reader, "select count(*) from dropped") else "bad_column is null"
    day = layouts[0].feed.day
    within = (
        f"(from numbered where cast(v_{day} as date) between first_day and last_day"
        f" order by cast(v_{day} as date), source_line, place)"
    )
    for made, source in (
        ("view accepted", "numbered"),
        ("macro accepted_within(first_day, last_day)", within if day else "numbered"),
    ):
        chosen = [_accepted_sql(layout, outages[layout.number], invalid, source, stays) for layout in layouts]
        table = "table " if made.startswith("macro") else ""
        reader.execute(f"create or replace temp {made} as {table}{' union all '.join(chosen)}")


def _accepted_sql(layout: Layout, outages: set[str], invalid: set[str], source: str, stays: str) -> str:
    delivery = layout.delivery
    columns = []
    for name, column in layout.feed.columns.items():
        columns.append(f"{_accepted_value(layout, name, name in invalid)} as {name}")
        if column.type == "count":
            columns.append(f"{_null_reason(layout, name, name in outages, name in invalid)} as {name}_null_reason")
    day = f"cast(v_{layout.feed.day} as date)" if layout.feed.day else f"date '{delivery.as_of.date()}'"
    return f"""
        select {", ".join(columns)}, extra, invalid_cells, {_repeated(delivery.origin)} as data_origin,
            {_repeated(delivery.file)} as source_file, source_line, {_repeated(delivery.sha256)} as source_sha256,
            {_repeated(delivery.batch_id)} as batch_id, timestamp '{delivery.as_of}' as as_of,
            timestamp '{delivery.loaded_at}' as loaded_at, {day} as snapshot_date
        from {source} where {f"part = {layout.number} and " if layout.is_one_of_several else ""}{stays}
        """


def _repeated(text: str) -> str:
    """A text that each row holds, of a type that is not looked up row by row when it is written; it reads as text."""
    return f"cast({quote(text)} as enum ({quote(text)}))"


def _accepted_value(layout: Layout, name: str, has_invalid: bool) -> str:
    if name not in layout.filled:
        # Of its own type in every file: other engines read a column as it is written.
        value, kind = layout.reading(name).value("cast(null as varchar)"), SQL_TYPES[layout.feed.columns[name].type]
        return f"cast({value} as {kind})"
    if name in layout.part.zero_is_null:
        return f"case when v_{name} <> 0 then v_{name} end"
    source = layout.source(name)
    # A text that should have been no object, and a sum of which a part is no number, are read and invalid all the same.
    may_be_read = source is not None and (
        source.compute is not None or (name in layout.positions and _holds_objects(layout, name))
    )
    if may_be_read and has_invalid:
        return f"case when not coalesce(json_exists(invalid_cells, '$.{name}'), false) then v_{name} end"
    return f"v_{name}"


def _null_reason(layout: Layout, name: str, is_outage: bool, has_invalid: bool) -> str:
    """Why a count is null, null where it is known."""
    if name not in layout.filled:
        source = layout.source(name)
        return _repeated((source.absent_means if source else None) or "unsupported")
    whens = []
    if name in layout.part.zero_is_null:
        whens.append(f"when v_{name} = 0 then '{'outage' if is_outage else 'not_captured'}'")
    if name in (bits := _hidden_bits(layout)):
        whens.append(f"when hidden & {bits[name][0]} <> 0 then 'hidden'")
    source = layout.source(name)
    if has_invalid:
        whens.append(f"when json_exists(invalid_cells, '$.{name}') then 'invalid'")
    made = source is not None and (source.is_fixed or source.template is not None or source.compute is not None)
    absent = "not_captured" if name in layout.positions or made else "unsupported"
    absent = (source.absent_means if source else None) or absent
    # Parquet's writer looks texts up row by row, and this type not; it reads back as text.
    return f"cast(case {' '.join(whens)} when v_{name} is null then '{absent}' end as enum ({NULL_REASONS}))"
