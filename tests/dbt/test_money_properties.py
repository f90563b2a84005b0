"""Properties of money that hold whatever the orders, touches and refunds are."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.commerce import World
from tests.dbt.money import MODELS

AS_OF = date(2026, 3, 31)
START = datetime(2026, 2, 1)
OWNERS = ("K1", "K2", "K3")
PARTS = ("goods", "tax", "shipping")
CAMPAIGNS = [
    {
        "campaign_id": "C",
        "brand": "acme",
        "start_date": "2026-01-01",
        "end_date": "2026-03-31",
        "attribution_window_days": "3",
    },
]
COLLABORATIONS = [
    {
        "collaboration_id": owner,
        "brand": "acme",
        "platform": "youtube",
        "account_id": owner,
        "partner_type": "affiliate",
        "promo_code": owner,
        "start_date": "2026-01-01",
        "campaign_id": "C" if owner == "K3" else None,
        "rule_id": "R",
    }
    for owner in (*OWNERS, "K4")
]
RULES = [{"rule_id": "R", "valid_from": "2025-01-01", "kind": "percent", "rate": "33.3333", "applies_to": "lifetime"}]
RATES = [
    {"rate_date": "2026-01-31", "currency": "EUR", "rate_to_base": "1.23456789"},
    {"rate_date": "2026-02-05", "currency": "EUR", "rate_to_base": "0.98765432"},
]

money = st.integers(1, 10**9).map(lambda units: str(Decimal(units) / 10**4))
hours = st.integers(0, 9 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """A few orders with the touches and refunds that may belong to them, and some that do not."""
    orders: list[dict[str, Any]] = []
    for nth in range(draw(st.integers(1, 4))):
        gross = Decimal(draw(money))
        tax = (gross * draw(st.integers(0, 99)) / 100).quantize(Decimal("0.0001"))
        is_renewal = draw(st.booleans())
        orders.append(
            {
                "order_id": f"o{nth}",
                "customer_id": draw(st.sampled_from(("c1", "c2"))),
                "ordered_at": str(draw(hours)),
                "gross_amount": str(gross),
                "tax_amount": str(tax),
                "currency": draw(st.sampled_from(("USD", "EUR", "CHF"))),
                "promo_code": draw(st.sampled_from((None, *OWNERS, "K1,K2", "k3;HOUSE"))),
                "product_cost": draw(st.sampled_from((None, "1.5"))),
                "subscription_id": draw(st.sampled_from((None, "S"))),
                "renewal_number": "1" if is_renewal else None,
            }
        )
    touches = [
        {
            "touch_id": f"t{nth}",
            "customer_id": draw(st.sampled_from(("c1", "c2"))),
            "touched_at": str(draw(hours)),
            "touch_type": draw(st.sampled_from(("click", "view"))),
            "channel": draw(st.sampled_from((None, "direct", "email"))),
            "collaboration_id": draw(st.sampled_from((None, "unknown", *OWNERS))),
        }
        for nth in range(draw(st.integers(0, 9)))
    ]
    refunds = [
        {
            "refund_id": f"r{nth}",
            "order_id": draw(st.sampled_from(("o0", "o1", "o9"))),
            "refunded_at": str(draw(hours)),
            "amount": draw(money),
            "currency": draw(st.sampled_from(("USD", "EUR", "CHF"))),
            **draw(st.fixed_dictionaries({}, optional={f"{part}_amount": money for part in PARTS})),
        }
        for nth in range(draw(st.integers(0, 4)))
    ]
    return {"orders": orders, "touches": touches, "refunds": refunds}


def build(world: World, feeds: dict[str, list[dict[str, Any]]]) -> World:
    common = {"campaigns": CAMPAIGNS, "collaborations": COLLABORATIONS, "commission_rules": RULES, "fx_rates": RATES}
    return world.build({**common, **feeds}, AS_OF)


def tried(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


ATTRIBUTION = "groundswell.marts.fct_attribution"


@given(feeds=worlds())
@tried(12)
def test_credits_conserve_revenue_and_refunds_never_take_an_order_below_zero(
    world: World, feeds: dict[str, Any]
) -> None:
    build(world, feeds)
    assert world.query(f"select count(distinct (order_id, attribution_model)) from {ATTRIBUTION}") == [
        (len(MODELS) * len(feeds["orders"]),)
    ]
    assert (
        world.query(
            f"select order_id, attribution_model from {ATTRIBUTION} where attribution_model <> 'any_touch' group by all having sum(credit) <> 1"
        )
        == []
    )
    # Revenue of each order and model is the order's own, to the last decimal.
    assert (
        world.query(
            f"""
        with net as (
            select order_id, sum(net_revenue_base) as base, sum(net_amount) as net
            from build.intermediate.int_order__revenue_dated group by 1
        )
        select order_id, attribution_model from {ATTRIBUTION} join net using (order_id) where attribution_model <> 'any_touch'
        group by order_id, attribution_model, base having sum(credited_net_revenue_base) is distinct from base
        union all select order_id, 'below zero' from net where base < 0 or net < 0
        """
        )
        == []
    )
    # Commission is within 0 and its rate of what is left.
    assert (
        world.query("select order_id from groundswell.marts.fct_commission_ledger group by 1 having sum(amount) < 0")
        == []
    )


@given(
    net=st.integers(0, 10**6),
    passed_on=st.tuples(st.integers(0, 10**5), st.integers(0, 10**5)),
    refunds=st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=1, max_size=4),
)
@tried(12)
def test_a_refund_by_parts_takes_its_goods_and_never_more_than_is_left(
    world: World, net: int, passed_on: tuple[int, int], refunds: list[tuple[int, int, int]]
) -> None:
    cent = Decimal("0.01")
    tax, shipping = (part * cent for part in passed_on)
    order = {
        "order_id": "o", "customer_id": "c", "ordered_at": "2026-02-01", "gross_amount": str(net * cent + tax + shipping),
        "tax_amount": str(tax), "shipping_amount": str(shipping), "currency": "USD",
    }  # fmt: skip
    rows = [
        {
            "refund_id": f"r{nth}", "order_id": "o", "refunded_at": f"2026-02-{nth + 2:02d}", "currency": "USD",
            "amount": str(sum(parts) * cent),
            **{f"{name}_amount": str(part * cent) for name, part in zip(PARTS, parts, strict=True)},
        }
        for nth, parts in enumerate(refunds)
    ]  # fmt: skip
    build(world, {"orders": [order], "refunds": rows})
    left = net * cent
    expected = []
    for nth, (goods, _, _) in enumerate(refunds):
        taken = min(goods * cent, left)
        left -= taken
        expected.append((f"r{nth}", taken))
    query = "select refund_id, net_lowered from build.intermediate.int_order__refunds_applied order by 1"
    assert world.query(query) == expected


@given(
    gross=st.integers(1, 10**12),
    discount=st.integers(0, 100),
    passed_on=st.integers(0, 100),
    amounts=st.lists(st.integers(1, 10**12), min_size=1, max_size=4),
)
@tried(15)
def test_a_refund_lowers_net_revenue_by_amount_times_net_over_charged(
    world: World, gross: int, discount: int, passed_on: int, amounts: list[int]
) -> None:
    unit = Decimal("0.0001")
    total = gross * unit
    off = (total * discount / 100).quantize(unit)
    charged = total - off
    tax = (charged * passed_on / 100).quantize(unit)
    net = charged - tax
    order = {
        "order_id": "o",
        "customer_id": "c",
        "ordered_at": "2026-02-01",
        "gross_amount": str(total),
        "discount_amount": str(off),
        "tax_amount": str(tax),
        "currency": "USD",
    }
    refunds = [
        {
            "refund_id": f"r{nth}",
            "order_id": "o",
            "refunded_at": f"2026-02-{nth + 2:02d}",
            "amount": str(amount * unit),
            "currency": "USD",
        }
        for nth, amount in enumerate(amounts)
    ]
    build(world, {"orders": [order], "refunds": refunds})
    lowered = dict(world.query("select refund_id, net_lowered from build.intermediate.int_order__refunds_applied"))
    left = charged
    for refund in refunds:
        taken = min(Decimal(refund["amount"]), left)
        left -= taken
        exact = taken * net / charged if charged else Decimal(0)
        # Rounded to four decimals with the refunds before it, so that all together are exact.
        assert abs(lowered[refund["refund_id"]] - exact) <= unit
    whole = net * (charged - left) / charged if charged else Decimal(0)
    assert abs(sum(lowered.values()) - whole) <= unit / 2
    assert sum(lowered.values()) <= net
    if left == 0:
        assert sum(lowered.values()) == net


MARTS = (
    "fct_attribution",
    "fct_commission_ledger",
    "fct_spend_ledger",
    "fct_collaboration_roi",
    "fct_campaign_roi",
    "fct_tier_roi",
    "fct_campaign_daily",
    "fct_promo_code_daily",
    "fct_commerce_issue",
)


@given(feeds=worlds(), cut=st.integers(0, 12), data=st.data())
@tried(6)
def test_splitting_a_delivery_and_its_order_change_nothing(
    world: World, feeds: dict[str, Any], cut: int, data: st.DataObject
) -> None:
    build(world, feeds)
    before = {mart: world.mart(mart) for mart in MARTS}
    # Two files instead of one, of other hashes, the rows in another order.
    split = {
        feed: [
            row | {"source_sha256": "ff" if nth < cut else "00", "source_line": nth, "source_file": str(nth < cut)}
            for nth, row in enumerate(data.draw(st.permutations(rows)))
        ]
        for feed, rows in feeds.items()
    }
    build(world, split)
    assert {mart: world.mart(mart) for mart in MARTS} == before


@given(feeds=worlds(), late=st.integers(0, 8))
@tried(6)
def test_late_touches_change_exactly_the_rows_of_their_customers_orders(
    world: World, feeds: dict[str, Any], late: int
) -> None:
    # K4 has touched nobody before, so that each order which it reaches has a row more.
    touch = {
        "touch_id": f"late{late}",
        "customer_id": "c1",
        "touch_type": "click",
        "collaboration_id": "K4",
        "touched_at": str(START + timedelta(days=late)),
    }
    build(world, feeds)
    before = world.mart("fct_attribution")
    build(world, feeds | {"touches": [*feeds["touches"], touch]})
    changed = {row[1] for row in before ^ world.mart("fct_attribution")}
    placed = datetime.fromisoformat(touch["touched_at"])
    reached = {
        order["order_id"]
        for order in feeds["orders"]
        if not order["renewal_number"]
        and order["customer_id"] == "c1"
        and timedelta(0) <= datetime.fromisoformat(order["ordered_at"]) - placed <= timedelta(days=30)
    }
    begun = {order["order_id"] for order in feeds["orders"] if order["renewal_number"] and order["subscription_id"]}
    assert reached <= changed <= reached | (begun if reached else set())
