"""Feeds that never landed cost nothing, and their marts are never stale: first rows, rows rejected, an erasure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from warehouse import pipeline
from warehouse.build import dbt

from . import night, small
from .conftest import content
from .small import Capture, day, deliver

FILES = {
    "campaigns": "campaign_id,brand,objective,start_date,end_date\nc1,Acme,sales,2026-01-01,2026-01-31\n",
    "collaborations": "collaboration_id,campaign_id,brand,platform,account_id,partner_type,promo_code,start_date\n"
    "k1,c1,Acme,youtube,a,paid,A10,2026-01-01\n",
    "orders": "order_id,customer_id,ordered_at,gross_amount,currency,promo_code\n"
    "o1,x,2026-01-03T10:00:00Z,100.00,USD,A10\n",
    "fx_rates": "rate_date,currency,rate_to_base\n2026-01-01,USD,1\n",
}
OF_ORDERS = {"fct_attribution", "fct_commission_ledger", "fct_promo_code_daily", "fct_spend_ledger"}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set[str]]]:
    """Names of the nodes that dbt built, a set for each night."""
    nights: list[set[str]] = []
    really_run = dbt.run_dbt

    def run(*given: Any) -> list[dict[str, Any]]:
        results = really_run(*given)
        nights.append({str(result["name"]) for result in results})
        return results

    monkeypatch.setattr(dbt, "run_dbt", run)
    night.check_no_trust(monkeypatch)
    with small.read_once(small.read_marts(*small.OF_TIERS, *sorted(OF_ORDERS))):
        yield nights


def land_money(settings: Settings) -> None:
    for feed, text in FILES.items():
        folder = settings.landing / feed
        folder.mkdir(parents=True)
        (folder / f"{feed}_2026-01-03.csv").write_text(text)


def accounts(settings: Settings, last: int) -> None:
    for number in range(1, last + 1):
        deliver(settings, f"day{number}", [Capture("a", number, followers=1000 * number)])


def fresh(tmp_path: Path, name: str, last: int, with_money: bool, without_orders: bool = False) -> dict[str, Any]:
    """Marts of a world that is built once, with all that counts in the other one."""
    alone = small.world(tmp_path, name)
    accounts(alone, last)
    if with_money:
        land_money(alone)
    if without_orders:
        (alone.landing / "orders" / "orders_2026-01-03.csv").unlink()
    night.run(alone, "alone", day(last))
    return content(alone)


def rows(settings: Settings, mart: str) -> int:
    with duckdb.connect(str(settings.published / "groundswell.duckdb"), read_only=True) as released:
        found = released.execute(f"select count(*) from marts.{mart}").fetchone()
    return int(found[0]) if found else 0


def test_marts_of_feeds_that_come_and_go_are_never_stale(tmp_path: Path, built: list[set[str]]) -> None:
    world = small.world(tmp_path, "world")
    accounts(world, 1)
    night.run(world, "first", day(1))
    assert built[0] >= OF_ORDERS
    with duckdb.connect(str(world.marts_db)) as marts:
        marts.execute("create table marts.fct_of_an_older_version as select 1 as n")
    accounts(world, 2)
    night.run(world, "second", day(2))
    # Nothing of orders is run, nor tested; the accounts are.
    assert not built[1] & (OF_ORDERS | {"stg_landing__orders", "int_order__orders_valued"})
    assert "fct_account_daily" in built[1]
    assert len(built[1]) < len(built[0]) / 2
    # A relation that no model owns is in no release.
    assert "fct_of_an_older_version" not in content(world)

    accounts(world, 3)
    land_money(world)
    night.run(world, "third", day(3))
    assert built[2] >= OF_ORDERS
    assert rows(world, "fct_attribution") > 0
    assert content(world) == fresh(tmp_path, "with orders", 3, with_money=True)

    with ledger.read(world) as connection:
        [orders] = ledger.accepted_batch_ids(connection, "orders")
    ledger.reject(world, orders, "of another shop")
    night.run(world, "fourth", day(3))
    assert rows(world, "fct_attribution") == 0
    assert content(world) == fresh(tmp_path, "without orders", 3, with_money=True, without_orders=True)

    pipeline.erase(world, "youtube", "a", night.quiet)
    assert rows(world, "fct_account_daily") == 0
    assert rows(world, "dim_account") == 0
