"""What a mapping may say, for editors (JSON Schema) and for people (Markdown), both made from the model itself.

`make reference` writes both; a test holds them equal to the model.
"""

import json
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ingestion.config import PROJECT_DIR
from ingestion.mapping import worked
from ingestion.mapping.grammar import MAPPINGS_DIR, ColumnSource, FeedPart, FileTime, Mapping, Unpivot

SCHEMA = MAPPINGS_DIR / "mapping.schema.json"
PAGE = PROJECT_DIR / "docs" / "mapping-reference.md"

INTRODUCTION = """# What a mapping may say

Made by `make reference` from `ingestion/mapping/grammar.py`; do not edit. A worked example is in
[Map your first export](map-your-first-export.md). An editor that knows YAML completes and checks these keys when the
first line of a mapping is

```yaml
# yaml-language-server: $schema=mapping.schema.json
```
"""

TABLES: list[tuple[str, str, type[BaseModel]]] = [
    (
        "A mapping",
        "One file in `config/mappings/`, for one feed (`feed`, `columns`) or several (`feeds`).",
        Mapping,
    ),
    ("Within `feeds`", "One entry per feed that the file fills.", FeedPart),
    ("Within `columns`", "One entry per column of the feed: where it comes from, how it is read.", ColumnSource),
    ("Within `unpivot`", "How columns side by side become rows.", Unpivot),
    ("Within `file_time`", "How the time in a file's name is read.", FileTime),
]

# Per trait what the export has, and the line of a mapping that reads it; a test loads each.
TABLE_LINES: dict[str, tuple[str, str]] = {
    "header (of a column)": ("two columns `Followers`, read by position", "followers: {at: 3, header: Followers}"),
    "twin": ("two columns `Followers`, the second is meant", "followers: {from: Followers, twin: 2}"),
    "from_file_name": ("`bili_4711.csv`, one account a file", "account_id: {from_file_name: '^bili_([0-9]+)'}"),
    "line_number": ("sales without an id", "refund_id: {line_number: true}"),
    "skip_totals": ("a row `Total`, or `Grand total:`", "skip_totals: true"),
    "unpivot": (
        "columns `2026-01-01`, `2026-01-02`, ...",
        "unpivot: {name: day, values: {fans: '[0-9]{4}-[0-9]{2}-[0-9]{2}'}}",
    ),
    "unpivot (several counts)": (
        "columns `Instagram Followers`, `Instagram Posts`, `TikTok Followers`, ...",
        "unpivot: {name: platform, values: {fans: '(.+) Followers', posts: '(.+) Posts'}}",
    ),
    "explode": ('`{"user": {"id": 7}, "posts": [{"id": 1}, {"id": 2}]}`', "explode: posts"),
    "rows_at": ('`{"data": {"items": [...]}, "page": 1}`', "rows_at: data.items"),
    "header (of a file)": ("a preamble of any length, or a second table", "header: [Date, Views]"),
    "comment": ("lines that begin with `#`", "comment: '#'"),
    "ends_at_blank_line": ("another table below a blank line", "ends_at_blank_line: true"),
    "sheet": ("a sheet for each month, `2026-01`, `2026-02`, ...", "sheet: '2026-*'"),
    "skip_members": ("a zip with a chart beside the table", "skip_members: [Chart data.csv, '*.pdf']"),
}

FILTER = """
## The row filter `keep`

```
filter     := tests joined by `and` and `or`, in brackets where needed; `not` before a test turns it round
test       := column comparison
comparison := is empty | is not empty | = x | != x | < x | <= x | > x | >= x | in (x, y) | not in (x, y)
            | matches 'pattern'
column     := a plain name, or any header in backticks
x          := 'text' (a quote is doubled) | number
```

Texts are compared as they stand in the file, without the blanks at their ends. Compared with a number, a cell is read
as the column that it fills: with its marks and its `parse`, else as `parse: number` reads. Compared with a date in
quotes (`'2026-01-05'`), a cell of a column of times is read as a time. A cell without any digit fails a comparison with
a number; one that has digits and cannot be read quarantines its row, for it may be money. An empty cell passes
`is empty` and `not ...` alone. Rows that are left out are counted as quarantined with that reason, so that no row is
lost unseen; the check on quarantined rows does not count them. `hidden_when` is such a test as well.
"""

WORKED = """
## Worked lines

A cell, what the mapping says, and what it is read as. A test lands each line.

| cells of a row | of the column | of the mapping | becomes |
| --- | --- | --- | --- |
"""


def schema() -> str:
    """JSON Schema of a mapping."""
    made: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Mapping.model_json_schema(by_alias=True),
        "title": "Groundswell mapping",
    }
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def page() -> str:
    """The reference for people."""
    parts = [INTRODUCTION]
    for title, words, model in TABLES:
        parts.append(f"\n## {title}\n\n{words}\n\n| key | value | default | |\n| --- | --- | --- | --- |\n")
        # What a model adds to its base comes first.
        names = [*(name for name in model.model_fields if name in model.__annotations__), *model.model_fields]
        parts += [_row(name, model.model_fields[name]) for name in dict.fromkeys(names)]
    parts.append("\n## Worked lines of tables\n\n| trait | the export has | say |\n| --- | --- | --- |\n")
    parts += [f"| {trait} | {words} | `{line}` |\n" for trait, (words, line) in TABLE_LINES.items()]
    return "".join([*parts, FILTER, WORKED, *map(_worked, worked.LINES)])


def _worked(line: worked.Line) -> str:
    cells = ", ".join(f"{header}: `{cell}`" if cell else f"{header}: empty" for header, cell in line.cells.items())
    says = (
        f"`{line.column}: {worked.source(line)}`"
        if "`" not in line.says
        else f"``{line.column}: {worked.source(line)}``"
    )
    file = f"`{line.file}`" if line.file else ""
    became = f"`{line.becomes}`" if line.becomes else "null" if "quarantined" not in line.why else ""
    found = " ".join(part for part in (became, f"({line.why})" if became and line.why else line.why) if part)
    row = " | ".join(cell.replace("|", "\\|") for cell in (cells, says, file, found))
    return f"| {row} |\n"


def _row(name: str, field: Any) -> str:
    default = field.default
    shown = "required" if default is PydanticUndefined else "" if default in (None, (), {}, False) else f"`{default}`"
    words = (field.description or "").replace("|", "\\|")
    return f"| `{field.alias or name}` | {_kind(field.annotation)} | {shown} | {words} |\n"


def _kind(annotation: Any) -> str:
    """A type in words."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(option) for option in inner if option is not types.NoneType)
    if origin is typing.Literal:
        return ", ".join(f"`{option}`" for option in inner)
    if origin is tuple:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"{_kind(inner[1])} per name"
    if origin is typing.Annotated:
        return _kind(inner[0])
    names = {str: "text", int: "number", float: "number", bool: "`true` or `false`", FeedPart: "entries, see below"}
    names |= dict.fromkeys((ColumnSource, FileTime, Unpivot), "see below")
    return names.get(annotation, "time")


def write() -> list[Path]:
    """Write both; returns where."""
    SCHEMA.write_text(schema(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    return [SCHEMA, PAGE]


if __name__ == "__main__":
    for written in write():
        print(written.relative_to(PROJECT_DIR))
