"""Small worlds for the suites: nights of canonical files, and what a check said."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.landing import land_files

from .world import publish

FIRST_DAY = date(2026, 1, 1)


@pytest.fixture
def night(settings: Settings) -> Callable[..., None]:
    """Land one file of one day: one row per number of followers, captured at 19:00 UTC."""

    def land(
        day: int, followers: Sequence[int | str], run_id: str = "r1", name: str = "accounts", columns: str = ""
    ) -> None:
        on = FIRST_DAY + timedelta(days=day)
        extra = "," * columns.count(",")
        rows = [f"youtube,a{n},{on}T19:00:00Z,{count}{extra}" for n, count in enumerate(followers)]
        folder = settings.landing / "account_snapshots"
        folder.mkdir(parents=True, exist_ok=True)
        header = f"platform,account_id,captured_at,followers{columns}"
        (folder / f"{name}_{on}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        land_files(settings, run_id, log=lambda _: None)

    return land


@pytest.fixture
def release(settings: Settings) -> Callable[[], None]:
    """Note that all that has landed is published."""
    return lambda: publish(settings)


@pytest.fixture
def recorded(settings: Settings) -> Callable[[str], dict[str, dict[str, Any]]]:
    """Check results in the ledger of one run, by expectation."""

    def read(run_id: str) -> dict[str, dict[str, Any]]:
        with ledger.read(settings) as connection:
            rows = connection.execute("select * from check_results where run_id = ?", (run_id,)).fetchall()
        return {row["expectation"]: dict(row) for row in rows}

    return read
