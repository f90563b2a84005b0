"""What is asked of the columns of a file: which is which, what separates, counts or rounds them, what nobody reads."""

import re
from collections.abc import Callable
from typing import Any

from ingestion.contracts import MEASURES, FeedColumn
from ingestion.mapping.evidence import Evidence, Way
from ingestion.mapping.fit import ANY_DAY, COMMA, POINT, SEPARATORS, Fit, Match, way_of
from ingestion.mapping.grammar import tidy
from ingestion.mapping.guess import Guess, flow, named
from ingestion.mapping.headers import ALIKE, KNOWN_IN_PART, NO_TOTAL, is_known, likeness, plain, words
from ingestion.mapping.questions import Answer, Question
from ingestion.readers.table import Reader
from ingestion.sql import quote
from ingestion.values import split_list

# In Spanish and Portuguese a thousand, in English short for a million.
MIL_CELL = re.compile(r"\d\s?mil\b", re.IGNORECASE)


class Asking:
    """The questions of the columns of one file, written into its guess.

    Args:
        traits: what the mapping says of all columns.
        place: the source of a column by its place, as YAML says it.
    """

    def __init__(
        self,
        reader: Reader,
        evidence: Evidence,
        fit: Fit,
        guess: Guess,
        traits: dict[str, Any],
        place: Callable[[int], dict[str, Any]],
    ) -> None:
        self.reader, self.evidence, self.fit = reader, evidence, fit
        self.guess, self.traits, self._place = guess, traits, place

    def ask(self, used: set[int]) -> None:
        """Ask of each column that is read, then of those that are not: `used` are the places of the former."""
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
        self._ask_misfits()
        self._ask_customer()
        self._ask_unused(used)

    def _which(self, name: str, taken: Match, rivals: list[Match]) -> Question | None:
        """Several columns could be one: unless they say the same."""
        column = self.fit.feed.columns[name]
        answers = []
        seen: list[list[str | None]] = []
        for each in (taken, *rivals):
            source = self._place(each.index) | each.way.keys
            read = self.evidence.read(column, each.way, each.index)
            answers.append(Answer(f"{name}: {flow(source)}", f"the first is {read[0][1] if read else 'empty'}"))
            values = {cell: value for cell, value, _ in read}
            seen.append([values.get(row[each.index] or "") for row in self.evidence.rows])
        if all(_are_alike(other, seen[0]) for other in seen[1:]):
            return None
        titles = " or ".join(repr(tidy(self.evidence.header[each.index])) for each in (taken, *rivals))
        return Question(f"columns.{name}", f"which column is {name}: {titles}?", tuple(answers), (name,))

    def _ask_alike(self, name: str, taken: Match) -> None:
        title = tidy(self.evidence.header[taken.index])
        column = self.fit.feed.columns[name]
        read = self.evidence.read(column, taken.way, taken.index)
        shown = f"{read[0][0]!r} is {read[0][1]}" if read else "it is empty"
        answers = (Answer(f"{name}: {flow(self._place(taken.index))}", shown), Answer(f"(no {name})", "kept in extra"))
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
                place = flow(self._place(taken.index))
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
            chosen = str(taken.way.keys.get("list_separator", ""))
            if chosen == " " and not all(word.startswith("#") for each in cells for word in each.split()):
                # Words between blanks may be one text, as in `martha stewart`.
                ways = list(dict.fromkeys([*ways, ","]))
            if len(ways) < 2:
                continue
            cell = next(each for each in cells if any(mark in each for mark in (*SEPARATORS[1:], "|")))
            answers = []
            for mark in sorted(ways, key=lambda mark: mark != chosen):
                source = self._place(taken.index) | ({"list_separator": mark} if mark else {})
                split = quote(cell) if not mark else split_list(quote(cell), mark)
                row = self.reader.execute(f"select {split}").fetchone()
                answers.append(Answer(f"{name}: {flow(source)}", f"{cell!r} is {row[0] if row else ''}"))
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
                place = flow(self._place(name.index))
                answers = (
                    Answer(f"account_id: {place}", f"the account is {cells[0] if cells else ''!r}"),
                    Answer("account_id: {from: ...}", "a column with ids or user names, where there is one"),
                )
                words_ = f"does {tidy(self.evidence.header[name.index])!r} tell accounts apart, and stay?"
                self.guess.questions.append(
                    Question("columns.account_id", words_, answers, ("account_id",), is_open=True)
                )
            return
        cells = self.evidence.cells(taken.index)
        if cells and sum(" " in cell for cell in cells) > len(cells) * 0.2:
            title = tidy(self.evidence.header[taken.index])
            answers = (
                Answer(f"account_id: {flow(self._place(taken.index))}", f"the account is {cells[0]!r}"),
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
            before = {"compute": f"{named(title)} + ({named(less)} or 0)"}
            said = {key: value for key, value in content["gross_amount"].items() if key == "parse"}
            old = content["gross_amount"]
            content["gross_amount"] = before | said
            row = next((r for r in self.evidence.rows if r[gross.index] and _is_sum(r[discount.index])), None)
            shown = (row[gross.index], row[discount.index]) if row else ("", "")
            answers = (
                Answer(f"gross_amount: {flow(before)}", f"{shown[0]} was charged after {shown[1]} were taken off"),
                Answer(f"gross_amount: {flow(old)}", f"{shown[0]} is the price, of which {shown[1]} come off"),
            )
            words_ = f"is {title!r} what was charged, after {less!r}? `gross_amount` is before it"
            self.guess.questions.append(Question("columns.gross_amount", words_, answers, ("gross_amount",)))
        for name, taken in columns.items():
            title = tidy(self.evidence.header[taken.index])
            if self.fit.feed.columns[name].type == "amount" and re.search(
                r"\b(cents?|minor|centimes|centavos)\b", words(title)
            ):
                answers = (
                    Answer(f"{name}: {{compute: {quote(named(title) + ' * 0.01')}}}", "hundredths of the currency"),
                    Answer(f"{name}: {flow(content[name])}", "whole units of the currency"),
                )
                content[name] = {"compute": f"{named(title)} * 0.01"}
                words_ = f"{title!r}: is it in hundredths of the currency?"
                self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,)))

    def _is_after_discount(self, gross: Match, discount: Match) -> bool:
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
                answers: tuple[Answer, ...] = (
                    Answer(f"rate: {flow(self._place(taken.index))}", f"{read[0][0]} is {read[0][1]} per cent"),
                    Answer(f"rate: {{compute: {named(title)} * 100}}", f"{read[0][0]} is {values[0] * 100:g} per cent"),
                )
                words_ = f"{title!r} is never above 1: is it in per cent, or a fraction?"
                self.guess.questions.append(Question("columns.rate", words_, answers, (name,)))
            if column.type in MEASURES and self.traits.get("decimal_mark") != ",":
                mil = next((cell for cell in self.evidence.cells(taken.index) if MIL_CELL.search(cell)), None)
                if mil:
                    place = self._place(taken.index)
                    answers = tuple(
                        Answer(
                            f"{name}: {flow(place | {'parse': 'number', 'units': {'mil': times}})}",
                            f"{mil!r} is {said}",
                        )
                        for times, said in ((1000, "thousands"), (10**6, "millions"))
                    )
                    words_ = f"{title!r} holds {mil!r}: what is `mil`?"
                    self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,), is_open=True))

    def _ask_misfits(self) -> None:
        """A column under the name of one of the feed, of which the cells are not of its type."""
        for name, index in self.fit.misfits.items():
            title, cells = tidy(self.evidence.header[index]), self.evidence.cells(index)
            answers = (
                Answer(f"(no {name})", "kept in extra"),
                Answer(f"{name}: {flow(self._place(index))}", f"with `values`, or a `parse`, that reads {cells[0]!r}"),
            )
            words_ = f"{title!r} has the name of {name}, and its cells cannot be read so: what do they mean?"
            self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,)))

    def _ask_customer(self) -> None:
        """Who a customer is, where an order has an id and an e-mail: a guest of a shop may have no id of its own."""
        taken = self.fit.columns.get("customer_id")
        if taken is None:
            return
        for index, title in enumerate(self.evidence.header):
            if index != taken.index and self.guess.sensitive.get(tidy(title)) == "e-mail":
                cells = [self.evidence.cells(each) for each in (taken.index, index)]
                mail = {"normalise": "email", "hash": True}
                answers = (
                    Answer(f"customer_id: {flow(self._place(taken.index))}", f"{len(set(cells[0]))} customers"),
                    Answer(f"customer_id: {flow(self._place(index) | mail)}", f"{len(set(cells[1]))} customers"),
                )
                words_ = "which column tells customers apart, also those who buy without an account?"
                self.guess.questions.append(Question("columns.customer_id", words_, answers, ("customer_id",)))
                return

    def _ask_unused(self, used: set[int]) -> None:
        """A column that nothing reads and that holds what the feed has a place for."""
        feed = self.fit.feed
        times = ("published_at", "captured_at", "ordered_at")
        wanted = [name for name in times if name in feed.columns and name not in self.fit.columns]
        for index, title in enumerate(self.evidence.header):
            if index in used or not title or not wanted:
                continue
            if not re.search(
                r"\b(date|time|day|at|on|datum|fecha|data|hora|heure|zeit|tid|published|posted|stamp)\b|日|時",
                words(title),
            ):
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
            is_id = (
                is_known(title)
                or NO_TOTAL.search(words(title))
                or re.search(r"\b(id|no|nr|number|rank|zip|plz|index)\b", words(title))
            )
            if (
                index in used
                or not title
                or is_id
                or len(set(cells)) < 2
                or max(each.get(index, 0) for each in shares) < 0.9
            ):
                continue
            if tidy(title) not in self.guess.sensitive:
                found.append(title)
        if free and found:
            place = flow(self._place(self.evidence.header.index(found[0])))
            answers = (
                Answer("(none of them)", "kept in extra"),
                Answer(f"{free[0]}: {place}", "or another of its counts"),
            )
            shown = ", ".join(repr(tidy(title)) for title in found[:6])
            verb = "hold" if found[1:] else "holds"
            words_ = f"{shown} {verb} whole numbers, not read now: is one of them {' or '.join(free[:4])}?"
            self.guess.questions.append(Question("columns", words_, answers, tuple(free)))

    def _propose(self, name: str, index: int, title: str, way: Way) -> None:
        read = self.evidence.read(self.fit.feed.columns[name], way, index)
        shown = f"{read[0][0]!r} is {read[0][1]}" if read else ""
        place = self._place(index) | {k: v for k, v in way.keys.items() if k != "parse"}
        answers = (Answer(f"(no {name})", "kept in extra"), Answer(f"{name}: {flow(place)}", shown))
        words_ = f"is {tidy(title)!r} the column {name}? It is not read now"
        self.guess.questions.append(Question(f"columns.{name}", words_, answers, (name,)))


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
