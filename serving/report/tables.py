"""Tables that people search, sort, filter and take along as CSV, on a page that has no server.

A table's rows stand in the page as JSON, cells in the order of its columns, and `tables.js` draws them; the first rows
are drawn here as well, for a reader without scripts. Values of a column that filters are places in a list, for a name
that stands in a thousand rows costs its length once. What would make the page too large is cut, and the table says so.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from markupsafe import Markup

from ingestion.quarantine import STARTS_A_FORMULA
from serving.report.formatting import HERE, clip
from serving.report.source import Row

# A table before "Show more".
FIRST_ROWS = 10
# Four tables of this size and the charts stay below 5 MB.
MAX_ROWS = 5_000
MAX_BYTES = 900_000
LONGEST_TEXT = 80
# What the page shows of a number, and a little more for the CSV.
DIGITS = {"money": 2, "roi": 5, "share": 5, "decimal": 3}
# No cell closes the script that holds it.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


@dataclass(frozen=True)
class Column:
    """A column: key of its value in a row, heading, how it is shown, and what a reader may do with it.

    Kinds: `who` (a name, with `<key>_id`, `<key>_href` and `is_simulated` beside it), `text`, `count`, `money`, `roi`
    (a fraction, shown as per cent with its sign), `share` (a fraction as per cent), `decimal` and `day`. One that
    `filters` lists its values, those of `order` first; its value may be a list. The one that is `least` has a field for
    the least that a shown row has.
    """

    key: str
    label: str
    kind: str = "text"
    filters: bool = False
    order: tuple[str, ...] = ()
    least: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class Table:
    """A table as its template shows it: columns, first cells, all cells as JSON, and how many rows of how many."""

    name: str
    title: str
    columns: Sequence[Column]
    first: list[list[Any]]
    data: Markup
    shown: int
    total: int
    kept: str


def table(
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    day: date,
    total: int | None = None,
    kept: str = "",
) -> Table:
    """A table of rows in their order, of which the last are left out where they would take more than `MAX_BYTES`.

    `day` stands in the name of the CSV; `total` is how many rows there are where `rows` are some of them, and `kept`
    says which.
    """
    file = f"groundswell-{name}-{day}.csv"
    cells = [[_cell(column, row) for column in columns] for row in rows[:MAX_ROWS]]
    data = _packed(columns, cells, file)
    while len(data) > MAX_BYTES and cells:
        cells = cells[: min(len(cells) * MAX_BYTES // len(data), len(cells) - 1)]
        data = _packed(columns, cells, file)
    first, everything = cells[:FIRST_ROWS], Markup(data.decode())
    return Table(name, title, columns, first, everything, len(cells), len(rows) if total is None else total, kept)


def _cell(column: Column, row: Row) -> Any:
    """A value as JSON holds it; null where unknown."""
    value = row[column.key]
    if column.kind == "who":
        return [
            clip(str(value), LONGEST_TEXT),
            clip(str(row[f"{column.key}_id"]), LONGEST_TEXT),
            int(bool(row.get("is_simulated"))),
            row.get(f"{column.key}_href"),
        ]
    if isinstance(value, list):
        return [clip(str(part), LONGEST_TEXT) for part in value]
    if value is None or value == "":
        return None
    if column.kind == "count":
        return round(float(value), 1) if value % 1 else int(value)
    if column.kind in DIGITS:
        return round(float(value), DIGITS[column.kind])
    return value.isoformat() if isinstance(value, date) else clip(str(value), LONGEST_TEXT)


def _several(cell: Any) -> list[str]:
    return [] if cell is None else cell if isinstance(cell, list) else [cell]


def _packed(columns: Sequence[Column], cells: list[list[Any]], file: str) -> bytes:
    """Columns and cells as JSON, UTF-8."""
    heads: list[Row] = []
    places: dict[int, dict[str, int]] = {}
    for place, column in enumerate(columns):
        head: Row = {"label": column.label, "kind": column.kind}
        if column.least:
            head["least"] = 1
        if column.filters:
            seen = {value for row in cells for value in _several(row[place])}
            known = [value for value in column.order if value in seen]
            head["values"] = known + sorted(seen - set(known), key=lambda value: (value.casefold(), value))
            places[place] = {value: index for index, value in enumerate(head["values"])}
        heads.append(head)
    rows = [
        [
            [places[place][value] for value in _several(cell)] if place in places else cell
            for place, cell in enumerate(row)
        ]
        for row in cells
    ]
    whole = {"file": file, "formulas": "".join(STARTS_A_FORMULA), "columns": heads, "rows": rows}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escape in ESCAPES.items():
        text = text.replace(sign, escape)
    return text.encode("utf-8", "replace")


@cache
def script() -> str:
    """The script that every table of a page shares."""
    return (HERE / "tables.js").read_text(encoding="utf-8")


@cache
def script_hash() -> str:
    """What the page's policy names it by: no other script runs."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
