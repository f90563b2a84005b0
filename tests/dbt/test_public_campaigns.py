"""Three public campaign sets: the marts equal a recomputation straight from their files, influencer by influencer."""

import csv
import shutil
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.config import PROJECT_DIR, Settings
from ingestion.lease import hold
from tests.dbt.conftest import Warehouse
from tests.dbt.money import quiet
from tests.integration import small
from warehouse.build import run as build

FOLDER = PROJECT_DIR / "tests" / "fixtures" / "campaigns"
SETS = ("abhy", "sathvi", "dransing")
LAST_DAY = date(2025, 12, 31)
Row = dict[str, str]


@cache
def read(name: str, file: str) -> list[Row]:
    (path,) = (FOLDER / name).glob(f"{file}*.csv")
    with path.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def influencer_of(row: Row) -> str:
    """The id of a row under any of its headers."""
    return next(row[header] for header in ("influencer_id", "ID", "id") if header in row)


def recomputed(name: str) -> dict[str, tuple[Decimal, int, Decimal | None, float | None]]:
    """Revenue, orders, payout and return on it by influencer, from the files alone; null where nobody was paid."""
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    orders: dict[str, int] = defaultdict(int)
    paid: dict[str, Decimal] = {}
    for row in read(name, "tracking"):
        revenue[influencer_of(row)] += Decimal(row["revenue"])
        orders[influencer_of(row)] += int(row["orders"])
    for row in read(name, "payouts"):
        paid[influencer_of(row)] = paid.get(influencer_of(row), Decimal(0)) + Decimal(row["total_payout"])
    return {
        one: (revenue[one], orders[one], paid.get(one), float(revenue[one] / paid[one]) if paid.get(one) else None)
        for one in (influencer_of(row) for row in read(name, "influencers"))
    }


def contradictions(name: str) -> set[str]:
    """Influencers whose payout is for another number of orders than was tracked."""
    tracked = {one: orders for one, (_, orders, _, _) in recomputed(name).items()}
    return {
        influencer_of(row)
        for row in read(name, "payouts")
        if row["orders"].strip() and float(row["orders"]) != tracked[influencer_of(row)]
    }


def land(folder: Path, name: str, payouts: str | None = None) -> Warehouse:
    """A set's files, landed as their author wrote them by the mappings `campaigns_<set>_*`, and built."""
    # Rupees are the base, for no rate to another currency belongs to the sets.
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, data=folder / "data", settle_seconds=0.0, lease_wait_seconds=5.0, base_currency="INR"
    )
    target = settings.landing / name
    target.mkdir(parents=True)
    for path in (FOLDER / name).glob("*.csv"):
        shutil.copyfile(path, target / path.name)
    if payouts is not None:
        (target / "payouts.csv").write_text(payouts)
    landed = landing.land_files(settings, "run", quiet)
    assert landed.rows_quarantined == 0
    with small.read_once(), hold(settings, "run", "test", quiet) as lease:
        assert build.build_marts(settings, "run", LAST_DAY, lease, quiet).status == "built"
    return Warehouse(settings, folder / "dbt")


@pytest.fixture(scope="module", params=SETS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Warehouse]:
    return request.param, land(tmp_path_factory.mktemp(request.param), request.param)


def test_revenue_orders_payouts_and_roas_of_each_influencer(built: tuple[str, Warehouse]) -> None:
    name, world = built
    rows = world.query(
        "select collaboration_id, net_revenue_base, orders, spend_base, roas"
        " from groundswell.marts.fct_collaboration_roi where attribution_model = 'promo_code'"
    )
    found = {one.removeprefix(f"{name}-"): figures for one, *figures in rows}
    expected = recomputed(name)
    assert set(found) == set(expected)
    for one, (revenue, orders, paid, roas) in expected.items():
        assert found[one] == [revenue, orders, paid, pytest.approx(roas) if roas is not None else None], one


def test_nothing_is_lost_on_the_way(built: tuple[str, Warehouse]) -> None:
    name, world = built
    totals = world.query(
        "select sum(net_revenue_base), sum(orders), sum(spend_base), sum(posts)"
        " from groundswell.marts.fct_collaboration_roi where attribution_model = 'promo_code'"
    )
    tracking = read(name, "tracking")
    assert totals == [
        (
            sum(Decimal(row["revenue"]) for row in tracking),
            sum(int(row["orders"]) for row in tracking),
            sum(Decimal(row["total_payout"]) for row in read(name, "payouts")),
            len(read(name, "posts")),
        )
    ]


def test_payouts_that_contradict_tracked_orders_are_reported_and_nothing_changes(built: tuple[str, Warehouse]) -> None:
    name, world = built
    flagged = world.query("select feed, record_id, issue from groundswell.marts.fct_commerce_issue")
    assert set(flagged) == {
        ("costs", f"{name}-{one}", "payout contradicts tracked orders") for one in contradictions(name)
    }
    assert len(flagged) == len(set(flagged)) == {"abhy": 55, "sathvi": 0, "dransing": 0}[name]


def test_a_payout_changed_by_one_order_is_reported(tmp_path: Path) -> None:
    sound = (FOLDER / "sathvi" / "payouts.csv").read_text()
    assert "1,Per Order,50,20.0,1000" in sound
    warehouse = land(tmp_path, "sathvi", sound.replace("1,Per Order,50,20.0,1000", "1,Per Order,50,21.0,1000"))
    assert warehouse.query("select record_id, explanation from groundswell.marts.fct_commerce_issue") == [
        ("sathvi-1", "it is for 21 orders, tracked are 20: counted as delivered")
    ]
