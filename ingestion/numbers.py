"""Numbers in the text of a cell, in SQL: marks of decimals and thousands, units, signs, noise of floats.

A number is read as DECIMAL(38, 18), never as a double. What can be read in two ways is null: `two_way` says which
cells those are, and `both_ways` in words. A cell that its file holds as a number (`is_number`) has a point for its
decimals, whatever the mapping says of texts.
"""

from dataclasses import dataclass

from ingestion.mapping.grammar import BLANKS, CanonicalMapping, ColumnSource, Mapping
from ingestion.sql import quote

NUMBER = "decimal(38, 18)"
SIGN = r"(?:[A-Z]{0,3}[€$£¥₩₹₽₺₫฿₱₦₪]|[A-Z]{3}|zł|kr\.?|Kč|Ft|Rs\.?)"
MINUS = "[-−]"
UNITS = {
    "k": 10**3, "tsd": 10**3, "tys": 10**3, "тыс": 10**3, "천": 10**3, "万": 10**4, "萬": 10**4, "만": 10**4,
    "lakh": 10**5, "lac": 10**5, "m": 10**6, "mi": 10**6, "mio": 10**6, "mln": 10**6, "млн": 10**6, "crore": 10**7,
    "cr": 10**7, "亿": 10**8, "億": 10**8, "억": 10**8, "b": 10**9, "bn": 10**9, "mrd": 10**9, "mld": 10**9,
    "млрд": 10**9,
}  # fmt: skip
# A thousand in Spanish and Portuguese, which write decimal commas; in English short for a million.
MIL = {"mil": 10**3}
# What floats add to a decimal: 60634.34999999999 for 60634.35.
NOISE = "1e-9"


@dataclass(frozen=True)
class Way:
    """How the numbers of a column are written.

    Args:
        mark: of decimals, null where neither the mapping nor the feed's own layout says it.
        groups: class of the characters that group thousands, as it stands in a regular expression.
        parse: `number` and `percent` read them as people write them.
        is_contract: the file is in the feed's own layout, in which amounts and rates have a decimal point.
        is_number: SQL that says whether the file holds a cell as a number, not as a text; null where it never does.
    """

    mark: str | None
    groups: str
    parse: str | None
    units: dict[str, int]
    is_contract: bool = False
    is_number: str | None = None

    @property
    def point(self) -> str:
        return self.mark or "."


def way_of(source: ColumnSource | None, mapping: Mapping, is_number: str | None = None) -> Way:
    """How a mapping says that the numbers of a column are written."""
    mark, groups = mapping.marks
    units = UNITS | (MIL if mark == "," else {}) | (source.units if source else {})
    parse = source.parse if source and source.parse in ("number", "percent") else None
    return Way(mark, groups, parse, units, isinstance(mapping, CanonicalMapping), is_number)


def read(kind: str, text: str, way: Way) -> str:
    """The number in a text, of any sign; null where there is none, or two."""
    machine = f"try_cast({text} as {NUMBER})"
    if way.is_number == "true":
        return machine
    plain = rf"{MINUS}?[0-9]{{1,18}}(?:\{way.point}[0-9]+)?"
    number = f"replace({text}, ',', '.')" if way.point == "," else text
    whens = [f"when {two_way(kind, text, way)} then null"] if two_way(kind, text, way) else []
    if way.parse != "percent":
        whens.append(
            f"when regexp_full_match({text}, '{plain}') then try_cast(replace({number}, '−', '-') as {NUMBER})"
        )
    if kind in ("count", "integer"):
        exponent = rf"[0-9](?:\{way.point}[0-9]+)?[eE]\+?[0-9]{{1,2}}"
        whens.append(f"when regexp_full_match({text}, '{exponent}') then try_cast({number} as {NUMBER})")
    if way.parse or way.mark:
        whens.append(f"else {_as_people_write(text, way)}")
    found = f"case when false then null {' '.join(whens)} end"
    return f"case when {way.is_number} then {machine} else {found} end" if way.is_number else found


def _as_people_write(text: str, way: Way) -> str:
    """A number in groups of three or, in India, of two; with `parse` also with a currency, unit or per cent sign."""
    group, sign, units = f"[{way.groups}]", "", ""
    if way.parse:
        sign = f"{SIGN}?"
        listed = sorted(way.units, key=len, reverse=True)
        units = f"(?i:{'|'.join(_escaped(unit) for unit in listed)})?"
    indian = "|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}" if "," in way.groups else ""
    shape = (
        f"^(\\(|{MINUS})?[{BLANKS}]*{sign}[{BLANKS}]*({MINUS})?"
        f"([0-9]{{1,3}}(?:{group}[0-9]{{3}})+{indian}|[0-9]{{1,18}})(?:\\{way.point}([0-9]{{1,18}}))?"
        f"[{BLANKS}]*({units})\\.?[{BLANKS}]*{'%' if way.parse == 'percent' else sign}(\\)|-)?$"
    )
    digits = "regexp_replace(m.n, '[^0-9]', '', 'g')"
    factor = " ".join(f"when {quote(unit.lower())} then {times}" for unit, times in way.units.items())
    value = (
        f"case when m.u = '' then try_cast({digits} || '.' || m.d || '0' as {NUMBER})"
        f" else try_cast(try_cast({digits} || '.' || m.d || '0' as decimal(28, 10))"
        f" * cast(case lower(m.u) {factor} end as decimal(10, 0)) as {NUMBER}) end"
    )
    minuses = "(if(m.a in ('-', '−'), 1, 0) + if(m.b <> '', 1, 0) + if(m.z = '-', 1, 0))"
    fits = f"m.n <> '' and (m.a = '(') = (m.z = ')') and {minuses} + if(m.a = '(', 1, 0) < 2"
    made = f"case when {fits} then ({value}) * if(m.a = '(' or {minuses} = 1, -1, 1) end"
    taken = f"regexp_extract({text}, {quote(shape)}, ['a', 'b', 'n', 'd', 'u', 'z'])"
    return f"list_transform([{taken}], m -> {made})[1]"


def _escaped(unit: str) -> str:
    return "".join(f"\\{c}" if c in r"\.+*?()[]{}|^$" else c for c in unit)


def two_way(kind: str, text: str, way: Way) -> str:
    """Whether a text is one number with a decimal mark and another with one of thousands; empty where none can."""
    if way.mark or way.is_number == "true":
        return ""
    marks = ""
    if kind in ("count", "integer") or (kind in ("amount", "figure") and not way.is_contract):
        marks += "."
    if way.parse and kind not in ("count", "integer"):
        marks += ","
    if not marks:
        return ""
    around = f"{SIGN}?[{BLANKS}]*" if way.parse else ""
    after = f"[{BLANKS}]*{'%' if way.parse == 'percent' else f'{SIGN}?'}" if way.parse else ""
    found = f"regexp_full_match({text}, '{around}{MINUS}?[1-9][0-9]{{0,2}}[{marks}][0-9]{{3}}{after}')"
    return f"(not {way.is_number} and {found})" if way.is_number else found


def both_ways(text: str, way: Way) -> str:
    """The two readings of such a text, and the trait that tells which is meant."""
    found = f"regexp_extract({text}, '[0-9]+[.,][0-9]+')"
    traits = "`decimal_mark: '.'` or `decimal_mark: ','`"
    remedy = f": write it without marks, or map the file with {traits}" if way.is_contract else f": say {traits}"
    return (
        f"'can be read as ' || replace({found}, ',', '.') || ' or as ' || regexp_replace({found}, '[.,]', '')"
        f" || {quote(remedy)}"
    )


def exact(number: str, places: int, sql_type: str) -> str:
    """A number that has so many decimals, or is a float's way of writing one that has; else null."""
    near = f"round({number}, {places})"
    is_near = f"abs(cast({number} - {near} as double)) <= {NOISE} * abs(cast({number} as double))"
    return f"case when {number} = {near} or {is_near} then try_cast({near} as {sql_type}) end"
