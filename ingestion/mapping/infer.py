"""A mapping to start from, inferred from a file of unknown layout: by the names of its columns and by what they hold.

Nothing here lands anything. Where a file has two readings none is taken in silence: each is a question with the line of
YAML that answers it. What is inferred is written down as YAML, and left to a person.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.contracts import NUMBERS, FeedColumn, load_feeds
from ingestion.errors import FileRefused
from ingestion.mapping import shape as shapes
from ingestion.mapping.asking import MIL_CELL, Asking
from ingestion.mapping.evidence import ORDERS, Evidence, Way
from ingestion.mapping.fit import COMMA, IDS_IN_URLS, POINT, Fit, Match, fit, id_in_url, needs_measure
from ingestion.mapping.grammar import Mapping, tidy
from ingestion.mapping.guess import Guess, named
from ingestion.mapping.headers import PLATFORM_WORDS, plain, platform_of, sensitive, without_platform
from ingestion.mapping.questions import Answer, Question
from ingestion.mapping.shape import PROBE, Shape, format_of
from ingestion.readers.open import open_table
from ingestion.readers.table import Reader
from ingestion.values import MOMENTS

# A feed whose score is so near to the best one's is named beside it; under the least score no feed is like the file.
CLOSE, LEAST = 1.5, 1.5
DATE_IN_NAME = (
    (r"(\d{4}-\d{2}-\d{2}[T_]\d{2}-\d{2}-\d{2})", "%Y-%m-%d_%H-%M-%S"),
    (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    (r"(20\d{2}_\d{2}_\d{2})", "%Y_%m_%d"),
    (r"(20\d{6})", "%Y%m%d"),
)
CURRENCIES = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "zł": "PLN", "R$": "BRL"}
NO_CURRENCIES = ("VAT", "TAX", "TTC", "MAX", "MIN", "SUM", "AVG", "ROI", "URL", "NET")
# Counts and words that only one platform has.
ONLY_THERE = {
    "youtube": {"subscribers", "abonnenten", "watchtimehours", "videotitle"},
    "tiktok": {"diggcount", "awemeid"},
}


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
            Asking(self.reader, self.evidence, self.fit, guess, self.traits, self._place).ask(used)
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
        ids = {i for i in ids if not any(i == each.columns.get("platform", Match(-1, 0, Way())).index for each in fits)}
        if words_ := self.evidence.totals({0, *ids}):
            self.guess.content["skip_totals"] = True
            self.guess.remarks["skip_totals"] = f"a row that sums others is left out: {words_[0]!r}"

    def _lines_of_one(self, each: Fit) -> None:
        """An order may go on over several lines, of which the first alone has its amounts."""
        ids = [each.columns[name].index for name in each.feed.key if name in each.columns]
        amounts = [
            name
            for name in each.columns
            if each.feed.columns[name].required and each.feed.columns[name].type == "amount"
        ]
        if not ids or not amounts or self.evidence.distinct(ids) > 0.98:
            return
        amount = each.columns[amounts[0]].index
        rows = [(tuple(row[i] for i in ids), row[amount]) for row in self.evidence.rows]
        whole = {key for key, value in rows if value}
        if any(not value for _, value in rows) and all(key in whole for key, value in rows if not value):
            title = tidy(self.evidence.header[amount])
            self.guess.content["keep"] = f"{named(title)} is not empty"
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
                if MIL_CELL.search(cell):
                    # What it stands for is a question of its own.
                    continue
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
            sum(value is not None for _, value, _ in self.evidence.read(column, way, index))
            for way in (plain_way, rich)
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
        keys = {
            k: v for k, v in source.items() if k not in ("from", "at", "header", "twin", "hash", "normalise", "extract")
        }
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
        elif name == "account_id" and "post_id" in each.columns and self._account_in_links(columns, each):
            return
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

    def _account_in_links(self, columns: dict[str, Any], each: Fit) -> bool:
        """Whether the links of posts name their account."""
        index = each.columns["post_id"].index
        pattern = id_in_url(self.evidence.cells(index))
        if pattern:
            columns["account_id"] = self._place(index) | {"extract": pattern.removesuffix("/?") + "/"}
            self.guess.remarks["columns.account_id"] = "the account that the links of the posts name"
        return pattern is not None

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
        in_headers = {of for title in self.evidence.header if (of := platform_of(title))}
        if len(in_headers) == 1:
            return in_headers.pop(), "by its headers"
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
            code = re.search(r"[(\[_ ]([A-Z]{3})[)\]]?$", tidy(title))
            if code and code[1] not in NO_CURRENCIES:
                return code[1], f"by the header {tidy(title)!r}"
            signs = {
                sign for cell in self.evidence.cells(index) for sign in re.findall(r"[^\W\d_]+\$?|[$€£¥₩₹₽₺]", cell)
            }
            if len(signs) == 1:
                sign = signs.pop()
                currency = CURRENCIES.get(sign, sign if re.fullmatch("[A-Z]{3}", sign) else None)
                return (currency, f"by {sign!r} in {tidy(title)!r}") if currency else None
        return None

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
