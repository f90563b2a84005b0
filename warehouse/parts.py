"""Parts of a model: the days, or the months, by which it is replaced, hashed and published."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

DAY, MONTH = "day", "month"
# What a windowed model is replaced by where it says nothing.
USUAL_COLUMN = "snapshot_date"
# The part of rows whose date is null.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class PartColumn:
    """The date column that tells to which part a row belongs: its own day, or the month of it."""

    column: str
    by: str = DAY

    def label(self, day: str) -> str:
        """Name of the part that holds a day: `2026-01-05`, or `2026-01`."""
        return day[: len("2026-01")] if self.by == MONTH else day

    def first_day(self, day: str) -> str:
        """First day of the part that holds a day."""
        return f"{self.label(day)}-01" if self.by == MONTH else day

    def labels(self, days: Iterable[str]) -> list[str]:
        """Names of the parts that hold these days, in order, each once."""
        return sorted({self.label(day) for day in days})

    @property
    def label_sql(self) -> str:
        """The name of a row's part, in DuckDB's SQL."""
        label = f"strftime({self.column}, '%Y-%m')" if self.by == MONTH else f"cast({self.column} as varchar)"
        return f"coalesce({label}, '{UNKNOWN}')"

    def only(self, labels: Collection[str]) -> str:
        """Condition of the rows of these parts, in DuckDB's SQL: of dates, so that whole blocks are passed over."""
        dated = [label for label in labels if label != UNKNOWN]
        if self.by == DAY:
            spans = [f"{self.column} in ({', '.join(f'date {label!r}' for label in dated)})"] if dated else []
        else:
            starts = (f"date '{label}-01'" for label in dated)
            spans = [f"{self.column} >= {start} and {self.column} < {start} + interval 1 month" for start in starts]
        spans += [f"{self.column} is null"] if UNKNOWN in labels else []
        return " or ".join(spans) or "false"
