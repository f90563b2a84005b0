"""The grammar of a mapping: how a YAML says what a vendor's layout means, and which mapping claims a file.

Source: `library/*.yml` and `config/mappings/*.yml`, one per vendor layout.
"""

import codecs
import difflib
import fnmatch
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
from pydantic import AfterValidator, Field, field_validator, model_validator

from ingestion.contracts import NUMBERS, Feed, FeedColumn, load_feeds
from ingestion.errors import ContractError, FileRefused
from ingestion.mapping import arithmetic, months, row_filter
from ingestion.yaml_file import AS_WRITTEN, Strict, line_of, load_model

MAPPINGS_DIR = Path(__file__).with_name("library")
TEMPLATE_PART = re.compile(r"\{([^{}]+)\}")
# What a name ends in (`.gz` may follow), and how such a file is read.
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
# Names of files that hold others.
HOLDING_FILES = (".zip", ".xlsx")
# Blanks that publishers write inside numbers: no-break, narrow no-break and thin ones among them.
BLANKS = r"\s\x{00A0}\x{202F}\x{2009}"
DateOrder: TypeAlias = Literal["dmy", "mdy", "ymd"]
# How a canonical file spells a count that its owner hides.
HIDDEN = "hidden"
# A canonical name may carry its day or instant (UTC): `accounts_2026-01-05.csv`, `x_2026-01-05T03-01-02.csv.gz`.
CANONICAL_TIME = re.compile(r"(20\d\d-\d\d-\d\d)(?:[T_ ](\d\d)[-:.]?(\d\d)[-:.]?(\d\d))?")


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {value!r}; write one like Asia/Taipei or UTC") from error
    return value


def is_pattern(sheet: str | int | tuple[str | int, ...] | None) -> bool:
    """Whether a sheet is named by a pattern, as `20??`, that several may fit."""
    return isinstance(sheet, str) and any(sign in sheet for sign in "*?[")


def _json_path(value: str) -> str:
    if not all(value.split(".")):
        raise ValueError(f"{value!r} is no path into JSON; write one like data or response.items")
    return value


def _compiled(pattern: str) -> re.Pattern[str]:
    """A regular expression that Python and DuckDB (RE2) both read."""
    try:
        duckdb.execute("select regexp_matches('', ?)", [pattern])
        return re.compile(pattern)
    except (re.error, duckdb.Error) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {str(error).splitlines()[0]}") from error


def _layout(value: str) -> str:
    """A layout of a time that DuckDB reads."""
    try:
        duckdb.execute("select try_strptime('', ?)", [value])
    except duckdb.Error as error:
        raise ValueError(f"{value!r} is no layout of a time; write one like %d.%m.%y") from error
    return value


class FileTime(Strict):
    """The instant that a file's name carries: group 1 of `regex`, read with `format`, at `zone`."""

    regex: str = Field(description="Regular expression with one group, around the time.")
    format: str = Field(description="Layout of that time, as strptime writes it: `%Y-%m-%d`.")
    zone: str = Field(description="Its zone, as `Asia/Taipei` or `UTC`.")

    @field_validator("regex")
    @classmethod
    def _one_group(cls, value: str) -> str:
        if _compiled(value).groups != 1:
            raise ValueError("needs exactly one group, around the time")
        return value

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        return _known_zone(value)

    def read(self, name: str) -> datetime:
        """UTC instant in a file name, without zone. Raises FileRefused where there is none."""
        match = re.search(self.regex, name)
        try:
            if match:
                local = datetime.strptime(match[1], self.format).replace(tzinfo=ZoneInfo(self.zone))
                return local.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            pass
        raise FileRefused(f"no time like {self.format} in the file name; rename the file as its publisher does")


class ColumnSource(Strict):
    """Where a feed column comes from, and how its cells are read."""

    from_: str | None = Field(
        default=None, alias="from", description="Header of the column. In JSON also a path: `statistics.viewCount`."
    )
    at: int | None = Field(
        default=None, ge=1, description="Position of the column, from 1, where headers repeat or are missing."
    )
    header: str | None = Field(
        default=None,
        description="The header that stands at that position; where another one does, the whole file is quarantined."
        " Needed wherever the file has a header: `{at: 3, header: Followers}`.",
    )
    twin: int | None = Field(
        default=None,
        ge=1,
        description="Which of several columns with one header is meant, from 1: `{from: Followers, twin: 2}`.",
    )
    template: str | None = Field(
        default=None, description="Text made of other columns: `{Campaign}-{User}`. Null where one of them is."
    )
    constant: Annotated[str | None, AS_WRITTEN] = Field(default=None, description="The same value in every row.")
    from_file_time: bool = Field(default=False, description="The time in the file's name, see `file_time`.")
    from_file_name: str | None = Field(
        default=None,
        description="Regular expression with one group: that part of the file's name, as `^bili_(\\d+)`. With a `/` in"
        " it the whole path under landing is looked at.",
    )
    line_number: bool = Field(
        default=False,
        description="The file's name and the row's line, as `sales.csv:17`: an id for rows that have none. Of a number"
        " the line alone.",
    )
    from_as_of: bool = Field(
        default=False,
        description="The instant as of which the file speaks: its manifest's, else the mapping's `as_of`,"
        " else the time in its name, else when it was written.",
    )
    optional: bool = Field(default=False, description="A file may lack the column.")
    extract: str | None = Field(
        default=None, description="Regular expression with one group: the part of the cell that is kept."
    )
    values: Annotated[dict[str, str], AS_WRITTEN] = Field(
        default={}, description="Cells that stand for another value, as `Per Post: post`. Others stay as they are."
    )
    null_values: Annotated[tuple[str, ...], AS_WRITTEN] = Field(
        default=(), description="Spellings of null in this column."
    )
    hidden_values: Annotated[tuple[str, ...], AS_WRITTEN] = Field(
        default=(), description="Spellings of a count that its owner hides: null, with the reason `hidden`."
    )
    compute: str | None = Field(
        default=None,
        description="Number made of other columns, added, subtracted or times a number: ``Total + `Discount Amount` ``,"
        " `Cents * 0.01`. Null where one of them is; `(Discount or 0)` takes 0 for an empty cell.",
    )
    hidden_when: str | None = Field(
        default=None,
        description="Rows whose count is hidden, a test as in `keep`: `like_count_disabled = 'true'`. Null, with the"
        " reason `hidden`.",
    )
    absent_means: Literal["hidden", "unsupported", "not_captured"] | None = Field(
        default=None, description="Reason of a count whose cell is empty. Default: `not_captured`."
    )
    parse: (
        Literal[
            "number", "percent", "duration", "whole_id", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds",
            "epoch_nanoseconds", "excel_serial",
        ]
        | None
    ) = Field(
        default=None,
        description="How a cell is read that is not written as the feed asks. `number`: 3,456 or 12.4M or 7.8k or"
        " € 1,296 or 12,34,567 or 3.2 lakh or (80.00); `percent`: 16.60% as 16.60; `duration`: PT1M30S as 90 seconds;"
        " `whole_id`: 42.0 as 42, as ids are read anyway; `epoch_seconds`, `epoch_milliseconds`, `epoch_microseconds`"
        " and `epoch_nanoseconds` since 1970; `excel_serial`: days since 1899-12-30.",
    )  # fmt: skip
    units: dict[str, int] = Field(
        default={},
        description="With `parse: number`, words after a number and what each stands for: `mil: 1000`. Known are k, m,"
        " b, Tsd, Mio, Mrd, lakh, crore, 万, 亿 and such; `mil` is a thousand where `decimal_mark` is a comma.",
    )
    round: int | None = Field(
        default=None, ge=0, le=8, description="Decimals to which a number is rounded, halves away from 0."
    )
    time_format: (
        Annotated[str, AfterValidator(_layout)] | tuple[Annotated[str, AfterValidator(_layout)], ...] | None
    ) = Field(
        default=None,
        description="Layout of a time or date, as strptime writes it: `%d.%m.%y` reads 18.01.11. Or a list of them:"
        " a cell that two of them read as two times is refused.",
    )
    zone: str | None = Field(default=None, description="Zone of times that name none. Default: the mapping's.")
    time_of_day: str | None = Field(
        default=None, description="Local time that is taken where a cell is a bare date: `12:00`. Default: midnight."
    )
    list_separator: str | None = Field(
        default=None,
        min_length=1,
        max_length=3,
        description="What separates the texts of a list: `,` or a blank. Brackets and quotes, as in `['a', 'b']`, go."
        " Default: `|`.",
    )
    normalise: Literal["email", "handle", "code"] | None = Field(
        default=None,
        description="One spelling of a text. `email`: in small letters; `handle`: that, without `@` and the address"
        " before it; `code`: in capitals, without blanks.",
    )
    hash: bool = Field(
        default=False,
        description="A keyed hash takes the place of the text, for customers' e-mails. The key is"
        " `GROUNDSWELL_HASH_KEY`; the column goes to `extra` in no feed.",
    )
    on_invalid: Literal["null", "quarantine"] | None = Field(
        default=None,
        description="What a cell that cannot be read costs: `null` the cell, which is kept in `invalid_cells`,"
        " `quarantine` its row. Default: the row for required columns, ids, amounts and currencies, else the cell.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> "ColumnSource":
        sources = (self.from_, self.at, self.template, self.constant, self.compute, self.from_file_name)
        flags = (self.from_file_time, self.from_as_of, self.line_number)
        if sum(source is not None for source in sources) + sum(flags) != 1:
            raise ValueError(
                "say exactly one of: from, at, template, constant, compute, from_file_time, from_as_of,"
                " from_file_name, line_number"
            )
        if self.from_file_name is not None and _compiled(self.from_file_name).groups != 1:
            raise ValueError("from_file_name needs exactly one group, around the part that is meant")
        if self.header is not None and self.at is None:
            raise ValueError("header says what stands at a position; say at, or from alone")
        if self.twin is not None and self.from_ is None and self.header is None:
            raise ValueError("twin tells columns with one header apart; say from, or at and header")
        if self.extract is not None and (self.is_fixed or self.line_number or _compiled(self.extract).groups != 1):
            raise ValueError("extract needs a column to cut from, and exactly one group")
        if self.template is not None and not self.template_columns:
            raise ValueError("template names no column; write one in braces, like {Campaign}")
        if self.parse and self.time_format:
            raise ValueError("say parse or time_format, not both")
        if self.compute is not None:
            arithmetic.parse(self.compute)
        return self

    @field_validator("units")
    @classmethod
    def _units_are_words(cls, value: dict[str, int]) -> dict[str, int]:
        for unit, times in value.items():
            if not unit.strip() or any(c.isdigit() or c in ".,-+%()" for c in unit) or not 1 <= times <= 10**9:
                raise ValueError(f"{unit!r}: write a word and a number from 1 to 10^9, like mil: 1000")
        return value

    @field_validator("hidden_when")
    @classmethod
    def _is_test(cls, value: str | None) -> str | None:
        if value is not None:
            row_filter.parse(value)
        return value

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str | None) -> str | None:
        return value if value is None else _known_zone(value)

    @field_validator("time_of_day")
    @classmethod
    def _is_clock(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value):
            raise ValueError("write a time of day in quotes, like '12:00'")
        return value

    @property
    def is_fixed(self) -> bool:
        """Whether the value is the same in every row of a file."""
        is_named = self.from_file_name is not None
        return self.constant is not None or self.from_file_time or self.from_as_of or is_named

    def part_of_name(self, path: str) -> str:
        """What `from_file_name` finds in a file's path under landing. Raises FileRefused where it finds nothing."""
        assert self.from_file_name is not None
        *_, container, name = ["", *path.split("/")]
        match = re.search(self.from_file_name, path if "/" in self.from_file_name else name)
        if match is None and container.lower().endswith(HOLDING_FILES):
            match = re.search(self.from_file_name, container)
        if match is None or not match[1]:
            raise FileRefused(f"its name holds nothing like {self.from_file_name}; rename the file as its sender does")
        return match[1]

    @property
    def layouts(self) -> tuple[str, ...]:
        """Layouts of times, in the order in which they are tried."""
        return (self.time_format,) if isinstance(self.time_format, str) else self.time_format or ()

    @property
    def template_columns(self) -> list[str]:
        """Columns that a template names."""
        return [tidy(name) for name in TEMPLATE_PART.findall(self.template or "")]

    @property
    def other_columns(self) -> list[str]:
        """All columns of the file that it names beside `from` and `at`: of a template, a sum, a test."""
        computed = arithmetic.parse(self.compute).columns if self.compute else ()
        tested = row_filter.parse(self.hidden_when).columns if self.hidden_when else ()
        return [*self.template_columns, *computed, *tested]


class Unpivot(Strict):
    """Columns side by side that become rows: the header goes into one column, its cells into others."""

    name: str = Field(description="Name of the column that the headers go into, for `from`.")
    values: dict[str, str] = Field(
        min_length=1,
        description="Per column that cells go into, for `from`: a regular expression of the whole headers that it"
        " takes. With a group, that part of the header is the name: `^(.+) Followers$`.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "Unpivot":
        if self.name in self.values:
            raise ValueError("name and values need names of their own")
        for pattern in self.values.values():
            if _compiled(pattern).groups > 1:
                raise ValueError(f"{pattern!r} has several groups; one says which part of the header is the name")
        return self

    @property
    def columns(self) -> list[str]:
        """Names of the columns that come in place of those side by side."""
        return [self.name, *self.values]

    def read(self, header: str) -> tuple[str, str] | None:
        """Which column takes the cells under a header, and the name that the header gives; null for none."""
        for column, pattern in self.values.items():
            if match := re.fullmatch(pattern, tidy(header)):
                return column, match[match.re.groups] or ""
        return None


class _Traits(Strict):
    """How the rows of one feed are chosen and evaluated."""

    skip_totals: bool | None = Field(
        default=None,
        description="`true`: a row that sums others (Total, Grand total, Summe, 合計, ...) is left out;"
        " `false`: there is none, such a word is an id. Default: such a row is quarantined, with this remedy.",
    )
    unpivot: Unpivot | None = Field(
        default=None, description="Dates, channels or platforms side by side: each filled cell becomes a row."
    )
    explode: str | tuple[str, ...] | None = Field(
        default=None,
        description="JSON and Parquet: a nested list, each item of which becomes a row: `explode: posts`, and"
        " `from: posts.id`. Lists within lists: a list of paths, from the outside in.",
    )

    keep: str | None = Field(
        default=None,
        description="Rows that are read, as `kind = 'post' and likes is not empty`; others are left out.",
    )
    keep_may_lack: bool = Field(
        default=False,
        description="A file may lack the columns that `keep` names, and is then read as if they were empty.",
    )
    zero_is_null: tuple[str, ...] = Field(default=(), description="Counts in which 0 means not captured.")
    outage_share: float | None = Field(
        default=None, gt=0, lt=1, description="Share of zeros in a file above which their reason is `outage`."
    )
    ignore: tuple[str, ...] = Field(default=(), description="Columns that are not kept in `extra`.")
    tie_break: Literal["last_line"] | None = Field(
        default=None, description="`last_line`: of two differing rows with one key and instant the later one counts."
    )
    left_out: Literal["withdrawn", "ignored"] = Field(
        default="withdrawn",
        description="What `keep` leaves out of orders, refunds and costs: `withdrawn`, so that what this mapping had"
        " loaded under that key no longer counts; or `ignored`, so that the earlier row stays.",
    )
    delivers: Literal["changes", "full"] = Field(
        default="changes",
        description="`full`: each delivery of orders, refunds or costs is all that there is from its earliest date on,"
        " so what it no longer holds is withdrawn; of campaigns, collaborations, rules, accounts and rate cards it is"
        " only named as an issue. A delivery is all files with one `as_of`: say it in their names, or in a manifest,"
        " where they are several. A manifest may say `delivers` of a file as well.",
    )
    signed: bool = Field(
        default=False,
        description="Refunds: one below 0 takes a refund back. Without it a minus is but the way that it is written.",
    )

    @field_validator("keep")
    @classmethod
    def _is_filter(cls, value: str | None) -> str | None:
        if value is not None:
            row_filter.parse(value)
        return value

    @field_validator("explode")
    @classmethod
    def _is_path(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for path in (value,) if isinstance(value, str) else value or ():
            _json_path(path)
        return value


class FeedPart(_Traits):
    """What a file supplies to one feed."""

    feed: str = Field(description="The feed that is filled.")
    columns: dict[str, ColumnSource] = Field(description="Where each column of the feed comes from.")

    def fixed_in(self, path: str) -> dict[str, str | None]:
        """Columns that hold one value in all rows of a file, as a shop or a currency: constants, and those of its name.

        A name in which such a value is not found has null there.
        """
        fixed: dict[str, str | None] = {}
        for name, source in self.columns.items():
            if source.constant is not None:
                fixed[name] = source.constant
            elif source.from_file_name is not None:
                try:
                    fixed[name] = source.part_of_name(path)
                except FileRefused:
                    fixed[name] = None
        return fixed


class Mapping(_Traits):
    """A vendor's layout: which files it claims, how they are written, and what they supply to one feed or several."""

    mapping: str = Field(pattern="^[a-z0-9_]+$", description="Name of the layout: its file's, without `.yml`.")
    pattern: str = Field(
        description="File names that are claimed, with `*`, `?` and `[...]` as in a shell; with a `/`, ends of paths."
    )
    format: Literal["csv", "jsonl", "parquet", "xlsx"] | None = Field(
        default=None, description="Default: what the name ends in."
    )
    encoding: str = Field(default="utf-8", description="Of CSV and JSON: `utf-8`, `utf-16`, `cp1252`, `latin-1`, ...")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="CSV: what separates cells.")
    quote: str = Field(default='"', max_length=1, description="CSV: what encloses cells; empty for nothing.")
    unended_last_line: bool = Field(
        default=False, description="CSV: the sender ends its last line with nothing, so a cut there goes unnoticed."
    )
    header_row: int = Field(
        default=1, ge=0, le=1000, description="CSV and XLSX: line of the header; 0 where there is none (use `at`)."
    )
    header: tuple[str, ...] = Field(
        default=(),
        description="CSV and XLSX: names by which the header is found, wherever it stands, in place of `header_row`:"
        " `[Date, Views]`. So one of several tables in a file is chosen.",
    )
    comment: str | None = Field(
        default=None,
        min_length=1,
        description="CSV and XLSX: lines that begin so are passed over, as `#`. `header_row` then counts neither them"
        " nor blank lines.",
    )
    ends_at_blank_line: bool = Field(
        default=False, description="CSV and XLSX: the table ends at the first blank line below its first row."
    )
    rows_at: str | None = Field(
        default=None,
        description="JSON: where the list of rows lies within a document, as `data` or `response.items`. A file that"
        " is a list needs none.",
    )
    sheet: str | int | tuple[str | int, ...] | None = Field(
        default=None,
        description="XLSX: name or number of the sheet, a pattern of names as `20??`, or a list of these. Several are"
        " read one by one, each as a file `<workbook>/<sheet>`. Default: the first.",
    )
    skip_members: tuple[str, ...] = Field(
        default=(),
        description="Names, as `Chart data.csv` or `*.txt`, of other files in a zip of this layout that nobody reads.",
    )
    decimal_mark: Literal[".", ","] | None = Field(
        default=None,
        description="Of the numbers of all columns; the other mark groups thousands. Unsaid it is a point, and a number"
        " like 1.000, which could be one thousand, quarantines its row.",
    )
    thousands_mark: Literal[".", ",", " ", "'"] | None = Field(
        default=None, description="What alone groups thousands, in all columns. Default: blanks and the other mark."
    )
    date_order: DateOrder | None = Field(
        default=None,
        description="Order of day, month and year in digits, in all columns: `dmy` reads 03/04/2026 as 3 April."
        " Unsaid, such a date quarantines its row.",
    )
    language: str | None = Field(
        default=None, description="Of names of months in a `time_format` with `%b` or `%B`, as `de`. Default: English."
    )
    null_values: Annotated[tuple[str, ...], AS_WRITTEN] = Field(
        default=(), description="Spellings of null in any column, as `-` or `N/A`."
    )
    zone: str = Field(default="UTC", description="Zone of times that name none, as `Asia/Taipei`.")
    file_time: FileTime | None = Field(default=None, description="The time that a file's name carries.")
    as_of: datetime | None = Field(default=None, description="Instant (UTC) as of which all its files speak.")
    origin: Literal["observed", "simulated"] = Field(
        default="observed", description="`simulated` stays with the rows to the marts."
    )
    feed: str | None = Field(default=None, description="The feed that is filled, where it is one.")
    columns: dict[str, ColumnSource] | None = Field(
        default=None, description="Where each column of that feed comes from."
    )
    feeds: tuple[FeedPart, ...] | None = Field(
        default=None, min_length=1, description="The feeds that are filled, where they are several."
    )

    @model_validator(mode="after")
    def _one_shape_per_feed(self) -> "Mapping":
        for feed, parts in self.parts_by_feed.items():
            for trait in ("tie_break", "unpivot", "explode", "left_out", "delivers", "signed"):
                if any(getattr(part, trait) != getattr(parts[0], trait) for part in parts):
                    raise ValueError(f"{feed} is filled several times: say one {trait} in each")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> "Mapping":
        single = [self.feed, self.columns]
        if (self.feeds is None) == (None in single) or (self.feeds is not None and any(single)):
            raise ValueError("say feed and columns, or feeds (a list of them), not both")
        if self.feeds is not None and self.model_fields_set & set(_Traits.model_fields):
            raise ValueError(f"with feeds, say {', '.join(_Traits.model_fields)} within each")
        if self.header and self.header_row != 1:
            raise ValueError("header finds the header by its names; leave out header_row")
        if self.delimiter == self.quote or self.delimiter in "\r\n":
            raise ValueError("delimiter must be neither the quote nor a line end")
        if self.thousands_mark is not None and self.thousands_mark == self.decimal_mark:
            raise ValueError("decimal_mark and thousands_mark are the same character; say two")
        return self

    @property
    def has_sheets(self) -> bool:
        """Whether it may ask for several sheets of a workbook."""
        return isinstance(self.sheet, tuple) or is_pattern(self.sheet)

    @property
    def is_plain_table(self) -> bool:
        """Whether a file is one table from its header on to its end."""
        return not (self.header or self.comment or self.ends_at_blank_line)

    def is_header(self, cells: Iterable[str]) -> bool:
        """Whether a row of cells holds the names by which the header is found."""
        return {tidy(name) for name in self.header} <= {tidy(cell) for cell in cells}

    def no_header(self) -> str:
        """Why a file without its header is refused."""
        return f"no line holds the headers {', '.join(map(repr, self.header))}; correct `header` in the mapping"

    @field_validator("rows_at")
    @classmethod
    def _is_path_of_rows(cls, value: str | None) -> str | None:
        return value if value is None else _json_path(value)

    @field_validator("language")
    @classmethod
    def _language_is_known(cls, value: str | None) -> str | None:
        if value is not None and value not in months.names():
            raise ValueError(f"no names of months in {value!r}; known are {', '.join(months.names())}")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str) -> str:
        try:
            if codecs.lookup(value)._is_text_encoding:
                return value
        except LookupError:
            pass
        raise ValueError(f"unknown encoding {value!r}; write one like utf-8, cp1252, utf-16, shift_jis")

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        return _known_zone(value)

    @property
    def marks(self) -> tuple[str | None, str]:
        """Mark of decimals, null where it is not said, and the characters that group thousands, as a class of them."""
        other = {".": ",", ",": "."}
        mark = self.decimal_mark or other.get(self.thousands_mark or "")
        if self.thousands_mark is None:
            return mark, f"{other[mark or '.']}'’{BLANKS}"
        return mark or ".", {" ": BLANKS, "'": "'’"}.get(self.thousands_mark, self.thousands_mark)

    @property
    def parts(self) -> tuple[FeedPart, ...]:
        """What the file supplies, feed by feed."""
        if self.feeds is not None:
            return self.feeds
        traits = {name: getattr(self, name) for name in _Traits.model_fields}
        assert self.feed is not None
        assert self.columns is not None
        return (FeedPart(feed=self.feed, columns=self.columns, **traits),)

    @property
    def parts_by_feed(self) -> dict[str, tuple[FeedPart, ...]]:
        """What the file supplies: a feed may be filled several times from a row."""
        return {part.feed: tuple(other for other in self.parts if other.feed == part.feed) for part in self.parts}

    def taken_from(self, path: str) -> tuple[str, ...]:
        """What its rows take from a file's path besides its time. Raises FileRefused where it is not there."""
        sources = [source for part in self.parts for source in part.columns.values()]
        found = [source.part_of_name(path) for source in sources if source.from_file_name is not None]
        return (*found, *([path.rpartition("/")[2]] if any(source.line_number for source in sources) else []))

    def lasting(self, header: Sequence[str]) -> list[str]:
        """A header without the columns that come and go with each file, because they become rows."""
        spreads = [part.unpivot for part in self.parts if part.unpivot]
        left = [name for name in header if not any(spread.read(name) for spread in spreads)]
        made = dict.fromkeys(name for spread in spreads for name in spread.columns)
        return [*left, *(name for name in made if name not in left)]

    def fingerprint_of(self, header: Sequence[str] | None) -> str:
        """Changes whenever the meaning of the mapping does, or that of its feeds as far as it concerns such a file.

        Comments and the order of keys are free, and so is an optional column of a feed that the file does not fill.

        Args:
            header: the names that the file's columns have; null where it was refused unopened.
        """
        names = frozenset(map(self.name_of, header or ()))
        return self._with(load_feeds()[part.feed].fingerprint_of(self._filled(part, names)) for part in self.parts)

    @property
    def has_positions(self) -> bool:
        """Whether the order of a file's columns counts."""
        sources = [source for part in self.parts for source in part.columns.values()]
        return any(source.at is not None or source.twin is not None for source in sources)

    @property
    def own_fingerprint(self) -> str:
        """Changes whenever a person changes the meaning of the mapping; what its feeds are does not count."""
        return self._with(())

    @property
    def first_fingerprint(self) -> str:
        """What v0.1.0 read a file with under this mapping."""
        return self._with(load_feeds()[part.feed].first_fingerprint or "" for part in self.parts)

    def _with(self, feeds: Iterable[str]) -> str:
        meaning = [self.model_dump_json(exclude_defaults=True), *feeds]
        return hashlib.sha256("\0".join(meaning).encode()).hexdigest()[:16]

    def _filled(self, part: FeedPart, names: frozenset[str]) -> frozenset[str]:
        """Columns of a feed that a file with these names fills."""
        return frozenset(
            column
            for column, source in part.columns.items()
            if not source.optional or source.from_ is None or tidy(source.from_) in names
        )

    def name_of(self, header: str) -> str:
        """A header as the mapping's names are compared with it."""
        return tidy(header)

    def file_time_of(self, name: str) -> datetime | None:
        """UTC instant that the file's name carries, null where it carries none."""
        return self.file_time.read(name) if self.file_time else None

    def claims(self, relative_path: str) -> bool:
        """Whether a landed file is written in this layout, by its name or the end of its path."""
        if "/" in self.pattern:
            return fnmatch.fnmatchcase(f"/{relative_path}", f"*/{self.pattern}")
        return fnmatch.fnmatchcase(relative_path.rpartition("/")[2], self.pattern)

    def format_of(self, name: str) -> str | None:
        """How a file is written: what the mapping says, else what its name ends in; null where that says nothing."""
        stem = name.lower().removesuffix(".gz").removesuffix(".zst")
        return self.format or next((form for end, form in FORMATS.items() if stem.endswith(end)), None)


class CanonicalMapping(Mapping):
    """The feed's own layout: headers are the feed's column names, in any order and case."""

    def fingerprint_of(self, header: Sequence[str] | None) -> str:
        # Every name counts, also one that the feed had once and has no more.
        filled = frozenset(map(self.name_of, header or ()))
        return self._with([load_feeds()[self.parts[0].feed].fingerprint_of(filled)])

    def _with(self, feeds: Iterable[str]) -> str:
        return "-".join(["canonical", *feeds])

    def name_of(self, header: str) -> str:
        return tidy(header.lower())

    def file_time_of(self, name: str) -> datetime | None:
        match = CANONICAL_TIME.search(name)
        if match is None:
            return None
        try:
            return datetime.fromisoformat(f"{match[1]} {match[2] or '00'}:{match[3] or '00'}:{match[4] or '00'}")
        except ValueError:
            return None


def tidy(header: str) -> str:
    """A header with its line breaks and repeated blanks as single blanks."""
    return " ".join(header.split())


def load_mapping(path: Path) -> Mapping:
    """One vendor's mapping, checked against its feeds. Raises ContractError that names the file, line and key."""
    return check_mapping(load_model(Mapping, path), path)


def check_mapping(mapping: Mapping, path: Path) -> Mapping:
    """The mapping, where it fits its feeds. Raises ContractError that names the file, line and key."""
    for number, part in enumerate(mapping.parts):
        above: tuple[int | str, ...] = () if mapping.feeds is None else ("feeds", number)

        def refuse(*where: int | str, words: str, above: tuple[int | str, ...] = above) -> NoReturn:
            raise ContractError(f"{path.name}: line {line_of(path, (*above, *where))}: {where[0]}: {words}")

        feed = load_feeds().get(part.feed)
        if feed is None:
            refuse("feed", words=f"unknown feed {part.feed!r}; known: {', '.join(load_feeds())}")
        for name in part.columns:
            if name not in feed.columns:
                near = difflib.get_close_matches(name, feed.columns, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                refuse("columns", name, words=f"{part.feed} has no column {name!r}{hint}")
            if problem := _misfit(feed.columns[name], part.columns[name], mapping):
                refuse("columns", name, words=f"{name}: {problem}")
        for name, source in part.columns.items():
            if source.line_number and (part.unpivot or part.explode):
                refuse("columns", name, words=f"{name}: several rows have one line; make an id with template")
        for name in feed.required:
            if name not in part.columns:
                refuse("columns", words=f"required column {name!r} is not mapped; say where it comes from")
        for name in part.zero_is_null:
            if name not in feed.counts:
                refuse("zero_is_null", words=f"{name!r} is no count of {part.feed}")
        if part.left_out != "withdrawn" and feed.absence != "withdrawn":
            refuse("left_out", words="only orders, refunds and costs are withdrawn; leave it out")
        if part.delivers == "full" and feed.absence is None:
            able = ", ".join(name for name, each in load_feeds().items() if each.absence)
            refuse("delivers", words=f"{part.feed} has no rows that could be gone; those that have: {able}")
        if part.signed and part.feed != "refunds":
            refuse("signed", words="only refunds have a sign to tell; costs below 0 are credit notes always")
    return mapping


def _misfit(column: FeedColumn, source: ColumnSource, mapping: Mapping) -> str | None:
    """Why a source cannot fill a column of this type, null where it can."""
    fitting = {
        "number": set(NUMBERS),
        "percent": {"rate", "figure"},
        "duration": {"integer", "count"},
        "whole_id": {"id", "text"},
        "epoch_seconds": {"timestamp"},
        "epoch_milliseconds": {"timestamp"},
        "epoch_microseconds": {"timestamp"},
        "epoch_nanoseconds": {"timestamp"},
        "excel_serial": {"timestamp", "date"},
    }
    if source.parse and column.type not in fitting[source.parse]:
        return f"parse {source.parse} does not give a {column.type}"
    if (source.time_format or source.time_of_day) and column.type not in ("timestamp", "date"):
        return f"a {column.type} is no time"
    for trait in ("hidden_values", "hidden_when", "absent_means"):
        if getattr(source, trait) and column.type != "count":
            return f"only a count can be hidden or absent, so {trait} is not for a {column.type}"
    for trait, types in (
        ("compute", NUMBERS), ("round", NUMBERS), ("units", NUMBERS), ("list_separator", ("list",)),
        ("normalise", ("id", "text")), ("hash", ("id", "text")),
    ):  # fmt: skip
        if trait in source.model_fields_set and column.type not in types:
            return f"{trait} is for {', '.join(types)} columns, not for a {column.type}"
    if source.units and source.parse != "number":
        return "units are read with `parse: number`"
    if source.on_invalid == "null" and column.required:
        return "a required cell cannot be null; leave on_invalid out"
    if source.from_file_time and mapping.file_time is None:
        return "from_file_time needs file_time, which says how the name is read"
    if source.line_number and column.type not in ("id", "text", "integer"):
        return f"a line number is no {column.type}"
    if mapping.header_row == 0 and (source.from_ is not None or source.other_columns):
        return "without a header say `at` instead of a name"
    if source.at is not None and source.header is None and mapping.header_row != 0:
        return "say which header stands at that position, as in {at: 3, header: Followers}: columns move"
    if mapping.format == "jsonl" and source.at is not None:
        return "JSON has no positions; say `from`"
    return None


def canonical_mapping(feed: Feed) -> CanonicalMapping:
    """The mapping of a feed's own layout."""
    columns = {
        name: ColumnSource.model_validate(
            {"from": name, "optional": not column.required}
            | ({"hidden_values": (HIDDEN,)} if column.type == "count" else {})
        )
        for name, column in feed.columns.items()
    }
    return CanonicalMapping(mapping="canonical", feed=feed.feed, pattern="*", columns=columns)
