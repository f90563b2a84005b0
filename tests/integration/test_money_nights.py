"""Money cases from public bug reports, run as nights: each with ids of its own in one shared world.

Every expected amount is worked out beside it. Amounts are USD and the rule is 20 % of net of first orders.
"""

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.config import Settings

from . import night
from .conftest import make_settings, reading

pytestmark = pytest.mark.usefixtures("money_alone")

FIRST, SECOND, THIRD = date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 7)
ORDERS = "order_id,customer_id,ordered_at,gross_amount,tax_amount,shipping_amount,currency,promo_code"
REFUNDS = "refund_id,order_id,refunded_at,amount,currency"
COLLABORATIONS = "collaboration_id,brand,platform,account_id,partner_type,promo_code,rule_id,start_date"
OWNERS = (
    "01-K", "02-K", "03-KA", "03-KB", "03-KC", "08-KA", "08-KB", "08-KC", "08-KD", "11-K1", "11-K2", "04-K", "28-K", "29-K",
)  # fmt: skip
EXPORT = """
mapping: bug01
pattern: 01-orders-????-??-??.csv
file_time: {regex: '(\\d{4}-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}
feed: orders
keep: "status != 'cancelled'"
ignore: [status]
columns:
  order_id: {from: id}
  customer_id: {from: customer}
  ordered_at: {from: created}
  gross_amount: {from: total}
  currency: {from: currency}
  promo_code: {from: code}
"""
# The shop renames columns from one night to the next; a mapping of the new names reads the same amounts.
RENAMED = """
mapping: renamed_{name}
pattern: 04-{name}_*.csv
file_time: {{regex: '(\\d{{4}}-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}}
feed: orders
columns:
  order_id: {{from: order_id}}
  customer_id: {{from: customer_id}}
  ordered_at: {{from: ordered_at}}
  gross_amount: {{from: gross_amount}}
  shipping_amount: {{from: shipping_amount}}
  currency: {{from: currency}}
{columns}
"""
RENAMINGS = {
    "totals": {"discount_amount": "total_discounts", "tax_amount": "total_tax", "promo_code": "promo_code"},
    "codes": {"discount_amount": "total_discounts", "tax_amount": "total_tax", "promo_code": "discount_code"},
}
OF_A_SHOP = """
mapping: shop_{shop}_{feed}
pattern: 11-{feed}-{shop}_*.csv
file_time: {{regex: '(\\d{{4}}-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}}
feed: {feed}
columns:
  shop: {{constant: {shop}}}
{columns}
"""
FULL = """
mapping: dump_{feed}
pattern: 28-{feed}.csv
delivers: full
feed: {feed}
columns:
{columns}
"""


def same_names(header: str) -> str:
    return "\n".join(f"  {name}: {{from: {name}}}" for name in header.split(","))


def drop(settings: Settings, path: str, header: str, *rows: str, hour: float = 0, day: date = FIRST) -> None:
    """A file in landing that was written at an hour of a day: what carries no time in its name speaks as of then."""
    file = settings.landing / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    written = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + 3600 * (1 + hour)
    os.utime(file, (written, written))


def first_night(settings: Settings) -> None:
    drop(
        settings, "collaborations/collaborations_2026-03-01.csv", COLLABORATIONS,
        *(f"{owner},glow,instagram,a,affiliate,{owner},R20,2026-03-01" for owner in OWNERS),
    )  # fmt: skip
    rule = "R20,2026-01-01,percent,20,first_order"
    drop(settings, "commission_rules/rules_2026-03-01.csv", "rule_id,valid_from,kind,rate,applies_to", rule)
    header = "id,customer,created,total,currency,code,status"
    drop(
        settings, "orders/01-orders-2026-03-05.csv", header,
        "01-o1,c,2026-03-05T10:00:00Z,100,USD,01-K,processing", "01-o2,c,2026-03-05T11:00:00Z,80,USD,01-K,processing",
    )  # fmt: skip
    drop(
        settings, "orders/02-orders_2026-03-05.csv", ORDERS,
        "02-o1,c,2026-03-04T10:00:00Z,100,,,USD,02-K", "02-o2,c,2026-03-04T10:00:00Z,100,,,USD,02-K",
    )  # fmt: skip
    minus = ("02-r1,02-o1,2026-03-05T10:00:00Z,-100.00,USD", "02-r2,02-o2,2026-03-05T10:00:00Z,-40.00,USD")
    drop(settings, "refunds/02-refunds_2026-03-05.csv", REFUNDS, *minus)
    drop(
        settings, "orders/03-orders_2026-03-05.csv", ORDERS,
        *(f"03-o{name},c,2026-03-04T10:00:00Z,100,,,USD,03-K{name}" for name in "ABC"),
    )  # fmt: skip
    drop(
        settings, "refunds/03-refunds_2026-03-05.csv", REFUNDS,
        "03-rA,03-oA,2026-03-05T10:00:00Z,20,USD", "03-rA,03-oA,2026-03-05T10:00:00Z,20,USD",
        "03-rB,03-oB,2026-03-05T10:00:00Z,20,USD", "03-rB,03-oB,2026-03-05T10:00:00Z,30,USD",
    )  # fmt: skip
    lines = REFUNDS.replace("refund_id", "refund_id,refund_line_id")
    drop(settings, "refunds/03-lines_2026-03-05.csv", lines, "03-rC,1,03-oC,2026-03-05T10:00:00Z,20,USD")
    drop(
        settings, "orders/08-orders_2026-03-05.csv", ORDERS,
        *(f"08-o{name},c,2026-03-04T10:00:00Z,247,34,106,USD,08-K{name}" for name in "ABCD"),
    )  # fmt: skip
    drop(
        settings, "refunds/08-refunds_2026-03-05.csv", f"{REFUNDS},goods_amount,tax_amount,shipping_amount",
        "08-rA,08-oA,2026-03-05T10:00:00Z,247,USD,107,34,106", "08-rB,08-oB,2026-03-05T10:00:00Z,106,USD,,,106",
        "08-rC,08-oC,2026-03-05T10:00:00Z,107,USD,107,,", "08-rD1,08-oD,2026-03-05T10:00:00Z,100,USD,,,",
        "08-rD2,08-oD,2026-03-05T11:00:00Z,247,USD,,,",
    )  # fmt: skip
    drop(
        settings, "orders/11-orders-us_2026-03-05.csv", ORDERS,
        "1001,11-us-1,2026-03-04T10:00:00Z,100,,,USD,11-K1", "1002,11-us-2,2026-03-04T10:00:00Z,50,,,USD,11-K1",
    )  # fmt: skip
    drop(
        settings, "orders/11-orders-eu_2026-03-05.csv", ORDERS,
        "1001,11-eu-1,2026-03-04T12:00:00Z,40,,,USD,11-K2", "1003,11-eu-2,2026-03-04T12:00:00Z,70,,,USD,11-K2",
    )  # fmt: skip
    drop(settings, "refunds/11-refunds-us_2026-03-05.csv", REFUNDS, "11-r1,1001,2026-03-05T10:00:00Z,100,USD")
    order = "28-o1,c,2026-03-03T10:00:00Z,100,,,USD,28-K"
    drop(settings, "orders/28-orders.csv", ORDERS, order, "28-test1,c,2026-03-03T10:00:00Z,9999,,,USD,28-K")
    costs = "cost_id,collaboration_id,cost_date,cost_type,amount,currency"
    drop(settings, "costs/28-costs.csv", costs, "28-f1,28-K,2026-03-01,fee,5000,USD")
    header = (
        "order_id,customer_id,ordered_at,gross_amount,shipping_amount,currency,discount_amount,tax_amount,promo_code"
    )
    drop(settings, "orders/04-orders_2026-03-05.csv", header, "04-o1,c,2026-03-05T10:00:00Z,130,2,USD,20,8,04-K")
    for name, amount in (("29-orders_2026-03-04", 1000), ("29-more_2026-03-04", 2000)):
        drop(settings, f"orders/{name}.csv", ORDERS, f"{name[:7]},x,2026-03-04T10:00:00Z,{amount},,,USD,29-K")

    drop(settings, "brands/brands_2026-03-05.csv", "brand,name", "glow,Glow")
    header = "mention_id,brand,platform,mentioned_at"
    mentions = ("moves,glow,x,2026-03-03T10:00:00Z", "stays,glow,x,2026-03-03T10:00:00Z")
    drop(settings, "mentions/mentions_2026-03-05.csv", header, *mentions)


def second_night(settings: Settings) -> None:
    header = "mention_id,brand,platform,mentioned_at"
    drop(settings, "mentions/mentions_2026-03-06.csv", header, "moves,glow,x,2026-03-02T10:00:00Z", day=SECOND)
    header = "id,customer,created,total,currency,code,status"
    drop(
        settings, "orders/01-orders-2026-03-06.csv", header,
        "01-o1,c,2026-03-05T10:00:00Z,100,USD,01-K,cancelled", "01-o2,c,2026-03-05T11:00:00Z,80,USD,01-K,completed",
        "01-o3,c,2026-03-06T09:00:00Z,60,USD,01-K,processing", day=SECOND,
    )  # fmt: skip
    drop(settings, "orders/02-orders_2026-03-06.csv", ORDERS, "02-o3,c,2026-03-06T10:00:00Z,100,,,USD,02-K", day=SECOND)
    drop(
        settings, "refunds/02-refunds_2026-03-06.csv", REFUNDS, "02-r1,02-o1,2026-03-05T10:00:00Z,-100.00,USD",
        "02-r2,02-o2,2026-03-05T10:00:00Z,-40.00,USD", "02-r3,02-o3,2026-03-06T12:00:00Z,5.00,USD", day=SECOND,
    )  # fmt: skip
    lines = REFUNDS.replace("refund_id", "refund_id,refund_line_id")
    line = "03-rC,2,03-oC,2026-03-05T10:00:00Z,30,USD"
    drop(settings, "refunds/03-lines_2026-03-06.csv", lines, line, day=SECOND)
    drop(settings, "orders/28-orders.csv", ORDERS, "28-o1,c,2026-03-03T10:00:00Z,100,,,USD,28-K", day=SECOND)
    costs = "cost_id,collaboration_id,cost_date,cost_type,amount,currency"
    drop(settings, "costs/28-costs.csv", costs, "28-f1b,28-K,2026-03-01,fee,50,USD", day=SECOND)
    header = "order_id,customer_id,ordered_at,gross_amount,shipping_amount,currency,"
    row = "c,2026-03-06T10:00:00Z,130,2,USD,20,8,04-K"
    for number, (name, new) in enumerate(RENAMINGS.items(), start=2):
        path = f"orders/04-{name}_2026-03-06.csv"
        drop(settings, path, header + ",".join(new.values()), f"04-o{number},{row}", day=SECOND)
    for name, amount in (("29-orders_2026-03-04", 100), ("29-more_2026-03-04", 10)):
        row = f"{name[:7]},x,2026-03-04T10:00:00Z,{amount},,,USD,29-K"
        drop(settings, f"orders/{name}.csv", ORDERS, row, day=SECOND)


def with_mappings(settings: Settings, folder: Path) -> Settings:
    mappings = folder / "config" / "mappings"
    mappings.mkdir(parents=True)
    texts = {"bug01": EXPORT}
    for shop, feed, header in (("us", "orders", ORDERS), ("eu", "orders", ORDERS), ("us", "refunds", REFUNDS)):
        text = OF_A_SHOP.format(shop=shop, feed=feed, columns=same_names(header))
        texts[f"shop_{shop}_{feed}"] = text
    costs = "cost_id,collaboration_id,cost_date,cost_type,amount,currency"
    for feed, header in (("orders", ORDERS), ("costs", costs)):
        texts[f"dump_{feed}"] = FULL.format(feed=feed, columns=same_names(header))
    for name, new in RENAMINGS.items():
        columns = "\n".join(f"  {column}: {{from: {given}}}" for column, given in new.items())
        texts[f"renamed_{name}"] = RENAMED.format(name=name, columns=columns)
    for name, text in texts.items():
        (mappings / f"{name}.yml").write_text(text, encoding="utf-8")
    return settings.model_copy(update={"config": folder / "config"})


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The world after both nights."""
    folder = tmp_path_factory.mktemp("money_nights")
    settings = with_mappings(make_settings(folder / "data"), folder)
    first_night(settings)
    night.run(settings, "first", FIRST)
    second_night(settings)
    night.run(settings, "second", SECOND)
    return settings


def money(settings: Settings, owner: str) -> tuple[Decimal | None, ...]:
    """Net revenue, commission and orders of a code's owner."""
    with reading(settings) as marts:
        row = marts.execute(
            "select net_revenue_base, spend_commission_base, orders from marts.fct_collaboration_roi"
            " where attribution_model = 'promo_code' and collaboration_id = ?",
            [owner],
        ).fetchone()
    assert row is not None
    return row


def issues(settings: Settings, case: str) -> set[tuple[str, str, str, Decimal | None]]:
    with reading(settings) as marts:
        return set(
            marts.execute(
                "select feed, record_id, issue, amount from marts.fct_commerce_issue where record_id like ?",
                [f"{case}%"],
            ).fetchall()
        )


@pytest.mark.parametrize(
    ("owner", "net", "commission", "orders"),
    [
        pytest.param("01-K", 140, 28, 2, id="01: o1 was never paid: 80 + 60"),
        pytest.param("02-K", 155, 31, 3, id="02: 200 - 140 + 100 - 5"),
        pytest.param("03-KA", 60, 12, 1, id="03: two equal lines of 20"),
        pytest.param("03-KB", 50, 10, 1, id="03: lines of 20 and 30"),
        pytest.param("03-KC", 50, 10, 1, id="03: a line of 20 and one of 30 a night later"),
        pytest.param("04-K", 300, 60, 3, id="04: three times 130 - 20 - 8 - 2, under any names of their columns"),
        pytest.param("08-KA", 0, 0, 1, id="08: all came back"),
        pytest.param("08-KB", 107, "21.4", 1, id="08: shipping alone came back"),
        pytest.param("08-KC", 0, 0, 1, id="08: the goods came back"),
        pytest.param("08-KD", 0, 0, 1, id="08: more than the order, capped"),
        pytest.param("11-K1", 50, 10, 2, id="11: us 100 - 100 + 50"),
        pytest.param("11-K2", 110, 22, 2, id="11: eu 40 + 70"),
        pytest.param("28-K", 100, 20, 1, id="28: the test order of 9,999 is gone"),
        pytest.param("29-K", 110, 22, 2, id="29: the corrections of 100 and 10"),
    ],
)
def test_a_case_has_its_right_figures(nights: Settings, owner: str, net: int, commission: str, orders: int) -> None:
    assert money(nights, owner) == (net, Decimal(commission), orders)


def test_a_dump_replaces_a_cost_that_it_no_longer_holds(nights: Settings) -> None:
    with reading(nights) as marts:
        assert marts.execute(
            "select cost_id, amount from marts.fct_spend_ledger where source = 'costs' and collaboration_id = '28-K'"
        ).fetchall() == [("28-f1b", 50)]


def test_each_withdrawal_is_an_issue_with_its_amount(nights: Settings) -> None:
    assert issues(nights, "01-") == {("orders", "01-o1", "withdrawn by keep", 100)}
    assert issues(nights, "28-") == {
        ("orders", "28-test1", "gone from a full delivery", 9999),
        ("costs", "28-f1", "gone from a full delivery", 5000),
    }
    assert issues(nights, "08-") == {("refunds", "08-rD2", "more than its order", None)}
    assert issues(nights, "11-") == issues(nights, "29-") == issues(nights, "03-") == set()


def test_a_cancelled_order_is_a_sale_and_its_reversal_on_the_day_that_says_so(nights: Settings) -> None:
    with reading(nights) as marts:
        assert marts.execute(
            "select entry_id, activity_date, amount from marts.fct_commission_ledger where order_id = '01-o1' order by 2"
        ).fetchall() == [("accrual:01-o1", FIRST, 20), ("cancellation:01-o1", SECOND, -20)]


def test_a_mention_that_moves_leaves_its_day(nights: Settings) -> None:
    with reading(nights) as marts:
        query = "select snapshot_date, mentions from marts.fct_share_of_voice_daily order by 1"
        assert marts.execute(query).fetchall() == [(date(2026, 3, 2), 1), (date(2026, 3, 3), 1)]


def test_both_nights_at_once_and_the_other_way_round_give_the_same(nights: Settings, tmp_path: Path) -> None:
    """The files differ in their times, so it makes no difference which of them is landed first."""
    from .test_money_order import figures

    settings = with_mappings(make_settings(tmp_path / "data"), tmp_path)
    second_night(settings)
    night.run(settings, "later files", SECOND)
    # Files of a name that was used twice are under another one now: what counts is when they were written.
    early = settings.model_copy(update={"data": tmp_path / "early"})
    first_night(early)
    for file in sorted(early.landing.rglob("*.csv")):
        target = settings.landing / file.relative_to(early.landing)
        if target.exists():
            target.unlink()
        os.renames(file, target)
    night.run(settings, "earlier files", SECOND)
    expected, found = figures(nights), figures(settings)
    assert {mart for mart in expected if expected[mart] != found[mart]} == set()
