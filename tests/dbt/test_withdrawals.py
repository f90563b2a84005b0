"""Corrections and withdrawals, from landed files to the marts: what a delivery may take back, and what it may not."""

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from ingestion import landing, ledger, raw
from ingestion.config import Settings
from tests.dbt.commerce import World

LAST_DAY = date(2026, 1, 20)
HEADER = "order_id,customer_id,ordered_at,gross_amount,currency,status"
MAPPING = """
mapping: {name}
pattern: {name}_*.csv
file_time: {{regex: '(2026-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}}
{traits}
feed: orders
columns:
  order_id: {{from: order_id}}
  customer_id: {{from: customer_id}}
  ordered_at: {{from: ordered_at}}
  gross_amount: {{from: gross_amount}}
  currency: {{from: currency}}
{more}
"""
FULL = "delivers: full"
KEEP = "keep: \"status is empty or status != 'left'\""


@dataclass
class Shop:
    """A data folder with mappings, into which files are dropped and landed one by one."""

    settings: Settings
    runs: Iterator[int] = field(default_factory=count)

    def mapping(self, name: str, traits: str = FULL, more: str = "") -> None:
        folder = self.settings.config / "mappings"  # type: ignore[operator]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yml").write_text(MAPPING.format(name=name, traits=traits, more=more), encoding="utf-8")

    def land(self, name: str, rows: Iterable[str], written: int = 1, header: str = HEADER) -> None:
        """Land a file that was written at an hour of 12 January."""
        file = self.settings.landing / "orders" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        at = datetime(2026, 1, 12, written, tzinfo=UTC).timestamp()
        os.utime(file, (at, at))
        landing.land_files(self.settings, f"run {next(self.runs)}", lambda _: None)


def order(name: str, amount: int | str = 10, day: int = 5, status: str = "", customer: str = "c") -> str:
    return f"{name},{customer},2026-01-{day:02d}T10:00:00Z,{amount},USD,{status}"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make(tmp_path)


def make(folder: Path) -> Shop:
    settings = Settings(_env_file=None, data=folder / "data", config=folder / "config", settle_seconds=0.0)  # type: ignore[call-arg]
    made = Shop(settings)
    made.mapping("full")
    made.mapping("keep", KEEP)
    return made


@pytest.fixture
def marts(world: World) -> Callable[[Shop], World]:
    return lambda shop: world.build_landed(shop.settings, LAST_DAY)


def standing(world: World) -> dict[str, Any]:
    """Net that is left of each order that was ever placed."""
    return dict(
        world.query(
            "select concat_ws('/', nullif(shop, ''), order_id), sum(net_amount)"
            " from build.intermediate.int_order__revenue_dated group by 1"
        )
    )


def flagged(world: World) -> set[tuple[str, str, Any]]:
    return set(world.query("select record_id, issue, amount from groundswell.marts.fct_commerce_issue"))


GONE = "gone from a full delivery"


def test_a_full_delivery_withdraws_what_it_no_longer_holds(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a"), order("b", 20)])
    shop.land("full_2026-01-11.csv", [order("a", 11)])
    world = marts(shop)
    assert standing(world) == {"a": 11}
    assert flagged(world) == {("b", GONE, 20)}


def test_a_full_delivery_speaks_from_its_earliest_date_on(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("old", day=4), order("a", day=5), order("b", day=6)])
    shop.land("full_2026-01-11.csv", [order("a", day=5)])
    assert standing(marts(shop)) == {"old": 10, "a": 10}


def test_a_full_delivery_speaks_of_its_own_mapping_and_shop_alone(shop: Shop, marts) -> None:
    shop.mapping("us", more="  shop: {constant: us}")
    shop.mapping("by_row", more="  shop: {from: shop}")
    shop.land("by_hand_2026-01-09.csv", [order("typed")])
    shop.land("full_2026-01-10.csv", [order("a"), order("b")])
    shop.land("us_2026-01-10.csv", [order("a"), order("b")])
    with_shop = f"{HEADER},shop"
    shop.land("by_row_2026-01-10.csv", [f"{order('x')},eu", f"{order('x')},uk", f"{order('y')},uk"], header=with_shop)
    shop.land("us_2026-01-11.csv", [order("b")])
    shop.land("by_row_2026-01-11.csv", [f"{order('y')},uk"], header=with_shop)
    assert standing(marts(shop)) == {"typed": 10, "a": 10, "b": 10, "us/b": 10, "eu/x": 10, "uk/y": 10}


def test_an_empty_full_delivery_withdraws_nothing(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a")])
    shop.land("full_2026-01-11.csv", [])
    assert standing(marts(shop)) == {"a": 10}


def test_a_quarantined_row_withdraws_nothing_and_the_others_speak(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a"), order("b"), order("c")])
    shop.land("full_2026-01-11.csv", [order("a"), order("b", "many")])
    assert standing(marts(shop)) == {"a": 10, "b": 10}


def test_a_row_whose_key_cannot_be_read_lets_its_delivery_withdraw_nothing(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a"), order("b")])
    shop.land("full_2026-01-11.csv", [order("a"), order("")])
    world = marts(shop)
    assert standing(world) == {"a": 10, "b": 10}
    assert {(record, issue) for record, issue, _ in flagged(world)} == {
        ("orders/full_2026-01-11.csv", "full delivery is not complete")
    }


def test_parts_of_one_time_are_one_delivery_that_waits_for_all_of_them(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a"), order("b"), order("c"), order("gone")])
    manifest = {"files": [{"name": f"full_2026-01-11_{part}.csv"} for part in (1, 2)]}
    (shop.settings.landing / "orders" / "_manifest.json").write_text(json.dumps(manifest))
    shop.land("full_2026-01-11_1.csv", [order("a")])
    assert set(standing(marts(shop))) == {"a", "b", "c", "gone"}
    shop.land("full_2026-01-11_2.csv", ["not,an,order"], header="other,columns,here")
    assert set(standing(marts(shop))) == {"a", "b", "c", "gone"}
    shop.land("full_2026-01-11_2.csv", [order("b"), order("c")], written=2)
    assert set(standing(marts(shop))) == {"a", "b", "c"}


def pack(shop: Shop, name: str, members: dict[str, list[str]]) -> None:
    """Land a zip of CSV files."""
    file = shop.settings.landing / "orders" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for member, rows in members.items():
            archive.writestr(member, "\n".join([HEADER, *rows]) + "\n")
    landing.land_files(shop.settings, f"run {next(shop.runs)}", lambda _: None)


def test_a_full_delivery_may_come_in_a_zip(shop: Shop, marts) -> None:
    shop.land("dump_2026-01-10.csv", [order("a"), order("b"), order("gone")])
    manifest = {"files": [{"name": "dump_2026-01-11.zip", "delivers": "full"}]}
    (shop.settings.landing / "orders" / "_manifest.json").write_text(json.dumps(manifest))
    pack(shop, "dump_2026-01-11.zip", {"1.csv": [order("a")], "2.csv": [order("b")]})
    world = marts(shop)
    assert set(standing(world)) == {"a", "b"}
    assert flagged(world) == {("gone", GONE, 10)}


def test_a_full_delivery_in_two_zips_waits_for_both(shop: Shop, marts) -> None:
    shop.land("dump_2026-01-10.csv", [order("a"), order("b"), order("gone")])
    files = [{"name": f"dump_2026-01-11_{part}.zip", "delivers": "full"} for part in (1, 2)]
    (shop.settings.landing / "orders" / "_manifest.json").write_text(json.dumps({"files": files}))
    pack(shop, "dump_2026-01-11_1.zip", {"x.csv": [order("a")]})
    world = marts(shop)
    assert set(standing(world)) == {"a", "b", "gone"}
    assert [issue for _, issue, _ in flagged(world)] == ["full delivery is not complete"]
    pack(shop, "dump_2026-01-11_2.zip", {"x.csv": [order("b")]})
    assert set(standing(marts(shop))) == {"a", "b"}


def test_a_manifest_can_say_that_a_file_is_full(shop: Shop, marts) -> None:
    shop.land("dump_2026-01-10.csv", [order("a"), order("b")])
    manifest = {"files": [{"name": "dump_2026-01-11.csv", "delivers": "full"}]}
    (shop.settings.landing / "orders" / "_manifest.json").write_text(json.dumps(manifest))
    shop.land("dump_2026-01-11.csv", [order("a")])
    assert set(standing(marts(shop))) == {"a"}


def test_bytes_that_come_again_are_a_new_delivery(shop: Shop, marts) -> None:
    """A, B, A under one name whose time is that of its writing."""
    mapping = (shop.settings.config / "mappings" / "full.yml").read_text()  # type: ignore[operator]
    plain = "\n".join(line for line in mapping.splitlines() if "file_time" not in line)
    (shop.settings.config / "mappings" / "full.yml").write_text(plain)  # type: ignore[operator]
    first, second = [order("a"), order("b")], [order("a", 11), order("c")]
    shop.land("full_x.csv", first, written=1)
    shop.land("full_x.csv", second, written=2)
    assert standing(marts(shop)) == {"a": 11, "c": 10}
    shop.land("full_x.csv", first, written=3)
    assert standing(marts(shop)) == {"a": 10, "b": 10}
    with ledger.read(shop.settings) as connection:
        assert len(ledger.dirty_feeds(connection, str(LAST_DAY))) == 1


def test_a_full_delivery_speaks_of_what_came_under_the_same_value_of_its_name(shop: Shop, marts) -> None:
    shop.mapping("full", more="  city: {from_file_name: '([a-z]+).csv$'}")
    shop.land("full_2026-01-10_paris.csv", [order("a"), order("b")])
    shop.land("full_2026-01-10_rome.csv", [order("c"), order("d")])
    shop.land("full_2026-01-11_paris.csv", [order("a")])
    assert set(standing(marts(shop))) == {"a", "c", "d"}


def test_bytes_that_come_again_as_all_there_is_withdraw_nothing_beside_a_bad_row(shop: Shop, marts) -> None:
    """Which key the bad row has was not noted when the bytes were no full delivery."""
    shop.land("dump_2026-01-10.csv", [order("a"), order("b")])
    shop.land("dump_2026-01-11.csv", [order("a", 11), order("b", "many")])
    manifest = {"files": [{"name": "dump_2026-01-12.csv", "delivers": "full"}]}
    (shop.settings.landing / "orders" / "_manifest.json").write_text(json.dumps(manifest))
    shop.land("dump_2026-01-12.csv", [order("a", 11), order("b", "many")])
    assert set(standing(marts(shop))) == {"a", "b"}


FEES = """
mapping: fees
pattern: fees_*.csv
file_time: {{regex: '(2026-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}}
feeds:
{parts}
"""
A_FEE = """
  - feed: costs
    {trait}
    columns:
      cost_id: {{from: {kind}_id}}
      cost_date: {{from: day}}
      cost_type: {{constant: {kind}}}
      amount: {{from: {kind}}}
      currency: {{constant: USD}}
"""


@pytest.mark.parametrize(
    ("trait", "first", "second", "left"),
    [
        (FULL, ["f1,1,s1,2", "f2,3,s2,4"], ["f1,1,s1,2"], {"f1": 1, "s1": 2}),
        ("keep: \"{kind} != '0'\"", ["f1,1,s1,2", "f2,3,s2,4"], ["f1,0,s1,2", "f2,3,s2,0"], {"s1": 2, "f2": 3}),
    ],
    ids=["full", "keep"],
)
def test_a_feed_that_is_filled_twice_from_a_row_withdraws_of_both(
    shop: Shop, marts, trait: str, first: list[str], second: list[str], left: dict[str, int]
) -> None:
    parts = "".join(A_FEE.format(kind=kind, trait=trait.format(kind=kind)) for kind in ("fee", "shipping"))
    (shop.settings.config / "mappings" / "fees.yml").write_text(FEES.format(parts=parts))  # type: ignore[operator]
    for day, rows in ((10, first), (11, second)):
        file = shop.settings.landing / "costs" / f"fees_2026-01-{day}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        header = "day,fee_id,fee,shipping_id,shipping"
        file.write_text("\n".join([header, *(f"2026-01-05,{row}" for row in rows)]) + "\n")
    landing.land_files(shop.settings, "fees", lambda _: None)
    query = "select cost_id, amount from groundswell.marts.fct_spend_ledger where source = 'costs'"
    assert dict(marts(shop).query(query)) == left


def test_an_agreement_that_comes_as_a_b_a_has_three_versions(shop: Shop, marts) -> None:
    """The same bytes again are a delivery of their own, as of when they were written."""
    header = "collaboration_id,brand,platform,account_id,partner_type,cookie_window_days,start_date"
    file = shop.settings.landing / "collaborations" / "deals.csv"
    file.parent.mkdir(parents=True)
    for day, days in ((5, 10), (8, 20), (11, 10)):
        file.write_text(f"{header}\nK,acme,instagram,x,affiliate,{days},2026-01-01\n")
        at = datetime(2026, 1, day, tzinfo=UTC).timestamp()
        os.utime(file, (at, at))
        landing.land_files(shop.settings, f"day {day}", lambda _: None)
    query = "select valid_from, cookie_window_days from groundswell.marts.dim_collaboration_version order by 1"
    assert marts(shop).query(query) == [
        (date(2026, 1, 1), 10), (date(2026, 1, 8), 20), (date(2026, 1, 11), 10),
    ]  # fmt: skip


def test_further_lines_of_an_order_that_keep_leaves_out_take_nothing_back(shop: Shop, marts) -> None:
    """As in an export with a line per item, of which the first alone has the order's total."""
    shop.land("keep_2026-01-10.csv", [order("a"), order("a", "", status="left")])
    shop.land("keep_2026-01-11.csv", [order("a", 11), order("a", "", status="left")])
    world = marts(shop)
    assert standing(world) == {"a": 11}
    assert flagged(world) == set()


def test_a_key_in_other_letters_is_another_order(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a")])
    shop.land("full_2026-01-11.csv", [order("A")])
    world = marts(shop)
    assert standing(world) == {"A": 10}
    assert flagged(world) == {("a", GONE, 10)}


def test_what_keep_leaves_out_is_reversed_on_the_day_that_says_so(shop: Shop, marts) -> None:
    shop.land("keep_2026-01-10.csv", [order("a"), order("b")])
    shop.land("keep_2026-01-13.csv", [order("a", status="left")])
    world = marts(shop)
    assert world.query(
        "select event_type, event_date, orders, net_amount from build.intermediate.int_order__revenue_dated"
        " where order_id = 'a' order by event_date"
    ) == [("order", date(2026, 1, 5), 1, 10), ("cancellation", date(2026, 1, 13), -1, -10)]
    assert flagged(world) == {("a", "withdrawn by keep", 10)}


def test_left_out_ignored_leaves_the_earlier_row(shop: Shop, marts) -> None:
    shop.mapping("keep", f"{KEEP}\nleft_out: ignored")
    shop.land("keep_2026-01-10.csv", [order("a")])
    shop.land("keep_2026-01-13.csv", [order("a", status="left"), order("b")])
    assert standing(marts(shop)) == {"a": 10, "b": 10}


def test_keep_withdraws_only_what_its_own_mapping_has_loaded(shop: Shop, marts) -> None:
    shop.land("other_2026-01-10.csv", [order("a")])
    shop.land("keep_2026-01-13.csv", [order("a", status="left"), order("b")])
    assert standing(marts(shop)) == {"a": 10, "b": 10}


def test_an_order_that_comes_back_counts_again(shop: Shop, marts) -> None:
    shop.land("keep_2026-01-10.csv", [order("a")])
    shop.land("keep_2026-01-11.csv", [order("a", status="left"), order("b")])
    shop.land("keep_2026-01-12.csv", [order("a", 12)])
    assert standing(marts(shop)) == {"a": 12, "b": 10}


def test_a_cancelled_and_a_test_order(shop: Shop, marts) -> None:
    header = f"{HEADER},cancelled_at"
    shop.land("o_2026-01-10.csv", [f"{order('a')},", f"{order('b')},", f"{order('t')},"], header=header)
    rows = [f"{order('a', status='cancelled')},2026-01-08T09:00:00Z", f"{order('b', status='cancelled')},"]
    shop.land("o_2026-01-11.csv", [*rows, f"{order('t', status='test')},"], header=header)
    shop.land("o_2026-01-12.csv", rows, header=header)
    world = marts(shop)
    assert standing(world) == {"a": 0, "b": 0}
    assert world.query(
        "select order_id, event_date from build.intermediate.int_order__revenue_dated"
        " where event_type = 'cancellation' order by 1"
    ) == [("a", date(2026, 1, 8)), ("b", date(2026, 1, 11))]
    assert flagged(world) == {("a", "cancelled", 10), ("b", "cancelled", 10), ("t", "test order", 10)}


def put(shop: Shop, path: str, header: str, *rows: str) -> None:
    """Drop a file of any feed; the next landing takes it in."""
    file = shop.settings.landing / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


REFUNDS = "refund_id,order_id,refunded_at,amount,currency,goods_amount,tax_amount,shipping_amount"


def test_a_refund_of_a_cancelled_order_takes_at_most_what_is_left(shop: Shop, marts) -> None:
    """30 of 100 on the 6th; the cancellation of the 8th takes the other 70, and the refund of the 9th nothing."""
    refunds = ("r1,a,2026-01-06T10:00:00Z,30,USD,,,", "r2,a,2026-01-09T10:00:00Z,100,USD,,,")
    put(shop, "refunds/r_2026-01-12.csv", REFUNDS, *refunds)
    row = f"{order('a', 100, status='cancelled')},2026-01-08T09:00:00Z"
    shop.land("o_2026-01-12.csv", [row], header=f"{HEADER},cancelled_at")
    world = marts(shop)
    assert world.query(
        "select event_type, event_date, net_amount from build.intermediate.int_order__revenue_dated order by event_date"
    ) == [
        ("order", date(2026, 1, 5), 100), ("refund", date(2026, 1, 6), -30), ("cancellation", date(2026, 1, 8), -70),
        ("refund", date(2026, 1, 9), 0),
    ]  # fmt: skip
    assert flagged(world) == {("a", "cancelled", 100), ("r1", "order cancelled", 30), ("r2", "order cancelled", 100)}


def test_a_refund_of_a_test_order_takes_nothing_and_is_named(shop: Shop, marts) -> None:
    put(shop, "refunds/r_2026-01-12.csv", REFUNDS, "r1,a,2026-01-06T10:00:00Z,30,USD,,,")
    shop.land("o_2026-01-12.csv", [order("a", 100, status="test"), order("b")])
    world = marts(shop)
    assert standing(world) == {"b": 10}
    assert flagged(world) == {("a", "test order", 100), ("r1", "order withdrawn", 30)}


def test_parts_that_are_not_the_amount_are_named_and_the_goods_speak(shop: Shop, marts) -> None:
    """r1 is 1 cent off, which rounding may be; r2's goods are 20 of 50; r3's tax and shipping leave no goods."""
    put(
        shop, "refunds/r_2026-01-12.csv", REFUNDS, "r1,a,2026-01-06T10:00:00Z,12.01,USD,10,2,",
        "r2,b,2026-01-06T10:00:00Z,50,USD,20,2,1", "r3,c,2026-01-06T10:00:00Z,5,USD,,4,2",
    )  # fmt: skip
    shop.land("o_2026-01-12.csv", [order(name, 100) for name in "abc"])
    world = marts(shop)
    assert standing(world) == {"a": 90, "b": 80, "c": 100}
    assert flagged(world) == {("r2", "parts are not its amount", 50), ("r3", "parts are not its amount", 5)}


def test_parts_beyond_their_order_are_capped_and_named(shop: Shop, marts) -> None:
    put(shop, "refunds/r_2026-01-12.csv", REFUNDS, "r1,a,2026-01-06T10:00:00Z,150,USD,120,20,10")
    shop.land("o_2026-01-12.csv", [order("a", 100)])
    world = marts(shop)
    assert standing(world) == {"a": 0}
    assert flagged(world) == {("r1", "more than its order", None)}


def test_the_commission_of_a_withdrawn_order_is_owed_back_where_it_was_paid(shop: Shop, marts) -> None:
    """20 % of 100 accrued on the 5th and was paid on the 9th; on the 13th the order is left out. What is paid is spent."""
    shop.mapping("keep", KEEP, "  promo_code: {from: promo_code}")
    deal = "K,acme,instagram,kim,affiliate,KIM,R,2026-01-01"
    header = "collaboration_id,brand,platform,account_id,partner_type,promo_code,rule_id,start_date"
    put(shop, "collaborations/k_2026-01-01.csv", header, deal)
    rule = "rule_id,valid_from,kind,rate,applies_to"
    put(shop, "commission_rules/r_2026-01-01.csv", rule, "R,2025-01-01,percent,20,first_order")
    cost = "cost_id,collaboration_id,cost_date,cost_type,amount,currency"
    put(shop, "costs/c_2026-01-09.csv", cost, "p,K,2026-01-09,commission,20,USD")
    header = f"{HEADER},promo_code"
    shop.land("keep_2026-01-10.csv", [f"{order('a', 100)},KIM"], header=header)
    shop.land("keep_2026-01-13.csv", [f"{order('a', 100, status='left')},KIM", f"{order('b')},"], header=header)
    assert marts(shop).query(
        "select spend_commission_base, commission_accrued_base, commission_paid_base, commission_balance_base"
        " from groundswell.marts.fct_collaboration_roi where attribution_model = 'promo_code'"
    ) == [(20, 0, 20, -20)]


def test_a_later_file_of_one_time_wins_by_when_it_was_written(shop: Shop, marts) -> None:
    shop.land("o_2026-01-10.csv", [order("a", 1000)], written=1)
    shop.land("o_2026-01-10.csv", [order("a", 100)], written=2)
    shop.land("p_2026-01-10.csv", [order("a", 5000)], written=1)
    world = marts(shop)
    assert standing(world) == {"a": 100}
    assert flagged(world) == set()


def test_readings_that_tie_to_the_last_are_named(shop: Shop, marts) -> None:
    shop.land("o_2026-01-10.csv", [order("a", 1000)])
    shop.land("p_2026-01-10.csv", [order("a", 100)])
    world = marts(shop)
    assert standing(world) == {"a": 100}
    assert flagged(world) == {("a", "two files of one time", 100)}


def test_two_customers_of_one_order_are_both_named(shop: Shop, marts) -> None:
    shop.land("us_2026-01-10.csv", [order("a", 100, customer="us-1")], written=1)
    shop.land("eu_2026-01-10.csv", [order("a", 40, customer="eu-1")], written=2)
    assert flagged(marts(shop)) == {("a", "another customer, counted", 40), ("a", "another customer, not counted", 100)}


def test_a_rejected_delivery_withdraws_nothing_more(shop: Shop, marts) -> None:
    shop.land("full_2026-01-10.csv", [order("a"), order("b")])
    shop.land("full_2026-01-11.csv", [order("a")])
    with ledger.read(shop.settings) as connection:
        query = "select batch_id from batches where file like '%11.csv'"
        (batch,) = (row["batch_id"] for row in connection.execute(query))
    ledger.reject(shop.settings, batch, "a test")
    assert standing(marts(shop)) == {"a": 10, "b": 10}


def test_a_campaign_that_is_gone_is_only_named(shop: Shop, marts) -> None:
    mapping = (
        "mapping: plans\npattern: plans_*.csv\ndelivers: full\nfeed: campaigns\n"
        "file_time: {regex: '(2026-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}\ncolumns:\n"
        + "".join(f"  {name}: {{from: {name}}}\n" for name in ("campaign_id", "brand", "start_date", "end_date"))
    )
    (shop.settings.config / "mappings" / "plans.yml").write_text(mapping)  # type: ignore[operator]
    header = "campaign_id,brand,start_date,end_date"
    folder = shop.settings.landing / "campaigns"
    folder.mkdir(parents=True)
    for day, names in ((10, "CD"), (11, "C")):
        rows = [f"{name},acme,2026-01-01,2026-01-31" for name in names]
        (folder / f"plans_2026-01-{day}.csv").write_text("\n".join([header, *rows]) + "\n")
    shop.land("o_2026-01-10.csv", [order("a")])
    world = marts(shop)
    assert flagged(world) == {("D", GONE, None)}
    named = "select campaign_id from groundswell.marts.fct_campaign_roi where attribution_model = 'linear' order by 1"
    assert world.query(named) == [("C",), ("D",)]


MARTS = ("fct_attribution", "fct_commission_ledger", "fct_spend_ledger", "fct_commerce_issue", "fct_campaign_daily")
LINEAGE = {"fct_spend_ledger": " exclude (source_file, source_line)"}
names = st.lists(st.sampled_from("abcd"), unique=True, min_size=1, max_size=4)


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[str, list[str], int]]:
    """Up to four files of two mappings, each of a time of its own, and an order to land them in."""
    files = []
    for day in range(10, 10 + draw(st.integers(2, 4))):
        mapping = draw(st.sampled_from(("full", "keep")))
        statuses = ["", "cancelled", "left"] if mapping == "keep" else [""]
        rows = [
            order(name, draw(st.integers(1, 3)), draw(st.integers(4, 6)), draw(st.sampled_from(statuses)))
            for name in draw(names)
        ]
        files.append((f"{mapping}_2026-01-{day}.csv", rows, 1))
    return draw(st.permutations(files))


@given(files=deliveries())
@options(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_corrections_and_withdrawals_commute(
    world: World, tmp_path_factory, files: list[tuple[str, list[str], int]]
) -> None:
    found = []
    for ordered in (files, sorted(files)):
        shop = make(tmp_path_factory.mktemp("commute"))
        raw.write_empty_schemas(shop.settings)
        for name, rows, written in ordered:
            shop.land(name, rows, written)
        world.build_landed(shop.settings, LAST_DAY)
        found.append(
            {
                mart: sorted(map(str, world.query(f"select *{LINEAGE.get(mart, '')} from groundswell.marts.{mart}")))
                for mart in MARTS
            }
        )
    assert found[0] == found[1]
