"""The row filter of a mapping: a small grammar, compiled to SQL in which nothing of the mapping stands unquoted.

    filter     := conjunct { "or" conjunct }
    conjunct   := test { "and" test }
    test       := "not" test | "(" filter ")" | column comparison
    comparison := "is" ["not"] "empty" | ["not"] "in" "(" literal { "," literal } ")" | "matches" literal
                | ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal
    column     := a name of letters, digits, _ and . | `any header in backticks`
    literal    := 'text' | number

Texts are compared as they stand in the file, blanks at the ends trimmed. A number is compared with the cell as the
number that its column is read as, and a date like '2026-01-05' with a column of times as the time that it is read as.
An empty cell fails all but `is empty` and their `not`, and so does a text without any digit where a number is asked
for. A cell that cannot be read as its column is (`unreadable`) neither passes nor fails: its row is refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import duckdb

TOKEN = re.compile(
    r"\s*(?:(?P<column>`[^`]+`)|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<mark><=|>=|!=|[=<>(),])|(?P<word>[^\W\d][\w.]*))"
)
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
WORDS = ("and", "or", "not", "in", "is", "empty", "matches")

ISO = re.compile(r"'\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?'")


@dataclass(frozen=True)
class Cell:
    """SQL of one column in a filter.

    Args:
        text: its trimmed text, null where it is empty.
        number: the number that it is read as.
        moment: the time or date that it is read as, null for a column of another type.
    """

    text: str
    number: str
    moment: str | None = None


CellSql: TypeAlias = Callable[[str], Cell]


@dataclass(frozen=True)
class Comparison:
    """A column, a mark and a literal."""

    column: str
    mark: str
    kind: str
    literal: str

    @property
    def is_dated(self) -> bool:
        """Whether the literal is a date or a time; what only looks like one is a text."""
        try:
            return ISO.fullmatch(self.literal) is not None and bool(datetime.fromisoformat(self.literal.strip("'")))
        except ValueError:
            return False

    def sql(self, cell: Cell) -> str:
        if self.kind == "number":
            return f"{cell.number} {self.mark} cast('{self.literal}' as decimal(28, 8))"
        if cell.moment is not None and self.is_dated:
            return f"{cell.moment} {self.mark} timestamp {self.literal}"
        return f"{cell.text} {self.mark} {self.literal}"

    def unreadable(self, cell: Cell) -> str:
        """Condition that the cell holds what may be a number or a time, and cannot be read as one."""
        if self.kind == "number":
            return f"({cell.text} is not null and {cell.number} is null and regexp_matches({cell.text}, '[0-9]'))"
        if cell.moment is not None and self.is_dated:
            return f"({cell.text} is not null and {cell.moment} is null)"
        return ""


@dataclass(frozen=True)
class Filter:
    """A parsed filter: the columns that it names, their comparisons, and its SQL with places for both."""

    columns: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    _sql: str

    def sql(self, cell: CellSql) -> str:
        """A condition that is true or false for every row."""
        cells = {name: cell(name) for name in self.columns}
        compared = [comparison.sql(cells[comparison.column]) for comparison in self.comparisons]
        return self._sql.format(*(cells[name].text for name in self.columns), compared=compared)

    def unreadable(self, cell: CellSql) -> dict[str, str]:
        """Per column the condition that its cell cannot be read as it would have to be."""
        found = {each.column: each.unreadable(cell(each.column)) for each in self.comparisons}
        return {name: sql for name, sql in found.items() if sql}


def parse(text: str) -> Filter:
    """Read a filter. Raises ValueError that says where it stops making sense."""
    return _Parser(text).filter()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.place = 0
        self.columns: list[str] = []
        self.comparisons: list[Comparison] = []

    def _tokens(self) -> list[tuple[str, str, int]]:
        tokens, place = [], 0
        text = self.text.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise ValueError(f"filter: cannot read {text[place : place + 20]!r}; texts stand in single quotes")
            tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            place = match.end()
        return tokens

    def filter(self) -> Filter:
        sql = self._or()
        if self.place < len(self.tokens):
            self._fail("and, or, or the end")
        return Filter(tuple(self.columns), tuple(self.comparisons), sql)

    def _peek(self) -> tuple[str, str]:
        kind, value, _ = self.tokens[self.place] if self.place < len(self.tokens) else ("end", "", 0)
        return kind, value.lower() if kind == "word" else value

    def _take(self, *wanted: str) -> bool:
        kind, value = self._peek()
        if kind in ("word", "mark") and value in wanted:
            self.place += 1
            return True
        return False

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            self._fail(repr(wanted))

    def _fail(self, wanted: str) -> None:
        if self.place < len(self.tokens):
            _, value, start = self.tokens[self.place]
            raise ValueError(f"filter: {wanted} is missing before {value!r} at character {start + 1}")
        raise ValueError(f"filter: it ends where {wanted} is missing")

    def _or(self) -> str:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"

    def _and(self) -> str:
        parts = [self._test()]
        while self._take("and"):
            parts.append(self._test())
        return parts[0] if len(parts) == 1 else f"({' and '.join(parts)})"

    def _test(self) -> str:
        if self._take("not"):
            return f"(not {self._test()})"
        if self._take("("):
            inner = self._or()
            self._need(")")
            return inner
        name = self._column()
        return f"coalesce({self._comparison(name, f'{{{self.columns.index(name)}}}')}, false)"

    def _column(self) -> str:
        kind, value = self._peek()
        if kind == "column":
            name = value[1:-1]
        elif kind == "word" and value not in WORDS:
            name = self.tokens[self.place][1]
        else:
            self._fail("a column's name (in backticks where it holds blanks)")
        self.place += 1
        name = " ".join(name.split())
        if name not in self.columns:
            self.columns.append(name)
        return name

    def _comparison(self, name: str, cell: str) -> str:
        if self._take("is"):
            negated = self._take("not")
            self._need("empty")
            return f"({cell} is {'not ' if negated else ''}null)"
        negated = self._take("not")
        if self._take("in"):
            self._need("(")
            options = [self._compared(name, "=")]
            while self._take(","):
                options.append(self._compared(name, "="))
            self._need(")")
            return f"({'not ' if negated else ''}({' or '.join(options)}))"
        if negated:
            self._fail("'in'")
        if self._take("matches"):
            kind, value = self._peek()
            if kind != "text":
                self._fail("a pattern in single quotes")
            self.place += 1
            try:
                duckdb.execute(f"select regexp_matches('', {value})")
            except duckdb.Error as error:
                raise ValueError(f"filter: {value} is no regular expression") from error
            return f"regexp_matches({cell}, {_escaped(value)})"
        for mark in COMPARISONS:
            if self._take(mark):
                return self._compared(name, mark)
        self._fail("a comparison (=, !=, <, <=, >, >=, in, is empty, matches)")
        raise AssertionError

    def _compared(self, name: str, mark: str) -> str:
        """A place for the comparison of a column with the literal that comes."""
        kind, value = self._peek()
        if kind not in ("text", "number"):
            self._fail("a text in single quotes or a number")
        self.place += 1
        self.comparisons.append(Comparison(name, mark, kind, value))
        return f"{{compared[{len(self.comparisons) - 1}]}}"


def _escaped(literal: str) -> str:
    """A quoted text as it may stand in a template of `str.format`."""
    return literal.replace("{", "{{").replace("}", "}}")
