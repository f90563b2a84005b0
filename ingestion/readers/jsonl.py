"""JSON as a table of cells: an object a record, only the wanted keys taken apart."""

import io
import json
import mmap
import re
from array import array
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import duckdb
import numpy as np

from ingestion.errors import FileRefused
from ingestion.mapping.grammar import FeedPart, Mapping
from ingestion.readers.table import (
    BLOCK,
    MAX_COLUMNS,
    TOO_MANY_COLUMNS,
    Reader,
    Table,
    is_of_the_machine,
    number_given,
    one,
    plain_words,
)
from ingestion.readers.text import BOM, Scan, is_utf8, scan_lines, transcode, why_broken, with_one_line_end
from ingestion.sql import quote

# What a file supplies to one feed; none while nobody knows.
Parts: TypeAlias = tuple[FeedPart, ...]
# A document that is no list is parsed at once; in memory it takes several times its size.
MAX_DOCUMENT_BYTES = 256 << 20
# Levels within each other; DuckDB goes down by recursion, and a process ends where its stack does.
MAX_DEPTH = 500
NEWLINE = 10
# By byte, the levels by which it goes down or up.
STEPS = np.zeros(256, dtype=np.int32)
STEPS[list(b"[{")], STEPS[list(b"]}")] = 1, -1
# What opens or closes a level, a text within which nothing does, and the end of a line.
TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"?|[\[\]{}\n]')
# What the rows of nested lists may take when each repeats its record.
MAX_EXPLODED_BYTES = 4 << 30


def read_json(
    reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool, parts: Parts = ()
) -> Table:
    """JSON as a table: an object a line, a list of objects, or a list within a document (`rows_at`)."""
    source = plain if is_utf8(mapping) else transcode(plain, mapping.encoding)
    scan = scan_lines(source, mapping)
    start = scan.head.removeprefix(BOM).lstrip()
    is_whole_text = mapping.rows_at is not None or start.startswith(b"[") or _is_document(start)
    _refuse_deep(source, is_lines=not is_whole_text)
    if is_whole_text:
        records, notes = _read_documents(reader, source, mapping.rows_at, is_list=start.startswith(b"["))
    else:
        records, notes = _read_lines(reader, source, scan, mapping), ()
    return replace(table_of_records(reader, records, wanted, parts), notes=notes)


def _refuse_deep(source: Path, is_lines: bool) -> None:
    """Raise FileRefused for more than `MAX_DEPTH` levels within each other.

    Args:
        is_lines: whether each line begins at the top.
    """
    if not _may_be_deep(source, is_lines):
        return
    level = 0
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for found in TOKEN.finditer(text):
            sign = found[0][:1]
            if sign in b"[{":
                level += 1
            elif sign in b"]}":
                level -= 1
            elif sign == b"\n" and is_lines:
                level = 0
            if level > MAX_DEPTH:
                line = text[: found.start()].count(b"\n") + 1
                raise FileRefused(f"line {line} holds more than {MAX_DEPTH} levels within each other: flatten it")


def _may_be_deep(source: Path, is_lines: bool) -> bool:
    """Whether so many more brackets open than close, those within texts counted too, which is seen at once."""
    level = 0
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            signs = np.frombuffer(block, dtype=np.uint8)
            levels = np.cumsum(STEPS[signs], dtype=np.int32) + level
            starts = np.append(0, np.flatnonzero(signs == NEWLINE)) if is_lines else np.array([0])
            below = np.append(0, levels[starts[1:]])
            if (np.maximum.reduceat(levels, starts) - below).max() > MAX_DEPTH:
                return True
            level = int(levels[-1] - below[-1])
    return False


def _read_lines(reader: Reader, source: Path, scan: Scan, mapping: Mapping) -> int:
    """Make `lines` of a file with an object a line; returns how many it has."""
    if scan.is_mixed:
        source = with_one_line_end(source, mark="")
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
    total = len(offsets)
    if scan.last != b"\n" and one(
        reader, f"select count(*) from lines where source_line = {total} and not json_valid(text)"
    ):
        raise FileRefused("its last line is cut; send it again", total)
    return one(reader, "select count(*) from lines") + one(reader, "select count(*) from rejects")


def _is_document(start: bytes) -> bool:
    """Whether a file of JSON begins with an object that goes on over several lines."""
    first, is_ended, _ = start.partition(b"\n")
    if not is_ended or not first.startswith(b"{"):
        return False
    try:
        json.JSONDecoder().raw_decode(start.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        # Cut by the look at its beginning, or not JSON at all: pretty-printed JSON has a key a line.
        return first.strip() in (b"{", b"{{")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return False


def _read_documents(reader: Reader, source: Path, rows_at: str | None, is_list: bool) -> tuple[int, tuple[str, ...]]:
    """Make `lines` of a list of records, of documents, or of lists within documents; a line is its place.

    Raises FileRefused where the JSON breaks off, or nothing is where the rows should be.
    """
    size = source.stat().st_size
    if not is_list and size > MAX_DOCUMENT_BYTES:
        remedy = f"write one object a line (`jq -c '.{rows_at or ''}[]'` does so)"
        raise FileRefused(f"it is one JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes; {remedy}")
    if is_list and _last_sign(source) != b"]":
        raise FileRefused("its JSON breaks off before the end of its list; send it again")
    form = "array" if is_list else "unstructured"
    limit = (16 << 20) if is_list else max(16 << 20, size + 1)
    documents = f"read_json_objects({quote(str(source))}, format = '{form}', maximum_object_size = {limit})"
    try:
        reader.execute(f"create temp table documents as select json as text from {documents}")
    except duckdb.Error as error:
        if is_of_the_machine(error):
            raise
        raise FileRefused(f"its JSON breaks off or is none ({_json_words(error)}); send it again") from error
    if not one(reader, "select count(*) from documents"):
        raise FileRefused("it holds an empty list; if a day has no rows, send no file")
    if rows_at is None:
        reader.execute("create temp table lines as select rowid + 1 as source_line, text from documents")
        return one(reader, "select count(*) from lines"), ()
    path = json_path(rows_at.split("."))
    lost = one(reader, f"select count(*) from documents where json_type(text, {path}) is distinct from 'ARRAY'")
    if lost:
        keys = reader.execute("select distinct unnest(json_keys(text)) from documents limit 8").fetchall()
        there = ", ".join(repr(key[0][:40]) for key in keys)
        raise FileRefused(f"there is no list at {rows_at!r}, where its rows should be; it has {there or 'no keys'}")
    reader.execute(
        "create temp table lines as select row_number() over () as source_line, text from (select unnest(from_json("
        f"json_extract(text, {path}), '[\"JSON\"]')) as text from documents)"
    )
    return one(reader, "select count(*) from lines"), ()


def _last_sign(source: Path) -> bytes:
    """The last byte of a file that is no blank."""
    with source.open("rb") as file:
        end = file.seek(0, io.SEEK_END)
        while end > 0:
            start = max(0, end - 4096)
            file.seek(start)
            if tail := file.read(end - start).rstrip():
                return tail[-1:]
            end = start
    return b""


def _json_words(error: duckdb.Error) -> str:
    """What DuckDB says of broken JSON, without the name of our copy."""
    words = plain_words(error)
    if "maximum_object_size" in words:
        return "a record is larger than 16 MB"
    return re.sub(r'(?i)^.*?malformed JSON in file "[^"]*", ', "", words).rstrip(". ")


def table_of_records(reader: Reader, records: int, wanted: set[str], parts: Parts) -> Table:
    """The table of `lines`: texts of JSON, each with its line.

    Args:
        records: how many were read, those in `rejects` among them.
    """
    _reject_non_objects(reader)
    keys = [row[0] for row in reader.execute(KEYS, {"most": MAX_COLUMNS + 1}).fetchall()]
    if len(keys) > MAX_COLUMNS:
        raise FileRefused(f"its objects have {len(keys):,} different {TOO_MANY_COLUMNS}", records)
    explode = parts[0].explode if parts else None
    left_out = 0
    for path in (explode,) if isinstance(explode, str) else explode or ():
        left_out += _explode(reader, path)
    if explode:
        records = one(reader, "select (select count(*) from lines) + (select count(*) from rejects)")
    if parts and parts[0].unpivot:
        wanted = wanted | set(keys)
    header, paths = _json_columns(keys, wanted)
    cells = ", ".join(f"json_extract_string(text, {path}) as c{index}" for index, path in paths.items())
    shown = f"source_line, text as whole{', ' if cells else ''}{cells}"
    return Table(
        header=header,
        relation=f"(select {shown} from lines order by source_line, lines.rowid)",
        row="whole",
        number=lambda reader, table, view: number_given(reader, table, view, records),
        has_lines=True,
        has_header=False,
        paths=paths,
        is_number=lambda index: f"(json_type(whole, {paths[index]}) in ({NUMBERS}))" if index in paths else None,
        rest=lambda taken: _json_rest([keys.index(header[index]) for index in taken if header[index] in keys], keys),
        rows_hint=records,
        left_out=left_out,
        hint=_list_within(reader, keys),
    )


def _list_within(reader: Reader, keys: list[str]) -> str:
    """Where a list of objects lies within the records, for a mapping that looks for its columns beside it."""
    for key in filter(re.compile(r"\w[\w .-]*").fullmatch, keys[:50]):
        found = (
            f"json_type(text, {json_path([key])}) = 'ARRAY' and json_type(text, {json_path([key])[:-1]}[0]') = 'OBJECT'"
        )
        if one(reader, f"select count(*) from (select text from lines limit 100) where {found}"):
            return (
                f"there is a list at {key!r}: say `rows_at: {key}`, or `explode: {key}` to keep what stands beside it"
            )
    return ""


def _explode(reader: Reader, path: str) -> int:
    """Each item of a list as a record of its own, in the list's place. Returns how many records have an empty list."""
    keys = path.split(".")
    found = json_path(keys)
    reason = f"no list at {path!r}, of which `explode` makes rows"
    reader.execute(
        f"insert into rejects select source_line, null, null, {quote(reason)}, text from lines"
        f" where json_type(text, {found}) is distinct from 'ARRAY'"
    )
    empty = f"json_array_length(text, {found}) = 0"
    left_out = one(reader, f"select count(*) from lines where json_type(text, {found}) = 'ARRAY' and {empty}")
    reader.execute(
        f"insert into rejects select source_line, null, null, {quote(f'left out: its list {path!r} is empty')}, text"
        f" from lines where json_type(text, {found}) = 'ARRAY' and {empty}"
    )
    nothing: object = None
    for key in reversed(keys):
        nothing = {key: nothing}
    rest = f"json_merge_patch(text, {quote(json.dumps(nothing, ensure_ascii=False))})"
    item = "item"
    for key in reversed(keys):
        item = f"json_object({quote(key)}, {item})"
    listed = f"select source_line, lines.rowid as place, {rest} as rest, json_extract(text, {found}) as list from lines"
    listed += f" where json_type(text, {found}) = 'ARRAY'"
    size = one(
        reader,
        f"select coalesce(sum(strlen(rest) * json_array_length(list) + strlen(list)), 0)::bigint from ({listed})",
    )
    if size > MAX_EXPLODED_BYTES:
        raise FileRefused(f"its lists at {path!r} unfold to more than {MAX_EXPLODED_BYTES:,} bytes; split it")
    reader.execute(
        f"""
        create or replace temp table lines as
        select source_line, cast(json_merge_patch(rest, {item}) as varchar) as text
        from (select source_line, rest, unnest(from_json(list, '["JSON"]')) as item from ({listed} order by 1, 2))
        """
    )
    return left_out


NUMBERS = "'BIGINT', 'UBIGINT', 'DOUBLE'"
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
    why = why_broken(encoding)
    errors = reader.execute(
        f"select line_byte_position - 1, min({why}), any_value(csv_line) from reject_errors group by 1"
    ).fetchall()
    broken = np.searchsorted(offsets, [row[0] for row in errors]) if errors else np.array([], dtype=np.int64)
    rows = one(reader, "select count(*) from lines")
    if rows + len(set(broken)) != len(offsets) or any(broken >= len(offsets)):
        raise FileRefused("its lines cannot be told apart; end each with one line feed", len(offsets))
    spots = np.delete(np.arange(1, len(offsets) + 1), broken)
    reader.register("spots", {"place": np.arange(len(spots)), "source_line": spots})
    reader.execute(
        "create or replace temp table lines as select source_line, text from lines join spots on lines.rowid = place"
        " where trim(text) <> '' order by place"
    )
    reader.unregister("spots")
    controls = "a raw control character; JSON writes it as \\u001f"
    for place, (_, why, shown) in zip(broken, errors, strict=True):
        why = controls if why.startswith("more cells") else why
        reader.execute("insert into rejects values (?, null, null, ?, ?)", [int(place) + 1, why, shown])


def _reject_non_objects(reader: Reader) -> None:
    """Move records that are no JSON object to `rejects`."""
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
            paths[header.index(found)] = json_path([found])
        elif "." in name and name.split(".")[0] in keys:
            header.append(name)
            paths[len(header) - 1] = json_path(name.split("."))
    return header, paths


def json_path(keys: list[str]) -> str:
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
