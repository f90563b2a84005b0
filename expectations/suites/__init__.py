"""What a suite is made of, as plain data: no suite imports Great Expectations.

A frame has one row per subject (a date, a file, the run) and one column per check. A null cell is "not evaluated":
too little to compare with, or not this row's business.
"""

import re
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

    def is_outside(self, value: float | None) -> bool:
        """Whether a value fails; one that is not evaluated does not."""
        if value is None:
            return False
        return (self.minimum is not None and value < self.minimum) or (
            self.maximum is not None and value > self.maximum
        )

    def is_worse(self, value: float, before: float) -> bool:
        """Whether a value that fails lies farther out than another one, beyond what a sum's last digits tell."""
        close = 1e-9 * max(1.0, abs(before))
        if self.minimum is not None and value < self.minimum:
            return value < before - close
        return value > before + close

    def __str__(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:g} .. {self.maximum:g}"
        return f"at least {self.minimum:g}" if self.maximum is None else f"at most {self.maximum:g}"


@dataclass(frozen=True)
class Check:
    """One expectation: every value of the frame's column `name` lies within the threshold.

    Args:
        remedy: what a person can do, in words that end a message; `make acknowledge` is named by itself.
        is_contract: nobody can acknowledge it: what was to be checked is not known.
    """

    name: str
    severity: Severity
    threshold: Threshold
    remedy: str = ""
    is_contract: bool = False

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
    notes: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        complete = Threshold(
            minimum=self.expected_rows,
            observed="an empty frame passes every other check",
            date="Great Expectations 1.24.1, 2026-01",
            reason="Every date or file that the ledger names must have been measured.",
        )
        missing = "a date that the ledger names was not measured"
        self.checks.insert(0, Check(ROW_COUNT, "critical", complete, missing, is_contract=True))

    def measure(self, check: str, subject: str, value: float | None, batches: str = "", note: str = "") -> None:
        """Set one cell.

        Args:
            subject: what was seen, in words that hold its date: by them a person acknowledges it.
            batches: the start of the batch ids behind it, separated by blanks.
            note: what it looks like, for the message where it fails.
        """
        self.rows.setdefault((subject, batches), {})[check] = value
        if note:
            self.notes[check, subject, batches] = note


def date_of(subject: str) -> str | None:
    """The date that a subject names, null where it names none."""
    found = re.search(r"\b\d{4}-\d{2}-\d{2}\b", subject)
    return found[0] if found else None
