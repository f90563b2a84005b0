"""JSON lines as a table of cells: an object a line, only the wanted keys taken apart."""

import json
from array import array
from pathlib import Path

import duckdb
import numpy as np

from ingestion.errors import FileRefused
from ingestion.mapping.grammar import Mapping
from ingestion.readers.table import (
    MAX_COLUMNS,
    TOO_MANY_COLUMNS,
    Reader,
    Table,
    is_of_the_machine,
    number_given,
    one,
    plain_words,
)
from ingestion.readers.text import BOM, is_utf8, scan_lines, transcode, why_broken
from ingestion.sql import quote


def read_jsonl(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    source = plain if is_utf8(mapping) else transcode(plain, mapping.encoding)
    head, ends, last = scan_lines(source, mapping)
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
        number=lambda reader: number_given(reader, records),
        has_lines=True,
        has_header=False,
        paths=paths,
        is_number=lambda index: f"(json_type(whole, {paths[index]}) in ({NUMBERS}))" if index in paths else None,
        rest=lambda taken: _json_rest([keys.index(header[index]) for index in taken if header[index] in keys], keys),
        rows_hint=records,
    )


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
