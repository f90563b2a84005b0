"""From the text of a cell to a typed value, in SQL: what each type of a feed accepts, and in which words it refuses.

Every function returns a SQL expression; a value is null where the text is none of its type. Nothing is guessed: a
text is read in one way or it is refused.
"""

from ingestion.contracts import FeedColumn
from ingestion.mapping.grammar import ColumnSource, Mapping

MAX_COUNT = 10**12
MAX_ID_BYTES = 255
MAX_TEXT_CHARACTERS = 10_000
# A clock a day off in either zone is honest; more is a wrong year or a wrong unit.
MAX_HOURS_AHEAD = 48
# The oldest platform here, YouTube, opened in 2005.
EARLIEST = "2005-01-01"

# SQL type and decimals of the exact types.
DECIMALS = {"amount": ("decimal(18, 4)", 4), "rate": ("decimal(18, 8)", 8)}
YES, NO = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"

UTC_TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?)?"
# No zone on earth is more than 14 h from UTC; DuckDB would take +99:00.
OFFSET_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
MIDNIGHT = r"\d{4}-\d\d-\d\d[T ]00:00(:00(\.0+)?)?Z?"
# Exports write whole numbers as 42.0 where the column also holds nulls.
WHOLE = r"[0-9]{1,13}(\.0{1,6})?"
DURATION = r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?"

# Blanks that publishers write inside numbers: no-break, narrow no-break and thin ones among them.
BLANKS = r"\s\x{00A0}\x{202F}\x{2009}"
SIGN = r"(?:[€$£¥₩₹]|[A-Z]{3})"
SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9, "tsd": 10**3, "mio": 10**6, "mrd": 10**9}

# Types of a Parquet file that are taken as they are.
WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
NATIVE = {
    "count": WHOLE_NUMBERS,
    "integer": WHOLE_NUMBERS,
    "timestamp": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
    "date": ("DATE",),
    "boolean": ("BOOLEAN",),
}


def quote(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def is_native(column: FeedColumn, source: ColumnSource | None, sql_type: str) -> bool:
    """Whether cells of this SQL type fill the column without a detour over text."""
    plain = source is None or not (source.extract or source.values or source.null_values or source.parse)
    return plain and sql_type in NATIVE.get(column.type, ())


def native_value(column: FeedColumn, cell: str, sql_type: str, zone: str) -> str:
    """Value of a cell that is typed already."""
    if column.type in ("count", "integer"):
        return f"case when {cell} between 0 and {MAX_COUNT} then cast({cell} as bigint) end"
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        return f"{cell} at time zone 'UTC'"
    return _in_zone(cell, zone) if sql_type == "TIMESTAMP" else cell


def value(
    column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str, has_serials: bool = False
) -> str:
    """Typed value of a trimmed text. `has_serials`: a bare number is a time as spreadsheets store it."""
    kind, parse = column.type, source.parse if source else None
    if kind in ("timestamp", "date"):
        found = _moment(column, source, mapping, text)
        bare = has_serials and not (source and (source.time_format or source.parse))
        return f"coalesce({found}, {_serial_moment(column, source, mapping, text)})" if bare else found
    if parse in ("number", "percent"):
        return _number(kind, text, mapping.decimal_mark, percent=parse == "percent")
    if parse == "duration":
        return _duration(text)
    if parse == "whole_id":
        text = f"regexp_replace({text}, '^(\\d+)\\.0+$', '\\1')"
    if kind in ("count", "integer"):
        return _whole(text)
    if kind in DECIMALS:
        sql_type, places = DECIMALS[kind]
        sign = "-?" if column.signed else ""
        plain = f"regexp_full_match({text}, '{sign}[0-9]{{1,{18 - places}}}(\\.[0-9]{{1,{places}}}0*)?')"
        return f"case when {plain} then try_cast({text} as {sql_type}) end"
    if kind == "boolean":
        return f"case when lower({text}) in {YES} then true when lower({text}) in {NO} then false end"
    if kind == "currency":
        return f"case when regexp_full_match({text}, '[A-Za-z]{{3}}') then upper({text}) end"
    if kind == "code":
        listed = ", ".join(quote(option) for option in column.values)
        is_code = f"lower({text}) in ({listed})" if listed else f"regexp_full_match({text}, '[A-Za-z0-9_.-]{{1,40}}')"
        return f"case when {is_code} then lower({text}) end"
    if kind == "id":
        controls = f"regexp_matches({text}, '[[:cntrl:]]')"
        return f"case when strlen({text}) <= {MAX_ID_BYTES} and not {controls} then {text} end"
    is_short = f"(strlen({text}) <= {MAX_TEXT_CHARACTERS} or length({text}) <= {MAX_TEXT_CHARACTERS})"
    return f"case when {is_short} and not contains({text}, chr(0)) then {text} end"


def _whole(text: str) -> str:
    # Most counts read back as they were written; the pattern, which costs more, judges the others.
    number = f"cast({text} as bigint)"
    plain = f"cast(try_cast({text} as bigint) as varchar) = {text} and {number} between 0 and {MAX_COUNT}"
    padded = f"cast(split_part({text}, '.', 1) as bigint)"
    return (
        f"case when {plain} then {number}"
        f" when regexp_full_match({text}, '{WHOLE}') and {padded} <= {MAX_COUNT} then {padded} end"
    )


def _number(kind: str, text: str, mark: str, percent: bool) -> str:
    """A number as people write it: groups of three, a currency, a suffix of thousands or millions; or one per cent."""
    group = f"[{'.' if mark == ',' else ','}'’{BLANKS}]"
    pattern = (
        f"{SIGN}?[{BLANKS}]*([0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]{{1,18}})(?:\\{mark}([0-9]{{1,9}}))?"
        f"[{BLANKS}]*([KkMmBb]|[Bb][Nn]|Tsd|Mio|Mrd)?\\.?[{BLANKS}]*{'%' if percent else f'{SIGN}?'}"
    )
    shape = quote(pattern)
    digits = f"regexp_replace(regexp_extract({text}, {shape}, 1), '[^0-9]', '', 'g')"
    scaled = (
        f"try_cast({digits} || '.' || regexp_extract({text}, {shape}, 2) || '0' as decimal(28, 10))"
        f" * cast(case lower(regexp_extract({text}, {shape}, 3))"
        + "".join(f" when '{suffix}' then {factor}" for suffix, factor in SUFFIXES.items())
        + " end as decimal(10, 0))"
    )
    exact = f"case when regexp_full_match({text}, {shape}) and length({digits}) <= 18 then {scaled} end"
    if kind in ("count", "integer"):
        return f"case when ({exact}) = floor({exact}) and ({exact}) <= {MAX_COUNT} then cast({exact} as bigint) end"
    sql_type, places = DECIMALS[kind]
    return f"case when ({exact}) = round({exact}, {places}) then try_cast({exact} as {sql_type}) end"


def _duration(text: str) -> str:
    parts = [f"coalesce(try_cast(regexp_extract({text}, '{DURATION}', {n}) as bigint), 0)" for n in (1, 2, 3, 4)]
    seconds = f"{parts[0]} * 86400 + {parts[1]} * 3600 + {parts[2]} * 60 + {parts[3]}"
    return f"case when regexp_full_match({text}, '{DURATION}') and {text} not in ('P', 'PT') then {seconds} end"


def _moment(column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str) -> str:
    """A time as UTC without zone, or a date."""
    zone = (source.zone if source else None) or mapping.zone
    parse, layout = (source.parse, source.time_format) if source else (None, None)
    clock = f" + interval '{source.time_of_day}'" if source and source.time_of_day else ""
    if layout:
        bare = not any(code in layout for code in ("%H", "%I", "%X", "%c", "%s"))
        found = f"try_strptime({text}, {quote(layout)})"
        if column.type == "date":
            return f"cast({found} as date)"
        # With a zone in its layout the result is an instant already.
        return found_at_utc(found) if "%z" in layout else _in_zone(f"({found}{clock if bare else ''})", zone)
    if parse in ("epoch_seconds", "epoch_milliseconds"):
        factor = 1_000_000 if parse == "epoch_seconds" else 1_000
        digits = f"regexp_full_match({text}, '[0-9]{{1,13}}(\\.[0-9]{{1,6}})?')"
        micros = f"cast(try_cast({text} as decimal(20, 6)) * {factor} as bigint)"
        return f"case when {digits} then make_timestamp({micros}) end"
    if parse == "excel_serial":
        return _serial_moment(column, source, mapping, text)
    if column.type == "date":
        return (
            f"case when {text} like '____-__-__' then try_cast({text} as date)"
            f" when regexp_full_match({text}, '{MIDNIGHT}') then try_cast(left({text}, 10) as date) end"
        )
    # A bare `timestamp` cast drops an offset without a word; a cast with one wants the seconds written out.
    with_seconds = f"regexp_replace({text}, '^(.{{16}})(Z|[+-])', '\\1:00\\2')"
    without_zone = f"try_cast({text} as timestamp)"
    dated = f" when {text} like '____-__-__' then {_in_zone(f'({without_zone}{clock})', zone)}" if clock else ""
    return (
        f"case when {text} like '____-__-__T__:__:__Z' then {without_zone}{dated}"
        f" when regexp_full_match({text}, '{UTC_TIME}') and {text} not like '%Z' then {_in_zone(without_zone, zone)}"
        f" when regexp_full_match({text}, '{OFFSET_TIME}')"
        f" then try_cast({with_seconds} as timestamptz) at time zone 'UTC' end"
    )


def found_at_utc(moment: str) -> str:
    """An instant with its zone as UTC without one."""
    return f"cast({moment} as timestamptz) at time zone 'UTC'"


def _in_zone(moment: str, zone: str) -> str:
    """A time without zone, meant in `zone`, as UTC."""
    return moment if zone == "UTC" else f"({moment} at time zone {quote(zone)}) at time zone 'UTC'"


def _serial_moment(column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str) -> str:
    """Days since 1899-12-30, as spreadsheets count, to the second: 46027.125 is 2026-01-05 03:00."""
    digits = f"regexp_full_match({text}, '[0-9]{{1,6}}(\\.[0-9]+)?')"
    seconds = f"cast(round(try_cast({text} as double) * 86400) as bigint)"
    moment = f"case when {digits} then timestamp '1899-12-30' + to_seconds({seconds}) end"
    if column.type == "date":
        return f"cast({moment} as date)"
    return _in_zone(f"({moment})", (source.zone if source else None) or mapping.zone)


def reason(column: FeedColumn, source: ColumnSource | None, text: str, found: str, latest: str) -> str:
    """Why a text is no value of its column, for people."""
    kind, parse = column.type, source.parse if source else None
    noun = {"count": "count", "integer": "number"}.get(kind, kind)
    if kind in ("timestamp", "date"):
        return _reason_of_moment(column, source, found, latest)
    if parse == "duration":
        return "'not a duration like PT1H30M'"
    if kind in ("count", "integer"):
        like = " like 3,456 or 12.4M" if parse == "number" else ""
        return (
            f"case when regexp_matches({text}, '^[-−]\\s*[0-9]') then 'a negative {noun}'"
            f" when regexp_full_match({text}, '[0-9]+(\\.0+)?') then 'a {noun} above 10^12'"
            f" else 'not a whole number{like}' end"
        )
    if kind in DECIMALS:
        article, places = "an" if kind == "amount" else "a", DECIMALS[kind][1]
        like = {"number": "€ 1,296.50", "percent": "16.60%"}.get(parse or "", "1234.50")
        near = (
            f" when regexp_full_match({text}, '[0-9]+\\.[0-9]+') then 'more than {places} decimals, or too large'"
            f" when regexp_full_match({text}, '[0-9]+') then 'too large'"
        )
        return (
            f"case when regexp_matches({text}, '^[-−]\\s*[0-9]') then 'a negative {noun}'{'' if parse else near}"
            f" else 'not {article} {noun} like {like}' end"
        )
    if kind == "boolean":
        return "'neither yes nor no: write true, false, yes, no, 1 or 0'"
    if kind == "currency":
        return "'not a currency code of three letters like USD'"
    if kind == "code":
        return quote(
            f"not one of {', '.join(column.values)}" if column.values else "not a code of letters, digits, _ . -"
        )
    if kind == "id":
        return (
            f"case when strlen({text}) > {MAX_ID_BYTES} then 'longer than {MAX_ID_BYTES} bytes'"
            " else 'holds a control character (line break, tab, NUL)' end"
        )
    too_long = f"'longer than {MAX_TEXT_CHARACTERS:,} characters'"
    return f"case when contains({text}, chr(0)) then 'holds a NUL byte' else {too_long} end"


def _reason_of_moment(column: FeedColumn, source: ColumnSource | None, found: str, latest: str) -> str:
    if source and source.time_format:
        unread = f"not a time laid out as {source.time_format}"
    elif source and source.parse:
        unread = f"not a time in {source.parse.replace('_', ' ')}"
    elif column.type == "date":
        unread = "not an ISO 8601 date like 2026-01-05"
    else:
        unread = "not an ISO 8601 time like 2026-01-05T03:00:00Z"
    if column.type == "date":
        return quote(unread)
    ahead = f"more than {MAX_HOURS_AHEAD} h ahead of the landing"
    return (
        f"case when {found} is null then {quote(unread)} when {found} > {latest} then '{ahead}'"
        f" else 'before {EARLIEST}' end"
    )
