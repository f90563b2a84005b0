"""Agreements with a history: terms of pay are versions, codes and links are collected, repairs mend the past."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.commerce import World

AS_OF = date(2026, 3, 31)
AGREED = {
    "collaboration_id": "K",
    "brand": "acme",
    "platform": "youtube",
    "account_id": "a",
    "partner_type": "affiliate",
    "promo_code": "KIM10",
    "link_id": "L",
    "rule_id": "R10",
    "start_date": "2026-03-01",
    "as_of": "2026-03-05 06:00:00",
}
RULES = [
    {
        "rule_id": f"R{rate}",
        "valid_from": "2026-01-01",
        "kind": "percent",
        "rate": str(rate),
        "applies_to": "first_order",
    }
    for rate in (10, 20, 25)
]
Rows = list[dict[str, Any]]
Build = Callable[..., World]


@pytest.fixture
def build(world: World) -> Build:
    """Build the world of these deliveries of collaborations, of `RULES`, and of the rows given."""

    def make(*collaborations: dict[str, Any], **feeds: Rows) -> World:
        return world.build({"commission_rules": RULES, "collaborations": list(collaborations), **feeds}, AS_OF)

    return make


def on(day: int, **cells: Any) -> dict[str, Any]:
    """The agreement as a file of that day of March states it."""
    return AGREED | {"as_of": f"2026-03-{day:02d} 06:00:00"} | cells


def order(day: int, code: str | None = "KIM10", gross: int = 100, **cells: Any) -> dict[str, Any]:
    """An order of a customer of its own on a day of March."""
    return {
        "order_id": f"o{day}",
        "customer_id": f"c{day}",
        "ordered_at": f"2026-03-{day:02d} 10:00:00",
        "gross_amount": str(gross),
        "currency": "USD",
        "promo_code": code,
    } | cells


def click(day: int, customer: str, link: str = "L") -> dict[str, Any]:
    return {
        "touch_id": f"t{customer}{day}{link}",
        "customer_id": customer,
        "touched_at": f"2026-03-{day:02d} 09:00:00",
        "touch_type": "click",
        "link_id": link,
    }


def payment(day: int, amount: str, name: str = "p", **cells: Any) -> dict[str, Any]:
    """A commission paid on a day of March."""
    return {
        "cost_id": f"{name}{day}",
        "collaboration_id": "K",
        "cost_date": f"2026-03-{day:02d}",
        "cost_type": "commission",
        "amount": amount,
        "currency": "USD",
    } | cells


def versions(world: World, *terms: str) -> list[tuple[Any, ...]]:
    """Day of March from which each version holds, and its terms."""
    return world.query(
        f"select day(valid_from), {', '.join(terms)} from groundswell.marts.dim_collaboration_version"
        " where collaboration_id = 'K' order by valid_from"
    )


def earned(world: World) -> dict[str, tuple[str, Decimal]]:
    """By order: who earned, and how much."""
    return {
        order_id: (owner, amount)
        for order_id, owner, amount in world.query(
            "select order_id, collaboration_id, sum(amount) from groundswell.marts.fct_commission_ledger group by 1, 2"
        )
    }


def owners(world: World) -> dict[str, str]:
    """By order: whose it is by its code."""
    return dict(
        world.query(
            "select order_id, collaboration_id from groundswell.marts.fct_attribution where attribution_model = 'promo_code'"
        )
    )


def issues(world: World) -> set[tuple[str, str]]:
    return set(world.query("select issue, record_id from groundswell.marts.fct_commerce_issue where feed <> 'orders'"))


def spent(world: World) -> list[tuple[int, Decimal]]:
    """Commission that was spent, by day of March."""
    return world.query(
        "select day(activity_date), sum(amount_base) from groundswell.marts.fct_spend_ledger"
        " where is_spend and cost_type = 'commission' group by all having sum(amount_base) <> 0 order by 1"
    )


# Terms of pay


def test_an_undated_change_holds_from_the_day_of_its_file_and_is_said(build: Build) -> None:
    world = build(on(5), on(6, rule_id="R25"), orders=[order(3), order(5), order(6)])
    assert versions(world, "rule_id", "is_undated") == [(1, "R10", False), (6, "R25", True)]
    assert earned(world) == {"o3": ("K", 10), "o5": ("K", 10), "o6": ("K", 25)}
    assert issues(world) == {("terms_changed_undated", "K from 2026-03-06")}


def test_a_dated_change_holds_from_its_day(build: Build) -> None:
    world = build(on(5), on(9, rule_id="R25", valid_from="2026-03-07"), orders=[order(6), order(7)])
    assert versions(world, "rule_id", "is_undated", "cast(valid_to as varchar)") == [
        (1, "R10", False, "2026-03-07"),
        (7, "R25", False, None),
    ]
    assert earned(world) == {"o6": ("K", 10), "o7": ("K", 25)}
    assert issues(world) == set()


def test_the_first_version_holds_from_the_beginning(build: Build) -> None:
    # Whatever day it names, and also for a click before the agreement.
    world = build(
        on(5, valid_from="2026-03-10", start_date="2026-03-04", rule_id="R20"),
        orders=[order(4), order(5, None, customer_id="c")],
        touches=[click(2, "c") | {"link_id": None, "collaboration_id": "K"}],
    )
    assert versions(world, "rule_id") == [(4, "R20")]
    assert earned(world) == {"o4": ("K", 20), "o5": ("K", 20)}


@pytest.mark.parametrize(
    ("first", "later"),
    [
        pytest.param({"rule_id": None}, {"rule_id": "R25"}, id="a blank is filled"),
        pytest.param({"rule_id": "R2S"}, {"rule_id": "R25"}, id="a rule that is no rule is mended"),
        pytest.param({}, {"rule_id": "R25", "valid_from": "2026-03-01"}, id="dated on its start"),
        pytest.param({}, {"rule_id": "R25", "valid_from": "2026-02-01"}, id="dated before its start"),
    ],
)
def test_a_repair_mends_the_past(build: Build, first: dict[str, Any], later: dict[str, Any]) -> None:
    world = build(on(5, **first), on(9, **later), orders=[order(3), order(9)])
    assert versions(world, "rule_id") == [(1, "R25")]
    assert earned(world) == {"o3": ("K", 25), "o9": ("K", 25)}
    assert ("terms_changed_undated", "K from 2026-03-09") not in issues(world)


def test_a_version_dated_before_its_agreement_is_said(build: Build) -> None:
    world = build(on(5), on(9, rule_id="R25", valid_from="2026-02-01"))
    assert issues(world) == {("version_before_start", "K from 2026-02-01")}


def test_a_repair_beside_a_change_mends_its_own_term_alone(build: Build) -> None:
    world = build(on(5, rule_id=None, agreed_fee="100"), on(9, agreed_fee="200"))
    assert versions(world, "rule_id", "agreed_fee") == [(1, "R10", 100), (9, "R10", 200)]


def test_a_change_that_is_corrected_by_a_later_date_holds_from_its_start(build: Build) -> None:
    # R25 from the 10th on; R20 with a day before that corrects it there, and not before.
    world = build(
        on(5), on(6, rule_id="R25", valid_from="2026-03-10"), on(7, rule_id="R20", valid_from="2026-03-08"),
        orders=[order(8), order(10)],
    )  # fmt: skip
    assert versions(world, "rule_id") == [(1, "R10"), (10, "R20")]
    assert earned(world) == {"o8": ("K", 10), "o10": ("K", 20)}


def test_a_planned_change_that_is_taken_back_never_comes(build: Build) -> None:
    world = build(on(5), on(6, rule_id="R25", valid_from="2026-03-20"), on(8), orders=[order(21)])
    assert versions(world, "rule_id") == [(1, "R10")]
    assert earned(world) == {"o21": ("K", 10)}
    assert issues(world) == set()


def test_a_column_that_one_file_lacks_is_mended_by_the_next(build: Build) -> None:
    lacking = on(6, rule_id=None, cookie_window_days=None)
    world = build(on(5, cookie_window_days="7"), lacking, orders=[order(7)])
    assert versions(world, "rule_id", "cookie_window_days") == [(1, "R10", 7), (6, None, None)]
    assert issues(world) == {("terms_changed_undated", "K from 2026-03-06")}
    mended = build(on(5, cookie_window_days="7"), lacking, on(8, cookie_window_days="7"), orders=[order(7)])
    assert versions(mended, "rule_id", "cookie_window_days") == [(1, "R10", 7)]
    assert earned(mended) == {"o7": ("K", 10)}
    assert issues(mended) == set()


def test_a_file_may_hold_the_versions_of_an_agreement(build: Build) -> None:
    world = build(
        on(20), on(20, valid_from="2026-03-10", rule_id="R25", promo_code="KIM15"), orders=[order(3), order(12)]
    )
    assert versions(world, "rule_id") == [(1, "R10"), (10, "R25")]
    assert earned(world) == {"o3": ("K", 10), "o12": ("K", 25)}


def test_each_term_of_pay_is_of_a_version_and_all_else_is_the_latest(build: Build) -> None:
    terms = {
        "rule_id": "R25", "cookie_window_days": "3", "partner_type": "paid", "agreed_fee": "9", "posts_agreed": "2",
        "currency": "EUR",
    }  # fmt: skip
    before = {"cookie_window_days": "30", "agreed_fee": "5", "posts_agreed": "1", "currency": "USD"}
    for term, value in terms.items():
        assert len(versions(build(on(5, **before), on(6, **before | {term: value})), term)) == 2
    world = build(on(5, **before), on(6, **before, account_id="b", end_date="2026-03-30", creator_id="kim"))
    assert len(versions(world, "rule_id")) == 1


def test_terms_are_the_same_in_any_order_of_delivery(build: Build) -> None:
    deliveries = [on(5), on(6, rule_id="R25"), on(7, rule_id="R20", valid_from="2026-03-15"), on(9, promo_code="KIM15")]
    expected = versions(build(*deliveries), "rule_id")
    assert versions(build(*reversed(deliveries)), "rule_id") == expected
    assert expected == [(1, "R10"), (6, "R25"), (9, "R10")]


# Clicks and renewals


def test_a_click_has_the_terms_of_its_own_day(build: Build) -> None:
    # Until the 9th a click lasts three days and pays 10 %, then twenty days and 25 %.
    agreed = [on(5, cookie_window_days="3"), on(10, cookie_window_days="20", rule_id="R25")]
    clicks = [click(8, "late"), click(9, "before"), click(10, "after")]
    orders = [order(11, None, order_id=name, customer_id=name) for name in ("late", "before", "after")]
    world = build(*agreed, orders=orders, touches=clicks)
    assert earned(world) == {"before": ("K", 10), "after": ("K", 25)}


@pytest.mark.parametrize(
    ("renewals_at", "paid"), [(None, [10, 10, 20]), ("own_day", [10, 10, 20]), ("first_order", [10, 10, 10])]
)
def test_of_a_renewal_the_rule_is_the_first_versions_and_its_row_as_the_rule_says(
    build: Build, renewals_at: str | None, paid: list[int]
) -> None:
    # The agreement goes to R25 on the 10th, and R10 pays 20 from the 20th.
    row = {"rule_id": "R10", "kind": "percent", "applies_to": "all_renewals", "renewals_at": renewals_at}
    rules = [row | {"valid_from": "2026-01-01", "rate": "10"}, row | {"valid_from": "2026-03-20", "rate": "20"}]
    orders = [
        order(day, "KIM10" if number == 0 else None, subscription_id="S", renewal_number=str(number))
        for number, day in enumerate((5, 15, 25))
    ]
    world = build(on(5), on(10, rule_id="R25"), orders=orders, commission_rules=[*RULES[1:], *rules])
    assert [earned(world)[f"o{day}"] for day in (5, 15, 25)] == [("K", amount) for amount in paid]


def test_another_rate_of_a_known_rule_holds_from_the_day_of_its_file(build: Build) -> None:
    again = [RULES[0] | {"as_of": f"2026-03-{day:02d} 00:00:00", "rate": rate} for day, rate in ((8, "15"), (12, "12"))]
    world = build(on(5), orders=[order(day) for day in (7, 8, 11, 12)], commission_rules=[*again, RULES[0]])
    assert {name: amount for name, (_, amount) in earned(world).items()} == {"o7": 10, "o8": 15, "o11": 15, "o12": 12}
    assert issues(world) == {("rate_changed_undated", f"R10 from 2026-03-{day}") for day in ("08", "12")}


# Codes and links


def test_codes_are_collected(build: Build) -> None:
    world = build(on(5), on(6, promo_code="KIM15"), orders=[order(3), order(4, "KIM15"), order(8), order(9, "KIM15")])
    assert set(owners(world).values()) == {"K"}


def test_a_code_is_another_ones_from_the_day_on_which_that_takes_it(build: Build) -> None:
    other = {"collaboration_id": "M", "promo_code": "MIA10"}
    world = build(
        on(5), on(5, **other), on(6, promo_code="KIM15"), on(8, **other | {"promo_code": "KIM10"}),
        orders=[order(day) for day in (3, 6, 7, 8, 9)],
    )  # fmt: skip
    assert owners(world) == {"o3": "K", "o6": "K", "o7": "K", "o8": "M", "o9": "M"}


def test_a_code_that_both_still_name_is_of_two(build: Build) -> None:
    world = build(on(5), on(8, collaboration_id="M"), orders=[order(9)])
    assert owners(world) == {"o9": "(unattributed)"}
    # The first agreement lets go of it: from the start it was the other's, which came with the same file.
    mended = build(on(5), on(5, collaboration_id="M"), on(8, promo_code="KIM15"), orders=[order(3), order(9)])
    assert set(owners(mended).values()) == {"M"}


def test_a_code_ends_with_its_agreement_and_may_begin_again_with_the_next(build: Build) -> None:
    ended = on(5, end_date="2026-03-07")
    nexts = on(20, collaboration_id="M", start_date="2026-03-08")
    world = build(ended, nexts, orders=[order(7), order(8), order(21)])
    assert owners(world) == {"o7": "K", "o8": "M", "o21": "M"}
    # Also where the first one has another code by then.
    world = build(
        ended, ended | {"promo_code": "KIM15", "as_of": "2026-03-06 06:00:00"}, nexts, orders=[order(7), order(8)]
    )
    assert owners(world) == {"o7": "K", "o8": "M"}


def test_links_are_collected_for_good(build: Build) -> None:
    orders = [order(day, None, customer_id="c") for day in (4, 20)]
    clicks = [click(4, "c"), click(20, "c", "L2")]
    world = build(
        on(5, end_date="2026-03-08"), on(6, end_date="2026-03-08", link_id="L2"), orders=orders, touches=clicks
    )
    assert earned(world) == {"o4": ("K", 10), "o20": ("K", 10)}
    other = {"collaboration_id": "M", "promo_code": "MIA10", "link_id": "L", "rule_id": "R20"}
    taken = build(on(5), on(6, link_id="L2"), on(10, **other), orders=orders, touches=[click(4, "c"), click(20, "c")])
    assert earned(taken) == {"o4": ("K", 10), "o20": ("M", 20)}


# Commission as spend


def test_commission_spend_is_the_larger_of_accrued_and_paid_on_every_date(build: Build) -> None:
    # Accrued 10 on the 3rd and on the 9th; paid 15 on the 5th and 2 on the 12th: 10, 15, 20, 20 are the larger ones.
    world = build(on(5), orders=[order(3), order(9)], costs=[payment(5, "15"), payment(12, "2")])
    assert spent(world) == [(3, 10), (5, 5), (9, 5)]
    assert world.query(
        "select distinct spend_base, spend_commission_base, commission_accrued_base, commission_paid_base,"
        " commission_balance_base from groundswell.marts.fct_collaboration_roi"
    ) == [(20, 20, 20, 17, 3)]


def test_a_refund_lowers_it_no_further_than_what_was_paid(build: Build) -> None:
    refund = {
        "refund_id": "r",
        "order_id": "o3",
        "refunded_at": "2026-03-09 10:00:00",
        "amount": "100",
        "currency": "USD",
    }
    world = build(on(5), orders=[order(3)], refunds=[refund], costs=[payment(5, "6")])
    # 10 accrued, 6 paid, 10 reversed: what was paid is spent until it is clawed back.
    assert spent(world) == [(3, 10), (9, -4)]
    assert world.query("select distinct commission_balance_base from groundswell.marts.fct_campaign_roi") == [(-6,)]


def test_commission_from_before_the_first_rule_is_spend_by_itself(build: Build) -> None:
    rules = [RULES[0] | {"valid_from": "2026-03-08"}]
    world = build(on(5), orders=[order(9)], costs=[payment(5, "7"), payment(10, "10")], commission_rules=rules)
    assert spent(world) == [(5, 7), (9, 10)]
    assert world.query(
        "select distinct spend_base, commission_paid_base, commission_balance_base"
        " from groundswell.marts.fct_collaboration_roi"
    ) == [(17, 10, 0)]
    # The rule begins with the version that has it.
    later = build(on(5, rule_id="R10"), on(9, rule_id="R25"), orders=[order(9)], costs=[payment(10, "10")],
                  commission_rules=[RULES[2]])  # fmt: skip
    assert spent(later) == [(9, 25)]


def test_a_payment_without_a_rate_makes_spend_unknown(build: Build) -> None:
    world = build(on(5), orders=[order(3)], costs=[payment(5, "5", currency="EUR"), payment(6, "50")])
    assert world.query(
        "select distinct spend_base, commission_accrued_base, commission_paid_base, commission_balance_base"
        " from groundswell.marts.fct_collaboration_roi"
    ) == [(None, 10, None, None)]


# The sum over versions


def split(*deliveries: dict[str, Any], days: tuple[int, ...]) -> Rows:
    """A collaboration of its own for each version, from its day to the day before the next."""
    ends = [f"2026-03-{day - 1:02d}" for day in days[1:]] + [None]
    return [
        delivery
        | {
            "collaboration_id": f"K{number}",
            "start_date": f"2026-03-{day:02d}",
            "end_date": end,
            "as_of": AGREED["as_of"],
        }
        for number, (delivery, day, end) in enumerate(zip(deliveries, days, ends, strict=True))
    ]


# Under any_touch an order counts for each that touched it.
SUMS = (
    "select attribution_model, sum(coalesce(spend_base, 0)), sum(commission_accrued_base), sum(orders), sum(net_revenue_base)"
    " from groundswell.marts.fct_collaboration_roi where attribution_model <> 'any_touch' group by 1 order by 1"
)
LEDGER = "select activity_date, order_id, amount, rate from groundswell.marts.fct_commission_ledger order by all"


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[int, ...], Rows, dict[str, Rows]]:
    """Days on which the terms of an agreement change, its deliveries, and what was clicked, sold and given back."""
    days = (1, *sorted(draw(st.sets(st.integers(2, 28), max_size=2))))
    deliveries = [
        on(
            draw(st.integers(1, 30)) if number == 0 else 30,
            rule_id=draw(st.sampled_from(("R10", "R20", "R25"))),
            cookie_window_days=draw(st.sampled_from(("1", "5", "30"))),
            valid_from=f"2026-03-{day:02d}" if number else None,
        )
        for number, day in enumerate(days)
    ]
    some_days = st.lists(st.integers(1, 30), min_size=1, max_size=5, unique=True)
    customers = st.sampled_from(("c1", "c2"))
    orders = [
        order(
            day, draw(st.sampled_from(("KIM10", None))), gross=draw(st.integers(1, 10**6)), customer_id=draw(customers)
        )
        for day in draw(some_days)
    ]
    refunds = [
        {
            "refund_id": f"r{number}",
            "order_id": draw(st.sampled_from(orders))["order_id"],
            "refunded_at": "2026-03-30 12:00:00",
            "amount": str(draw(st.integers(1, 10**6))),
            "currency": "USD",
        }
        for number in range(draw(st.integers(0, 2)))
    ]
    clicks = [click(day, draw(customers)) for day in draw(some_days)]
    return days, deliveries, {"orders": orders, "touches": clicks, "refunds": refunds}


@given(history=histories())
@settings(
    max_examples=10, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_the_sum_over_versions_is_that_of_a_collaboration_for_each(
    build: Build, history: tuple[tuple[int, ...], Rows, dict[str, Rows]]
) -> None:
    days, deliveries, feeds = history
    whole = build(*deliveries, **feeds)
    expected = whole.query(SUMS), whole.query(LEDGER)
    parts = build(*split(*deliveries, days=days), **feeds)
    assert (parts.query(SUMS), parts.query(LEDGER)) == expected


def test_versions_have_terms_of_their_own(build: Build) -> None:
    deliveries = [on(5), on(10, rule_id="R25", valid_from="2026-03-10"), on(12, rule_id="R20", valid_from="2026-03-20")]
    world = build(*deliveries, orders=[order(day) for day in (9, 10, 19, 20)])
    assert [rate for *_, rate in world.query(LEDGER)] == [10, 25, 25, 20]
