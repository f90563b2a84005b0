"""Bad input and edges of the definitions, each on a world of a few rows: flagged with a reason, totals still hold."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt.commerce import World

AS_OF = date(2026, 3, 31)
COLLABORATION = {
    "collaboration_id": "K",
    "brand": "acme",
    "platform": "youtube",
    "account_id": "a",
    "partner_type": "affiliate",
    "promo_code": "K10",
    "link_id": "L",
    "start_date": "2026-01-01",
}
ORDER = {
    "order_id": "o",
    "customer_id": "c",
    "ordered_at": "2026-01-10 12:00:00",
    "gross_amount": "100",
    "currency": "USD",
}
REFUND = {"refund_id": "r", "order_id": "o", "refunded_at": "2026-01-12 12:00:00", "amount": "10", "currency": "USD"}
COST = {
    "cost_id": "k",
    "collaboration_id": "K",
    "cost_date": "2026-01-05",
    "cost_type": "fee",
    "amount": "50",
    "currency": "USD",
}
TOUCH = {
    "touch_id": "t",
    "customer_id": "c",
    "touched_at": "2026-01-09 12:00:00",
    "touch_type": "click",
    "link_id": "L",
}
RULE = {"rule_id": "R", "valid_from": "2025-01-01", "kind": "percent", "rate": "40", "applies_to": "first_order"}

Build = Callable[..., World]


@pytest.fixture
def build(world: World) -> Build:
    """Build the world of one collaboration and the rows given, by feed."""

    def make(base: str = "USD", as_of: date = AS_OF, **feeds: list[dict[str, Any]]) -> World:
        return world.build({"collaborations": [COLLABORATION], **feeds}, as_of, base)

    return make


def issues(world: World) -> set[tuple[str, str, str]]:
    return set(world.query("select feed, record_id, issue from groundswell.marts.fct_commerce_issue"))


def credited(world: World, model: str = "promo_code") -> dict[str, Decimal | None]:
    rows = world.query(
        "select collaboration_id, sum(credited_net_revenue_base) from groundswell.marts.fct_attribution"
        f" where attribution_model = '{model}' group by 1"
    )
    return dict(rows)


def credits(world: World, model: str) -> dict[str, Decimal]:
    return dict(
        world.query(
            f"select collaboration_id, credit from groundswell.marts.fct_attribution where attribution_model = '{model}'"
        )
    )


def roi(world: World, columns: str, model: str = "promo_code") -> tuple[Any, ...]:
    (row,) = world.query(
        f"select {columns} from groundswell.marts.fct_collaboration_roi"
        f" where collaboration_id = 'K' and attribution_model = '{model}'"
    )
    return row


# Currency


def test_a_rate_is_carried_five_days_and_no_further(build: Build) -> None:
    rates = [{"rate_date": "2026-01-05", "currency": "EUR", "rate_to_base": "1.10"}]
    order = ORDER | {"currency": "EUR", "promo_code": "K10"}
    at_five = build(orders=[order], fx_rates=rates)
    assert credited(at_five) == {"K": Decimal(110)}
    at_six = build(orders=[order | {"ordered_at": "2026-01-11 00:00:00"}], fx_rates=rates)
    assert credited(at_six) == {"K": None}
    assert issues(at_six) == {("orders", "o", "no rate")}


@pytest.mark.parametrize(
    "rates",
    [
        [],
        [{"rate_date": "2026-01-10", "currency": "EUR", "rate_to_base": "0"}],
        [{"rate_date": "2026-01-11", "currency": "EUR", "rate_to_base": "1.1"}],
    ],
)
def test_no_rate_is_never_one_and_returns_are_unknown(build: Build, rates: list[dict[str, str]]) -> None:
    world = build(orders=[ORDER | {"currency": "EUR", "promo_code": "K10"}], costs=[COST], fx_rates=rates)
    assert roi(
        world,
        "spend_base, orders, net_revenue_base, roi_net, roas, cpa, roi_basis, unvalued_orders, uncosted_orders, is_attribution_open",
    ) == (
        50,
        1,
        None,
        None,
        None,
        50,
        "incomplete",
        1,
        1,
        True,
    )


def test_a_cost_without_a_rate_makes_spend_unknown_and_stays_in_the_ledger(build: Build) -> None:
    world = build(orders=[ORDER | {"promo_code": "K10"}], costs=[COST | {"currency": "EUR"}, COST | {"cost_id": "k2"}])
    assert roi(world, "spend_base, spend_fee_base, net_revenue_base, roi_net, cpa") == (None, None, 100, None, None)
    assert roi(world, "roi_basis, cost_entries, unrated_costs, spend_known_base") == ("incomplete", 2, 1, 50)
    assert world.query("select cost_id, amount, amount_base from groundswell.marts.fct_spend_ledger order by 1") == [
        ("k", 50, None),
        ("k2", 50, 50),
    ]
    assert issues(world) == {("costs", "k", "no rate")}


def test_another_base_needs_no_rate_of_its_own(build: Build) -> None:
    rates = [{"rate_date": "2026-01-10", "currency": "INR", "rate_to_base": "7"}]
    world = build(base="INR", orders=[ORDER | {"currency": "INR", "promo_code": "K10"}], fx_rates=rates)
    assert credited(world) == {"K": Decimal(100)}


# Refunds


def test_a_refund_larger_than_its_order_is_capped(build: Build) -> None:
    order = ORDER | {"tax_amount": "20", "promo_code": "K10"}  # charged 100, net 80
    refunds = [REFUND | {"amount": "60"}, REFUND | {"refund_id": "r2", "refunded_at": "2026-01-13", "amount": "90"}]
    world = build(orders=[order], refunds=refunds)
    assert credited(world) == {"K": Decimal(0)}
    # 60 of 100 charged takes 48 of 80 net; of the 90 only 40 are left, 32 net.
    assert world.query(
        "select refund_id, net_lowered from build.intermediate.int_order__refunds_applied order by 1"
    ) == [("r", 48), ("r2", 32)]
    assert issues(world) == {("refunds", "r2", "more than its order")}


def test_a_refund_before_its_order_counts_on_the_orders_day(build: Build) -> None:
    world = build(orders=[ORDER], refunds=[REFUND | {"refunded_at": "2026-01-02"}])
    assert issues(world) == {("refunds", "r", "before its order")}
    assert world.query("select event_date, net_amount from build.intermediate.int_order__revenue_dated order by 2") == [
        (date(2026, 1, 10), -10),
        (date(2026, 1, 10), 100),
    ]


def test_a_refund_of_an_unknown_order_takes_nothing(build: Build) -> None:
    world = build(orders=[ORDER], refunds=[REFUND | {"order_id": "other"}])
    assert issues(world) == {("refunds", "r", "order unknown")}
    assert credited(world) == {"(unattributed)": Decimal(100)}


def test_a_refund_in_another_currency_counts_at_the_rates_of_the_orders_day(build: Build) -> None:
    rates = [
        {"rate_date": day, "currency": "EUR", "rate_to_base": rate}
        for day, rate in (("2026-01-10", "1.25"), ("2026-01-12", "2"))
    ]
    world = build(orders=[ORDER], refunds=[REFUND | {"currency": "EUR", "amount": "40"}], fx_rates=rates)
    assert credited(world) == {"(unattributed)": Decimal(50)}  # 40 EUR are 50 USD
    unknown = build(orders=[ORDER], refunds=[REFUND | {"currency": "CHF"}], fx_rates=rates)
    assert credited(unknown) == {"(unattributed)": Decimal(100)}
    assert issues(unknown) == {("refunds", "r", "no rate to its order's currency")}


# Orders


@pytest.mark.parametrize(
    ("cells", "issue"),
    [
        ({"discount_amount": "101"}, "discount above gross"),
        ({"tax_amount": "60", "shipping_amount": "41"}, "tax and shipping above charged"),
    ],
)
def test_impossible_amounts_are_left_out_and_flagged(build: Build, cells: dict[str, str], issue: str) -> None:
    world = build(orders=[ORDER | cells, ORDER | {"order_id": "p"}], refunds=[REFUND])
    assert credited(world) == {"(unattributed)": Decimal(100)}
    assert ("orders", "o", issue) in issues(world)


def test_a_free_order_and_its_refund_are_nothing(build: Build) -> None:
    world = build(orders=[ORDER | {"discount_amount": "100", "promo_code": "K10"}], refunds=[REFUND])
    assert credited(world) == {"K": Decimal(0)}


def test_an_order_delivered_again_with_other_amounts_is_the_later_one(build: Build) -> None:
    later = ORDER | {"gross_amount": "70", "arrival_order": 2, "ordered_at": "2026-01-11 00:00:00"}
    assert credited(build(orders=[later, ORDER])) == {"(unattributed)": Decimal(70)}


def test_what_comes_after_the_last_day_does_not_enter(build: Build) -> None:
    order = ORDER | {"promo_code": "K10"}
    world = build(
        as_of=date(2026, 1, 11),
        orders=[order, order | {"order_id": "p", "ordered_at": "2026-01-12"}],
        refunds=[REFUND],
        costs=[COST, COST | {"cost_id": "k2", "cost_date": "2026-01-12"}],
    )
    assert roi(world, "spend_base, net_revenue_base, as_of_date") == (50, 100, date(2026, 1, 11))


def test_a_shop_that_lands_no_orders_has_unknown_revenue(build: Build) -> None:
    assert roi(build(costs=[COST]), "spend_base, orders, net_revenue_base, roi_net, payback_days") == (
        50,
        None,
        None,
        None,
        None,
    )


def test_a_collaboration_without_cost_has_no_return_but_revenue(build: Build) -> None:
    world = build(orders=[ORDER | {"promo_code": "K10"}])
    assert roi(world, "spend_base, net_revenue_base, roi_net, roas, cpa") == (None, 100, None, None, None)
    assert roi(world, "roi_basis, cost_entries, spend_known_base") == ("incomplete", 0, None)


# Codes, collaborations, campaigns


def test_a_code_that_two_own_at_once_is_nobodys(build: Build) -> None:
    second = COLLABORATION | {
        "collaboration_id": "K2",
        "promo_code": " k10 ",
        "start_date": "2026-01-08",
        "rule_id": "R",
    }
    orders = [ORDER | {"promo_code": "k10"}, ORDER | {"order_id": "p", "promo_code": "K10", "ordered_at": "2026-01-07"}]
    world = build(collaborations=[COLLABORATION, second], orders=orders, commission_rules=[RULE])
    assert credited(world) == {"K": Decimal(100), "(unattributed)": Decimal(100)}
    assert issues(world) == {("orders", "o", "code of several owners")}
    assert world.query("select count(*) from groundswell.marts.fct_commission_ledger") == [(0,)]


@pytest.mark.parametrize(
    ("day", "owner"),
    [("2025-12-31", "(unattributed)"), ("2026-01-01", "K"), ("2026-01-20", "K"), ("2026-01-21", "(unattributed)")],
)
def test_a_code_is_valid_from_start_to_end_inclusive(build: Build, day: str, owner: str) -> None:
    world = build(
        collaborations=[COLLABORATION | {"end_date": "2026-01-20"}],
        orders=[ORDER | {"promo_code": " k10", "ordered_at": f"{day} 23:59:59"}],
    )
    assert credited(world) == {owner: Decimal(100)}


def test_end_before_start_owns_nothing_and_is_flagged(build: Build) -> None:
    world = build(
        collaborations=[COLLABORATION | {"end_date": "2025-12-01"}],
        campaigns=[{"campaign_id": "C", "brand": "acme", "start_date": "2026-02-01", "end_date": "2026-01-01"}],
        orders=[ORDER | {"promo_code": "K10"}],
        costs=[COST],
    )
    assert credited(world) == {"(unattributed)": Decimal(100)}
    assert roi(world, "spend_base") == (50,)
    assert issues(world) == {
        ("orders", "K10 on 2026-01-10", "code unknown"),
        ("collaborations", "K", "ends before it starts"),
        ("campaigns", "C", "ends before it starts"),
    }


def test_a_collaboration_of_an_unknown_campaign_keeps_its_money(build: Build) -> None:
    world = build(
        collaborations=[COLLABORATION | {"campaign_id": "C9"}], costs=[COST], orders=[ORDER | {"promo_code": "K10"}]
    )
    assert world.query(
        "select campaign_id, brand, spend_base, net_revenue_base from groundswell.marts.fct_campaign_roi"
        " where attribution_model = 'promo_code'"
    ) == [("C9", None, 50, 100)]
    assert issues(world) == {("collaborations", "K", "campaign unknown")}


def test_costs_that_name_nobody_known_are_kept_whole(build: Build) -> None:
    costs = [
        COST,
        COST | {"cost_id": "a", "collaboration_id": "gone"},
        COST | {"cost_id": "b", "collaboration_id": None},
    ]
    world = build(costs=costs)
    assert world.query(
        "select sum(spend_base) from groundswell.marts.fct_campaign_roi where attribution_model = 'linear'"
    ) == [(150,)]
    assert world.query(
        "select tier, sum(spend_base) from groundswell.marts.fct_tier_roi"
        " where scheme = 'standard' and attribution_model = 'linear' group by 1 order by 1"
    ) == [("unallocated", 100), ("unknown", 50)]
    assert issues(world) == {
        ("costs", "a", "collaboration unknown"),
        ("costs", "b", "names neither collaboration nor campaign"),
    }


# Touches


@pytest.mark.parametrize(
    ("at", "owner"),
    [
        ("2025-12-11 12:00:00", "K"),
        ("2025-12-11 11:59:59", "(unattributed)"),
        ("2026-01-10 12:00:00", "K"),
        ("2026-01-10 12:00:01", "(unattributed)"),
    ],
)
def test_a_touch_counts_for_thirty_times_24_hours(build: Build, at: str, owner: str) -> None:
    world = build(orders=[ORDER], touches=[TOUCH | {"touched_at": at, "link_id": None, "collaboration_id": "K"}])
    assert credited(world, "last_touch") == {owner: Decimal(100)}


def test_a_campaign_may_have_its_own_window(build: Build) -> None:
    campaign = {
        "campaign_id": "C",
        "brand": "acme",
        "start_date": "2026-01-01",
        "end_date": "2026-01-31",
        "attribution_window_days": "2",
    }
    touch = TOUCH | {"touched_at": "2026-01-08 11:59:59"}
    world = build(
        campaigns=[campaign], collaborations=[COLLABORATION | {"campaign_id": "C"}], orders=[ORDER], touches=[touch]
    )
    assert credited(world, "linear") == {"(unattributed)": Decimal(100)}


def test_a_touch_years_old_has_no_credit_and_is_flagged(build: Build) -> None:
    world = build(
        orders=[ORDER],
        touches=[TOUCH, TOUCH | {"touch_id": "old", "touched_at": "2021-01-01", "collaboration_id": "K"}],
    )
    assert credits(world, "linear") == {"K": 1}
    assert issues(world) == {("touches", "old", "years old")}


def test_equal_instants_are_ordered_by_touch_id(build: Build) -> None:
    touches = [TOUCH | {"touch_id": "t2", "link_id": None, "channel": "email"}, TOUCH | {"touch_id": "t1"}]
    world = build(orders=[ORDER], touches=touches)
    assert credits(world, "first_touch") == {"K": 1}
    assert credits(world, "last_touch") == {"(unattributed)": 1}


def test_all_direct_is_nobodys(build: Build) -> None:
    touches = [TOUCH | {"link_id": None, "channel": "Direct"}, TOUCH | {"touch_id": "t2", "link_id": None}]
    world = build(orders=[ORDER], touches=touches)
    assert credits(world, "last_non_direct") == {"(unattributed)": 1}


def test_one_order_does_not_reset_the_path_of_the_next(build: Build) -> None:
    world = build(orders=[ORDER, ORDER | {"order_id": "p", "ordered_at": "2026-01-20 12:00:00"}], touches=[TOUCH])
    assert credited(world, "linear") == {"K": Decimal(200)}


def test_rounding_is_left_to_the_last_touch(build: Build) -> None:
    touches = [
        TOUCH
        | {"touch_id": f"t{nth}", "touched_at": f"2026-01-0{nth} 12:00:00", "link_id": None, "collaboration_id": name}
        for nth, name in ((1, "K"), (2, "K2"), (3, "K3"))
    ]
    others = [COLLABORATION | {"collaboration_id": name, "promo_code": None, "link_id": None} for name in ("K2", "K3")]
    world = build(collaborations=[COLLABORATION, *others], orders=[ORDER | {"gross_amount": "0.01"}], touches=touches)
    assert credits(world, "linear") == {
        "K": Decimal("0.33333333"),
        "K2": Decimal("0.33333333"),
        "K3": Decimal("0.33333334"),
    }
    # A third of a cent is 0.003333 at six decimals; the last has 0.003334.
    assert credited(world, "linear") == {"K": Decimal("0.003333"), "K2": Decimal("0.003333"), "K3": Decimal("0.003334")}


def test_a_renewal_without_its_first_order_is_nobodys(build: Build) -> None:
    order = ORDER | {"subscription_id": "S", "renewal_number": "3", "promo_code": "K10"}
    world = build(orders=[order], touches=[TOUCH])
    assert credited(world, "promo_code") == credited(world, "linear") == {"(unattributed)": Decimal(100)}
    assert issues(world) == {("orders", "o", "renewal without its first order")}


# Commissions


def entries(world: World) -> list[tuple[Any, ...]]:
    return world.query(
        "select order_id, collaboration_id, earned_by, amount"
        " from groundswell.marts.fct_commission_ledger order by 1, 2, 4"
    )


RULED = COLLABORATION | {"rule_id": "R"}


def month(number: int) -> dict[str, str]:
    return ORDER | {
        "order_id": f"o{number}",
        "ordered_at": f"2026-0{number + 1}-05 12:00:00",
        "gross_amount": "99.95",
        "subscription_id": "S",
        "renewal_number": str(number),
        "promo_code": "K10" if number == 0 else None,
    }


@pytest.mark.parametrize(
    ("rule", "paid"),
    [
        ({"applies_to": "first_order"}, [0]),
        ({"applies_to": "first_x", "first_x": "1"}, [0, 1]),
        ({"applies_to": "first_x"}, [0]),
        ({"applies_to": "all_renewals"}, [0, 1, 2]),
        ({"applies_to": "lifetime"}, [0, 1, 2, 3]),
        ({"applies_to": "all_renewals", "valid_to": "2026-03-05"}, [0, 1]),
    ],
)
def test_which_orders_a_rule_pays(build: Build, rule: dict[str, str], paid: list[int]) -> None:
    # A subscription of three months, then an order of its own on which nobody had a part.
    other = ORDER | {"order_id": "o3", "gross_amount": "99.95", "ordered_at": "2026-03-20 12:00:00"}
    world = build(collaborations=[RULED], commission_rules=[RULE | rule], orders=[month(0), month(1), month(2), other])
    how = {0: "code", 1: "renewal", 2: "renewal", 3: "lifetime"}
    assert entries(world) == [(f"o{nth}", "K", how[nth], Decimal("39.98")) for nth in paid]


def test_a_rate_is_that_of_the_orders_day(build: Build) -> None:
    rules = [
        RULE | {"applies_to": "all_renewals"},
        RULE | {"applies_to": "all_renewals", "valid_from": "2026-02-05", "rate": "20"},
    ]
    world = build(collaborations=[RULED], commission_rules=rules, orders=[month(0), month(1)])
    assert [row[3] for row in entries(world)] == [Decimal("39.98"), Decimal("19.99")]


def test_a_fixed_rule_pays_for_each_order_of_a_sum(build: Build) -> None:
    world = build(
        collaborations=[RULED],
        commission_rules=[RULE | {"kind": "fixed", "rate": "5", "currency": "USD"}],
        orders=[ORDER | {"order_count": "7", "promo_code": "K10"}],
    )
    assert [row[3] for row in entries(world)] == [35]


def test_the_owner_of_the_code_earns_before_the_last_click(build: Build) -> None:
    other = RULED | {"collaboration_id": "K2", "promo_code": "K20", "link_id": "L2", "cookie_window_days": "3"}
    clicks = [TOUCH, TOUCH | {"touch_id": "t2", "link_id": "L2", "touched_at": "2026-01-07 12:00:00"}]
    orders = [
        ORDER | {"order_id": "by_code", "promo_code": "K20"},
        ORDER | {"order_id": "by_last_click"},
        ORDER | {"order_id": "cookie_over", "customer_id": "c2"},
    ]
    clicks += [TOUCH | {"touch_id": "t3", "link_id": "L2", "customer_id": "c2", "touched_at": "2026-01-07 11:59:59"}]
    world = build(collaborations=[RULED, other], commission_rules=[RULE], orders=orders, touches=clicks)
    assert [row[:3] for row in entries(world)] == [("by_code", "K2", "code"), ("by_last_click", "K", "click")]


def test_a_payment_settles_what_accrued_and_is_spend_where_no_rule_is(build: Build) -> None:
    paid = COST | {"cost_type": "commission", "amount": "40"}
    orders = [ORDER | {"promo_code": "K10"}]
    with_rule = build(collaborations=[RULED], commission_rules=[RULE], orders=orders, costs=[paid])
    assert roi(with_rule, "spend_base, spend_commission_base") == (40, 40)
    without = build(orders=orders, costs=[paid])
    assert roi(without, "spend_base, spend_commission_base") == (40, 40)
    before_the_rule = build(
        collaborations=[RULED], commission_rules=[RULE | {"valid_from": "2026-01-08"}], orders=orders, costs=[paid]
    )
    assert roi(before_the_rule, "spend_base") == (80,)


def test_agreed_fees_are_promises(build: Build) -> None:
    world = build(collaborations=[COLLABORATION | {"agreed_fee": "500", "currency": "USD"}], orders=[ORDER])
    assert roi(world, "spend_base") == (None,)
    assert roi(world, "roi_basis, missing_fees") == ("incomplete", 1)


# Leaks


def leak(many: int, before: int) -> list[dict[str, str]]:
    """So many orders on 10 January, and so many a day on the nine days before."""
    days = [(day, before) for day in range(1, 10)] + [(10, many)]
    return [
        ORDER
        | {
            "order_id": f"o{day}-{nth}",
            "customer_id": f"c{day}-{nth}",
            "promo_code": "K10",
            "ordered_at": f"2026-01-{day:02d} 12:00:00",
        }
        for day, count in days
        for nth in range(count)
    ]


@pytest.mark.parametrize(("many", "before", "is_leak"), [(4, 0, False), (5, 0, True), (9, 1, False), (10, 1, True)])
def test_a_leak_begins_at_five_times_one_more_than_usual(build: Build, many: int, before: int, is_leak: bool) -> None:
    world = build(orders=leak(many, before))
    assert world.query(
        "select usual_orders, is_leak from groundswell.marts.fct_promo_code_daily where activity_date = '2026-01-10'"
    ) == [(before, is_leak)]


def test_a_code_of_less_than_a_week_has_no_usual(build: Build) -> None:
    world = build(collaborations=[COLLABORATION | {"start_date": "2026-01-04"}], orders=leak(50, 0))
    assert world.query("select usual_orders, is_leak from groundswell.marts.fct_promo_code_daily") == [(None, False)]
