"""Times and dates in the text of a cell, in SQL: a time becomes UTC without zone.

Without a word from the mapping a cell is ISO 8601, or it is refused: `03/04/2026` is never guessed.
"""

from ingestion.contracts import FeedColumn
from ingestion.mapping import months
from ingestion.mapping.grammar import ColumnSource, DateOrder, Mapping
from ingestion.sql import listed, quote

# A clock a day off in either zone is honest; more is a wrong year or a wrong unit.
MAX_HOURS_AHEAD = 48
# Agreements are made for some years; a year of 2062 is a slip of 2026.
MAX_YEARS_AHEAD = 10
# The oldest platform here, YouTube, opened in 2005.
EARLIEST = "2005-01-01"

UTC_TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?)?"
# No zone on earth is more than 14 h from UTC; DuckDB would take +99:00.
OFFSET_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
MIDNIGHT = r"\d{4}-\d\d-\d\d[T ]00:00(:00(\.0+)?)?Z?"
# Day and month in either order, then the year.
IN_DIGITS = r"[0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{4}|[0-9]{2})([^0-9].*)?"
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
# Units of an epoch that make a microsecond, and how many digits one has.
EPOCHS = {
    "epoch_seconds": "1000000",
    "epoch_milliseconds": "1000",
    "epoch_microseconds": "1",
    "epoch_nanoseconds": "0.001",
}


def read(column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str, has_serials: bool) -> str:
    """The time or date in a text, within no bounds. `has_serials`: a bare number is a time as spreadsheets store it."""
    found = _read(column, source, mapping, text)
    bare = has_serials and not (source and (source.layouts or source.parse))
    return f"coalesce({found}, {_serial_moment(column, source, mapping, text)})" if bare else found


def within(column: FeedColumn, moment: str, loaded_at: str) -> str:
    """A time or date within the bounds of its type; null outside of them."""
    return f"case when {moment} between {_earliest(column)} and {latest(column, loaded_at)} then {moment} end"


def latest(column: FeedColumn, loaded_at: str) -> str:
    """The latest time or date that is believed."""
    if column.type == "date":
        return f"cast({loaded_at} + interval {MAX_YEARS_AHEAD} year as date)"
    return f"{loaded_at} + interval {MAX_HOURS_AHEAD} hour"


def _earliest(column: FeedColumn) -> str:
    return f"{column.type} '{EARLIEST}'"


def _read(column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str) -> str:
    zone = (source.zone if source else None) or mapping.zone
    parse, layouts = (source.parse, source.layouts) if source else (None, ())
    if layouts:
        return _laid_out(column, source, mapping, text, zone)
    if parse in EPOCHS:
        digits = f"regexp_full_match({text}, '[0-9]{{1,19}}(\\.[0-9]{{1,9}})?')"
        micros = f"try_cast(try_cast({text} as decimal(28, 9)) * cast({EPOCHS[parse]} as decimal(10, 3)) as bigint)"
        # Past the year 9999 DuckDB would fail, not refuse.
        believable = f"{micros} between 0 and 253402300799000000"
        return f"case when {digits} and {believable} then make_timestamp({micros}) end"
    if parse == "excel_serial":
        return _serial_moment(column, source, mapping, text)
    found = _iso(column, source, text, zone)
    if mapping.date_order:
        return f"coalesce({found}, {_in_order(column, source, mapping.date_order, text, zone)})"
    return found


def _iso(column: FeedColumn, source: ColumnSource | None, text: str, zone: str) -> str:
    if column.type == "date":
        return (
            f"case when {text} like '____-__-__' then try_cast({text} as date)"
            f" when regexp_full_match({text}, '{MIDNIGHT}') then try_cast(left({text}, 10) as date) end"
        )
    clock = _clock(source)
    # A bare `timestamp` cast drops an offset without a word; a cast with one wants the seconds written out.
    with_seconds = f"regexp_replace({text}, '^(.{{16}})(Z|[+-])', '\\1:00\\2')"
    without_zone = f"try_cast({text} as timestamp)"
    dated = f" when {text} like '____-__-__' then {in_zone(f'({without_zone}{clock})', zone)}" if clock else ""
    return (
        f"case when {text} like '____-__-__T__:__:__Z' then {without_zone}{dated}"
        f" when regexp_full_match({text}, '{UTC_TIME}') and {text} not like '%Z' then {in_zone(without_zone, zone)}"
        f" when regexp_full_match({text}, '{OFFSET_TIME}')"
        f" then try_cast({with_seconds} as timestamptz) at time zone 'UTC' end"
    )


def _clock(source: ColumnSource | None) -> str:
    return f" + interval '{source.time_of_day}'" if source and source.time_of_day else ""


def _laid_out(column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str, zone: str) -> str:
    """A time in one of the layouts that the mapping says; null where two of them give two times."""
    assert source is not None
    found = [_strptime(column, layout, mapping, text, _clock(source), zone) for layout in source.layouts]
    if len(found) == 1:
        return found[0]
    # `%Y` reads the 25 of 03.04.25 as a year as well; such a reading is none where another layout is given.
    found = [f"case when {each} >= {column.type} '1000-01-01' then {each} end" for each in found]
    first = f"coalesce({', '.join(found)})"
    differs = " or ".join(f"coalesce({each} <> {first}, false)" for each in found[1:])
    return f"case when not ({differs}) then {first} end"


def _strptime(column: FeedColumn, layout: str, mapping: Mapping, text: str, clock: str, zone: str) -> str:
    if mapping.language and ("%b" in layout or "%B" in layout):
        text = months.in_english(text, mapping.language, is_full="%B" in layout)
    bare = not any(code in layout for code in ("%H", "%I", "%X", "%c", "%s"))
    found = f"try_strptime({text}, {quote(layout)})"
    if column.type == "date":
        return f"cast({found} as date)"
    # With a zone in its layout the result is an instant already.
    return at_utc(found) if "%z" in layout else in_zone(f"({found}{clock if bare else ''})", zone)


def _in_order(column: FeedColumn, source: ColumnSource | None, order: DateOrder, text: str, zone: str) -> str:
    """A time of digits, with day, month and year in the order that the mapping says, whatever stands between them."""
    plain = f"trim(regexp_replace({text}, '^([0-9]+)[./-]([0-9]+)[./-]([0-9]+)(?:[T, ]+|$)', '\\1/\\2/\\3 '))"
    dates = "/".join(f"%{letter}" for letter in order)
    whens = []
    for year, digits in (("%Y", "{4}"), ("%y", "{2}")):
        shape = "/".join(f"[0-9]{digits}" if letter == "y" else "[0-9]{1,2}" for letter in order)
        found = f"try_strptime({plain}, [{listed(dates.replace('%y', year) + clock for clock in CLOCKS)}])"
        bare = f"{found}{_clock(source)}" if _clock(source) else found
        moment = f"if(contains({plain}, ':'), {found}, {bare})" if bare != found else found
        whens.append(f"when regexp_full_match({plain}, '{shape}( .*)?') then {moment}")
    made = f"case {' '.join(whens)} end"
    return f"cast({made} as date)" if column.type == "date" else in_zone(f"({made})", zone)


def at_utc(moment: str) -> str:
    """An instant with its zone as UTC without one."""
    return f"cast({moment} as timestamptz) at time zone 'UTC'"


def in_zone(moment: str, zone: str) -> str:
    """A time without zone, meant in `zone`, as UTC."""
    return moment if zone == "UTC" else f"({moment} at time zone {quote(zone)}) at time zone 'UTC'"


def _serial_moment(column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str) -> str:
    """Days since 1899-12-30, as spreadsheets count, to the second: 46027.125 is 2026-01-05 03:00."""
    digits = f"regexp_full_match({text}, '[0-9]{{1,6}}(\\.[0-9]+)?')"
    seconds = f"cast(round(try_cast({text} as double) * 86400) as bigint)"
    moment = f"case when {digits} then timestamp '1899-12-30' + to_seconds({seconds}) end"
    if column.type == "date":
        return f"cast({moment} as date)"
    return in_zone(f"({moment})", (source.zone if source else None) or mapping.zone)


def two_way(source: ColumnSource | None, mapping: Mapping, text: str) -> str:
    """Whether a text needs the order of its day and month said; empty where the mapping says how times are written."""
    if mapping.date_order or (source and (source.layouts or source.parse)):
        return ""
    return f"regexp_full_match({text}, '{IN_DIGITS}')"


def reason(
    column: FeedColumn, source: ColumnSource | None, mapping: Mapping, text: str, found: str, loaded_at: str
) -> str:
    """Why a text is no time or date of its column. `found`: the time that was read, within no bounds."""
    noun = "date" if column.type == "date" else "time"
    if source and len(source.layouts) > 1:
        unread = (
            f"not a {noun} in one of the layouts {', '.join(source.layouts)}, or one that two of them read otherwise"
        )
    elif source and source.layouts:
        unread = f"not a time laid out as {source.layouts[0]}"
    elif source and source.parse:
        unread = f"not a time in {source.parse.replace('_', ' ')}"
    else:
        example = "2026-01-05" if column.type == "date" else "2026-01-05T03:00:00Z"
        order = f", nor one in the order {mapping.date_order}" if mapping.date_order else ""
        unread = f"not an ISO 8601 {noun} like {example}{order}"
    ahead = f"more than {MAX_YEARS_AHEAD} years" if column.type == "date" else f"more than {MAX_HOURS_AHEAD} h"
    unsaid = two_way(source, mapping, text)
    order_words = quote("day or month may come first: say `date_order: dmy` or `date_order: mdy`, or a time_format")
    return (
        f"case{f' when {unsaid} then {order_words}' if unsaid else ''}"
        f" when {found} is null then {quote(unread)} when {found} > {latest(column, loaded_at)} then"
        f" '{ahead} ahead of the landing' else 'before {EARLIEST}' end"
    )
