"""Arithmetic of a mapping: a sum of columns, compiled to SQL over exact decimals.

    sum     := ["-"] term { ("+" | "-") term }
    term    := operand ["*" number]
    operand := column | "(" column "or" number ")"
    column  := a name of letters, digits, _ and . | `any header in backticks`

The sum is null where a column is; `(column or 0)` says what stands for an empty cell.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

TOKEN = re.compile(
    r"\s*(?:(?P<column>`[^`]+`)|(?P<number>\d{1,9}(?:\.\d{1,6})?)(?![\w.])|(?P<mark>[-+*()])|(?P<word>[^\W\d][\w.]*))"
)
# So many terms of 30 digits have a sum of at most 38.
MAX_TERMS = 7
OPERAND = "decimal(30, 12)"


@dataclass(frozen=True)
class Term:
    """A column of a sum: added or subtracted, times a number, and what stands for an empty cell of it."""

    column: str
    sign: str
    factor: str | None = None
    otherwise: str | None = None


@dataclass(frozen=True)
class Sum:
    """A parsed sum."""

    terms: tuple[Term, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, each once."""
        return tuple(dict.fromkeys(term.column for term in self.terms))

    def sql(self, number: Callable[[str], str]) -> str:
        """The sum as SQL. `number` gives the SQL of a column's number, null where its cell is empty."""
        return " ".join(f"{term.sign} {_operand(term, number(term.column))}" for term in self.terms)


def _operand(term: Term, number: str) -> str:
    if term.otherwise is not None:
        number = f"coalesce({number}, {term.otherwise})"
    if term.factor is None:
        return f"try_cast({number} as {OPERAND})"
    return f"cast(try_cast({number} as decimal(22, 10)) * cast({term.factor} as decimal(15, 6)) as {OPERAND})"


def parse(text: str) -> Sum:
    """Read a sum. Raises ValueError that says where it stops making sense."""
    tokens, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ValueError(
                f"compute: cannot read {text[place : place + 20]!r}; headers with blanks stand in backticks"
            )
        tokens.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    terms: list[Term] = []
    sign = "-" if _take(tokens, "-") else "+"
    while True:
        terms.append(_term(tokens, sign))
        if not tokens:
            break
        sign = _take(tokens, "+") or _take(tokens, "-") or _fail(tokens, "+ or -")
    if len(terms) > MAX_TERMS:
        raise ValueError(f"compute: more than {MAX_TERMS} columns")
    return Sum(tuple(terms))


def _term(tokens: list[tuple[str, str]], sign: str) -> Term:
    otherwise = None
    if _take(tokens, "("):
        column = _column(tokens)
        if not _take(tokens, "or"):
            _fail(tokens, "'or' and a number")
        otherwise = _number(tokens)
        if not _take(tokens, ")"):
            _fail(tokens, "')'")
    else:
        column = _column(tokens)
    return Term(column, sign, _number(tokens) if _take(tokens, "*") else None, otherwise)


def _take(tokens: list[tuple[str, str]], wanted: str) -> str:
    if tokens and tokens[0][0] in ("mark", "word") and tokens[0][1].lower() == wanted:
        return tokens.pop(0)[1]
    return ""


def _column(tokens: list[tuple[str, str]]) -> str:
    if not tokens or tokens[0][0] not in ("column", "word"):
        _fail(tokens, "a column's name (in backticks where it holds blanks)")
    return " ".join(tokens.pop(0)[1].strip("`").split())


def _number(tokens: list[tuple[str, str]]) -> str:
    if not tokens or tokens[0][0] != "number":
        _fail(tokens, "a number")
    return tokens.pop(0)[1]


def _fail(tokens: list[tuple[str, str]], wanted: str) -> str:
    if tokens:
        raise ValueError(f"compute: {wanted} is missing before {tokens[0][1]!r}")
    raise ValueError(f"compute: it ends where {wanted} is missing")
