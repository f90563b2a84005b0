"""What a suite is made of, as plain data: no suite imports Great Expectations.

A frame has one row per subject (a date, a file, the run) and one column per check. A null cell is "not evaluated":
too little to compare with, or not this row's business.
"""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "warning"]
ROW_COUNT = "frame_is_complete"
# Failing values, and batches, that a result names; how many more there are is counted.
NAMED = 5


@dataclass(frozen=True)
class Threshold:
    """Bounds of a metric, both inclusive, with the fact they were set from.

    Args:
        observed: what real data showed.
        date: the day or days of that observation.
        reason: why the bound stands where it does.
    """

    observed: str
    date: str
    reason: str
    minimum: float | None = None
    maximum: float | None = None

    def __str__(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:g} .. {self.maximum:g}"
        return f"at least {self.minimum:g}" if self.maximum is None else f"at most {self.maximum:g}"


@dataclass(frozen=True)
class Check:
    """One expectation: every value of the frame's column `name` lies within the threshold."""

    name: str
    severity: Severity
    threshold: Threshold
    remedy: str = ""

    @property
    def description(self) -> str:
        """What Data Docs show."""
        limit = self.threshold
        return f"{self.name} [{self.severity}]: {limit}. Observed: {limit.observed} ({limit.date}). {limit.reason}"


@dataclass
class Suite:
    """Checks with the frame they evaluate.

    Args:
        expected_rows: rows the frame must have at least, counted apart from it: an empty one passes all other checks.
        files: names of the landed files behind the rows, by the first 12 characters of their batch.
    """

    name: str
    checks: list[Check]
    expected_rows: int
    files: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, str], dict[str, float | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        complete = Threshold(
            minimum=self.expected_rows,
            observed="an empty frame passes every other check",
            date="Great Expectations 1.24.1, 2026-01",
            reason="Every date or file that the ledger names must have been measured.",
        )
        self.checks.insert(0, Check(ROW_COUNT, "critical", complete, "a date that the ledger names was not measured"))

    def measure(self, check: str, subject: str, value: float | None, batches: str = "") -> None:
        """Set one cell. `batches` is the start of the batch ids behind it, separated by blanks."""
        self.rows.setdefault((subject, batches), {})[check] = value
