"""What a capture would take, before a call is made."""

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import load_feeds
from ingestion.raw import columns_of, stored
from ingestion.sources.capture import asked_of
from ingestion.sources.catalog import SOURCES
from ingestion.sources.platform import Source
from ingestion.sources.settings import Entry

# A call with its way there and back, beside what the rate allows.
SECONDS_A_CALL = 0.3


@dataclass(frozen=True)
class Forecast:
    """What all targets of a day take of a source, at least: an account with many young posts may need more pages."""

    source: str
    accounts: int
    posts: int
    calls: int
    units: int
    money: Decimal
    minutes: float
    unit: str
    most_units: int | None
    most_money: Decimal | None
    problems: list[str]

    @property
    def line(self) -> str:
        """For people."""
        budget = f" of {self.most_units:,}" if self.most_units is not None else ""
        cost = f", {self.units:,}{budget} {self.unit}s" if self.unit != "call" or budget else ""
        money = f", money {self.money}" if self.money else ""
        of = f" of {self.most_money}" if self.money and self.most_money is not None else ""
        whom = f"{self.accounts:,} accounts, {self.posts:,} posts by id"
        return f"{self.source}: {whom}: {self.calls:,} calls{cost}{money}{of}, about {self.minutes:,.1f} minutes"

    @property
    def is_over(self) -> bool:
        """Whether the budget holds less than that."""
        units = self.most_units is not None and self.units > self.most_units
        return units or (self.most_money is not None and self.money > self.most_money)


def forecast(settings: Settings, name: str, entry: Entry, now: datetime) -> Forecast:
    """What a whole capture of today takes; nobody is asked."""
    source = SOURCES[name]
    asked, problems = asked_of(settings, source, entry, now)
    if entry.arrivals:
        asked = replace(asked, options={**asked.options, "followers": known_followers(settings, source)})
    calls = units = 0
    money = Decimal(0)
    for call in source.forecast(asked):
        calls, units, money = calls + 1, units + call.units, money + call.money
    waiting = max(0.0, calls - source.burst) / source.per_second
    most = entry.budget.units if entry.budget.units is not None else source.units_a_day
    return Forecast(
        name, len(asked.accounts), len(asked.posts), calls, units, money,
        max(waiting, calls * SECONDS_A_CALL) / 60, source.unit, most, entry.budget.money, problems,
    )  # fmt: skip


def known_followers(settings: Settings, source: Source) -> dict[str, int]:
    """Followers that a source told last of each account, by its id and its handle."""
    with ledger.read_copy(settings) as connection:
        rows = ledger.raw_files_of_mappings(connection, source.mappings)
    told = [row for row in rows if row["feed"] == "account_snapshots" and row["state"] == "accepted"]
    last = max((row["snapshot_date"] for row in told), default=None)
    files = [settings.raw / row["path"] for row in told if row["snapshot_date"] == last]
    if not files:
        return {}
    columns = columns_of(load_feeds()["account_snapshots"])
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        found = reader.execute(
            f"select account_id, handle, followers from {stored(columns, files)} where followers is not null"
        ).fetchall()
    return {name: followers for account, handle, followers in found for name in (account, handle) if name}
