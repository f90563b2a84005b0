"""`make acknowledge`: a person publishes over a critical check of data, once, with name, time and reason."""

import getpass
import json
from datetime import date

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import UsageError


def acknowledge(settings: Settings, check: str, day: date, why: str, platform: str | None = None) -> list[str]:
    """Note that what a check of the last run found on a date is meant. Returns lines for people.

    It holds for these subjects while they are no worse than they were: with more, the check fails again.
    Raises UsageError, which says what can be acknowledged, for a check that did not fail, a warning, or a contract.

    Args:
        check: its name, or suite and name with a point between them, as a message has it.
        platform: of several platforms this one alone.
    """
    if not why.strip():
        raise UsageError('say why: make acknowledge CHECK=... DATE=... WHY="the roster was halved on purpose"')
    with ledger.write(settings) as connection:
        run_id = ledger.last_checked_run(connection)
        failed = [row for row in ledger.checks_of_run(connection, run_id) if not row["passed"]]
        row = _the_one(failed, check, run_id)
        found = [item for item in json.loads(row["failures"]) if item["date"] == str(day)]
        if platform:
            found = [item for item in found if platform in item["subject"].replace(",", " ").split()]
        if not found:
            raise UsageError(f"{_name(row)} did not fail at {platform or 'any subject'} on {day}; {_can(failed)}")
        ledger.record_acknowledged(
            connection,
            [
                ledger.Acknowledged(
                    row["suite"], row["expectation"], item["subject"], item["date"], item["value"],
                    why.strip(), _user(), ledger.stamp(),
                )
                for item in found
            ],
        )  # fmt: skip
    return [
        *(f"acknowledged {_name(row)}: {item['value']:g} at {item['subject']}" for item in found),
        "it does not block while it is no worse than this; make nightly publishes",
    ]


def _the_one(failed: list[ledger.Row], check: str, run_id: str | None) -> ledger.Row:
    """The failed critical check that a person names. Raises UsageError."""
    named = [row for row in failed if check in (row["expectation"], _name(row))]
    open_ = [row for row in named if row["failures"]]
    if len(open_) == 1:
        return open_[0]
    if len(open_) > 1:
        raise UsageError(f"several checks are named {check}; say which: CHECK={' or CHECK='.join(map(_name, open_))}")
    if any(row["severity"] == "warning" for row in named):
        raise UsageError(f"{check} is a warning, which blocks nothing")
    if any(row["is_acknowledged"] for row in named):
        raise UsageError(f"{check} is acknowledged already; make nightly publishes")
    if named:
        raise UsageError(
            f"{check} is a contract, which nobody can acknowledge: a key is broken or a check could not be made;"
            " docs/runbooks/nightly.md says what to do"
        )
    raise UsageError(f"no check {check!r} failed in run {run_id}; {_can(failed)}")


def _can(failed: list[ledger.Row]) -> str:
    """What of a run can be acknowledged."""
    dates = [
        f"CHECK={_name(row)} DATE={day}"
        for row in failed
        if row["failures"]
        for day in sorted({item["date"] for item in json.loads(row["failures"]) if item["date"]})
    ]
    return f"what can be: {'; '.join(dates)}" if dates else "nothing of that run can be"


def _name(row: ledger.Row) -> str:
    return f"{row['suite']}.{row['expectation']}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
