"""Each rule of money, broken in the SQL, changes a figure of the hand-worked world: what asserts it cannot pass by luck."""

import pytest

from tests.dbt.commerce import Compiled, World
from tests.dbt.money import BY_HAND, LAST_DAY, feeds_of

FIGURES = ("fct_attribution", "fct_commission_ledger", "fct_spend_ledger", "fct_collaboration_roi", "fct_campaign_roi")

# model, text of its compiled SQL, what takes its place
BROKEN = {
    "a rate of the refund's own day": ("int_order__refunds_applied", "orders.fx_rate,", "1.30 as fx_rate,"),
    "refunds of gross instead of net": ("int_order__revenue_dated", "-net_lowered_base as", "-2 * net_lowered_base as"),
    "tax is revenue": ("int_order__orders_valued", "coalesce(tax_amount, 0) +", "0 +"),
    "no window of the campaign": ("int_attribution__touches_resolved", "campaigns.attribution_window_days, 30", "null, 30"),
    "direct is a channel like others": ("int_attribution__paths_ordered", "touches.is_direct", "false as is_direct"),
    "codes are compared as typed": ("stg_landing__order_states", "then upper(translate(settled.promo_code", "then (translate(settled.promo_code"),
    "a half-life of a day": ("int_attribution__touches_weighted", "(7 * 86400000000)", "86400000000"),
    "40, 20 and 40 alike": ("int_attribution__touches_weighted", "then 2 * (paths.touches - 2)", "then 1"),
    "renewals stand alone": ("int_attribution__credits_assigned", "orders.first_order_id =", "orders.order_id ="),
    "an order counts for each of a group": ("int_returns__group_revenue", "nulls last\n        ) = 1", "nulls last\n        ) > 0"),
    "a settlement is spend": ("int_spend__costs_rated", "costs.cost_type <> 'commission' or", "true or"),
    "a refund reverses nothing": ("int_commission__commissions_accrued", "where refunds.net_taken is not null", "where false"),
    "renewals earn nothing": ("int_commission__earners_resolved", "else 'renewal' end", "else 'lifetime' end"),
    "a rate is carried four days": ("int_core__fx_rates_carried", "interval (5) day", "interval (0) day"),
    "value of today's counts": ("int_returns__posts_counted", "interval (30) day as date)\n    group", "interval (90) day as date)\n    group"),
}  # fmt: skip


def figures(world: World) -> dict[str, set[tuple[object, ...]]]:
    return {mart: world.mart(mart) for mart in FIGURES}


@pytest.fixture(scope="module")
def worlds(compiled: Compiled) -> tuple[World, dict[str, set[tuple[object, ...]]]]:
    world = World(compiled)
    return world, figures(world.build(feeds_of(BY_HAND), LAST_DAY))


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_shows(worlds, compiled: Compiled, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world, sound = worlds
    name, old, new = BROKEN[rule]
    (sql,) = (sql for node, sql in compiled.models if node["name"] == name)
    assert old in sql, f"{name} no longer holds {old!r}: adjust the test"
    broken = [(node, sql.replace(old, new) if node["name"] == name else sql) for node, sql in compiled.models]
    monkeypatch.setattr(compiled, "models", broken)
    assert figures(world.build(feeds_of(BY_HAND), LAST_DAY)) != sound
