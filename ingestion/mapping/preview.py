"""`groundswell preview FILE`: what a file would become, before it is landed. Nothing but a YAML is written.

Without a mapping the one that claims the file's name is taken, else the feed whose own columns it has, else one is
inferred and written under `build/preview/`, to start from. A file is called good only when landing would take it as it
is shown: nothing is left open, and what its feed is for is in it.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
from pydantic import SecretStr
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ingestion import containers, landing, manifest, parse
from ingestion.config import Settings, get_settings, utc_now
from ingestion.contracts import MEASURES, load_feeds
from ingestion.errors import ContractError, FileNotReady, FileRefused, UsageError, nearest
from ingestion.mapping import headers, infer, row_filter
from ingestion.mapping.fit import needs_measure
from ingestion.mapping.grammar import (
    MAPPINGS_DIR,
    CanonicalMapping,
    FeedPart,
    Mapping,
    canonical_mapping,
    load_mapping,
    tidy,
)
from ingestion.mapping.guess import Guess
from ingestion.mapping.in_use import USE, how_to_use, load_mappings, load_own
from ingestion.readers.table import Reader, plain_words
from ingestion.user_config.load import USUAL, mappings_of

SHOWN_ROWS, SHOWN_REJECTS, SHOWN_CHARACTERS = 5, 10, 40
# A key that is forgotten with the preview, where there is none yet.
NO_KEY = SecretStr("of a preview alone, never of a landing")


@dataclass(frozen=True)
class Request:
    """What a person asks of a preview.

    Args:
        mapping: name or path of the mapping to read the file with.
        feed: the feed that it is to fill.
        ignore_mappings: read it as if no mapping was known.
        write: put the mapping where landing reads it; `force`: over one that lies there.
    """

    mapping: str | None = None
    feed: str | None = None
    ignore_mappings: bool = False
    write: bool = False
    force: bool = False


@dataclass(frozen=True)
class Chosen:
    """The mapping of a file and how it came to it.

    Args:
        guess: what it was inferred from; `written` is where its YAML lies.
        switch_on: name of the library's mapping that is switched off.
    """

    mapping: Mapping | None
    how: str
    guess: Guess | None = None
    written: Path | None = None
    switch_on: str | None = None


@dataclass
class Seen:
    """What a preview has shown of one file, to say in the end whether it is good."""

    accepted: int = 0
    problems: list[str] = field(default_factory=list)


def show(
    file: Path,
    mapping: str | None = None,
    feed: str | None = None,
    ignore_mappings: bool = False,
    write: bool = False,
    force: bool = False,
) -> int:
    """Print what a file would become under a mapping that is named, chosen or inferred.

    Returns 0 when it is good: its rows would load, and nothing is left to answer; else 1. Raises UsageError for a file
    or a feed that is not there.
    """
    asked = Request(mapping, feed, ignore_mappings, write, force)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    if not file.is_file():
        raise UsageError(f"{file} is a folder; name a file in it" if file.is_dir() else f"there is no file {file}")
    if feed is not None and feed not in load_feeds():
        raise UsageError(f"there is no feed {feed!r}{nearest(feed, load_feeds())}")
    with tempfile.TemporaryDirectory() as folder:
        ours = get_settings()
        settings = ours.model_copy(update={"data": Path(folder).resolve(), "hash_key": ours.hash_key or NO_KEY})
        try:
            members = _members(file, Path(folder)) if containers.is_zip(file.name) else [file]
        except (FileRefused, OSError) as error:
            console.print(f"REFUSED  {_words_of(error)}", markup=False)
            return 1
        ends = [_try(console, settings, member, file, asked) for member in members]
    return max(ends)


def _members(file: Path, folder: Path) -> list[Path]:
    """What a zip holds, unpacked. Raises FileRefused as landing would."""
    limit = get_settings().max_unpacked_bytes
    mappings = list(load_mappings(get_settings()).in_use.values())
    with file.open("rb") as opened:
        names = containers.wanted(_label(file), containers.members(opened, limit), mappings)
    found = []
    for name in names:
        target = folder / file.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        containers.extract(file, name, target, limit)
        os.utime(target, (file.stat().st_atime, file.stat().st_mtime))
        found.append(target)
    return found


def _try(console: Console, settings: Settings, file: Path, delivered: Path, asked: Request) -> int:
    """Show one file, or why it would be refused."""
    of_which = "" if file == delivered else f"{file.name}: "
    try:
        # A damaged file may end the connection, so each has its own.
        with parse.connect(settings) as reader:
            return preview(console, reader, settings, file, delivered, asked)
    except UsageError:
        raise
    except FileNotReady as error:
        verdict = f"WAITS    {of_which}{error}"
    except (ContractError, FileRefused, duckdb.Error, OSError, ValueError, RecursionError, MemoryError) as error:
        verdict = f"REFUSED  {of_which}{_words_of(error)}"
    except Exception as error:
        # A fault of ours: whoever looks at a file is told so, and can still map it by hand.
        fault = f"{type(error).__name__}: {error}"
        verdict = f"FAILED   {of_which}preview fails on it, which is a fault of Groundswell ({fault}); please report it"
    console.print(_printable(verdict), markup=False)
    return 1


def _words_of(error: BaseException) -> str:
    """Why a file cannot be read, in a sentence."""
    if isinstance(error, ContractError | FileRefused):
        return str(error)
    if isinstance(error, PermissionError):
        return "this user may not read it; correct its permissions"
    if isinstance(error, duckdb.Error):
        return f"it cannot be read ({plain_words(error)}); is it what its name says?"
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"it cannot be read ({words}); is it what its name says?"


def preview(
    console: Console, reader: Reader, settings: Settings, file: Path, delivered: Path, asked: Request | None = None
) -> int:
    """Show what a file, or a member of a zip that is delivered, would become."""
    asked = asked or Request()
    copy = settings.inbox / "preview"
    _copy(console, file, copy)
    label = _label(delivered) if delivered == file else f"{_label(delivered)}/{file.name}"
    with _working(console, "unpacking and reading"):
        found = _choose(reader, copy, file.name, label, asked)
    console.print(f"file     {file.name}, {file.stat().st_size:,} bytes", markup=False)
    seen = Seen()
    for chosen in found:
        _show_chosen(console, reader, copy, file, delivered, label, chosen, seen)
    return _conclude(console, delivered, found, seen, asked)


def _label(file: Path) -> str:
    """The path of a file under landing, where it lies there; else all of it."""
    full, folder = file.resolve(), get_settings().landing.resolve()
    return (full.relative_to(folder) if full.is_relative_to(folder) else full).as_posix()


def _show_chosen(
    console: Console, reader: Reader, copy: Path, file: Path, delivered: Path, label: str, chosen: Chosen, seen: Seen
) -> None:
    """Show what a file becomes under one mapping."""
    console.print(f"mapping  {chosen.how}", markup=False)
    if chosen.guess:
        console.print(f"\n{chosen.guess.text()}", markup=False, soft_wrap=True)
        seen.problems += _problems_of(chosen.guess)
        _show_questions(console, chosen.guess)
    if chosen.mapping is not None:
        for mapping in _by_sheet(copy, chosen.mapping):
            part = ""
            if chosen.mapping.has_sheets:
                console.print(f"\nsheet    {mapping.sheet}", markup=False)
                part = "/" + str(mapping.sheet).replace("/", "_")
            delivery = _delivery(copy, delivered, label + part, mapping)
            for parts in mapping.parts_by_feed.values():
                _show_feed(console, reader, copy, file, mapping, parts, delivery, seen)


def _problems_of(guess: Guess) -> list[str]:
    """Why an inferred mapping is none to land with yet."""
    found = []
    if not guess.is_like_a_feed:
        found.append("its columns are like those of no feed; say which one it is for: --feed FEED")
    if guess.open_ends:
        found.append(f"nothing in it was found for {', '.join(guess.open_ends)}, which its feed requires")
    if waiting := [question for question in guess.questions if question.is_open]:
        number = "a question waits" if len(waiting) == 1 else f"{len(waiting)} questions wait"
        found.append(f"{number} for an answer")
    if not guess.has_measure:
        found.append(_no_measure(guess.feeds[0]))
    return found


def _no_measure(feed: str) -> str:
    counts = [name for name, column in load_feeds()[feed].columns.items() if column.type in MEASURES]
    return f"not one count is mapped ({', '.join(counts[:4])}, ...): without any, rows of {feed} say nothing"


def _by_sheet(copy: Path, mapping: Mapping) -> list[Mapping]:
    """The mapping, once for each sheet that it reads."""
    if not mapping.has_sheets:
        return [mapping]
    with copy.open("rb") as opened:
        return [mapping.model_copy(update={"sheet": sheet}) for sheet in containers.sheets(opened, mapping)]


def _show_feed(
    console: Console,
    reader: Reader,
    copy: Path,
    file: Path,
    mapping: Mapping,
    parts: tuple[FeedPart, ...],
    delivery: parse.Delivery,
    seen: Seen,
) -> None:
    """Land a file into memory for one feed and show it."""
    file_format = mapping.format_of(file.name)
    if file_format is None:
        raise FileRefused(f"its name {file.name!r} says no format; say `format` in the mapping")
    feed = parts[0].feed
    with _working(console, f"reading into {feed}"):
        plain = landing.unpack(copy, get_settings().max_unpacked_bytes, file_format)
        outcome = parse.read_file(reader, plain, mapping, parts, file_format, delivery)
    console.print(
        f"\n{feed}: {outcome.rows_read:,} rows read = {outcome.rows_accepted:,} accepted"
        f" + {outcome.rows_quarantined:,} quarantined + {outcome.rows_duplicate:,} duplicate",
        markup=False,
    )
    left = f"; of the quarantined {outcome.rows_left_out:,} are left out on purpose" if outcome.rows_left_out else ""
    console.print(f"as of    {delivery.as_of:%Y-%m-%d %H:%M:%S} UTC{left}", markup=False)
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
    _show_delicate(console, outcome.header or [], parts)
    if get_settings().hash_key is None and any(source.hash for part in parts for source in part.columns.values()):
        seen.problems.append("a column is hashed and GROUNDSWELL_HASH_KEY is not set: landing would wait for it")
    seen.accepted += outcome.rows_accepted
    waiting = outcome.rows_quarantined - outcome.rows_left_out
    if not outcome.rows_accepted:
        seen.problems.append(f"not one row of {feed} would load")
    elif waiting * 2 > outcome.rows_read:
        seen.problems.append(f"{waiting:,} of {outcome.rows_read:,} rows of {feed} would be quarantined")
    if needs_measure(load_feeds()[feed]):
        _check_counts(reader, outcome.rows_accepted, parts, seen)


def _check_counts(reader: Reader, accepted: int, parts: tuple[FeedPart, ...], seen: Seen) -> None:
    """A snapshot without a count is none."""
    feed = load_feeds()[parts[0].feed]
    if not any(name in part.columns for part in parts for name in feed.counts):
        seen.problems.append(_no_measure(feed.feed))
    elif accepted:
        row = reader.execute(f"select count(coalesce({', '.join(feed.counts)})) from accepted").fetchone()
        if row == (0,):
            seen.problems.append(f"not one count is filled in the {accepted:,} rows of {feed.feed}")


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
    fits = sum(max(len(columns[i]), *(len(_cell(row[i])) for row in rows)) + 2 for i in filled) <= console.width
    if fits:
        for index in filled:
            table.add_column("line" if index == 0 else columns[index], overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row[index]) for index in filled))
    else:
        # Too wide for the terminal: a column of the feed a line, a row of the file a column.
        names = max(len(columns[index]) for index in filled)
        shown = rows[: max(1, (console.width - names) // 26)]
        most = max(8, (console.width - names) // len(shown) - 2)
        table.add_column("line", no_wrap=True, min_width=names)
        for row in shown:
            table.add_column(str(row[0]), no_wrap=True)
        for index in filled[1:]:
            table.add_row(Text(columns[index]), *(_cell(row[index], min(most, SHOWN_CHARACTERS)) for row in shown))
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
        table.add_row(f"{count:,}", str(line), _cell(column), _cell(value), _cell(reason, 400))
    console.print(table)


def _show_questions(console: Console, guess: Guess) -> None:
    """What only a person can answer: each reading of it with the line that says so."""
    for number, question in enumerate(guess.questions, start=1):
        console.print(f"question {number}  {_printable(question.words)}", markup=False)
        table = Table(box=None, pad_edge=False, show_header=False)
        for _ in range(3):
            table.add_column(overflow="fold")
        for place, answer in enumerate(question.answers):
            taken = "taken" if place == 0 and not question.is_open else "or" if place else "either"
            table.add_row(taken, _cell(answer.line, 300), _cell(answer.shown, 120))
        console.print(Padding(table, (0, 0, 0, 2)))


def _show_delicate(console: Console, header: list[str], parts: tuple[FeedPart, ...]) -> None:
    """What a file tells of persons, and what becomes of it."""
    ignored = {tidy(name) for part in parts for name in part.ignore}
    sources = [source for part in parts for source in part.columns.values()]
    hashed = {tidy(source.from_) for source in sources if source.from_ and source.hash}
    read = {tidy(source.from_) for source in sources if source.from_} - hashed
    for title in dict.fromkeys(tidy(name) for name in header):
        what = headers.sensitive(title)
        if what is None:
            continue
        if title in ignored:
            fate = "left out (`ignore`)"
        elif title in hashed:
            fate = "its keyed hash alone is kept (`hash`)"
        elif title in read:
            fate = "kept as it is; `hash: true` keeps a keyed hash in its place"
        else:
            fate = f"kept in `extra`; `ignore: [{title}]` leaves it out"
        console.print(f"personal {_printable(title)!r} ({what}): {fate}", markup=False)


def _cell(value: object, most: int = SHOWN_CHARACTERS) -> Text:
    """A cell for the terminal: short, without control characters, never read as markup."""
    text = "" if value is None else _printable(str(value))
    # An amount is shown without the zeros that its type adds.
    if re.fullmatch(r"-?\d+\.\d*0{4}", text):
        text = text.rstrip("0").removesuffix(".")
    return Text(text if len(text) <= most else text[: most - 1] + "…")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)


def _delivery(copy: Path, delivered: Path, label: str, mapping: Mapping) -> parse.Delivery:
    """What every row of the file would carry if it was landed now, as landing says."""
    settings, now = get_settings(), utc_now()
    info = delivered.stat()
    whole = _label(delivered)
    candidate = landing.Candidate(label, info, container=whole if whole != label else None, mapping=mapping)
    note = _note(settings, candidate, delivered, mapping)
    taken = landing.IngestedFile(
        copy, "preview", info.st_size, landing.file_time_of(candidate, mapping, now), note=note
    )
    return replace(landing.delivery_of(candidate, taken, mapping, now), batch_id="preview")


def _note(settings: Settings, candidate: landing.Candidate, delivered: Path, mapping: Mapping) -> manifest.Entry | None:
    """What a manifest says of a file that lies in landing."""
    if not delivered.resolve().is_relative_to(settings.landing.resolve()):
        return None
    return landing.read_note(settings, candidate, mapping)


def _choose(reader: Reader, copy: Path, name: str, label: str, asked: Request) -> list[Chosen]:
    """The mapping that is named, those that claim the file, the feed whose own columns it has, or one inferred."""
    settings = get_settings()
    mappings = load_mappings(settings)
    if asked.mapping:
        return [_named(settings, asked.mapping)]
    if not asked.ignore_mappings and asked.feed is None:
        claims = mappings.claims(label)
        if len(claims) > 1 and not landing.reads_parts(claims):
            # Landing refuses it in these words.
            mappings.choose(label)
        if claims:
            return [Chosen(each, f"{each.mapping}, which claims names like {each.pattern}") for each in claims]
        for mapping in mappings.library.values():
            if mapping.claims(label):
                how = f"{mapping.mapping} of the library, which fits names like {mapping.pattern}; it is switched off"
                return [Chosen(mapping, how, switch_on=mapping.mapping)]
    feeds = [load_feeds()[asked.feed]] if asked.feed else list(load_feeds().values())
    for feed in feeds if not asked.ignore_mappings or asked.feed else []:
        if _fits(reader, copy, name, mapping := canonical_mapping(feed)):
            return [Chosen(mapping, f"none needed: these are the columns of feed {feed.feed}")]
    return [_infer(reader, copy, name, asked.feed)]


def _named(settings: Settings, named: str) -> Chosen:
    """A mapping by its name or path. Raises UsageError where there is none."""
    mappings = load_mappings(settings)
    file_name = f"{named.removesuffix('.yml')}.yml"
    paths = [Path(named), *(folder / file_name for folder in (mappings_of(settings), MAPPINGS_DIR) if folder)]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        known = ", ".join(dict.fromkeys([*mappings.in_use, *mappings.library]))
        raise UsageError(f"there is no mapping {named!r}; known: {known}")
    return Chosen(load_own(path), f"{path.name}, as asked", written=path)


def _fits(reader: Reader, copy: Path, name: str, mapping: Mapping) -> bool:
    """Whether a file has a feed's own columns, all that are required and most of the others."""
    file_format = mapping.format_of(name)
    if file_format is None:
        return False
    try:
        plain = landing.unpack(copy, get_settings().max_unpacked_bytes, file_format)
        table = parse.open_file(reader, plain, mapping, mapping.parts, file_format, is_whole=True)
        header = {mapping.name_of(title) for title in table.header}
        feed = load_feeds()[mapping.parts[0].feed]
    except FileRefused:
        return False
    if not set(feed.required) <= header or len(header & set(feed.columns)) * 2 <= len(header):
        return False
    if needs_measure(feed) and not header & set(feed.counts):
        return False
    # Where its cells are written in another way, a mapping is needed after all.
    moment = parse.Delivery("preview", "preview", name, utc_now(), None, utc_now(), is_whole=True)
    try:
        outcome = parse.read_file(reader, plain, mapping, mapping.parts, file_format, moment)
    except FileRefused:
        return False
    return outcome.rows_accepted * 2 >= outcome.rows_read


def _infer(reader: Reader, copy: Path, name: str, feed: str | None) -> Chosen:
    file_format = infer.format_of(landing.unpack(copy, get_settings().max_unpacked_bytes), name)
    plain = landing.unpack(copy, get_settings().max_unpacked_bytes, file_format)
    guess = infer.infer(reader, plain, name, file_format, feed)
    written = get_settings().data / "build" / "preview" / f"{guess.content['mapping']}.yml"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(guess.text(), encoding="utf-8")
    how = f"inferred for feed {guess.feeds[0]}, written to {_shown(written)}"
    mapping = None if guess.open_ends else load_mapping(written)
    return Chosen(mapping, how, guess, written)


# --- what is next


def _conclude(console: Console, file: Path, found: list[Chosen], seen: Seen, asked: Request) -> int:
    """Say whether the file is good, and the next step. Returns the exit code."""
    chosen = found[0]
    console.print()
    for problem in dict.fromkeys(seen.problems):
        console.print(f"NOT GOOD {problem}", markup=False)
    is_good = not seen.problems
    if is_good:
        console.print("good     landing would take it as it is shown", markup=False)
    if asked.write:
        return 1 if not _write(console, chosen, asked) or not is_good else _land_it(console, file, chosen)
    if chosen.guess or (chosen.written and asked.mapping):
        again = f"make preview FILE={_quoted(file)} MAPPING={_shown(chosen.written)}"
        if not is_good:
            if chosen.guess:
                console.print(
                    f"next     complete {_shown(chosen.written)}, then: {again}", markup=False, soft_wrap=True
                )
            else:
                console.print(f"next     correct {_shown(chosen.written)}, then: {again}", markup=False, soft_wrap=True)
            return 1
        if chosen.guess:
            console.print("next     look at each line of the mapping above; when it is right:", markup=False)
            console.print(f"           {again} WRITE=1", markup=False, soft_wrap=True)
            return 0
    if not is_good:
        console.print("next     correct the mapping or the file, and preview again", markup=False)
        return 1
    if chosen.switch_on:
        console.print(
            f"next     switch the mapping on: {how_to_use(chosen.switch_on)} (WRITE=1 does so);", markup=False
        )
    return _land_it(console, file, chosen)


def _land_it(console: Console, file: Path, chosen: Chosen) -> int:
    """The commands that land the file; `cp -p` keeps its time of change, which may be when its rows were true."""
    assert chosen.mapping is not None
    folder = get_settings().landing / chosen.mapping.parts[0].feed
    if file.resolve().is_relative_to(get_settings().landing.resolve()):
        console.print("next     land it: make nightly", markup=False)
        return 0
    lines = f"mkdir -p {_shown(folder)} && cp -p {_quoted(file)} {_shown(folder)}/ && make nightly"
    console.print(f"next     land it:\n           {lines}", markup=False, soft_wrap=True)
    return 0


def _write(console: Console, chosen: Chosen, asked: Request) -> bool:
    """Put the mapping where landing reads it. Raises UsageError where another one lies there."""
    if chosen.mapping is None:
        console.print("written  nothing: a mapping with lines marked `...` would stop every landing", markup=False)
        return False
    if isinstance(chosen.mapping, CanonicalMapping):
        console.print("written  nothing: the file needs no mapping", markup=False)
        return True
    if chosen.switch_on or (chosen.written and chosen.written.parent == MAPPINGS_DIR):
        text = f"{USE}: {chosen.mapping.mapping}\n"
    elif chosen.written is not None:
        text = chosen.written.read_text(encoding="utf-8-sig")
    else:
        console.print("written  nothing: its mapping is in use already", markup=False)
        return True
    folder = (get_settings().config or Path.cwd() / USUAL) / "mappings"
    target = folder / f"{chosen.mapping.mapping}.yml"
    for other in load_mappings(get_settings()).in_use.values():
        if other.pattern == chosen.mapping.pattern and other.mapping != chosen.mapping.mapping:
            raise UsageError(f"{other.mapping} claims {other.pattern} already; narrow the pattern, or correct that one")
    if target.exists() and target.read_text(encoding="utf-8-sig") != text and not asked.force:
        question = f"{_shown(target)} is there: write over it? [y/N] "
        if not sys.stdin.isatty() or console.input(question, markup=False).strip().lower() != "y":
            raise UsageError(f"{_shown(target)} is there and differs; FORCE=1 (--force) writes over it")
    folder.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(target)
    console.print(f"written  {_shown(target)}", markup=False, soft_wrap=True)
    return True


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
