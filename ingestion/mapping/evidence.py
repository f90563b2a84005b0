"""What the cells of a file of unknown layout hold, tried with the reading that loading uses.

Nothing is parsed here: each way of reading is a `values.Reading`, evaluated on the distinct cells of all columns.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestion.contracts import NUMBERS, FeedColumn
from ingestion.mapping import months
from ingestion.mapping.grammar import ColumnSource, Mapping
from ingestion.mapping.shape import PROBE
from ingestion.readers.table import Reader, Table
from ingestion.totals import is_total
from ingestion.values import Reading

SAMPLE_ROWS = 2_000
NULLS = ("-", "–", "—", "--", "?", "N/A", "n/a", "NA", "N/A'", "null", "NULL", "None", "none", "nan", "NaN",
         "\\N", "#N/A", "#VALUE!", "#VALOR!", "#WERT!", "#REF!", "#DIV/0!")  # fmt: skip
TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M %z", "%Y%m%d",
    "%Y-%m-%d %H:%M:%S UTC", "%a %b %d %H:%M:%S %z %Y", "%Y年%m月%d日", "%Y年%m月%d日 %H:%M", "%Y. %m. %d.",
)  # fmt: skip
# Layouts with the name of a month.
WORDED_FORMATS = (
    "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d %Y", "%d. %b %Y", "%d.%b.%Y", "%B %d, %Y", "%d %B %Y",
    "%d. %B %Y", "%d de %B de %Y", "%b %d, %Y %H:%M", "%b %d, %Y, %I:%M %p", "%b %d, %Y, %I:%M:%S %p",
    "%b %d, %Y %I:%M %p", "%d %b %Y %H:%M", "%d %b %Y, %H:%M", "%d. %B %Y %H:%M", "%d %B %Y %H:%M",
    "%d de %b de %Y", "%d de %b. de %Y", "%d %b, %Y", "%a, %d %b %Y %H:%M:%S %z",
)  # fmt: skip
ORDERS = ("dmy", "mdy", "ymd")
EPOCHS = {10: "epoch_seconds", 13: "epoch_milliseconds", 16: "epoch_microseconds", 19: "epoch_nanoseconds"}


@dataclass(frozen=True)
class Way:
    """A way to read a column: keys of its source, and traits of the whole mapping."""

    source: tuple[tuple[str, Any], ...] = ()
    traits: tuple[tuple[str, Any], ...] = ()

    @staticmethod
    def of(source: dict[str, Any] | None = None, **traits: Any) -> "Way":
        keys = {
            key: tuple(value.items()) if isinstance(value, dict) else value for key, value in (source or {}).items()
        }
        return Way(tuple(keys.items()), tuple(traits.items()))

    @property
    def keys(self) -> dict[str, Any]:
        """What the way says beside where the column stands."""
        return {key: dict(value) if isinstance(value, tuple) else value for key, value in self.source}


@dataclass
class Evidence:
    """A sample of a file's rows, and what was found out of its columns."""

    reader: Reader
    table: Table
    rows: list[list[str | None]] = field(default_factory=list)
    _shares: dict[tuple[str, Way], dict[int, float]] = field(default_factory=dict)
    _read: dict[tuple[str, Way, int], list[tuple[str, str | None, int]]] = field(default_factory=dict)

    @staticmethod
    def of(reader: Reader, table: Table) -> "Evidence":
        """Read the sample, and lay its distinct filled cells into `seen`."""
        width = len(table.header)
        has = [not table.has_lines or not table.rest or index in table.paths for index in range(width)]
        cells = [f"cast(c{index} as varchar)" if has[index] else "cast(null as varchar)" for index in range(width)]
        flags = [(table.is_number(index) if has[index] else None) or "false" for index in range(width)]
        reader.execute(
            f"create or replace temp table sampled as select {', '.join(f'{c} as c{i}' for i, c in enumerate(cells))},"
            f" {', '.join(f'coalesce({flag}, false) as f{i}' for i, flag in enumerate(flags))}"
            f" from {table.relation} limit {SAMPLE_ROWS}"
        )
        # What is blank to a person is blank to landing, which trims blanks and tabs.
        rows = reader.execute(
            "select " + ", ".join(f"nullif(trim(c{i}, ' \t'), '')" for i in range(width)) + " from sampled"
        )
        found = Evidence(reader, table, [list(row) for row in rows.fetchall()])
        parts = " union all ".join(
            f"select {i} as i, trim(c{i}, ' \t') as cell, f{i} as num, count(*) as rows, min(rowid) as place"
            f" from sampled where trim(c{i}, ' \t') <> '' group by all"
            for i in range(width)
        )
        filled = f"select * from ({parts}) where cell not in (select unnest($nulls))"
        reader.execute(f"create or replace temp table seen as {filled}", {"nulls": list(NULLS)})
        return found

    @property
    def header(self) -> list[str]:
        return self.table.header

    def cells(self, index: int) -> list[str]:
        """Filled cells of a column that are no spelling of null, in the order of the file."""
        return [cell for row in self.rows if (cell := row[index]) is not None and cell not in NULLS]

    def nulls(self, index: int) -> list[str]:
        """Spellings of null in a column."""
        return [cell for row in self.rows if (cell := row[index]) in NULLS and cell is not None]

    def shares(self, column: FeedColumn, ways: Sequence[Way]) -> list[dict[int, float]]:
        """For each way, by column of the file the share of its filled cells that are of the type."""
        key = column.model_dump_json(include={"type", "known", "values", "signed", "words"})
        # Two counts in one query would share a cast that only one of their tests may make.
        batches = [[way] for way in ways] if column.type in NUMBERS else [list(ways)]
        for batch in batches:
            missing = [way for way in batch if (key, way) not in self._shares]
            if not missing:
                continue
            values = ", ".join(f"{self._value(column, way)} as v{n}" for n, way in enumerate(missing))
            sums = ", ".join(f"coalesce(sum(rows) filter (v{n} is not null), 0)" for n in range(len(missing)))
            rows = self.reader.execute(
                f"select i, sum(rows), {sums} from (select i, rows, {values} from seen) group by i"
            ).fetchall()
            for n, way in enumerate(missing):
                self._shares[key, way] = {row[0]: float(row[2 + n]) / float(row[1]) for row in rows}
        return [self._shares[key, way] for way in ways]

    def read(self, column: FeedColumn, way: Way, index: int) -> list[tuple[str, str | None, int]]:
        """The distinct cells of a column, each as it is read (null where it is not), with the row where it stands."""
        key = (column.model_dump_json(), way, index)
        if key not in self._read:
            value = f"cast({self._value(column, way)} as varchar)"
            rows = self.reader.execute(
                f"select cell, {value}, place from seen where i = {index} order by place"
            ).fetchall()
            self._read[key] = [(row[0], _short(row[1]), row[2]) for row in rows]
        return self._read[key]

    def _value(self, column: FeedColumn, way: Way) -> str:
        reading = self.reading(column, way)
        found = f"({reading.value('cell')})"
        return f"({reading.bounded(found)})"

    def reading(self, column: FeedColumn, way: Way) -> Reading:
        """How cells of `seen` are read in a way."""
        mapping = Mapping.model_validate({**PROBE, **dict(way.traits)})
        source = ColumnSource.model_validate({"from": "x", **way.keys})
        return Reading(column, source, mapping, "num", has_serials=self.table.has_serials)

    def reasons(self, column: FeedColumn, way: Way, index: int) -> list[tuple[str, str]]:
        """Cells of a column that are not read, and why."""
        why = self.reading(column, way).reason("cell")
        return [
            (row[0], row[1])
            for row in self.reader.execute(
                f"select cell, {why} from seen where i = {index} and {self._value(column, way)} is null order by place"
                " limit 20"
            ).fetchall()
        ]

    def moment_ways(self, indexes: Iterable[int]) -> list[Way]:
        """The ways to read times that the cells of some columns call for, the plainest first."""
        texts = [cell for index in indexes for cell in self.cells(index)[:50]]
        ways = [Way.of(), *(Way.of(date_order=order) for order in ORDERS)]
        language = language_of(texts)
        if language:
            said = {} if language == "en" else {"language": language}
            ways += [Way.of({"time_format": layout}, **said) for layout in WORDED_FORMATS]
        ways += [Way.of({"time_format": layout}) for layout in TIME_FORMATS]
        for digits in sorted(
            {len(re.split(r"[.,]", text)[0]) for text in texts if re.fullmatch(r"\d+([.,]\d+)?", text)}
        ):
            if digits in EPOCHS:
                ways.append(Way.of({"parse": EPOCHS[digits]}))
            elif digits == 5:
                ways.append(Way.of({"parse": "excel_serial"}))
        return ways

    def distinct(self, indexes: Sequence[int]) -> float:
        """Share of the rows whose cells in some columns are no other row's."""
        keys = [tuple(row[index] for index in indexes) for row in self.rows if any(row[index] for index in indexes)]
        return len(set(keys)) / len(keys) if keys else 1.0

    def totals(self, indexes: Iterable[int]) -> list[str]:
        """Cells of some columns that name a row of sums."""
        listed = ", ".join(str(index) for index in sorted(set(indexes)))
        rows = self.reader.execute(
            f"select cell from seen where i in ({listed or -1}) and {is_total('cell')}"
        ).fetchall()
        return [row[0] for row in rows]


def language_of(texts: list[str]) -> str | None:
    """The language of the names of months in some texts, `en` for English; null where there are none."""
    words = {word for text in texts for word in re.findall(r"[^\W\d_]{3,}", text.lower())}
    english = {name.lower()[:length] for name in months.ENGLISH for length in (3, len(name))} | {"sept"}
    if words & english and not words - english - {
        "am",
        "pm",
        "utc",
        "gmt",
        *["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    }:
        return "en"
    best = max(months.names(), key=lambda language: len(words & set(months.names()[language])))
    if words & set(months.names()[best]):
        return best
    return "en" if words & english else None


def _short(value: str | None) -> str | None:
    """A value as people write it: an amount without the zeros that its type adds, a day without midnight."""
    if value is None:
        return None
    if re.fullmatch(r"-?\d+\.\d+", value):
        return value.rstrip("0").rstrip(".")
    return value.removesuffix(" 00:00:00")
