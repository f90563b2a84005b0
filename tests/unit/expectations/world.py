"""A small agency's nights: three platforms in a file each, orders of every day, and what a release leaves behind."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from expectations.run import check_landing
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.landing import land_files

FIRST_DAY = date(2026, 1, 1)
ROSTER = {"youtube": 100, "instagram": 60, "tiktok": 40}
# Nights that are published before the one that a test is about.
NIGHTS = 6
HEADER = "platform,account_id,captured_at,followers,views_total"
ORDER_HEADER = "order_id,customer_id,ordered_at,gross_amount,currency"
Row = tuple[str, str, str, int | str, int | str]


def day_of(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def accounts_of(number: int, platform: str, size: int | None = None, hour: int = 19) -> list[Row]:
    """A roster's rows of a day: YouTube rounds, so three in ten of its followers move; views of all accounts do."""
    rows: list[Row] = []
    for account in range(ROSTER.get(platform, 0) if size is None else size):
        followers = 1_000 * (account + 1)
        moves = platform != "youtube" or account % 10 < 3
        followers += number * (10 if moves else 0)
        views = 40 * followers + 1_000 * number
        rows.append((platform, f"{platform[:2]}{account:03d}", f"{day_of(number)}T{hour:02d}:00:00Z", followers, views))
    return rows


@dataclass
class World:
    """A data folder and its nights; `bad` of a test is the day after the published ones."""

    settings: Settings
    runs: int = 0
    said: dict[str, dict[str, object]] = field(default_factory=dict)

    def accounts(
        self, number: int, change: Callable[[Row], Row | None] = lambda row: row, name: str = "", **of: object
    ):
        """Lay a file per platform into landing; `change` alters each row, or leaves it out."""
        for platform in ROSTER:
            rows = [changed for row in accounts_of(number, platform, **of) if (changed := change(row))]  # type: ignore[arg-type]
            if rows:
                self.write(f"account_snapshots/{platform}{name}_{day_of(number)}.csv", HEADER, rows)

    def orders(self, number: int, count: int = 30, factor: int = 1, name: str = "orders", prefix: str = "o") -> None:
        """Lay a day's orders into landing: 40.00 to 69.00 each."""
        rows = [
            (f"{prefix}{number}-{order}", f"c{order}", f"{day_of(number)}T10:00:00Z", (40 + order % 30) * factor, "USD")
            for order in range(count)
        ]
        self.write(f"orders/{name}_{day_of(number)}.csv", ORDER_HEADER, rows)

    def write(self, path: str, header: str, rows: Iterable[tuple[object, ...]]) -> None:
        target = self.settings.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = [header, *(",".join(map(str, row)) for row in rows), ""]
        target.write_text("\n".join(lines), encoding="utf-8")

    def check(self, number: int) -> dict[str, dict[str, object]]:
        """Land what lies there and check it as a night of that day would; returns results by feed.check."""
        self.runs += 1
        run_id = f"run-{self.runs}"
        land_files(self.settings, run_id, log=lambda _: None)
        try:
            check_landing(self.settings, run_id, day_of(number), log=lambda _: None)
            self.message = ""
        except ContractError as error:
            self.message = str(error)
        with ledger.read(self.settings) as connection:
            rows = [dict(row) for row in ledger.checks_of_run(connection, run_id)]
        self.said = {f"{row['suite'].removeprefix('landing.')}.{row['expectation']}": row for row in rows}
        return self.said

    def failed(self, number: int) -> set[str]:
        """Names of the checks that fail, as feed.check."""
        return {name for name, row in self.check(number).items() if not row["passed"]}

    def blocking(self) -> set[str]:
        """Of the last night, the checks that block."""
        return {
            name
            for name, row in self.said.items()
            if not row["passed"] and row["severity"] == "critical" and not row["is_acknowledged"]
        }

    def batch(self, file: str) -> str:
        """The id of the batch of a file, by a part of its name."""
        with ledger.read(self.settings) as connection:
            [found] = connection.execute("select batch_id from batches where file like ?", (f"%{file}%",)).fetchall()
        return str(found["batch_id"])[:12]

    def publish(self) -> None:
        publish(self.settings)

    def copy_to(self, data: Path) -> "World":
        shutil.copytree(self.settings.data, data)
        return World(self.settings.model_copy(update={"data": data}), self.runs)


def publish(settings: Settings) -> None:
    """Leave behind what a release does: no dirty date, its time, and the accounts that readers know."""
    with ledger.write(settings) as connection:
        connection.execute("delete from dirty_dates")
        number = len(ledger.all_releases(connection))
        connection.execute(
            "insert into releases values (?, 'r0', '2026-01-01', null, null, ?, 'x')",
            (f"release-{number}", ledger.stamp()),
        )
        files = ledger.raw_files_between(connection, "account_snapshots", "2000-01-01", "2100-01-01")
    folder = settings.published / "latest" / "marts" / "dim_account"
    folder.mkdir(parents=True, exist_ok=True)
    if files:
        duckdb.sql(
            "select distinct platform, account_id, date '2026-01-01' as last_seen_date from read_parquet($paths, union_by_name = true)",
            params={"paths": [str(settings.raw / row["path"]) for row in files]},
        ).write_parquet(str(folder / "data.parquet"))


def usual(settings: Settings) -> World:
    """Six nights of all platforms and orders, published."""
    world = World(settings)
    for number in range(NIGHTS):
        world.accounts(number)
        world.orders(number)
    failed = world.failed(NIGHTS - 1)
    assert failed == set(), failed
    world.publish()
    return world
