"""`make preview FILE=... [MAPPING=...]`: what a file would become, before it is landed. Nothing but a YAML is written.

Without a mapping the one that claims the file's name is taken, else the feed whose own columns it has, else one is
inferred and written under `build/preview/`, to start from.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ingestion import containers, landing, parse
from ingestion.config import Settings, get_settings, utc_now
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError, FileNotReady, FileRefused, UsageError
from ingestion.mapping import infer, row_filter
from ingestion.mapping.grammar import MAPPINGS_DIR, FeedPart, Mapping, canonical_mapping, load_mapping, tidy
from ingestion.mapping.in_use import how_to_use, load_mappings, load_own
from ingestion.readers.table import Reader
from ingestion.user_config.load import USUAL, mappings_of

SHOWN_ROWS, SHOWN_REJECTS, SHOWN_CHARACTERS = 5, 10, 40


@dataclass(frozen=True)
class Chosen:
    """The mapping of a file and how it came to it.

    `written` is where an inferred one lies, `switch_on` how one of the library that is off is switched on.
    """

    mapping: Mapping | None
    how: str
    written: Path | None = None
    switch_on: str | None = None


def show(file: Path, named: str | None = None) -> int:
    """Print what a file would become under a mapping that is named, chosen or inferred.

    Returns 0 when at least one row would load, 1 when none would. Raises UsageError for a file that is not there.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder))  # type: ignore[call-arg]
        with parse.connect(settings) as reader:
            try:
                members = _members(file, Path(folder)) if containers.is_zip(file.name) else [file]
            except FileRefused as error:
                console.print(f"REFUSED  {error}", markup=False)
                return 1
            ends = [_try(console, reader, settings, member, file, named) for member in members]
    return min(ends)


def _members(file: Path, folder: Path) -> list[Path]:
    """What a zip holds, unpacked. Raises FileRefused as landing would."""
    limit = get_settings().max_unpacked_bytes
    mappings = list(load_mappings(get_settings()).in_use.values())
    with file.open("rb") as opened:
        names = containers.wanted(file.resolve().as_posix(), containers.members(opened, limit), mappings)
    found = []
    for name in names:
        target = folder / file.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        containers.extract(file, name, target, limit)
        os.utime(target, (file.stat().st_atime, file.stat().st_mtime))
        found.append(target)
    return found


def _try(console: Console, reader: Reader, settings: Settings, file: Path, delivered: Path, named: str | None) -> int:
    """Show one file, or why it would be refused."""
    try:
        return preview(console, reader, settings, file, delivered, named)
    except UsageError:
        raise
    except (ContractError, FileNotReady, FileRefused) as error:
        console.print(f"REFUSED  {error}", markup=False)
        return 1


def preview(
    console: Console, reader: Reader, settings: Settings, file: Path, delivered: Path, named: str | None
) -> int:
    """Show what a file, or a member of a zip that is delivered, would become."""
    copy = settings.inbox / "preview"
    _copy(console, file, copy)
    with _working(console, "unpacking and reading"):
        chosen = _choose(reader, copy, file, named)
    console.print(f"file     {file.name}, {file.stat().st_size:,} bytes", markup=False)
    console.print(f"mapping  {chosen.how}", markup=False)
    if chosen.written:
        console.print(f"\n{chosen.written.read_text(encoding='utf-8')}", markup=False)
    if chosen.mapping is None:
        console.print(f"Complete the lines marked `...` in {_shown(chosen.written)}, then:", markup=False)
        console.print(f"  make preview FILE={_quoted(file)} MAPPING={_shown(chosen.written)}", markup=False)
        return 1
    accepted = 0
    for mapping in _by_sheet(copy, chosen.mapping):
        if chosen.mapping.has_sheets:
            console.print(f"\nsheet    {mapping.sheet}", markup=False)
        for parts in mapping.parts_by_feed.values():
            accepted += _show_feed(console, reader, copy, file, mapping, parts)
    _show_next(console, delivered, chosen, accepted)
    return 0 if accepted else 1


def _by_sheet(copy: Path, mapping: Mapping) -> list[Mapping]:
    """The mapping, once for each sheet that it reads."""
    if not mapping.has_sheets:
        return [mapping]
    with copy.open("rb") as opened:
        return [mapping.model_copy(update={"sheet": sheet}) for sheet in containers.sheets(opened, mapping)]


def _show_feed(
    console: Console, reader: Reader, copy: Path, file: Path, mapping: Mapping, parts: tuple[FeedPart, ...]
) -> int:
    """Land a file into memory for one feed and show it. Returns the rows that would be accepted."""
    file_format = mapping.format_of(file.name)
    if file_format is None:
        raise FileRefused(f"its name {file.name!r} says no format; say `format` in the mapping")
    feed = parts[0].feed
    with _working(console, f"reading into {feed}"):
        plain = landing.unpack(copy, get_settings().max_unpacked_bytes, file_format)
        outcome = parse.read_file(reader, plain, mapping, parts, file_format, _delivery(file, mapping))
    console.print(
        f"\n{feed}: {outcome.rows_read:,} rows read = {outcome.rows_accepted:,} accepted"
        f" + {outcome.rows_quarantined:,} quarantined + {outcome.rows_duplicate:,} duplicate",
        markup=False,
    )
    if outcome.reason:
        console.print(f"note     {outcome.reason}", markup=False)
    if outcome.rows_accepted:
        _show_rows(console, reader, parts)
        _show_invalid(console, reader)
    if outcome.rows_quarantined:
        _show_rejects(console, reader)
    kept = next((part for part in parts if part.keep), None)
    if kept is not None and outcome.rows_left_out and load_feeds()[feed].absence == "withdrawn":
        _ask_of_left_out(console, reader, kept, outcome.header or [])
    return outcome.rows_accepted


def _ask_of_left_out(console: Console, reader: Reader, part: FeedPart, header: list[str]) -> None:
    """What the rows hold that `keep` leaves out, and whether that withdraws what was loaded of them before."""
    for name in row_filter.parse(part.keep or "").columns:
        places = [index for index, title in enumerate(header) if tidy(title) == name]
        path = f"$[{places[0]}]" if places else f'$."{name}"'
        rows = reader.execute(
            "select coalesce(nullif(json_extract_string(\"row\", $path), ''), '(empty)'), count(*) from rejects"
            " where reason like 'left out%' and json_valid(\"row\") group by 1 order by 2 desc, 1 limit $most",
            {"path": path, "most": SHOWN_ROWS},
        ).fetchall()
        shown = ", ".join(f"{value[:40]} ({number:,})" for value, number in rows)
        console.print(f"left out by {name}: {shown}", markup=False)
    answer = (
        "the row that was loaded before stays (left_out: ignored)"
        if part.left_out == "ignored"
        else "what was loaded of it before is withdrawn; where it should stay, say left_out: ignored"
    )
    console.print(f"Was a row of these loaded earlier, {answer}.", markup=False)


def _show_rows(console: Console, reader: Reader, parts: tuple[FeedPart, ...]) -> None:
    """The first rows as they would load: columns that the mapping supplies, and what goes to `extra`."""
    supplied = {name for part in parts for name in part.columns}
    columns = ["source_line", *(name for name in load_feeds()[parts[0].feed].columns if name in supplied), "extra"]
    rows = reader.execute(
        f"select {', '.join(f'cast({name} as varchar)' for name in columns)} from accepted order by source_line"
        f" limit {SHOWN_ROWS}"
    ).fetchall()
    filled = [index for index in range(len(columns)) if any(row[index] is not None for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in filled:
        table.add_column("line" if index == 0 else columns[index], overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[index]) for index in filled))
    console.print(table)
    if empty := [columns[index] for index in range(len(columns)) if index not in filled and columns[index] != "extra"]:
        console.print(f"null in these rows: {', '.join(empty)}", markup=False)


def _show_invalid(console: Console, reader: Reader) -> None:
    """Cells that would be null because they cannot be read: counts by column, each with its first."""
    found = parse.invalid_cells(reader)
    if not found:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("invalid cells", "first line", "column", "value", "reason"):
        table.add_column(
            title, justify="right" if title in ("invalid cells", "first line") else "left", overflow="fold"
        )
    for cells in found:
        table.add_row(f"{cells.rows:,}", str(cells.first_line), cells.column, _cell(cells.text), Text(cells.reason))
    console.print(table)


def _show_rejects(console: Console, reader: Reader) -> None:
    """What would go to quarantine: counts by reason, each with its first line."""
    rows = reader.execute(
        "select coalesce(column_name, '(row)'), reason, count(*), min(source_line), arg_min(value, source_line)"
        f" from rejects group by 1, 2 order by 3 desc, 4 limit {SHOWN_REJECTS}"
    ).fetchall()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("quarantined", "first line", "column", "value", "reason"):
        table.add_column(title, justify="right" if title in ("quarantined", "first line") else "left", overflow="fold")
    for column, reason, count, line, value in rows:
        table.add_row(f"{count:,}", str(line), _cell(column), _cell(value), Text(reason))
    console.print(table)


def _cell(value: object) -> Text:
    """A cell for the terminal: short, without control characters, never read as markup."""
    text = "" if value is None else "".join(c if c.isprintable() else "·" for c in str(value))
    return Text(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")


def _delivery(file: Path, mapping: Mapping) -> parse.Delivery:
    file_time = mapping.file_time_of(file.name)
    changed = datetime.fromtimestamp(file.stat().st_mtime, UTC).replace(tzinfo=None)
    return parse.Delivery(
        batch_id="preview",
        sha256="preview",
        file=f"{file.name}/{mapping.sheet}" if mapping.sheet else file.name,
        as_of=mapping.as_of or file_time or changed,
        file_time=file_time,
        loaded_at=utc_now(),
        origin=mapping.origin,
    )


def _choose(reader: Reader, copy: Path, file: Path, named: str | None) -> Chosen:
    """The mapping that is named, that claims the file, that fits a feed's own columns, or that is inferred."""
    settings = get_settings()
    own, mappings = mappings_of(settings), load_mappings(settings)
    if named:
        file_name = f"{named.removesuffix('.yml')}.yml"
        paths = [Path(named), *(folder / file_name for folder in (own, MAPPINGS_DIR) if folder)]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            known = ", ".join(dict.fromkeys([*mappings.in_use, *mappings.library]))
            raise UsageError(f"there is no mapping {named!r}; known: {known}")
        return Chosen(load_own(path), f"{path.name}, as asked")
    label = file.resolve().as_posix()
    for mapping in mappings.in_use.values():
        if mapping.claims(label):
            return Chosen(mapping, f"{mapping.mapping}, which claims names like {mapping.pattern}")
    for mapping in mappings.library.values():
        if mapping.claims(label):
            how = f"{mapping.mapping} of the library, which fits names like {mapping.pattern}; it is switched off"
            return Chosen(mapping, how, switch_on=how_to_use(mapping.mapping))
    for feed in load_feeds().values():
        if _fits(reader, copy, file, mapping := canonical_mapping(feed)):
            return Chosen(mapping, f"none needed: these are the columns of feed {feed.feed}")
    return _infer(reader, copy, file)


def _fits(reader: Reader, copy: Path, file: Path, mapping: Mapping) -> bool:
    """Whether a file has a feed's own columns, all that are required and most of the others."""
    file_format = mapping.format_of(file.name)
    if file_format is None:
        return False
    try:
        plain = landing.unpack(copy, get_settings().max_unpacked_bytes, file_format)
        outcome = parse.read_file(reader, plain, mapping, mapping.parts, file_format, _delivery(file, mapping))
    except FileRefused:
        return False
    header = {name.lower() for name in outcome.header or []}
    return len(header & set(mapping.parts[0].columns)) * 2 > len(header) and outcome.rows_accepted > 0


def _infer(reader: Reader, copy: Path, file: Path) -> Chosen:
    file_format = infer.format_of(copy, file.name)
    plain = landing.unpack(copy, get_settings().max_unpacked_bytes, file_format)
    guess = infer.infer(reader, plain, file.name, file_format)
    written = get_settings().data / "build" / "preview" / f"{guess.content['mapping']}.yml"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(guess.text(), encoding="utf-8")
    how = f"inferred for feed {guess.content['feed']}, written to {_shown(written)}"
    return Chosen(None if guess.open_ends else load_mapping(written), how, written)


def _show_next(console: Console, file: Path, chosen: Chosen, accepted: int) -> None:
    """The next step."""
    console.print()
    if chosen.written:
        console.print("next     look at each line of the mapping above; when it is right:", markup=False)
        target = _shown((get_settings().config or Path.cwd() / USUAL) / "mappings")
        console.print(f"           mkdir -p {target} && cp {_shown(chosen.written)} {target}/", markup=False)
    elif not accepted:
        console.print("next     mend the mapping or the file, and preview again", markup=False)
        return
    else:
        steps = f"switch the mapping on: {chosen.switch_on}; then land it:" if chosen.switch_on else "land it:"
        console.print(f"next     {steps}", markup=False)
    assert chosen.mapping is not None
    folder = _shown(get_settings().landing / chosen.mapping.parts[0].feed)
    console.print(f"           mkdir -p {folder} && cp {_quoted(file)} {folder}/ && make nightly", markup=False)


def _copy(console: Console, file: Path, target: Path) -> None:
    """Copy a file to where it is read, with a bar where it is long."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = file.stat().st_size
    if size < 64 << 20:
        shutil.copyfile(file, target)
        return
    columns = (TextColumn("copying"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True)
    with progress, progress.open(file, "rb") as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


@contextmanager
def _working(console: Console, words: str) -> Iterator[None]:
    """A sign of life while a long file is read."""
    with console.status(words):
        yield


def _shown(path: Path | None) -> str:
    assert path is not None
    here = Path.cwd()
    return _quoted(path.relative_to(here) if path.is_relative_to(here) else path)


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
