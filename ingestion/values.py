"""From the text of a cell to a typed value, in SQL: what each type of a feed accepts, and in which words it refuses.

A column is read by one `Reading` wherever it is read: when it loads, in `keep` and `hidden_when`, in preview and while
a mapping is inferred. Its methods return SQL expressions. A value is null where the text is none of its type. Nothing
is guessed: a text is read in one way or it is refused.
"""

from dataclasses import dataclass

from ingestion import moments, names, numbers, secret
from ingestion.contracts import NUMBERS, FeedColumn
from ingestion.mapping.grammar import ColumnSource, Mapping
from ingestion.sql import listed, quote

MAX_COUNT = 10**12
MAX_ID_BYTES = 255
MAX_TEXT_CHARACTERS = 10_000

# SQL type and decimals of the exact types.
DECIMALS = {"amount": ("decimal(20, 6)", 6), "rate": ("decimal(18, 8)", 8), "figure": ("decimal(26, 8)", 8)}
MOMENTS = ("timestamp", "date")
YES, NO = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"
DURATION = r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?"

# An id that a spreadsheet or a double has cut: with an exponent, or past the whole numbers that a double tells apart.
EXPONENT = r"-?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}|-?[0-9][.,][0-9]+[eE][0-9]{1,3}"
LOST_DIGITS = "an id that has lost digits: a spreadsheet or a double has rounded it; export it as text"
WHOLE_DOUBLE = r"([0-9]+)\.0+"
MOST_EXACT = {"FLOAT": 2**24}
# What an id is looked at twice for: control characters, an export's quoting, and what is above.
INVISIBLE = r"[\x{00A0}\x{200B}\x{202F}\x{FEFF}]"
# Characters within an id that nobody sees, so that two ids look as one: controls past ASCII, signs of direction and
# of joining, blanks that are none of ASCII, variants. Fillers of Hangul are letters: names of real channels hold them.
UNSEEN = (
    r"[\x{0080}-\x{00A0}\p{Cf}\p{Zl}\p{Zp}\x{034F}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}"
    r"\x{FE00}-\x{FE0F}]"
)
SUSPECT = rf"[[:cntrl:]]|^[=']|{UNSEEN}|^(?:{EXPONENT})$|^{WHOLE_DOUBLE}$"
TRUE_OR_FALSE = "true or false, which is no id"
ID_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(8203) || chr(8239) || chr(65279)"

# The one spelling of a text, by `normalise`; a handle may stand behind an address, and behind an @.
SPELLINGS = {
    "email": "lower(regexp_replace({0}, '^mailto:|\\s', '', 'g'))",
    "handle": "lower(regexp_extract({0}, '^(?i:https?://)?(?:[^/?#]*/)*?@?([^/?#@]*)/*(?:[?#].*)?$', 1))",
    "code": "upper(regexp_replace(nfc_normalize({0}), '[\\s\\p{{Cf}}\\x{{00A0}}]', '', 'g'))",
}

# Words that no `|` separates.
OTHER_LIST = r"[^\s|][\s,;]+[^\s,;|]|^\["
UNSEPARATED = "several words and no | between them: say `list_separator`"

# Types of a Parquet file that are taken as they are.
WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
NATIVE = {
    "count": WHOLE_NUMBERS,
    "integer": WHOLE_NUMBERS,
    "timestamp": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
    "date": ("DATE",),
    "boolean": ("BOOLEAN",),
}
# What a cell of such a type may be read with and still be taken as it is.
PLAIN = {"from_", "at", "optional", "zone", "time_of_day", "hidden_values", "hidden_when", "absent_means", "on_invalid"}


@dataclass(frozen=True)
class Reading:
    """How the cells of one column are read.

    Args:
        source: what the mapping says of it, null where it is not mapped.
        is_number: SQL that says whether the file holds a cell as a number, not as a text; null where it never does.
        sql_type: type of the cells where they are not text.
        has_serials: a bare number is a time as spreadsheets store it.
        loaded_at: SQL of the instant of landing, from which bounds ahead are counted.
    """

    column: FeedColumn
    source: ColumnSource | None
    mapping: Mapping
    is_number: str | None = None
    sql_type: str | None = None
    has_serials: bool = False
    loaded_at: str = "cast(now() as timestamp)"

    @property
    def _parse(self) -> str | None:
        return self.source.parse if self.source else None

    @property
    def _way(self) -> numbers.Way:
        return numbers.way_of(self.source, self.mapping, self.is_number)

    @property
    def is_native(self) -> bool:
        """Whether cells of this SQL type fill the column without a detour over text."""
        says = self.source.model_fields_set if self.source else set()
        return says <= PLAIN and self.sql_type in NATIVE.get(self.column.type, ())

    def native_value(self, cell: str) -> str:
        """Value of a cell that is typed already."""
        if self.column.type in ("count", "integer"):
            return f"case when {cell} between 0 and {MAX_COUNT} then cast({cell} as bigint) end"
        return self._moment(cell, is_typed=True) if self._is_moment else cell

    def value(self, text: str) -> str:
        """Typed value of a trimmed text, within no bounds: those are of `bounded`."""
        kind = self.column.type
        if self._is_moment:
            return self._moment(text)
        if self._parse == "duration":
            return _duration(text)
        if kind in NUMBERS:
            return self._number(text)
        if kind == "boolean":
            return f"case when lower({text}) in {YES} then true when lower({text}) in {NO} then false end"
        if kind == "currency":
            return f"case when regexp_full_match({text}, '[A-Za-z]{{3}}') then upper({text}) end"
        if self.column.known:
            return names.code(self.column.known, text)
        if kind == "code":
            options = listed(self.column.values)
            fits = (
                f"lower({text}) in ({options})" if options else f"regexp_full_match({text}, '[A-Za-z0-9_.-]{{1,40}}')"
            )
            return f"case when {fits} then lower({text}) end"
        if kind == "id":
            return self._in_one_spelling(self._id(text))
        if self._parse == "whole_id":
            text = f"regexp_replace({text}, '^{WHOLE_DOUBLE}$', '\\1')"
        is_short = f"(strlen({text}) <= {MAX_TEXT_CHARACTERS} or length({text}) <= {MAX_TEXT_CHARACTERS})"
        if self.column.words:
            is_short = f"{is_short} and not regexp_matches({text}, '{OTHER_LIST}')"
        return self._in_one_spelling(f"case when {is_short} and not contains({text}, chr(0)) then {text} end")

    def _in_one_spelling(self, value: str) -> str:
        """A text as the mapping normalises it, then its hash where it asks for one."""
        if self.source and self.source.normalise:
            value = f"nullif({SPELLINGS[self.source.normalise].format(value)}, '')"
        return let("h", value, secret.hashed("h")) if self.source and self.source.hash else value

    def bounded(self, value: str) -> str:
        """A value that was read, null where it lies outside of the bounds of its type."""
        return moments.within(self.column, value, self.loaded_at) if self._is_moment else value

    @property
    def _is_moment(self) -> bool:
        return self.column.type in MOMENTS

    def _moment(self, cell: str, is_typed: bool = False) -> str:
        """A time or date, within no bounds."""
        if not is_typed:
            return moments.read(self.column, self.source, self.mapping, cell, self.has_serials)
        if self.sql_type == "TIMESTAMP WITH TIME ZONE":
            return f"({cell} at time zone 'UTC')"
        zone = (self.source.zone if self.source else None) or self.mapping.zone
        return f"({moments.in_zone(cell, zone)})" if self.sql_type == "TIMESTAMP" else cell

    # --- numbers

    def number(self, text: str) -> str:
        """The number in a text, of any sign and size; null where there is none, or two."""
        found = numbers.read(self.column.type, text, self._way)
        places = self.source.round if self.source else None
        return found if places is None else f"cast(round({found}, {places}) as {numbers.NUMBER})"

    def _number(self, text: str) -> str:
        if self.column.type in ("count", "integer"):
            return self._whole(text)
        sql_type, places = DECIMALS[self.column.type]
        kept = numbers.exact("n", places, sql_type)
        kept = let("n", self.number(text), kept if self.column.may_be_negative else f"case when n >= 0 then {kept} end")
        if self._parse or self.is_number or (self.source and self.source.round is not None):
            return kept
        # Most amounts have no decimals, or two; a pattern evaluates the others.
        cents = r"(\.[0-9]{1,2})?" if self._way.point == "." else ""
        is_plain = f"regexp_full_match({text}, '[0-9]{{1,12}}{cents}')"
        return f"case when {is_plain} then try_cast({text} as {sql_type}) else {kept} end"

    def _whole(self, text: str) -> str:
        # Most counts read back as they were written; what is behind `else`, which costs more, evaluates the others.
        whole = f"cast({text} as bigint)"
        plain = f"cast(try_cast({text} as bigint) as varchar) = {text} and {whole} between 0 and {MAX_COUNT}"
        fits = f"case when n = floor(n) and n between 0 and {MAX_COUNT} then cast(n as bigint) end"
        return f"case when {plain} then {whole} else {let('n', self.number(text), fits)} end"

    def has_noise(self, text: str) -> str:
        """Whether an amount or rate that was read is a float's way of writing it; empty where none can be."""
        if self.column.type not in DECIMALS or (self.source and self.source.round is not None):
            return ""
        places = DECIMALS[self.column.type][1]
        is_long = f"strlen({text}) > {places + 2} and regexp_matches({text}, '[.,][0-9]{{{places}}}[0-9]*[1-9]')"
        return f"case when {is_long} then ({self.number(text)}) <> round({self.number(text)}, {places}) else false end"

    def two_way(self, text: str) -> str:
        """Whether a text waits for the mapping to say how it is read; empty where none does."""
        if self._is_moment:
            return moments.two_way(self.source, self.mapping, text)
        return numbers.two_way(self.column.type, text, self._way) if self.column.type in NUMBERS else ""

    # --- ids

    def _id(self, text: str) -> str:
        inner = self._unquoted(text)
        whole = f"regexp_extract({inner}, '^{WHOLE_DOUBLE}$', 1)"
        fits = (
            f"strlen({inner}) between 1 and {MAX_ID_BYTES} and not regexp_matches({inner}, '[[:cntrl:]]')"
            f" and not {self.lost_digits(text)}{f' and not {self._is_unseen(inner)}' if self._is_as_written else ''}"
        )
        if self.sql_type == "BOOLEAN":
            return "cast(null as varchar)"
        return (
            f"case when strlen({text}) <= {MAX_ID_BYTES} and not regexp_matches({text}, {quote(SUSPECT)}) then {text}"
            f" when {fits} then coalesce(nullif({whole}, ''), {inner}) end"
        )

    @property
    def _is_as_written(self) -> bool:
        """Whether ids stay as they are written: what brings them to one spelling takes out what nobody sees."""
        return self.source is None or self.source.normalise is None

    @staticmethod
    def _is_unseen(inner: str) -> str:
        """Whether an id holds a character that nobody sees."""
        return f"regexp_matches({inner}, {quote(UNSEEN)})"

    @staticmethod
    def _unquoted(text: str) -> str:
        """An id without the apostrophe, or the formula, by which an export keeps a spreadsheet from rounding it."""
        formula = f'regexp_extract({text}, \'^="([^"]*)"$\', 1)'
        bare = f"when {text} like '=\"%\"' then {formula} when {text} like '''%' then substr({text}, 2) else {text}"
        return f"trim(case {bare} end, {ID_BLANKS})"

    def lost_digits(self, text: str) -> str:
        """Whether an id was a number that a spreadsheet or a double has rounded."""
        inner = self._unquoted(text)
        whole = f"regexp_extract({inner}, '^{WHOLE_DOUBLE}$', 1)"
        most = MOST_EXACT.get(self.sql_type or "", 2**53)
        too_large = f"(length({whole}) > 20 or coalesce(try_cast(nullif({whole}, '') as hugeint), 0) > {most})"
        return f"(regexp_full_match({inner}, '{EXPONENT}') or {too_large})"

    # --- why not

    def reason(self, text: str) -> str:
        """Why a text is no value of its column, for people."""
        kind = self.column.type
        if self._is_moment:
            found = self._moment(text, self.is_native)
            plain = f"cast({text} as varchar)" if self.is_native else text
            return moments.reason(self.column, self.source, self.mapping, plain, found, self.loaded_at)
        text = f"cast({text} as varchar)" if self.is_native else text
        if self._parse == "duration":
            return "'not a duration like PT1H30M'"
        if kind in NUMBERS:
            return self._reason_of_number(text)
        if kind == "boolean":
            return "'neither yes nor no: write true, false, yes, no, 1 or 0'"
        if kind == "currency":
            return "'not a currency code of three letters like USD'"
        if self.column.known:
            return names.unknown(self.column.known, text)
        if kind == "code":
            options = ", ".join(self.column.values)
            return quote(f"not one of {options}" if options else "not a code of letters, digits, _ . -")
        if kind == "id":
            inner = self._unquoted(text)
            if self.sql_type == "BOOLEAN":
                return quote(TRUE_OR_FALSE)
            sign = f"format('U+{{:04X}}', unicode(regexp_extract({inner}, {quote(UNSEEN)})))"
            unseen = f"'holds a character that nobody sees (' || {sign} || '); take it out'"
            return (
                f"case when {self.lost_digits(text)} then '{LOST_DIGITS}'"
                f" when {inner} = '' then 'empty, but for an export''s quoting'"
                f" when strlen({inner}) > {MAX_ID_BYTES} then 'longer than {MAX_ID_BYTES} bytes'"
                f" when regexp_matches({inner}, '[[:cntrl:]]') then 'holds a control character (line break, tab, NUL)'"
                f" when {self._is_unseen(inner)} then {unseen}"
                f" else {quote(self._nothing_left)} end"
            )
        if self.column.words:
            unseparated = f"regexp_matches({text}, '{OTHER_LIST}') then {quote(UNSEPARATED)}"
            return f"case when {unseparated} else {self._why_no_text(text)} end"
        return self._why_no_text(text)

    def _why_no_text(self, text: str) -> str:
        too_long = f"'longer than {MAX_TEXT_CHARACTERS:,} characters'"
        is_long = f"length({text}) > {MAX_TEXT_CHARACTERS} then {too_long} else {quote(self._nothing_left)}"
        return f"case when contains({text}, chr(0)) then 'holds a NUL byte' when {is_long} end"

    @property
    def _nothing_left(self) -> str:
        return (
            f"nothing is left of it as {self.source.normalise}"
            if self.source and self.source.normalise
            else "unreadable"
        )

    def _reason_of_number(self, text: str) -> str:
        kind, way, number = self.column.type, self._way, self.number(text)
        noun = {"count": "count", "integer": "number"}.get(kind, kind)
        whens = []
        if unsaid := numbers.two_way(kind, text, way):
            whens.append(f"when {unsaid} then {numbers.both_ways(text, way)}")
        if not self.column.may_be_negative:
            whens.append(
                f"when ({number}) < 0 or regexp_matches({text}, '^{numbers.MINUS}\\s*[0-9]') then 'a negative {noun}'"
            )
        if way.mark is None:
            comma = r"[0-9]+,[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(\.[0-9]{3}){2,}"
            traits = "if points group its thousands, say `decimal_mark: '',''`"
            whens.append(f"when regexp_full_match({text}, '{comma}') then 'not {self._example}; {traits}'")
        if kind in ("count", "integer"):
            whens.append(f"when ({number}) > {MAX_COUNT} then 'a {noun} above 10^12'")
            whens.append(f"when regexp_full_match({text}, '[0-9]+(\\.0+)?') then 'a {noun} above 10^12'")
        else:
            places = DECIMALS[kind][1]
            whens += [
                f"when ({number}) <> round({number}, {places}) then 'more than {places} decimals; say `round`'",
                f"when ({number}) is not null or regexp_full_match({text}, '[0-9]+') then 'too large'",
                f"when regexp_full_match({text}, '{EXPONENT}') then 'in scientific notation, which has lost digits'",
            ]
        if not self._parse:
            people = f"regexp_matches({text}, '[0-9]') and regexp_matches({text}, '[,€$£¥₩₹%KkMmBb万億]')"
            whens.append(f"when {people} then 'not {self._example}; `parse: number` reads 3,456 or 12.4M'")
        return f"case {' '.join(whens)} else 'not {self._example}' end"

    @property
    def _example(self) -> str:
        kind = self.column.type
        if kind in ("count", "integer"):
            return f"a whole number{' like 3,456 or 12.4M' if self._parse == 'number' else ''}"
        example = {"number": "€ 1,296.50", "percent": "16.60%"}.get(self._parse or "", "1234.50")
        return f"{'an' if kind == 'amount' else 'a'} {kind} like {example}"


def split_list(text: str, separator: str) -> str:
    """A cell that lists texts in a way of its own, in the feeds' way: joined by `|`; null where it lists none."""
    inner = f"case when {text} like '[%]' then substr({text}, 2, length({text}) - 2) else {text} end"
    parts = f"string_split_regex({inner}, '\\s+')" if separator == " " else f"string_split({inner}, {quote(separator)})"
    bare = f"""list_transform({parts}, part -> trim(part, ' \t''"'))"""
    return f"nullif(array_to_string(list_filter({bare}, part -> part <> ''), '|'), '')"


def let(name: str, value: str, body: str) -> str:
    """An expression in which a value has a name, so that it is made once."""
    return f"list_transform([{value}], {name} -> {body})[1]"


def _duration(text: str) -> str:
    parts = [f"coalesce(try_cast(regexp_extract({text}, '{DURATION}', {n}) as bigint), 0)" for n in (1, 2, 3, 4)]
    seconds = f"{parts[0]} * 86400 + {parts[1]} * 3600 + {parts[2]} * 60 + {parts[3]}"
    return f"case when regexp_full_match({text}, '{DURATION}') and {text} not in ('P', 'PT') then {seconds} end"
