"""A mapping to start from, inferred from a file of unknown layout: by the names of its columns and by what they hold.

Nothing here lands anything. What is inferred is tried on a sample of the file with the landing's own SQL, written down
as YAML, and left to a person.
"""

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ingestion import values
from ingestion.contracts import NUMBERS, Feed, FeedColumn, load_feeds
from ingestion.errors import FileRefused
from ingestion.mapping.grammar import ColumnSource, Mapping, tidy
from ingestion.readers import text, xlsx
from ingestion.readers.open import open_table
from ingestion.readers.table import Reader, Table

SYNONYMS = Path(__file__).with_name("synonyms.yml")
SAMPLE_ROWS = 500
# Share of a sample's filled cells that must be of the type for a column to be taken for it: less where the header
# leaves no doubt, for then the other cells are spellings of null that nobody has listed yet.
FITTING, FITTING_BY_NAME = 0.8, 0.3
SURE = 0.9
DELIMITERS = ",;\t|"
NULLS = ("-", "–", "—", "--", "?", "N/A", "n/a", "NA", "N/A'", "null", "NULL", "None", "none", "nan", "NaN",
         "#N/A", "#VALUE!", "#VALOR!", "#WERT!", "#REF!", "#DIV/0!")  # fmt: skip
# An average over posts is none of the totals that feeds ask for.
AVERAGE = re.compile(r"\b(avg|average|mean|median)\b")
TIME_FORMATS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%d.%m.%y", "%y.%m.%d", "%d/%m/%y", "%m/%d/%y",
    "%d %b %Y", "%b %d, %Y", "%Y%m%d", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z",
)  # fmt: skip
IDS_IN_URLS = {
    "youtube": r"^https?://(?:www\.)?youtube\.com/channel/(UC[A-Za-z0-9_-]{22})/?",
    "instagram": r"^https?://(?:www\.)?instagram\.com/([A-Za-z0-9_.]+)/?",
    "tiktok": r"^https?://(?:www\.)?tiktok\.com/@([A-Za-z0-9_.]+)/?",
    "x": r"^https?://(?:www\.)?(?:twitter|x)\.com/([A-Za-z0-9_]+)/?",
}
PLATFORMS = {"youtube": "youtube", "yt": "youtube", "instagram": "instagram", "insta": "instagram", "ig": "instagram",
             "tiktok": "tiktok", "tt": "tiktok", "twitter": "x", "twitch": "twitch", "chzzk": "chzzk"}  # fmt: skip
DATES = (r"\d{4}-\d{2}-\d{2}", r"\d{4}/\d{2}/\d{2}", r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
DATE_IN_NAME = (
    (r"(\d{4}-\d{2}-\d{2}[T_]\d{2}-\d{2}-\d{2})", "%Y-%m-%d_%H-%M-%S"),
    (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    (r"(20\d{2}_\d{2}_\d{2})", "%Y_%m_%d"),
    (r"(20\d{6})", "%Y%m%d"),
)


@dataclass
class Guess:
    """An inferred mapping: its content as it stands in YAML, remarks per key, and what nobody could guess."""

    content: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    open_ends: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def mapping(self) -> Mapping | None:
        """The mapping, null where a required column is still open."""
        try:
            return Mapping.model_validate(self.content) if not self.open_ends else None
        except ValidationError:
            return None

    def text(self) -> str:
        """The YAML, with a remark where something was guessed."""
        lines = [
            "# yaml-language-server: $schema=mapping.schema.json",
            "# Inferred: look at each line before you use it.",
            *(_line(key, value, 0, self.remarks) for key, value in self.content.items()),
            *(f"  # {name}: {{from: ...}}  # required; nothing in the file looks like it" for name in self.open_ends),
        ]
        if self.unused:
            lines.append(f"# kept in `extra`: {', '.join(self.unused)}")
        return "\n".join(lines) + "\n"


def _line(key: str, value: Any, depth: int, remarks: dict[str, str]) -> str:
    pad, remark = "  " * depth, f"  # {remarks[key]}" if key in remarks else ""
    if isinstance(value, dict) and depth == 0:
        return "\n".join([f"{key}:{remark}", *(_line(name, inner, 1, remarks) for name, inner in value.items())])
    flow = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    shown = flow.removesuffix("...\n").strip()
    return f"{pad}{key}: {shown}{remark}"


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    return found


def plain(name: str) -> str:
    """A header as letters and digits alone, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def infer(reader: Reader, path: Path, name: str, file_format: str) -> Guess:
    """The mapping that a file of unknown layout most likely needs.

    Args:
        path: the plain file. name: its name as delivered.
    Raises:
        FileRefused: when not even its shape can be read.
    """
    if path.stat().st_size == 0:
        raise FileRefused("it is empty; send it again")
    shape = _shape(path, file_format)
    probe = Mapping.model_validate(
        {"mapping": "probe", "pattern": "*", "feed": "brands", "columns": {}, "unended_last_line": True, **shape}
    )
    table = open_table(reader, path, probe, file_format, set(), is_whole=True)
    if not any(table.header):
        raise FileRefused("it holds no column; is it what it should be?")
    spread = _dates_side_by_side(table.header)
    if spread:
        shape["unpivot"] = spread
        probe = Mapping.model_validate({**probe.model_dump(by_alias=True, exclude_defaults=True), "unpivot": spread})
        table = open_table(reader, path, probe, file_format, set(), is_whole=True, parts=probe.parts)
    elif file_format == "jsonl":
        wanted = set(table.header)
        table = open_table(reader, path, probe, file_format, wanted | _nested(reader), is_whole=True)
    sample = _sample(reader, table)
    best = max((_fit(reader, feed, table.header, sample) for feed in load_feeds().values()), key=lambda fit: fit.score)
    guess = _write_down(best, table.header, sample, name, file_format, shape)
    guess.remarks = _doubts(reader, best, sample) | guess.remarks
    if spread:
        guess.remarks["unpivot"] = "a row for each day: are the cells followers?"
    return guess


def _dates_side_by_side(header: list[str]) -> dict[str, Any] | None:
    """How columns become rows whose headers are dates; null where they are none."""
    for pattern in DATES:
        if sum(bool(re.fullmatch(pattern, tidy(name))) for name in header) > 1:
            return {"name": "date", "values": {"followers": pattern}}
    return None


def _nested(reader: Reader) -> set[str]:
    """Paths of plain values inside the objects of JSON records, one level down."""
    rows = reader.execute(
        """
        select distinct key || '.' || unnest(json_keys(text, '$."' || key || '"'))
        from (select text, unnest(json_keys(text)) as key from lines limit 5000)
        where json_type(text, '$."' || key || '"') = 'OBJECT'
        """
    ).fetchall()
    return {row[0] for row in rows}


def _shape(path: Path, file_format: str) -> dict[str, Any]:
    """How a file is written, as far as that differs from a mapping's defaults."""
    if file_format == "xlsx":
        return _xlsx_shape(path)
    if file_format not in ("csv", "jsonl"):
        return {}
    with path.open("rb") as source:
        head = source.read(1 << 16)
    encoding = _encoding(head)
    shape: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    if file_format == "jsonl":
        return shape
    with path.open("rb") as source:
        source.seek(-2 if encoding == "utf-16-le" else -1, io.SEEK_END)
        if b"\n" not in source.read():
            shape["unended_last_line"] = True
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    delimiter, header_row = _dialect(text)
    if delimiter != ",":
        shape["delimiter"] = delimiter
    if header_row != 1:
        shape["header_row"] = header_row
    return shape


def _encoding(head: bytes) -> str:
    if head.startswith(text.UTF16_BOMS):
        return "utf-16"
    if text.looks_like_utf16(head):
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _dialect(text: str) -> tuple[str, int]:
    """Delimiter and header row: those under which most rows have one and the same number of cells, more than one."""
    best = (0.0, ",", 1)
    for delimiter in DELIMITERS:
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[:200]
        except csv.Error:
            continue
        widths = [len(row) for row in rows if any(row)]
        if not widths:
            continue
        width = max(set(widths), key=lambda w: (widths.count(w) * (w > 1), w))
        # The index that pandas writes before the other columns has no header.
        full = (
            n
            for n, row in enumerate(rows, 1)
            if len(row) == width and (all(cell.strip() for cell in row[:2]) or all(cell.strip() for cell in row[1:]))
        )
        header_row = next(full, 1)
        score = widths.count(width) / len(widths) * (1 + width / 100) if width > 1 else 0.01
        if score > best[0]:
            best = (score, delimiter, header_row)
    return best[1], best[2]


def _xlsx_shape(path: Path) -> dict[str, Any]:
    """The first row with as many texts as the widest row has cells, or nearly so, is the header."""
    probe = Mapping.model_validate({"mapping": "probe", "pattern": "*", "feed": "brands", "columns": {}})
    _, grid, _ = xlsx._read_sheet(path, probe)
    texts = [sum(isinstance(cell, str) and cell != "" for cell in row) for row in grid[:50]]
    widest = max((sum(cell != "" for cell in row) for row in grid[:50]), default=0)
    header_row = next((n for n, count in enumerate(texts, 1) if count >= max(2, widest * 0.6)), 1)
    return {} if header_row == 1 else {"header_row": header_row}


def _sample(reader: Reader, table: Table) -> list[list[str]]:
    """Filled cells of each column, trimmed, from the first rows."""
    columns = ", ".join(
        f"cast(c{index} as varchar)" if file_has(table, index) else "null" for index in range(len(table.header))
    )
    rows = reader.execute(f"select {columns} from {table.relation} limit {SAMPLE_ROWS}").fetchall()
    return [[cell.strip() for cell in column if cell and cell.strip()] for column in zip(*rows, strict=True)] or [
        [] for _ in table.header
    ]


def file_has(table: Table, index: int) -> bool:
    """Whether a relation has the cells of a column (of JSON only what was asked for)."""
    return not table.has_lines or not table.rest or index in table.paths


@dataclass
class _Fit:
    """Which column of a file fills which column of a feed, how sure, and read in which way."""

    feed: Feed
    columns: dict[str, tuple[int, dict[str, Any]]]
    score: float


def _fit(reader: Reader, feed: Feed, header: list[str], sample: list[list[str]]) -> _Fit:
    """The best assignment of a file's columns to a feed's, greedily from the surest pair down."""
    pairs = sorted(
        (
            (likeness, name, index)
            for name in feed.columns
            for index, title in enumerate(header)
            if (likeness := _likeness(name, title)) >= 0.5
        ),
        key=lambda pair: (-pair[0], list(feed.columns).index(pair[1]), pair[2]),
    )
    taken: dict[str, tuple[int, dict[str, Any]]] = {}
    used: dict[int, str] = {}
    score = 0.0
    for likeness, name, index in pairs:
        # One column may be both the id and the handle of an account.
        shared = {name, used.get(index, name)} <= {"account_id", "handle", "display_name"}
        if name in taken or (index in used and not shared):
            continue
        enough = FITTING_BY_NAME if likeness >= SURE else FITTING
        way = _way(reader, feed.columns[name], sample[index], enough)
        if way is None:
            continue
        taken[name] = (index, way)
        used.setdefault(index, name)
        score += likeness * (2 if feed.columns[name].required else 1)
    required = [name for name in feed.required if name not in (feed.time, "platform", "currency")]
    missing = sum(name not in taken for name in required)
    return _Fit(feed, taken, score - 2.5 * missing)


def _likeness(name: str, title: str) -> float:
    """How much a header looks like a feed's column, 0 to 1."""
    found, options = plain(title.rpartition(".")[2]), [plain(name), *_synonyms().get(name, [])]
    if not found or AVERAGE.search(title.lower()):
        return 0.0
    if found in options:
        return 1.0 - 0.005 * options.index(found)
    close = max(difflib.SequenceMatcher(None, found, option).ratio() for option in options)
    contained = max((0.6 for option in options if len(option) > 4 and option in found), default=0.0)
    return max(close * 0.8 if close > 0.85 else 0.0, contained)


def _way(reader: Reader, column: FeedColumn, sample: list[str], enough: float) -> dict[str, Any] | None:
    """How a sample must be read to be of a type: extra keys of its source; null where it is not of that type."""
    filled = [cell for cell in sample if cell not in NULLS]
    if not filled:
        return {} if not column.required else None
    best: tuple[float, dict[str, Any]] = (0.0, {})
    for way in _ways(column, filled):
        share = _share(reader, column, way, filled)
        if share > best[0]:
            best = (share, way)
        if share == 1:
            break
    return best[1] if best[0] >= enough else None


def _ways(column: FeedColumn, filled: list[str]) -> Iterable[dict[str, Any]]:
    """Ways to read a type, the plainest first."""
    yield {}
    if column.type in NUMBERS:
        yield {"parse": "number"}
        yield {"parse": "number", "decimal_mark": ","}
    if column.type in ("rate", "figure"):
        yield {"parse": "percent"}
    if column.type in ("timestamp", "date"):
        yield from ({"time_format": layout} for layout in TIME_FORMATS)
    if column.type == "timestamp":
        yield {"parse": "epoch_milliseconds" if len(filled[0]) >= 12 else "epoch_seconds"}
        yield {"parse": "excel_serial"}


def _share(reader: Reader, column: FeedColumn, way: dict[str, Any], filled: list[str]) -> float:
    """Share of a sample that is of a type when it is read in a way."""
    mark = {"decimal_mark": way["decimal_mark"]} if "decimal_mark" in way else {}
    probe = Mapping.model_validate({"mapping": "probe", "pattern": "*", "feed": "brands", "columns": {}, **mark})
    source = ColumnSource.model_validate({"from": "x", **{key: way[key] for key in way if key != "decimal_mark"}})
    reading = values.Reading(column, source, probe)
    value = f"({reading.value('shown')})"
    if column.type == "timestamp":
        value = reading.bounded(value)
    row = reader.execute(f"select count({value}) from (select unnest($cells) as shown)", {"cells": filled}).fetchone()
    return int(row[0]) / len(filled) if row else 0.0


def _doubts(reader: Reader, fit: _Fit, sample: list[list[str]]) -> dict[str, str]:
    """Per column the cells of the sample that could not be read, where there are any."""
    doubts = {}
    for name, (index, way) in fit.columns.items():
        column = fit.feed.columns[name]
        filled = dict.fromkeys(cell for cell in sample[index] if cell not in NULLS)
        odd = [cell for cell in filled if column.type not in ("text", "id") and not _share(reader, column, way, [cell])]
        if odd:
            shown = ", ".join(repr(cell[:20]) for cell in odd[:3])
            doubts[name] = f"not read: {shown}{', ...' if len(odd) > 3 else ''}; null_values, values?"
    return doubts


def _write_down(
    fit: _Fit, header: list[str], sample: list[list[str]], name: str, file_format: str, shape: dict[str, Any]
) -> Guess:
    """The mapping of a fit, with what a file of this kind needs besides."""
    stem = plain_name(name)
    guess = Guess({"mapping": stem, "feed": fit.feed.feed, "pattern": _pattern(name)})
    if (guess_format := cells_format(name)) != file_format:
        guess.content["format"] = file_format
        guess.remarks["format"] = f"the name says {guess_format or 'nothing'}"
    guess.content |= shape
    if "unended_last_line" in shape:
        guess.remarks["unended_last_line"] = "its last line has no end: if the sender does end it, this file was cut"
    taken = (sample[index] for index, _ in fit.columns.values())
    nulls = sorted({cell for column in taken for cell in column if cell in NULLS}, key=NULLS.index)
    if nulls:
        guess.content["null_values"] = nulls
    if any("decimal_mark" in way for _, way in fit.columns.values()):
        guess.content["decimal_mark"] = ","
    columns: dict[str, Any] = {}
    for column in fit.feed.columns:
        if column in fit.columns:
            index, way = fit.columns[column]
            columns[column] = _source(header, index, way) | _id_way(fit.feed.columns[column], sample[index])
        elif fit.feed.columns[column].required:
            _fill(guess, columns, column, fit, sample, name)
    if _is_ambiguous(columns, sample, fit):
        guess.remarks[fit.feed.day or ""] = "day and month could be the other way round: look at the rows"
    guess.content["columns"] = columns
    used = {index for index, _ in fit.columns.values()}
    guess.unused = [title or f"column {index + 1}" for index, title in enumerate(header) if index not in used]
    return guess


def _source(header: list[str], index: int, way: dict[str, Any]) -> dict[str, Any]:
    """A column by its name, or by its position where the name is not alone."""
    titles = [tidy(other) for other in header]
    title = titles[index]
    source: dict[str, Any] = {"from": title} if title else {"at": index + 1, "header": title}
    if title and titles.count(title) > 1:
        source["twin"] = titles[: index + 1].count(title)
    return source | {key: value for key, value in way.items() if key != "decimal_mark"}


def _id_way(column: FeedColumn, cells_of: list[str]) -> dict[str, Any]:
    """What an id needs: a part of a link cut out, or a whole number without its `.0`."""
    if column.type != "id" or not cells_of:
        return {}
    for pattern in IDS_IN_URLS.values():
        if sum(bool(re.search(pattern, cell)) for cell in cells_of) >= FITTING * len(cells_of):
            return {"extract": pattern}
    return {"parse": "whole_id"} if any(re.fullmatch(r"\d+\.0+", cell) for cell in cells_of) else {}


def _fill(guess: Guess, columns: dict[str, Any], column: str, fit: _Fit, sample: list[list[str]], name: str) -> None:
    """A required column that the file does not carry: from its name, or left open."""
    if column == "platform" and (platform := _platform(sample, name)):
        columns[column] = {"constant": platform}
        guess.remarks[column] = "by the file's name or its links"
    elif column == fit.feed.time:
        for pattern, layout in DATE_IN_NAME:
            if re.search(pattern, name):
                guess.content["file_time"] = {"regex": pattern, "format": layout, "zone": "UTC"}
                guess.remarks["file_time"] = "which zone does the sender mean?"
                columns[column] = {"from_file_time": True}
                return
        columns[column] = {"from_as_of": True}
        guess.remarks[column] = "no column and no name says when: the file's own time of change is taken"
    else:
        guess.open_ends.append(column)


def _platform(sample: list[list[str]], name: str) -> str | None:
    for platform, pattern in IDS_IN_URLS.items():
        if any(cell and re.search(pattern, cell[0]) for cell in sample):
            return platform
    words = re.split(r"[^a-z]+", name.lower())
    return next((platform for word, platform in PLATFORMS.items() if word in words), None)


def _is_ambiguous(columns: dict[str, Any], sample: list[list[str]], fit: _Fit) -> bool:
    day = fit.feed.day
    layout = columns.get(day or "", {}).get("time_format", "")
    if not day or day not in fit.columns or not re.match(r"%[dm][/.-]%[dm]", layout):
        return False
    return all(int(part) <= 12 for cell in sample[fit.columns[day][0]] for part in re.split(r"[/.-]", cell)[:2])


def cells_format(name: str) -> str | None:
    """What a file's name says of its format."""
    return Mapping.model_validate({"mapping": "probe", "pattern": "*", "feed": "brands", "columns": {}}).format_of(name)


def plain_name(name: str) -> str:
    """A name for the mapping of a file."""
    stem = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(\.[a-z0-9]+)+$", "", name.lower())).strip("_")
    return re.sub(r"(_?\d+)+$", "", stem) or "new_layout"


def _pattern(name: str) -> str:
    """The names of this file and of its kind: digits may be others."""
    return re.sub(r"\d", "?", re.sub(r"[\[\]*]", "?", name)).removesuffix(".gz") + ("*" if name.endswith(".gz") else "")


def format_of(path: Path, name: str) -> str:
    """How a file is written, by its name, else by its first bytes."""
    with path.open("rb") as source:
        head = source.read(512)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    return cells_format(name) or ("jsonl" if head.lstrip().startswith(b"{") else "csv")
