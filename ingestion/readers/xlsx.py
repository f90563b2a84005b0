"""A sheet of a workbook as a table of cells."""

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ingestion import containers
from ingestion.containers import BROKEN
from ingestion.errors import FileRefused, too_large
from ingestion.mapping.grammar import Mapping
from ingestion.readers.table import BLOCK, MAX_COLUMNS, TOO_MANY_COLUMNS, Reader, Table, list_of_cells, number_given

# A million rows of 25 columns, in about a gigabyte. A reader takes room for every cell up to the last that is filled.
MAX_CELLS = 25_000_000
# Texts of a sheet when each cell has its own copy of a text that the file holds once.
MAX_TEXT_BYTES = 1 << 30
SHEETS, SHARED = re.compile(r"xl/worksheets/[^/]+\.xml"), "xl/sharedStrings.xml"
PLACE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
REFERENCE = re.compile(rb"""\st=["']s["'][^>]*>\s*<v>([0-9]{1,10})<""")


def read_xlsx(reader: Reader, plain: Path, mapping: Mapping, wanted: set[str], is_whole: bool) -> Table:
    name, grid, others = read_sheet(plain, mapping)
    first = _header_place(name, grid, mapping)
    if mapping.header_row:
        header = [(_cell_text(cell) or "").strip() for cell in grid[first - 1]]
        while header and not header[-1]:
            header.pop()
    else:
        header = [f"column_{number}" for number in range(1, max(map(len, grid), default=0) + 1)]
    if not any(header):
        raise FileRefused(f"sheet {name!r} holds no header in row {first or 1}; say `header_row` or `sheet`")
    if len(header) > MAX_COLUMNS:
        raise FileRefused(f"its header has {len(header):,} {TOO_MANY_COLUMNS}", max(0, len(grid) - first))
    rows, below = _rows_below(grid, first, mapping)
    width = len(header)
    frame = pd.DataFrame({"source_line": np.array([line for line, _ in rows], dtype="int64")})
    beyond = pd.Series([any(c != "" for c in cells[width:]) for _, cells in rows], dtype=bool)
    columns = {
        f"c{index}": pd.Series([_cell_text(cells[index]) for _, cells in rows], dtype=object) for index in range(width)
    } | {
        f"n{index}": pd.Series([type(cells[index]) is float for _, cells in rows], dtype=bool) for index in range(width)
    }
    reader.register("frame", pd.concat([frame, pd.DataFrame({**columns, "is_wide": beyond})], axis=1))
    casts = ", ".join(f"cast(c{index} as varchar) as c{index}, n{index}" for index in range(width))
    reader.execute(f"create temp table sheet as select source_line, is_wide, {casts} from frame order by source_line")
    reader.unregister("frame")
    reader.execute(
        "insert into rejects select source_line, null, null, 'more cells than the header',"
        f" {list_of_cells(width)} from sheet where is_wide"
    )
    return Table(
        header=header,
        relation="(select * exclude (is_wide) from sheet where not is_wide order by source_line)",
        row=list_of_cells(width),
        number=lambda reader, table, view: number_given(reader, table, view, len(rows)),
        has_lines=True,
        has_header=mapping.header_row > 0,
        has_serials=True,
        is_number=lambda index: f"n{index}",
        rows_hint=len(rows),
        notes=(
            *([f"read was sheet {name!r}, not {', '.join(repr(other) for other in others)}"] if others else []),
            *([f"not read: {below:,} rows below the end of its table"] if below else []),
        ),
    )


def _header_place(name: str, grid: list[list[Any]], mapping: Mapping) -> int:
    """Row of the header, from 1; 0 for none. Raises FileRefused where it is not there."""
    seen = 0
    for number, cells in enumerate(grid, start=1):
        if mapping.header_row == 0:
            return 0
        if mapping.comment and (_is_comment(cells, mapping) or _is_blank(cells)):
            continue
        seen += 1
        if mapping.header and mapping.is_header((_cell_text(cell) or "").strip() for cell in cells):
            return number
        if not mapping.header and seen == mapping.header_row:
            return number
    if mapping.header:
        raise FileRefused(f"in sheet {name!r} {mapping.no_header()}", len(grid))
    if mapping.header_row == 0:
        return 0
    raise FileRefused(f"sheet {name!r} holds no header in row {mapping.header_row}; say `header_row` or `sheet`")


def _rows_below(grid: list[list[Any]], first: int, mapping: Mapping) -> tuple[list[tuple[int, list[Any]]], int]:
    """Rows of the table with their numbers, blank ones left out, and how many filled rows stand below its end."""
    rows: list[tuple[int, list[Any]]] = []
    for number, cells in enumerate(grid[first:], start=first + 1):
        if _is_blank(cells):
            if rows and mapping.ends_at_blank_line:
                return rows, sum(not _is_blank(other) for other in grid[number:])
        elif not _is_comment(cells, mapping):
            rows.append((number, cells))
    return rows, 0


def _is_blank(cells: list[Any]) -> bool:
    return all(cell == "" for cell in cells)


def _is_comment(cells: list[Any], mapping: Mapping) -> bool:
    return bool(cells) and mapping.comment is not None and (_cell_text(cells[0]) or "").startswith(mapping.comment)


def read_sheet(plain: Path, mapping: Mapping) -> tuple[str, list[list[Any]], list[str]]:
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


def _choose_sheet(names: list[str], visible: list[str], wanted: str | int | tuple[str | int, ...] | None) -> str:
    if not names:
        raise FileRefused("it has no sheet")
    if isinstance(wanted, tuple):
        raise FileRefused("a workbook within a zip is read for one sheet; send it by itself, or say which")
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
    """Unpack a workbook to nowhere, with its checksums, under a limit of bytes. Raises FileRefused where either fails.

    Neither may it become more when it is read: a cell far from all others, a long text in very many cells.
    """
    size = 0
    try:
        with zipfile.ZipFile(plain) as archive:
            lengths: list[int] = []
            for member in sorted(archive.infolist(), key=lambda member: member.filename != SHARED):
                with archive.open(member) as source:
                    blocks = containers.blocks(source)
                    if member.filename == SHARED:
                        blocks = _measured(blocks, lengths)
                    elif SHEETS.fullmatch(member.filename):
                        blocks = _bounded(member.filename, blocks, lengths)
                    for block in blocks:
                        size += len(block)
                        if size > limit:
                            raise too_large(limit)
    except BROKEN as error:
        raise FileRefused(f"it is no whole XLSX file ({error}); save it again, or correct its name") from error


def _measured(blocks: Iterator[bytes], lengths: list[int]) -> Iterator[bytes]:
    """Pass blocks of the shared texts on and note how long each text is, with its markup."""
    held = 0
    for block in blocks:
        first, *others = block.split(b"</si>")
        held += len(first)
        for other in others:
            lengths.append(held)
            held = len(other)
        yield block


def _bounded(sheet: str, blocks: Iterator[bytes], lengths: list[int]) -> Iterator[bytes]:
    """Pass blocks of a sheet on. Raises FileRefused where its cells would span, or its texts take, too much."""
    tail, row, column, texts = b"", 1, 1, 0
    for block in blocks:
        whole = tail + block
        # A tag that goes on in the next block is looked at then.
        end = max(whole.rfind(b"<c "), whole.rfind(b"<row")) if len(whole) > BLOCK // 2 else len(whole)
        known, tail = (whole[:end], whole[end:]) if end > 0 else (whole, b"")
        places = PLACE.findall(known)
        if places:
            letters = max({name for name, _ in places}, key=lambda name: (len(name), name))
            column = max(column, _number(letters))
            row = max(row, *(int(digits) for digits in {digits for _, digits in places}))
        if row * column > MAX_CELLS:
            raise FileRefused(
                f"{sheet} spans {row:,} rows of {column:,} cells, up to the last that is filled: clear what lies beyond"
                " its table, or send it as CSV"
            )
        if lengths:
            texts += sum(lengths[index] for index in map(int, REFERENCE.findall(known)) if index < len(lengths))
        if texts > MAX_TEXT_BYTES:
            raise FileRefused(f"the texts of {sheet} take more than {MAX_TEXT_BYTES:,} bytes: send it as CSV")
        yield block


def _number(letters: bytes) -> int:
    """Number of a column from its letters: A is 1, XFD is 16,384."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
