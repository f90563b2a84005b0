"""A mapping to start from, inferred from a file of unknown layout: by the names of its columns and by what they hold.

Nothing here lands anything. Where a file has two readings none is taken in silence: each is a question with the line of
YAML that answers it. What is inferred is written down as YAML, and left to a person.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ingestion.contracts import MEASURES, NUMBERS, FeedColumn, load_feeds
from ingestion.errors import ContractError, FileRefused
from ingestion.mapping import shape as shapes
from ingestion.mapping.evidence import ORDERS, Evidence, Way
from ingestion.mapping.fit import ANY_DAY, COMMA, IDS_IN_URLS, POINT, SEPARATORS, Fit, Taken, fit, needs_measure, way_of
from ingestion.mapping.grammar import Mapping, check_mapping, tidy
from ingestion.mapping.headers import (
    ALIKE,
    KNOWN_IN_PART,
    NO_TOTAL,
    PLATFORM_WORDS,
    likeness,
    plain,
    platform_of,
    sensitive,
    without_platform,
    words,
)
from ingestion.mapping.questions import Answer, Question
from ingestion.mapping.shape import PROBE, Shape, format_of
from ingestion.readers.open import open_table
from ingestion.readers.table import Reader
from ingestion.sql import quote
from ingestion.values import MOMENTS, split_list

# A feed whose score is so near to the best one's is named beside it; under the least score no feed is like the file.
CLOSE, LEAST = 1.5, 1.5
DATE_IN_NAME = (
    (r"(\d{4}-\d{2}-\d{2}[T_]\d{2}-\d{2}-\d{2})", "%Y-%m-%d_%H-%M-%S"),
    (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    (r"(20\d{2}_\d{2}_\d{2})", "%Y_%m_%d"),
    (r"(20\d{6})", "%Y%m%d"),
)
CURRENCIES = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "zł": "PLN", "R$": "BRL"}
IN_DIGITS = re.compile(r"\d{1,4}([./-])\d{1,2}[./-]\d{1,4}(\D.*)?")
# Counts and words that only one platform has.
ONLY_THERE = {"youtube": {"subscribers", "abonnenten", "watchtimehours", "videotitle"}, "tiktok": {"diggcount", "awemeid"}}


@dataclass
class Guess:
    """An inferred mapping: its content as it stands in YAML, remarks per key, and what only a person knows.

    Args:
        open_ends: required columns that nothing in the file fills.
        feeds: names of the feeds that it is like, the likeliest first.
        sensitive: headers that tell something of a person, and what.
    """

    content: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    open_ends: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    sensitive: dict[str, str] = field(default_factory=dict)
    feeds: list[str] = field(default_factory=list)
    has_measure: bool = True
    is_like_a_feed: bool = True

    @property
    def is_open(self) -> bool:
        """Whether something must be answered before a row can load."""
        return bool(self.open_ends) or any(question.is_open for question in self.questions)

    def mapping(self) -> Mapping | None:
        """The mapping, null where a required column is still open."""
        if self.open_ends:
            return None
        try:
            return check_mapping(Mapping.model_validate(self.content), Path(f"{self.content['mapping']}.yml"))
        except (ValidationError, ContractError):
            return None

    def text(self) -> str:
        """The YAML, with a remark where something was guessed and the answers to choose from where it was not."""
        lines = [
            "# yaml-language-server: $schema=mapping.schema.json",
            "# Inferred: look at each line before you use it.",
        ]
        for key, value in self.content.items():
            if key in ("columns", "feeds"):
                lines += self._choices("")
            lines.append(_line(key, value, 0, self.remarks))
        lines += [f"  # {name}: {{from: ...}}  # required; nothing in the file looks like it" for name in self.open_ends]
        lines += self._choices("columns.")
        if self.unused:
            lines.append(f"# kept in `extra`: {', '.join(tidy(name) for name in self.unused)}")
        return "\n".join(lines) + "\n"

    def _choices(self, prefix: str) -> list[str]:
        """The answers of open questions, each to be made a line by removing its #."""
        indent = "  " if prefix else ""
        return [
            f"{indent}# {answer.line}  # {_one_line(answer.shown)}"
            for question in self.questions
            if question.is_open and question.key.startswith("columns.") == bool(prefix) and question.key
            for answer in question.answers
        ]


def _line(key: str, value: Any, depth: int, remarks: dict[str, str], above: str = "") -> str:
    pad, remark = "  " * depth, f"  # {_one_line(remarks[above + key])}" if above + key in remarks else ""
    if isinstance(value, dict) and depth == 0:
        inner = [_line(name, each, 1, remarks, f"{key}.") for name, each in value.items()]
        return "\n".join([f"{key}:{remark}", *inner])
    if key == "feeds":
        parts = []
        for part in value:
            first, *rest = [_line(name, each, 0, remarks, "") for name, each in part.items()]
            parts += ["  - " + first.replace("\n", "\n    "), *("    " + each.replace("\n", "\n    ") for each in rest)]
        return "\n".join([f"{key}:{remark}", *parts])
    flow = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False)
    shown = flow.removesuffix("...\n").strip()
    return f"{pad}{key}: {shown}{remark}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)[:200]


@dataclass
class _Opened:
    """A file opened in one way, and the feeds that it is like, the likeliest first."""

    shape: Shape
    evidence: Evidence
    fits: list[Fit]
    spread: dict[str, Fit] = field(default_factory=dict)

    @property
    def score(self) -> float:
        return self.fits[0].score


def infer(reader: Reader, path: Path, name: str, file_format: str, feed: str | None = None) -> Guess:
    """The mapping that a file of unknown layout most likely needs.

    Args:
        path: the plain file. name: its name as delivered. feed: the feed that is asked for.
    Raises:
        FileRefused: when not even its shape can be read.
    """
    if path.stat().st_size == 0:
        raise FileRefused("it is empty; send it again")
    best: _Opened | None = None
    refused: FileRefused | None = None
    ways = list(shapes.shapes(reader, path, file_format))
    for shape in ways:
        try:
            opened = _open(reader, path, file_format, shape, feed)
        except FileRefused as error:
            refused = refused or error
            continue
        # A list within records says more than the records, where it says anything.
        if best is None or opened.score > best.score + 0.5:
            best = opened
    if best is None:
        raise refused or FileRefused("it holds no column; is it what it should be?")
    if len(ways) > 1:
        # The reader holds what was opened last.
        best = _open(reader, path, file_format, best.shape, feed)
    guess = _Writer(reader, best, name, file_format).write()
    if needs_measure(best.fits[0].feed) and not best.fits[0].measures:
        guess.has_measure = False
    guess.is_like_a_feed = feed is not None or best.score >= LEAST
    return guess


def _open(reader: Reader, path: Path, file_format: str, shape: Shape, feed: str | None) -> _Opened:
    probe = shape.probe
    table = open_table(reader, path, probe, file_format, set(), is_whole=True, parts=probe.parts)
    if not any(table.header):
        raise FileRefused("it holds no column; is it what it should be?")
    spread = shapes.dates_side_by_side(table.header)
    if spread:
        shape = shape.but("a row for each day: are the cells followers?", unpivot=spread)
        probe = shape.probe
        table = open_table(reader, path, probe, file_format, set(), is_whole=True, parts=probe.parts)
    elif file_format == "jsonl":
        wanted = {*table.header, *shapes.nested(reader)}
        table = open_table(reader, path, probe, file_format, wanted, is_whole=True, parts=probe.parts)
    evidence = Evidence.of(reader, table)
    if not evidence.rows:
        raise FileRefused("it holds a header and no row; if a day has no rows, send no file")
    feeds = load_feeds()
    fits = [fit(evidence, feeds[feed])] if feed else [fit(evidence, each) for each in feeds.values()]
    fits.sort(key=lambda each: -each.score)
    return _Opened(shape, evidence, fits, _side_by_side(evidence) if feed in (None, "account_snapshots") else {})


def _side_by_side(evidence: Evidence) -> dict[str, Fit]:
    """By platform how a row fills account snapshots, where several platforms stand side by side in it."""
    named = [platform_of(title) for title in evidence.header]
    feed = load_feeds()["account_snapshots"]
    found = {}
    for platform in dict.fromkeys(each for each in named if each):
        titles = [
            without_platform(title) if of == platform else "" if of else title
            for title, of in zip(evidence.header, named, strict=True)
        ]
        each = fit(evidence, feed, titles)
        taken = each.columns.get("account_id")
        if taken is not None and named[taken.index] == platform and "followers" in each.columns:
            found[platform] = each
    return found if len(found) > 1 else {}


class _Writer:
    """Writes down how a file is read: the mapping, its remarks and its questions."""

    def __init__(self, reader: Reader, opened: _Opened, name: str, file_format: str) -> None:
        self.reader, self.opened, self.name, self.file_format = reader, opened, name, file_format
        self.evidence, self.fit = opened.evidence, opened.fits[0]
        self.guess = Guess({"mapping": plain_name(name), "feed": self.fit.feed.feed, "pattern": _pattern(name)})
        self.traits: dict[str, Any] = {}

    def write(self) -> Guess:
        guess, shape = self.guess, self.opened.shape
        guess.feeds = [each.feed.feed for each in self.opened.fits]
        if (said := cells_format(self.name)) != self.file_format:
            guess.content["format"] = self.file_format
            guess.remarks["format"] = f"the name says {said or 'nothing'}"
        guess.content |= shape.content
        guess.remarks |= shape.remarks
        guess.questions += shape.questions
        is_spread = bool(self.opened.spread) and self.fit.feed.feed == "account_snapshots"
        fits = list(self.opened.spread.values()) if is_spread else [self.fit]
        self._ask_feed()
        self._nulls(fits)
        self._marks(fits)
        self._orders(fits)
        self._totals(fits)
        self._lines_of_one(fits[0])
        used = {taken.index for each in fits for taken in each.columns.values()}
        self._delicate(used)
        if is_spread:
            self._write_side_by_side()
        else:
            guess.content["columns"] = self._columns(self.fit)
            self._ask_columns()
            self._ask_unused(used)
        used |= {i for i, title in enumerate(self.evidence.header) if tidy(title) in guess.content.get("ignore", ())}
        guess.unused = [
            title or f"column {index + 1}" for index, title in enumerate(self.evidence.header) if index not in used
        ]
        return guess

    # --- the whole file

    def _ask_feed(self) -> None:
        first, *others = self.opened.fits
        close = [each for each in others if first.score - each.score < CLOSE and each.score > 0]
        if not close:
            return
        answers = tuple(Answer(f"--feed {each.feed.feed}", _coverage(each)) for each in (first, *close[:2]))
        words_ = "what is a row of this file? These feeds are nearly as likely"
        self.guess.questions.append(Question("", words_, answers))
        self.guess.remarks["feed"] = f"or {close[0].feed.feed}: see the question"

    def _nulls(self, fits: Iterable[Fit]) -> None:
        """Spellings of null in what is read; `NA` is Namibia where only countries hold it."""
        found: dict[str, None] = {}
        for each in fits:
            for name, taken in each.columns.items():
                for cell in self.evidence.nulls(taken.index):
                    if not (cell == "NA" and each.feed.columns[name].known == "countries"):
                        found[cell] = None
        if found:
            self.guess.content["null_values"] = list(found)

    def _totals(self, fits: list[Fit]) -> None:
        ids = {each.columns[name].index for each in fits for name in each.feed.key if name in each.columns}
        ids = {i for i in ids if not any(i == each.columns.get("platform", Taken(-1, 0, Way())).index for each in fits)}
        if words_ := self.evidence.totals({0, *ids}):
            self.guess.content["skip_totals"] = True
            self.guess.remarks["skip_totals"] = f"a row that sums others is left out: {words_[0]!r}"

    def _lines_of_one(self, each: Fit) -> None:
        """An order may go on over several lines, of which the first alone has its amounts."""
        ids = [each.columns[name].index for name in each.feed.key if name in each.columns]
        amounts = [
            name for name in each.columns if each.feed.columns[name].required and each.feed.columns[name].type == "amount"
        ]
        if not ids or not amounts or self.evidence.distinct(ids) > 0.98:
            return
        amount = each.columns[amounts[0]].index
        rows = [(tuple(row[i] for i in ids), row[amount]) for row in self.evidence.rows]
        whole = {key for key, value in rows if value}
        if any(not value for _, value in rows) and all(key in whole for key, value in rows if not value):
            title = tidy(self.evidence.header[amount])
            self.guess.content["keep"] = f"{_named(title)} is not empty"
            self.guess.remarks["keep"] = "lines without an amount go on with the one above: they are left out"

    def _delicate(self, used: set[int]) -> None:
        """What tells something of a person is left out, unless it is read."""
        for index, title in enumerate(self.evidence.header):
            what = sensitive(title)
            cells = self.evidence.cells(index)
            if what is None and cells and sum("@" in c and bool(_EMAIL.fullmatch(c)) for c in cells) > len(cells) / 2:
                what = "e-mail"
            if what:
                self.guess.sensitive[tidy(title)] = what
        self.read_delicate = {tidy(self.evidence.header[index]) for index in used} & set(self.guess.sensitive)
        left = [title for title in self.guess.sensitive if title not in self.read_delicate]
        if left:
            key = "ignore"
            self.guess.content[key] = left
            self.guess.remarks[key] = "told of persons; remove a name to keep it in `extra`"

    # --- marks of numbers

    def _marks(self, fits: Iterable[Fit]) -> None:
        """Say the decimal mark where the cells tell it, ask where they do not."""
        mine = [
            (name, taken.index, each.feed.columns[name], "parse" in taken.way.keys and taken.way.keys["parse"])
            for each in fits
            for name, taken in each.columns.items()
            if each.feed.columns[name].type in NUMBERS
        ]
        points, commas, both = self._votes(mine)
        names = tuple(dict.fromkeys(name for name, *_ in both))
        if commas and not points:
            self._take_mark(",")
        elif points and not commas:
            if both or any("," in cell for _, index, _, _ in mine for cell in self.evidence.cells(index)):
                self._take_mark(".")
        elif points and commas:
            name, cell, *_ = points[0]
            other, comma_cell, *_ = commas[0]
            words_ = f"numbers have decimal points ({name} {cell!r}) and decimal commas ({other} {comma_cell!r})"
            all_names = tuple(dict.fromkeys(n for n, *_ in (*points, *commas, *both)))
            answers = self._answers_of_marks([*both, *points, *commas][0])
            self.guess.questions.append(Question("decimal_mark", words_, answers, all_names, is_open=True))
        elif both:
            self._ask_mark(mine, both, names)

    def _ask_mark(self, mine: list[Any], both: list[Any], names: tuple[str, ...]) -> None:
        """Nothing in the columns that are read tells the mark: the others may."""
        figure = FeedColumn(type="figure")
        read = {index for _, index, _, _ in mine}
        rest = [
            (title, index, figure, "number")
            for index, title in enumerate(self.evidence.header)
            if index not in read and max(s.get(index, 0) for s in self.evidence.shares(figure, [POINT, COMMA])) > 0.95
        ]
        points, commas, _ = self._votes(rest)
        name, cell, *_ = both[0]
        answers = self._answers_of_marks(both[0])
        words_ = f"{name} holds {cell!r}: is its mark one of decimals, or of thousands?"
        if bool(points) == bool(commas):
            self.guess.questions.append(Question("decimal_mark", words_, answers, names, is_open=True))
            return
        mark, by = (".", points[0]) if points else (",", commas[0])
        self._take_mark(mark)
        self.guess.remarks["decimal_mark"] = f"as {by[0]!r} shows, with {by[1]!r}"
        chosen = sorted(answers, key=lambda answer: mark not in answer.line[-2:])
        self.guess.questions.append(Question("decimal_mark", words_, tuple(chosen), names))

    def _take_mark(self, mark: str) -> None:
        self.guess.content["decimal_mark"] = self.traits["decimal_mark"] = mark

    def _votes(self, columns: Iterable[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Cells that are a number only with a decimal point, only with a comma, and two numbers with either."""
        points, commas, both = [], [], []
        for name, index, column, parse in columns:
            source = {"parse": "percent"} if parse == "percent" else {"parse": "number"}
            found = [
                {cell: value for cell, value, _ in self.evidence.read(column, Way.of(source, decimal_mark=mark), index)}
                for mark in ".,"
            ]
            for cell, by_point in found[0].items():
                by_comma = found[1][cell]
                row = (name, cell, by_point, by_comma)
                if by_point is not None and by_comma is None:
                    points.append(row)
                elif by_comma is not None and by_point is None:
                    commas.append(row)
                elif by_point != by_comma:
                    both.append(row)
        return points, commas, both

    @staticmethod
    def _answers_of_marks(row: Any) -> tuple[Answer, ...]:
        name, cell, by_point, by_comma = row
        return tuple(
            Answer(f"decimal_mark: {mark!r}", f"{name} {cell!r} is {value if value is not None else 'unreadable'}")
            for mark, value in ((".", by_point), (",", by_comma))
        )

    # --- order of dates

    def _orders(self, fits: Iterable[Fit]) -> None:
        """Say the order of day, month and year where the cells tell it, ask where they do not."""
        mine = [
            (name, taken, each.feed.columns[name])
            for each in fits
            for name, taken in each.columns.items()
            if each.feed.columns[name].type in MOMENTS and dict(taken.way.traits).get("date_order")
        ]
        languages = {
            str(language)
            for each in fits
            for taken in each.columns.values()
            if (language := dict(taken.way.traits).get("language"))
        }
        if languages:
            self.guess.content["language"] = self.traits["language"] = min(languages)
        if not mine:
            return
        told: dict[str, str] = {}
        doubtful: list[tuple[str, str, dict[str, str]]] = []
        for name, taken, column in mine:
            possible, example = self._possible_orders(column, taken.index)
            if len(possible) == 1:
                told[next(iter(possible))] = name
            elif example:
                doubtful.append((name, example, possible))
        names = tuple(name for name, _, _ in mine)
        if len(told) > 1:
            answers = tuple(Answer(f"date_order: {order}", f"as {name} is written") for order, name in told.items())
            words_ = "its dates are written in several orders: say a `time_format` at each column"
            self.guess.questions.append(Question("date_order", words_, answers, names, is_open=True))
            return
        if told:
            self._take_order(next(iter(told)))
        if doubtful:
            self._ask_order(doubtful, told)

    def _ask_order(self, doubtful: list[tuple[str, str, dict[str, str]]], told: dict[str, str]) -> None:
        name, example, possible = doubtful[0]
        columns = tuple(each[0] for each in doubtful)
        order = next(iter(told), "")
        if not order and re.match(r"\d+\.\d+\.\d{4}", example):
            # Points between day and month are of places where the day comes first.
            order = "dmy"
            self._take_order(order)
        if order and order not in possible:
            order = ""
        answers = tuple(
            Answer(f"date_order: {each}", f"{name} {example!r} is {moment}")
            for each, moment in sorted(possible.items(), key=lambda item: item[0] != order)
        )
        others = f" (so of {', '.join(columns[1:])})" if columns[1:] else ""
        words_ = f"{name} holds {example!r}{others}: does the day or the month come first?"
        self.guess.questions.append(Question("date_order", words_, answers, columns, is_open=not order))
        if order:
            why = f"as {told[order]} shows" if order in told else "points stand between them"
            self.guess.remarks["date_order"] = f"{why}; {name} alone could be read otherwise"

    def _take_order(self, order: str) -> None:
        self.guess.content["date_order"] = self.traits["date_order"] = order

    def _possible_orders(self, column: FeedColumn, index: int) -> tuple[dict[str, str], str]:
        """The orders in which most cells are dates, each with what an example is in it; and the example."""
        read = {
            order: {cell: value for cell, value, _ in self.evidence.read(column, Way.of(date_order=order), index)}
            for order in ORDERS
        }
        counts = {order: sum(value is not None for value in cells.values()) for order, cells in read.items()}
        most = max(counts.values())
        orders = [order for order in ORDERS if counts[order] == most]
        for cell in read[orders[0]]:
            values = {order: read[order][cell] for order in orders}
            if len(set(values.values())) == len(orders) > 1 and None not in values.values():
                return {order: str(value) for order, value in values.items()}, cell
        return dict.fromkeys(orders[:1], ""), ""

    # --- columns

    def _columns(self, each: Fit, platform: str | None = None) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, column in each.feed.columns.items():
            if name == "platform" and platform:
                columns[name] = {"constant": platform}
            elif name in each.columns:
                columns[name] = self._source(each, name, column)
            elif column.required:
                self._fill(columns, name, each)
        return columns

    def _source(self, each: Fit, name: str, column: FeedColumn) -> dict[str, Any]:
        taken = each.columns[name]
        index, way = taken.index, taken.way.keys
        source = self._place(index) | {key: value for key, value in way.items() if key != "parse"}
        key = f"columns.{name}"
        if column.type in NUMBERS:
            source |= self._parse(column, index, str(way["parse"]) if "parse" in way else None)
        elif way.get("parse"):
            source["parse"] = way["parse"]
        if column.type in MOMENTS:
            self._zone(column, index, source)
        tidy_title = tidy(self.evidence.header[index])
        if name == "customer_id" and self.guess.sensitive.get(tidy_title) == "e-mail":
            source |= {"normalise": "email", "hash": True}
            self.guess.remarks[key] = "a keyed hash in place of the e-mail; it needs GROUNDSWELL_HASH_KEY"
        odd = self._odd(column, source, index)
        if odd:
            self.guess.remarks.setdefault(key, odd)
        return source

    def _place(self, index: int) -> dict[str, Any]:
        """A column by its name, or by its position where the name is not alone."""
        titles = [tidy(other) for other in self.evidence.header]
        title = titles[index]
        if self.opened.shape.content.get("header_row") == 0:
            return {"at": index + 1}
        source: dict[str, Any] = {"from": title} if title else {"at": index + 1, "header": title}
        if title and titles.count(title) > 1:
            source["twin"] = titles[: index + 1].count(title)
        return source

    def _parse(self, column: FeedColumn, index: int, parse: str | None) -> dict[str, Any]:
        """`parse` where the cells need it under the marks that the mapping says."""
        plain_way = Way.of(**self.traits) if self.traits else Way()
        plain_way = Way(traits=tuple((k, v) for k, v in self.traits.items() if k == "decimal_mark"))
        rich = Way((("parse", parse or "number"),), plain_way.traits)
        counted = [
            sum(value is not None for _, value, _ in self.evidence.read(column, way, index)) for way in (plain_way, rich)
        ]
        return {"parse": parse or "number"} if counted[1] > counted[0] else {}

    def _zone(self, column: FeedColumn, index: int, source: dict[str, Any]) -> None:
        """Say that times without a zone are taken as UTC."""
        layout = str(source.get("time_format", ""))
        if column.type != "timestamp" or "%z" in layout or str(source.get("parse", "")).startswith("epoch"):
            return
        cells = self.evidence.cells(index)
        if cells and not all(re.search(r"(Z|UTC|GMT|[+-]\d\d:?\d\d)$", cell) for cell in cells):
            self.guess.content.setdefault("zone", "UTC")
            self.guess.remarks["zone"] = "its times name no zone: which does the sender mean? As Europe/Berlin"

    def _odd(self, column: FeedColumn, source: dict[str, Any], index: int) -> str:
        """Cells that could not be read so, for a remark."""
        if column.type in ("text", "list") and not column.known:
            return ""
        traits = tuple(self.traits.items())
        keys = {k: v for k, v in source.items() if k not in ("from", "at", "header", "twin", "hash", "normalise", "extract")}
        if "extract" in source:
            return ""
        reasons = self.evidence.reasons(column, Way(tuple(keys.items()), traits), index)
        if not reasons:
            return ""
        if any("lost digits" in why for _, why in reasons):
            return f"has lost digits: {reasons[0][0][:24]!r}; export it as text"
        asked = [cell for cell, why in reasons if "decimal_mark" in why or "date_order" in why]
        if len(asked) == len(reasons):
            return f"{asked[0]!r} has two readings: see the question"
        shown = ", ".join(repr(cell[:20]) for cell, _ in reasons[:3])
        what = "values?" if column.values or column.known or column.type == "boolean" else "null_values, values?"
        return f"not read: {shown}{', ...' if len(reasons) > 3 else ''}; {what}"

    def _fill(self, columns: dict[str, Any], name: str, each: Fit) -> None:
        """A required column that the file does not carry: from its name, or left open."""
        remarks = self.guess.remarks
        if name == "platform" and (platform := self._platform()):
            columns[name] = {"constant": platform[0]}
            remarks[f"columns.{name}"] = platform[1]
        elif name == each.feed.time:
            for pattern, layout in DATE_IN_NAME:
                if re.search(pattern, self.name):
                    self.guess.content["file_time"] = {"regex": pattern, "format": layout, "zone": "UTC"}
                    remarks["file_time"] = "which zone does the sender mean?"
                    columns[name] = {"from_file_time": True}
                    return
            columns[name] = {"from_as_of": True}
            remarks[f"columns.{name}"] = "no column and no name says when: the file's own time of change is taken"
        elif name == "currency" and (currency := self._currency(each)):
            columns[name] = {"constant": currency[0]}
            remarks[f"columns.{name}"] = currency[1]
        else:
            self.guess.open_ends.append(name)

    def _platform(self) -> tuple[str, str] | None:
        """The platform of all rows, and by what it was told."""
        for platform, pattern in IDS_IN_URLS.items():
            for index, title in enumerate(self.evidence.header):
                if any(re.search(pattern, cell) for cell in self.evidence.cells(index)[:20]):
                    return platform, f"by the links in {tidy(title)!r}"
        found = re.split(r"[^a-z]+", self.name.lower())
        for word, platform in PLATFORM_WORDS.items():
            if word in found:
                return platform, "by the file's name"
        named = {platform for title in self.evidence.header if (platform := platform_of(title))}
        if len(named) == 1:
            return named.pop(), "by its headers"
        titles = {plain(title) for title in self.evidence.header}
        for platform, only in ONLY_THERE.items():
            if titles & only:
                return platform, f"as a column is called {min(titles & only)}: is it?"
        return None

    def _currency(self, each: Fit) -> tuple[str, str] | None:
        """The currency of all amounts, by a header or the cells; and by which."""
        for name in each.columns:
            if each.feed.columns[name].type != "amount":
                continue
            index = each.columns[name].index
            title = self.evidence.header[index]
            if code := re.search(r"[(\[_ ]([A-Z]{3})[)\]]?$", tidy(title)):
                if code[1] not in ("VAT", "TAX", "TTC", "MAX", "MIN", "SUM", "AVG", "ROI", "URL"):
                    return code[1], f"by the header {tidy(title)!r}"
            for cell in self.evidence.cells(index)[:50]:
                for sign, currency in CURRENCIES.items():
                    if sign in cell:
                        return currency, f"by {cell!r} in {tidy(title)!r}"
                if code := re.match(r"([A-Z]{3})\s?\d|.*\d\s?([A-Z]{3})$", cell):
                    return code[1] or code[2], f"by {cell!r} in {tidy(title)!r}"
        return None

    # --- which column is which

    def _ask_columns(self) -> None:
        for name, taken in self.fit.columns.items():
            rivals = self.fit.rivals.get(name, [])
            if rivals and (question := self._which(name, taken, rivals)):
                self.guess.questions.append(question)
            elif taken.likeness < KNOWN_IN_PART:
                self._ask_alike(name, taken)
        self._ask_day()
        self._ask_names()
        self._ask_lists()
        self._ask_money()
        self._ask_units()

    def _which(self, name: str, taken: Taken, rivals: list[Taken]) -> Question | None:
        """Several columns could be one: unless they say the same."""
        column = self.fit.feed.columns[name]
        answers = []
        seen: list[list[str | None]] = []
        for each in (taken, *rivals):
            source = self._place(each.index) | {k: v for k, v in each.way.keys.items()}
            read = self.evidence.read(column, each.way, each.index)
            answers.append(Answer(f"{name}: {_flow(source)}", f"the first is {read[0][1] if read else 'empty'}"))
            values = {cell: value for cell, value, _ in read}
            seen.append([values.get(row[each.index] or "") for row in self.evidence.rows])
        if all(_are_alike(other, seen[0]) for other in seen[1:]):
            return None
        titles = " or ".join(repr(tidy(self.evidence.header[each.index])) for each in (taken, *rivals))
        return Question(f"columns.{name}", f"which column is {name}: {titles}?", tuple(answers), (name,))

    def _ask_alike(self, name: str, taken: Taken) -> None:
        title = tidy(self.evidence.header[taken.index])
        column = self.fit.feed.columns[name]
        read = self.evidence.read(column, taken.way, taken.index)
        shown = f"{read[0][0]!r} is {read[0][1]}" if read else "it is empty"
        answers = (Answer(f"{name}: {_flow(self._place(taken.index))}", shown), Answer(f"(no {name})", "kept in extra"))
        self.guess.questions.append(
            Question(f"columns.{name}", f"is {title!r} the column {name}? Its name is only like it", answers, (name,))
        )

    def _ask_day(self) -> None:
        """Whether a column called Date is when a post was published, or when it was counted."""
        if self.fit.feed.feed != "post_snapshots":
            return
        for name, other in (("published_at", "captured_at"), ("captured_at", "published_at")):
            taken = self.fit.columns.get(name)
            if taken is not None and other not in self.fit.columns and plain(self.fit.header[taken.index]) in ANY_DAY:
                place = _flow(self._place(taken.index))
                says = {"published_at": "when the post went up", "captured_at": "when its counts were read"}
                answers = tuple(Answer(f"{each}: {place}", says[each]) for each in (name, other))
                title = tidy(self.fit.header[taken.index])
                words_ = f"{title!r}: is it when a post was published, or when it was counted?"
                self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name, other)))

    def _ask_lists(self) -> None:
        """Lists that are separated in several ways."""
        for name, taken in self.fit.columns.items():
            column = self.fit.feed.columns[name]
            if not column.words or taken.index in self.evidence.table.paths:
                continue
            cells = self.evidence.cells(taken.index)
            ways = [mark for mark in SEPARATORS[1:] if any(mark in cell.strip("[] ") for cell in cells)]
            ways += [""] if any("|" in cell for cell in cells) else []
            if len(ways) < 2:
                continue
            chosen = str(taken.way.keys.get("list_separator", ""))
            cell = max(cells, key=lambda each: sum(mark in each for mark in SEPARATORS[1:]))
            answers = []
            for mark in sorted(ways, key=lambda mark: mark != chosen):
                source = self._place(taken.index) | ({"list_separator": mark} if mark else {})
                split = quote(cell) if not mark else split_list(quote(cell), mark)
                row = self.reader.execute(f"select {split}").fetchone()
                answers.append(Answer(f"{name}: {_flow(source)}", f"{cell!r} is {row[0] if row else ''}"))
            title = tidy(self.evidence.header[taken.index])
            words_ = f"{title!r} holds lists: what separates their texts?"
            self.guess.questions.append(Question(f"columns.{name}", words_, tuple(answers), (name,)))

    def _ask_names(self) -> None:
        """An id that looks like a name of people is none that lasts."""
        taken = self.fit.columns.get("account_id")
        if taken is None:
            name = self.fit.columns.get("display_name")
            if name is not None and "account_id" in self.guess.open_ends:
                cells = self.evidence.cells(name.index)
                place = _flow(self._place(name.index))
                answers = (
                    Answer(f"account_id: {place}", f"the account is {cells[0] if cells else ''!r}"),
                    Answer("account_id: {from: ...}", "a column with ids or user names, where there is one"),
                )
                words_ = f"does {tidy(self.evidence.header[name.index])!r} tell accounts apart, and stay?"
                self.guess.questions.append(Question("columns.account_id", words_, answers, ("account_id",), is_open=True))
            return
        cells = self.evidence.cells(taken.index)
        if cells and sum(" " in cell for cell in cells) > len(cells) * 0.2:
            title = tidy(self.evidence.header[taken.index])
            answers = (
                Answer(f"account_id: {_flow(self._place(taken.index))}", f"the account is {cells[0]!r}"),
                Answer("account_id: {from: ...}", "a column with ids or user names, where there is one"),
            )
            words_ = f"{title!r} holds names with blanks: is there an id, or a user name, that stays?"
            self.guess.questions.append(Question("columns.account_id", words_, answers, ("account_id",)))

    def _ask_money(self) -> None:
        """Whether a total is before or after the discount; whether an amount is in cents."""
        columns = self.fit.columns
        gross, discount = columns.get("gross_amount"), columns.get("discount_amount")
        content = self.guess.content["columns"]
        if gross is not None and discount is not None and self._is_after_discount(gross, discount):
            title, less = (tidy(self.evidence.header[each.index]) for each in (gross, discount))
            before = {"compute": f"{_named(title)} + ({_named(less)} or 0)"}
            said = {key: value for key, value in content["gross_amount"].items() if key == "parse"}
            old = content["gross_amount"]
            content["gross_amount"] = before | said
            row = next((r for r in self.evidence.rows if r[gross.index] and _is_sum(r[discount.index])), None)
            shown = (row[gross.index], row[discount.index]) if row else ("", "")
            answers = (
                Answer(f"gross_amount: {_flow(before)}", f"{shown[0]} was charged after {shown[1]} were taken off"),
                Answer(f"gross_amount: {_flow(old)}", f"{shown[0]} is the price, of which {shown[1]} come off"),
            )
            words_ = f"is {title!r} what was charged, after {less!r}? `gross_amount` is before it"
            self.guess.questions.append(Question("columns.gross_amount", words_, answers, ("gross_amount",)))
        for name, taken in columns.items():
            title = tidy(self.evidence.header[taken.index])
            if self.fit.feed.columns[name].type == "amount" and re.search(r"\b(cents?|minor|centimes|centavos)\b", words(title)):
                answers = (
                    Answer(f"{name}: {{compute: {quote(_named(title) + ' * 0.01')}}}", "hundredths of the currency"),
                    Answer(f"{name}: {_flow(content[name])}", "whole units of the currency"),
                )
                content[name] = {"compute": f"{_named(title)} * 0.01"}
                words_ = f"{title!r}: is it in hundredths of the currency?"
                self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,)))

    def _is_after_discount(self, gross: Taken, discount: Taken) -> bool:
        """Whether the total of a row is the sum of other columns that stand beside it; or nobody can tell."""
        title = plain(self.evidence.header[gross.index])
        if any(word in title for word in ("gross", "brutto", "before", "subtotal")):
            return False
        return any(_is_sum(cell) for cell in self.evidence.cells(discount.index))

    def _ask_units(self) -> None:
        """A rate of a rule is in per cent: 0.4 may be a fraction; `mil` may be a thousand or a million."""
        for name, taken in self.fit.columns.items():
            column = self.fit.feed.columns[name]
            read = self.evidence.read(column, taken.way, taken.index)
            values = [float(value) for _, value, _ in read if value is not None and re.fullmatch(r"[\d.]+", value)]
            title = tidy(self.evidence.header[taken.index])
            if self.fit.feed.feed == "commission_rules" and name == "rate" and values and max(values) <= 1:
                answers = (
                    Answer(f"rate: {_flow(self._place(taken.index))}", f"{read[0][0]} is {read[0][1]} per cent"),
                    Answer(f"rate: {{compute: {_named(title)} * 100}}", f"{read[0][0]} is {values[0] * 100:g} per cent"),
                )
                words_ = f"{title!r} is never above 1: is it in per cent, or a fraction?"
                self.guess.questions.append(Question("columns.rate", words_, answers, (name,)))
            if column.type in MEASURES and self.traits.get("decimal_mark") != ",":
                mil = next((cell for cell in self.evidence.cells(taken.index) if re.search(r"\d\s?mil\b", cell)), None)
                if mil:
                    place = self._place(taken.index)
                    answers = tuple(
                        Answer(f"{name}: {_flow(place | {'parse': 'number', 'units': {'mil': times}})}", f"{mil!r} is {said}")
                        for times, said in ((1000, "thousands"), (10**6, "millions"))
                    )
                    words_ = f"{title!r} holds {mil!r}: what is `mil`?"
                    self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,), is_open=True))

    def _ask_unused(self, used: set[int]) -> None:
        """A column that nothing reads and that holds what the feed has a place for."""
        feed = self.fit.feed
        wanted = [n for n in ("published_at", "captured_at", "ordered_at") if n in feed.columns and n not in self.fit.columns]
        for index, title in enumerate(self.evidence.header):
            if index in used or not title or not wanted:
                continue
            if not re.search(r"\b(date|time|day|at|on|datum|fecha|data|hora|heure|zeit|tid|published|posted|stamp)\b|日|時", words(title)):
                continue
            column = feed.columns[wanted[0]]
            way = way_of(self.evidence, wanted[0], column, index, ALIKE)
            if way is not None and self.evidence.cells(index):
                self._propose(wanted[0], index, title, way)
        self._ask_numbers(used)

    def _ask_numbers(self, used: set[int]) -> None:
        """A count of which the feed has one that is not filled, under a name that is only in part its own."""
        feed = self.fit.feed
        free = [n for n, column in feed.columns.items() if column.type in MEASURES and n not in self.fit.columns]
        for index, title in enumerate(self.evidence.header):
            if index in used or not title:
                continue
            for name in free:
                sure = likeness(feed.feed, name, title, is_measure=True)
                way = way_of(self.evidence, name, feed.columns[name], index, ALIKE) if sure else None
                if way is not None and self.evidence.cells(index):
                    self._propose(name, index, title, way)
                    break
        self._ask_counts(used, free)

    def _ask_counts(self, used: set[int], free: list[str]) -> None:
        """Whole numbers under names that say nothing here, while the feed has counts that are not filled."""
        asked = {name for question in self.guess.questions for name in question.columns}
        free = [name for name in free if self.fit.feed.columns[name].type == "count" and name not in asked]
        count = FeedColumn(type="count")
        shares = self.evidence.shares(count, [POINT, COMMA])
        found = []
        for index, title in enumerate(self.evidence.header):
            cells = self.evidence.cells(index)
            is_known = any(likeness(feed.feed, name, title, False) >= KNOWN_IN_PART for feed in load_feeds().values()
                           for name in feed.columns)  # fmt: skip
            is_id = is_known or NO_TOTAL.search(words(title)) or re.search(r"\b(id|no|nr|number|rank|zip|plz|index)\b", words(title))
            if index in used or not title or is_id or len(set(cells)) < 2 or max(each.get(index, 0) for each in shares) < 0.9:
                continue
            if tidy(title) not in self.guess.sensitive:
                found.append(title)
        if free and found:
            place = _flow(self._place(self.evidence.header.index(found[0])))
            answers = (Answer("(none of them)", "kept in extra"), Answer(f"{free[0]}: {place}", "or another of its counts"))
            shown = ", ".join(repr(tidy(title)) for title in found[:6])
            words_ = f"{shown} hold whole numbers and are not read: is one of them {' or '.join(free[:4])}?"
            self.guess.questions.append(Question("columns", words_, answers, tuple(free)))

    def _propose(self, name: str, index: int, title: str, way: Way) -> None:
        read = self.evidence.read(self.fit.feed.columns[name], way, index)
        shown = f"{read[0][0]!r} is {read[0][1]}" if read else ""
        place = self._place(index) | {k: v for k, v in way.keys.items() if k != "parse"}
        answers = (Answer(f"(no {name})", "kept in extra"), Answer(f"{name}: {_flow(place)}", shown))
        words_ = f"is {tidy(title)!r} the column {name}? It is not read now"
        self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,)))

    # --- several platforms in a row

    def _write_side_by_side(self) -> None:
        traits = {key: self.guess.content.pop(key) for key in ("skip_totals", "ignore") if key in self.guess.content}
        parts = [
            {"feed": "account_snapshots", **traits, "columns": self._columns(each, platform)}
            for platform, each in self.opened.spread.items()
        ]
        del self.guess.content["feed"]
        self.guess.content["feeds"] = parts
        self.guess.remarks["feeds"] = "an account of each platform in a row; one without id and counts is left out"


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")


def _are_alike(some: list[str | None], others: list[str | None]) -> bool:
    """Whether two columns say the same in each row, one of them perhaps rounded: 48.5M and 48,512,000."""
    for one, other in zip(some, others, strict=True):
        if one == other or one is None or other is None:
            continue
        if not (re.fullmatch(r"[\d.]+", one) and re.fullmatch(r"[\d.]+", other)):
            return False
        if abs(float(one) - float(other)) > 0.06 * max(float(one), float(other)):
            return False
    return True


def _is_sum(cell: str | None) -> bool:
    return bool(cell) and bool(re.search("[1-9]", cell or ""))


def _flow(source: dict[str, Any]) -> str:
    """A source as it stands in YAML."""
    flow = yaml.safe_dump(source, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False)
    return flow.strip()


def _named(title: str) -> str:
    """A header as a sum names it."""
    return title if re.fullmatch(r"[A-Za-z_]\w*", title) else f"`{title}`"


def _coverage(each: Fit) -> str:
    names = [name for name in each.columns if name != "platform"]
    missing = f"; without {', '.join(each.missing)}" if each.missing else ""
    return f"{len(names)} of its columns: {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}{missing}"


def cells_format(name: str) -> str | None:
    """What a file's name says of its format."""
    return Mapping.model_validate(PROBE).format_of(name)


def plain_name(name: str) -> str:
    """A name for the mapping of a file."""
    stem = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(\.[a-z0-9]+)+$", "", name.lower())).strip("_")
    return re.sub(r"(_?\d+)+$", "", stem) or "new_layout"


def _pattern(name: str) -> str:
    """The names of this file and of its kind: digits may be others."""
    return re.sub(r"\d", "?", re.sub(r"[\[\]*]", "?", name)).removesuffix(".gz") + ("*" if name.endswith(".gz") else "")


__all__ = ["Guess", "cells_format", "format_of", "infer", "plain_name"]
