"""Readers in four modes while 30 releases are shown: no read is wrong, mixed, empty or failed."""

import random
import shutil
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from ingestion.config import Settings
from serving import postgres as target
from tests.postgres import Database, settings_for, write_release

RELEASES = 30
# Every row of a release holds its number, and each mart has rows of its own count.
ROWS = {"dim_account": 7, "fct_account_daily": 400, "fct_post": 60}
READ = "select count(*), min(number), max(number) from marts.{}"


def write(settings: Settings, number: int) -> None:
    """A release of this number; the four before it are kept."""
    tables = {mart: f"select range as id, {number} as number from range({rows})" for mart, rows in ROWS.items()}
    write_release(settings, number, tables, {mart: ["id"] for mart in ROWS})
    shutil.rmtree(settings.published / "releases" / f"20260105T021500-{number - 4:06x}", ignore_errors=True)


class Reader(threading.Thread):
    """Reads until it is told to stop. `numbers` are the releases that it saw, in order; `wrong` is what it cannot be."""

    def __init__(self, postgres: Database, mode: str, stop: threading.Event) -> None:
        super().__init__(name=mode)
        self.postgres, self.mode, self.stop = postgres, mode, stop
        self.numbers: list[int] = []
        self.wrong: list[str] = []
        self.longest = 0.0

    def run(self) -> None:
        chance = random.Random(self.mode)
        try:
            with self.postgres.connect(autocommit=not self.mode.isupper()) as connection:
                if self.mode.isupper():
                    connection.isolation_level = psycopg.IsolationLevel[self.mode]
                while not self.stop.is_set():
                    began = time.monotonic()
                    self.take(connection, chance)
                    self.longest = max(self.longest, time.monotonic() - began)
                    time.sleep(chance.uniform(0, 0.02))
        except psycopg.Error as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    def take(self, connection: "psycopg.Connection[tuple[Any, ...]]", chance: random.Random) -> None:
        """Read one mart, or in one transaction all of them, in an order of chance."""
        if not self.mode.isupper():
            self.check([self.one(connection, chance.choice(list(ROWS)))])
            return
        with connection.transaction():
            if chance.random() < 0.3:
                # A snapshot that is taken before any mart is asked for.
                connection.execute("select 1").fetchone()
                time.sleep(chance.uniform(0, 0.05))
            found = []
            for mart in chance.sample(list(ROWS), len(ROWS)):
                found.append(self.one(connection, mart))
                time.sleep(chance.uniform(0, 0.01))
            self.check(found)

    def one(self, connection: "psycopg.Connection[tuple[Any, ...]]", mart: str) -> int:
        rows, least, most = connection.execute(  # type: ignore[misc]
            READ.format(mart),
            prepare=self.mode == "prepared",  # type: ignore[arg-type]
        ).fetchone()
        if rows != ROWS[mart] or least != most:
            self.wrong.append(f"{mart}: {rows} rows of releases {least} to {most}")
        return int(most or 0)

    def check(self, found: list[int]) -> None:
        if len(set(found)) != 1:
            self.wrong.append(f"mixed: {found}")
        if self.numbers and found[0] < self.numbers[-1]:
            self.wrong.append(f"{found[0]} after {self.numbers[-1]}")
        self.numbers.append(found[0])


MODES = ("autocommit", "prepared", "READ_COMMITTED", "REPEATABLE_READ")


def test_no_read_is_wrong_mixed_or_empty(settings: Settings, postgres: Database) -> None:
    world = settings_for(settings, postgres.url())
    write(world, 1)
    target.follow(world, lambda _: None)
    stop = threading.Event()
    readers = [Reader(postgres, mode, stop) for mode in MODES]
    for reader in readers:
        reader.start()
    shown = []
    for number in range(2, RELEASES + 2):
        write(world, number)
        shown.append(target.follow(world, lambda _: None))
    stop.set()
    for reader in readers:
        reader.join()
    seconds = sorted(each.swap_seconds for each in shown)
    print(
        f"\n{len(shown)} swaps: median {statistics.median(seconds) * 1000:.0f} ms, longest {seconds[-1] * 1000:.0f} ms,"
        f" {sum(each.attempts for each in shown) - len(shown)} tried again"
    )
    for reader in readers:
        print(f"{reader.name}: {len(reader.numbers)} reads of {len(set(reader.numbers))} releases,"
              f" longest {reader.longest:.2f} s, wrong {len(reader.wrong)}")  # fmt: skip
    assert {reader.name: reader.wrong for reader in readers} == {mode: [] for mode in MODES}
    assert all(len(set(reader.numbers)) >= RELEASES // 3 for reader in readers)
    assert postgres.rows(READ.format("fct_post")) == [(60, RELEASES + 1, RELEASES + 1)]


def test_a_swap_that_is_no_transaction_is_found(
    settings: Settings, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readers see what a swap view by view, each in a transaction of its own, would do to them."""
    world = settings_for(settings, postgres.url())
    write(world, 1)
    target.follow(world, lambda _: None)
    write(world, 2)
    really: Callable[..., None] = target._replace_views

    def half(session: Any, schema: str, marts: list[Any], until: float) -> None:
        really(session, schema, marts[:1] + [mart for mart in marts[1:] if mart.name == "nothing"], until + 60)

    monkeypatch.setattr(target, "_our_views", lambda _: [])
    monkeypatch.setattr(target, "_replace_views", half)
    target.follow(world, lambda _: None)
    reader = Reader(postgres, "REPEATABLE_READ", threading.Event())
    with postgres.connect(autocommit=False) as connection:
        reader.take(connection, random.Random(1))
    assert any(words.startswith("mixed") for words in reader.wrong)
