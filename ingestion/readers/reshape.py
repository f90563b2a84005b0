"""Tables in which one record gives several rows: each row keeps the line of its record."""

from dataclasses import replace

from ingestion.errors import FileRefused
from ingestion.mapping.grammar import Unpivot, tidy
from ingestion.readers.table import Reader, Table, list_of_cells, list_of_texts, number_given, one, read_into
from ingestion.sql import quote

LEFT_OUT_EMPTY = "left out: it holds no value in the columns that `unpivot` reads"


def with_lines(reader: Reader, table: Table) -> Table:
    """The same table with a line beside each record, for which text is read into `cells` first."""
    if table.has_lines:
        return table
    read_into(reader, "cells", f"select * from {table.relation}", table.rows_hint)
    read = table.number(reader, "cells", "located")
    columns = "".join(f", c{index}" for index in range(len(table.header)))
    return replace(
        table,
        relation=f"(select source_line{columns} from located order by place)",
        number=lambda reader, table, view: number_given(reader, table, view, read),
        has_lines=True,
        rows_hint=read,
    )


def unpivot(reader: Reader, table: Table, spread: Unpivot) -> Table:
    """Columns side by side as rows: one per name that a header gives, where one of its cells is filled.

    Raises FileRefused where no header is like what the mapping asks for, or two give one name.
    """
    table = with_lines(reader, table)
    kept, places = _split(table, spread)
    header = [*(table.header[index] for index in kept), *spread.columns]
    repeats = {tidy(name) for name in header if [tidy(other) for other in header].count(tidy(name)) > 1}
    if clash := repeats & set(spread.columns):
        raise FileRefused(f"`unpivot` makes a column {min(clash)!r}, and the file has one; choose another name")
    types = {new: table.types[old] for new, old in enumerate(kept) if old in table.types}
    cells = [f"c{old} as c{new}" for new, old in enumerate(kept)]
    cells.append(f"unnest([{', '.join(quote(name) for name in places)}]) as c{len(kept)}")
    filled = []
    numbers = {new: said for new, old in enumerate(kept) if (said := table.is_number(old)) is not None}
    cells += [f"{said} as n{new}" for new, said in numbers.items() if said != "true"]
    for number, column in enumerate(spread.values, start=len(kept) + 1):
        taken = [place.get(column) for place in places.values()]
        kinds = {table.types.get(index) for index in taken if index is not None}
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is not None:
            types[number] = kind
        shown = [f"c{index}" if kind else f"cast(c{index} as varchar)" for index in taken if index is not None]
        flags = [table.is_number(index) or "false" if index is not None else "false" for index in taken]
        if set(flags) != {"false"}:
            cells.append(f"unnest([{', '.join(flags)}]) as n{number}")
            numbers[number] = f"n{number}"
        given = iter(shown)
        listed = ", ".join("null" if index is None else next(given) for index in taken)
        cells.append(f"unnest([{listed}]) as c{number}")
        filled.append(f"c{number} is not null" if kind else f"ltrim(c{number}) <> ''")
    whole = "whole, " if table.rest is not None else ""
    made = f"select source_line, {whole}{', '.join(cells)} from {table.relation}"
    return replace(
        table,
        header=header,
        relation=f"(select * from ({made}) where {' or '.join(filled)})",
        row=list_of_texts(len(header)) if types else list_of_cells(len(header)),
        number=number_given,
        types=types,
        is_number=lambda index: None if index not in numbers else "true" if numbers[index] == "true" else f"n{index}",
        paths={new: table.paths[old] for new, old in enumerate(kept) if old in table.paths},
        rest=None,
        left_out=_leave_out_empty(reader, table, [index for place in places.values() for index in place.values()]),
    )


def _split(table: Table, spread: Unpivot) -> tuple[list[int], dict[str, dict[str, int]]]:
    """Positions of the columns that stay, and per name, in the file's order, the position for each new column."""
    kept: list[int] = []
    places: dict[str, dict[str, int]] = {}
    for index, title in enumerate(table.header):
        found = spread.read(title)
        if found is None:
            kept.append(index)
            continue
        column, name = found
        if column in places.setdefault(name, {}):
            raise FileRefused(
                f"two headers give {name!r} for {column}, one is {title[:80]!r}; keep one", table.rows_hint
            )
        places[name][column] = index
    if not places:
        patterns, shown = " or ".join(spread.values.values()), ", ".join(repr(name[:40]) for name in table.header[:8])
        raise FileRefused(
            f"no header is like {patterns}, as `unpivot` asks; the header begins {shown}", table.rows_hint
        )
    return kept, places


def _leave_out_empty(reader: Reader, table: Table, spread: list[int]) -> int:
    """Set records aside that give no row. Returns how many."""
    empty = " and ".join(
        f"c{index} is null" if index in table.types else f"coalesce(ltrim(c{index}), '') = ''" for index in spread
    )
    before = one(reader, "select count(*) from rejects")
    reader.execute(
        f"insert into rejects select source_line, null, null, {quote(LEFT_OUT_EMPTY)}, {table.row}"
        f" from {table.relation} where {empty}"
    )
    return one(reader, "select count(*) from rejects") - before
