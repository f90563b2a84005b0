"""Three public campaign sets, landed by their mappings alone, hold what their files hold, influencer by influencer."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from ..conftest import Yard

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "campaigns"
SETS = ("abhy", "sathvi", "dransing")


def read(name: str, file: str) -> list[dict[str, str]]:
    (path,) = (FOLDER / name).glob(f"{file}*.csv")
    with path.open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def influencer_of(row: dict[str, str]) -> str:
    """The id of a row under any of its headers."""
    return next(row[header] for header in ("influencer_id", "ID", "id") if header in row)


def sums(rows: list[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for key, value in rows:
        found[key] += value
    return dict(found)


@pytest.fixture(params=SETS)
def landed(request: pytest.FixtureRequest, yard: Yard) -> tuple[str, Yard, dict[str, str]]:
    """Name of the set, its yard, and the file of each feed."""
    for path in (FOLDER / request.param).glob("*.csv"):
        yard.drop(f"{request.param}/{path.name}", path.read_bytes())
    yard.land()
    return request.param, yard, {batch["feed"]: batch["file"] for batch in yard.batches()}


def rows_of(yard: Yard, feed: str, columns: str) -> list[tuple[str, ...]]:
    import duckdb

    files = yard.query("select r.path from raw_files r join batches b using (batch_id) where b.feed = ?", feed)
    paths = [str(yard.settings.raw / row["path"]) for row in files]
    return duckdb.execute(f"select {columns} from read_parquet(?, hive_partitioning = false)", [paths]).fetchall()


def test_every_row_of_every_file_is_accepted_as_simulated(landed: tuple[str, Yard, dict[str, str]]) -> None:
    name, yard, _ = landed
    assert {batch["state"] for batch in yard.batches()} == {"accepted"}
    assert {batch["data_origin"] for batch in yard.batches()} == {"simulated"}
    counted = {batch["feed"]: batch["rows_accepted"] for batch in yard.batches()}
    files = {"account_snapshots": "influencers", "collaborations": "influencers", "orders": "tracking",
             "costs": "payouts", "post_snapshots": "posts", "collaboration_posts": "posts"}  # fmt: skip
    assert counted == {feed: len(read(name, file)) for feed, file in files.items()}


def test_revenue_orders_and_payouts_of_each_influencer(landed: tuple[str, Yard, dict[str, str]]) -> None:
    name, yard, _ = landed
    tracking, payouts = read(name, "tracking"), read(name, "payouts")
    orders = rows_of(yard, "orders", "promo_code, gross_amount, order_count")
    assert sums([(code, amount) for code, amount, _ in orders]) == sums(
        [(f"{name}-{influencer_of(row)}", Decimal(row["revenue"])) for row in tracking]
    )
    assert sums([(code, Decimal(count)) for code, _, count in orders]) == sums(
        [(f"{name}-{influencer_of(row)}", Decimal(row["orders"])) for row in tracking]
    )
    assert sums(rows_of(yard, "costs", "collaboration_id, amount")) == sums(
        [(f"{name}-{influencer_of(row)}", Decimal(row["total_payout"])) for row in payouts]
    )


def test_bases_spelled_in_two_ways_are_two_kinds_of_cost(landed: tuple[str, Yard, dict[str, str]]) -> None:
    name, yard, _ = landed
    kinds = {"order": "commission", "Per Order": "commission", "post": "fee", "Per Post": "fee"}
    assert sorted(rows_of(yard, "costs", "collaboration_id, cost_type")) == sorted(
        (f"{name}-{influencer_of(row)}", kinds[row["basis"]]) for row in read(name, "payouts")
    )
