"""Marts that answer a brand's questions, on a world worked out on paper, with what real feeds have and should not.

It has a post of two campaigns, a collaboration without a campaign and one that nobody landed, an order of an unknown
country, a brand without campaigns, a campaign without costs, an account that only an order's code leads to, a scheme with
a gap, and a day without any capture. Ann has 6,000 followers on the 8th and on the 12th.

Spend: K1's fee 100, C1's agency 30, tools of nobody 7, a fee of the unknown KX 5, and K3's commission: 10 % of o1 (100 net)
and of o3 (20) is 12, of which the refund takes back 5, so 7 with 4 paid. Together 149; a fee of K3 in EUR has no rate.
Net revenue: o1 100 less a refund of 50 (55 of 110 charged), o2 50, o3 20: 120 together.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion import ledger
from tests.dbt.commerce import MONEY, Compiled, World
from tests.dbt.conftest import Warehouse
from tests.dbt.money import MODELS
from warehouse import data_dictionary
from warehouse.build import dbt

AS_OF = date(2026, 1, 31)
CONSERVING = [model for model in MODELS if model != "any_touch"]


def post(name: str, day: int, **more: Any) -> dict[str, Any]:
    return {
        "platform": "instagram", "post_id": name, "account_id": "ann", "captured_at": f"2026-01-{day:02d} 03:00:00",
        "published_at": "2026-01-09 12:00:00", "content_type": "reel", **more,
    }  # fmt: skip


def account(day: int) -> dict[str, Any]:
    return {
        "platform": "instagram", "account_id": "ann", "captured_at": f"2026-01-{day:02d} 03:00:00",
        "followers": "6000", "handle": "ann.k",
    }  # fmt: skip


def collaboration(name: str, account_id: str, **more: Any) -> dict[str, Any]:
    return {
        "collaboration_id": name, "brand": "acme", "platform": "instagram", "account_id": account_id,
        "partner_type": "paid", "start_date": "2026-01-05", "end_date": "2026-01-31", **more,
    }  # fmt: skip


def order(name: str, customer: str, day: int, gross: str, **more: Any) -> dict[str, Any]:
    return {
        "order_id": name, "customer_id": customer, "ordered_at": f"2026-01-{day:02d} 12:00:00", "gross_amount": gross,
        "currency": "USD", **more,
    }  # fmt: skip


def cost(name: str, kind: str, amount: str, day: int, **more: Any) -> dict[str, Any]:
    return {
        "cost_id": name, "cost_type": kind, "amount": amount, "currency": "USD", "cost_date": f"2026-01-{day:02d}",
        **more,
    }  # fmt: skip


def click(name: str, link: str, day: int, visitor: str) -> dict[str, Any]:
    return {
        "click_id": name, "link_id": link, "clicked_at": f"2026-01-{day:02d} 09:00:00", "visitor_id": visitor,
    }  # fmt: skip


FEEDS: dict[str, list[dict[str, Any]]] = {
    "brands": [{"brand": "acme", "name": "Acme"}, {"brand": "idle", "name": "Idle"}],
    "accounts": [
        {"platform": "instagram", "account_id": "ann", "creator_id": "A", "updated_at": "2026-01-01 00:00:00"},
    ],
    "campaigns": [
        {"campaign_id": "C1", "brand": "acme", "name": "One", "start_date": "2026-01-05", "end_date": "2026-01-31",
         "budget": "1000", "currency": "USD"},
        {"campaign_id": "C2", "brand": "acme", "name": "Two", "start_date": "2026-01-05", "end_date": "2026-01-31",
         "budget": "200", "currency": "USD"},
    ],
    "collaborations": [
        collaboration("K1", "ann", campaign_id="C1", posts_agreed="2", link_id="L"),
        collaboration("K2", "ann", campaign_id="C2"),
        collaboration("K3", "cid", partner_type="affiliate", promo_code="CID10", rule_id="R"),
    ],
    "commission_rules": [
        {"rule_id": "R", "valid_from": "2026-01-01", "kind": "percent", "rate": "10", "applies_to": "first_order"},
    ],
    "collaboration_posts": [
        {"collaboration_id": name, "platform": "instagram", "post_id": of}
        for name, of in (("K1", "p1"), ("K2", "p1"), ("K1", "p2"))
    ],
    "post_snapshots": [
        post("p1", 10, likes="10", comments="2", views="100", hashtags="#Acme|sun", is_sponsored="false"),
        post("p1", 12, comments="2", views="300", hashtags="sun|later", is_sponsored="false"),
        post("p3", 12, likes="5", comments="1", views="50"),
    ],
    "account_snapshots": [account(8), account(12)],
    "costs": [
        cost("k1", "fee", "100", 5, collaboration_id="K1"),
        cost("k2", "agency", "30", 6, campaign_id="C1"),
        cost("k3", "tools", "7", 7),
        cost("k4", "fee", "5", 7, collaboration_id="KX"),
        cost("k5", "fee", "9", 8, collaboration_id="K3", currency="EUR"),
        cost("k6", "commission", "4", 20, collaboration_id="K3"),
    ],
    "orders": [
        order("o1", "u1", 10, "110", tax_amount="10", product_cost="40", promo_code="cid10"),
        order("o2", "u2", 11, "50", country="FR"),
        order("o3", "u1", 12, "20", promo_code="CID10", country="FR"),
        order("o4", "u3", 13, "70", status="cancelled", cancelled_at="2026-01-14 12:00:00", product_cost="1"),
    ],
    "refunds": [
        {"refund_id": "r", "order_id": "o1", "refunded_at": "2026-01-15 12:00:00", "amount": "55", "currency": "USD"},
    ],
    "link_clicks": [click("c1", "L", 10, "v1"), click("c2", "L", 10, "v1"), click("c3", "X", 12, "v2")],
}  # fmt: skip


@pytest.fixture(scope="module")
def world(empty: Warehouse, manifest: dict[str, Any]) -> World:
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    made = World(
        Compiled(manifest, folder, (*MONEY, "tier", "social", "creator", "dim_brand", "dim_date", "fct_order"))
    )
    made.connection.execute(
        "create table build.meta.capture (source varchar, platform varchar, snapshot_date date, kind varchar,"
        " outcome varchar, targets bigint, calls bigint, units bigint, money decimal(18,6))"
    )
    return made.build(FEEDS, AS_OF)


def rows(world: World, columns: str, rest: str) -> list[tuple[Any, ...]]:
    return world.query(f"select {columns} from groundswell.marts.{rest}")


def sums(world: World, by: str, model: str = "code_or_last_click") -> dict[str, tuple[Decimal, Decimal]]:
    found = rows(
        world,
        f"{by}, sum(spend_base), sum(net_revenue_base)",
        f"fct_return_daily where attribution_model = '{model}' group by 1",
    )
    return {key: (spend, revenue) for key, spend, revenue in found}


def test_every_sum_by_any_column_is_the_whole(world: World) -> None:
    """Under every conserving model, costs of whole campaigns among it."""
    assert {model for (model,) in rows(world, "distinct attribution_model", "fct_return_daily")} == set(CONSERVING)
    for model in CONSERVING:
        for by in ("collaboration_id", "campaign_id", "brand", "activity_date"):
            parts = sums(world, by, model)
            assert sum(spend for spend, _ in parts.values()) == 149, (model, by)
            assert sum(revenue for _, revenue in parts.values()) == 120, (model, by)
        whole = rows(
            world,
            "sum(orders), sum(clicks), sum(product_cost_base), sum(unrated_costs), sum(unvalued_orders),"
            " sum(uncosted_orders), sum(net_revenue_costed_base), sum(cost_entries)",
            f"fct_return_daily where attribution_model = '{model}'",
        )
        # Of o2 and o3 nobody knows what the goods cost; of o1, 100 less 50 is left. Entries: five costs, three
        # accruals and reversals of commission; what is paid is less than what has accrued.
        assert whole == [(3, 3, 40, 1, 0, 2, 50, 8)], model


def test_what_belongs_to_nobody_has_words_of_its_own(world: World) -> None:
    assert sums(world, "collaboration_id") == {
        "K1": (100, 0), "K3": (7, 70), "(campaign)": (30, 0), "(overhead)": (12, 0), "(unattributed)": (0, 50),
    }  # fmt: skip
    assert sums(world, "campaign_id") == {"C1": (130, 0), "(always-on)": (19, 70), "(unattributed)": (0, 50)}
    assert sums(world, "brand") == {"acme": (137, 70), "(unknown)": (12, 50)}


def test_sums_are_those_of_the_roi_marts(world: World) -> None:
    found = rows(
        world,
        "campaign_id, attribution_model, spend_base, net_revenue_base, orders",
        "fct_campaign_roi where attribution_model <> 'any_touch' and campaign_id = 'C1'",
    )
    assert len(found) == len(CONSERVING)
    assert {row[2:] for row in found} == {(130, 0, 0)}
    # The fee without a rate leaves all of always-on unknown there; the sums say what is known, and of how many not.
    always_on = rows(
        world, "spend_base, net_revenue_base",
        "fct_campaign_roi where campaign_id = '(always-on)' and attribution_model = 'code_or_last_click'",
    )  # fmt: skip
    assert always_on == [(None, 70)]


def test_money_by_tier_loses_nothing(world: World) -> None:
    found = rows(
        world,
        "tier, sum(spend_base), sum(net_revenue_base)",
        "fct_return_daily inner join groundswell.marts.bridge_collaboration_tier using (collaboration_id)"
        " where attribution_model = 'code_or_last_click' and scheme = 'breakout' group by 1 order by 1",
    )
    # 6,000 lies in the gap of `breakout`, where micro begins at 10,000.
    assert found == [("unallocated", 42, 50), ("unclassified", 100, 0), ("unknown", 7, 70)]
    ranks = rows(
        world, "tier, tier_rank", "bridge_collaboration_tier where scheme = 'breakout' group by all order by 2"
    )
    assert ranks == [("unclassified", 4), ("unknown", 5), ("unallocated", 6)]
    standard = rows(world, "tier", "bridge_collaboration_tier where scheme = 'standard' and collaboration_id = 'K1'")
    assert standard == [("nano",)]


def test_a_campaign_without_costs_has_used_nothing_that_is_known(world: World) -> None:
    found = rows(
        world,
        "campaign_id, campaign_name, budget_used_base, budget_left_base, collaborations, posts_agreed, posts_delivered,"
        " posts_undisclosed",
        "dim_campaign order by 1",
    )
    assert found == [
        ("(always-on)", None, None, None, 1, None, 0, None),
        ("(unattributed)", None, None, None, 0, None, None, None),
        ("C1", "One", 130, 870, 1, 2, 2, 1),
        ("C2", "Two", None, None, 1, None, 1, 1),
    ]


def test_collaborations_with_what_they_agreed_and_delivered(world: World) -> None:
    found = rows(
        world,
        "collaboration_id, campaign_id, creator_id, partner_type, promo_codes, link_ids, posts_delivered, posts_captured,"
        " posts_undisclosed, first_post_date",
        "dim_collaboration order by 1",
    )
    ninth = date(2026, 1, 9)
    assert found == [
        ("(campaign)", None, "(unknown)", "unallocated", None, None, None, None, None, None),
        ("(overhead)", "(always-on)", "(unknown)", "unallocated", None, None, None, None, None, None),
        ("(unattributed)", "(unattributed)", "(unknown)", "(unattributed)", None, None, None, None, None, None),
        ("K1", "C1", "A", "paid", None, "L", 2, 1, 1, ninth),
        ("K2", "C2", "A", "paid", None, None, 1, 1, 1, ninth),
        ("K3", "(always-on)", "(unknown)", "affiliate", "CID10", None, 0, 0, None, None),
        # A cost names it and no delivery does.
        ("KX", "(always-on)", "(unknown)", "(unknown)", None, None, 0, 0, None, None),
    ]


def test_a_brand_without_campaigns_and_a_person_without_a_name_have_rows(world: World) -> None:
    assert rows(world, "brand, brand_name, campaigns, collaborations", "dim_brand order by 1") == [
        ("(unknown)", None, 0, 0), ("acme", "Acme", 2, 3), ("idle", "Idle", 0, 0),
    ]  # fmt: skip
    assert rows(world, "creator_id, main_handle, main_followers, accounts, collaborations", "dim_creator order by 1") == [
        ("(unknown)", None, None, None, 1), ("A", "ann.k", 6000, 1, 2),
    ]  # fmt: skip


def test_a_post_of_two_campaigns_is_one_row_and_two_links(world: World) -> None:
    found = rows(
        world,
        "post_id, is_captured, account_id, likes, views, engagements, followers_at_publication, er_followers, er_views,"
        " collaborations, collaboration_id, campaign_id, brand",
        "fct_post order by 1",
    )
    # Likes were last known on the 10th, views on the 12th: 12 / 6,000 and 12 / 300.
    assert found == [
        ("p1", True, "ann", 10, 300, 12, 6000, 0.002, 0.04, 2, None, None, "acme"),
        ("p2", False, None, None, None, None, None, None, None, 1, "K1", "C1", "acme"),
        ("p3", True, "ann", 5, 50, 6, 6000, 0.001, 0.12, 0, None, None, None),
    ]
    linked = rows(
        world, "post_id, collaboration_id, campaign_id, collaborations", "bridge_post_collaboration order by 1, 2"
    )
    assert linked == [("p1", "K1", "C1", 2), ("p1", "K2", "C2", 2), ("p2", "K1", "C1", 1)]
    tagged = rows(world, "post_id, hashtag, snapshot_date", "bridge_post_hashtag order by 2")
    tenth, twelfth = date(2026, 1, 10), date(2026, 1, 12)
    assert tagged == [("p1", "acme", tenth), ("p1", "later", twelfth), ("p1", "sun", tenth)]


def test_an_account_that_only_a_code_leads_to_has_a_row(world: World) -> None:
    found = rows(
        world,
        "account_id, creator_id, followers, followers_date, tier, tier_rank, collaborations, spend_base,"
        " net_revenue_base, roi_net",
        "fct_account_latest order by 1",
    )
    assert found == [
        ("ann", "A", 6000, date(2026, 1, 12), "nano", 1, 2, 100, 0, -1.0),
        ("cid", None, None, None, "unknown", 6, 1, None, 70, None),
    ]


def test_an_account_that_nobody_captured_is_in_its_dimension(world: World) -> None:
    """Only the agreement says `cid`, of whom code and click tell; the days of a capture are not known."""
    found = rows(
        world, "account_id, creator_id, handle, first_seen_date, last_seen_date, data_origin", "dim_account order by 1"
    )
    assert found == [
        ("ann", "A", "ann.k", date(2026, 1, 8), date(2026, 1, 12), "observed"),
        ("cid", None, None, None, None, "observed"),
    ]


def test_every_key_of_the_world_is_in_its_dimension(world: World) -> None:
    """Of what is nobody's, of no campaign, of no brand and of no tier as well."""
    held = set(world.compiled.made_from)
    looked = [of for of in data_dictionary.references() if {of.mart, of.dimension} <= held]
    assert {of.dimension for of in looked} == {
        "dim_account", "dim_brand", "dim_campaign", "dim_collaboration", "dim_creator", "dim_date", "dim_tier",
    }  # fmt: skip
    for of in looked:
        own, keys = (", ".join(pair[place] for pair in of.pairs) for place in (0, 1))
        known = " and ".join(f"{column} is not null" for column, _ in of.pairs)
        missing = rows(
            world, own, f"{of.mart} where {known} except select {keys} from groundswell.marts.{of.dimension}"
        )
        assert missing == [], (of.mart, of.dimension)


def test_a_join_with_links_multiplies_a_post_of_two_campaigns(world: World) -> None:
    (declared,) = (join for join in data_dictionary.joins() if join["to"] == "bridge_post_collaboration")
    assert (declared["from"], declared["match"], declared["rows"]) == (
        "fct_post",
        ["platform", "post_id"],
        "multiplied",
    )
    found = rows(
        world, "post_id, count(linked.collaboration_id)",
        "fct_post left join groundswell.marts.bridge_post_collaboration as linked using (platform, post_id)"
        " group by 1 order by 1",
    )  # fmt: skip
    assert found == [("p1", 2), ("p2", 1), ("p3", 0)]


def test_a_day_without_any_capture_loses_no_money_and_adds_no_count(world: World) -> None:
    """On the 11th and from the 13th on nobody was captured: orders and a refund stand there, followers do not."""
    captured = {day for (day,) in rows(world, "distinct snapshot_date", "fct_account_daily")}
    assert captured == {date(2026, 1, 8), date(2026, 1, 12)}
    by_day = rows(
        world, "activity_date, sum(net_revenue_base)",
        "fct_return_daily where attribution_model = 'linear' and net_revenue_base <> 0 group by 1 order by 1",
    )  # fmt: skip
    # o1 100, o2 50, o3 20, o4 70 and its cancellation, the refund.
    assert by_day == [
        (date(2026, 1, 10), 100), (date(2026, 1, 11), 50), (date(2026, 1, 12), 20), (date(2026, 1, 13), 70),
        (date(2026, 1, 14), -70), (date(2026, 1, 15), -50),
    ]  # fmt: skip
    assert rows(world, "followers, followers_date", "fct_account_latest where account_id = 'ann'") == [
        (6000, date(2026, 1, 12)),
    ]  # fmt: skip


def test_an_order_of_an_unknown_country_counts_and_a_customer_is_new_once(world: World) -> None:
    found = rows(
        world,
        "order_id, country, status, is_new_customer, order_count, code_collaboration_id, gross_base, tax_base,"
        " refunded_base, refunded_net_base, net_revenue_base, product_cost_base",
        "fct_order order by 1",
    )
    assert found == [
        ("o1", None, "paid", True, 1, "K3", 110, 10, 55, 50, 50, 40),
        ("o2", "FR", "paid", True, 1, None, 50, 0, 0, 0, 50, None),
        ("o3", "FR", "paid", False, 1, "K3", 20, 0, 0, 0, 20, None),
        ("o4", None, "cancelled", False, 0, None, 70, 0, 70, 70, 0, 0),
    ]


def test_first_orders_are_credited_as_orders_are(world: World) -> None:
    """K3's code is on o1, a first order, and on o3, which is none; o2 is nobody's; o4 is cancelled and wins nobody."""
    assert rows(
        world, "collaboration_id, sum(orders), sum(new_customer_orders)",
        "fct_return_daily where attribution_model = 'promo_code' group by 1 having sum(orders) > 0 order by 1",
    ) == [("(unattributed)", 1, 1), ("K3", 2, 1)]  # fmt: skip


def test_clicks_on_a_link_of_nobody_are_counted(world: World) -> None:
    assert rows(world, "*", "fct_click_daily order by 1") == [
        ("L", "K1", date(2026, 1, 10), 2, 1, "observed"),
        ("X", "(unattributed)", date(2026, 1, 12), 1, 1, "observed"),
    ]


def test_what_is_owed_is_what_was_earned_less_what_came_back_and_was_paid(world: World) -> None:
    assert rows(world, "* exclude (base_currency, data_origin)", "fct_payout_statement") == [
        ("(unknown)", "K3", date(2026, 1, 1), 12, 5, 4, 0, 3),
    ]
    assert rows(
        world, "commission_balance_base",
        "fct_collaboration_roi where collaboration_id = 'K3' and attribution_model = 'linear'",
    ) == [(3,)]  # fmt: skip


def test_every_day_has_a_row_also_without_a_capture(world: World) -> None:
    days = [day for (day,) in rows(world, "date_day", "dim_date order by 1")]
    assert days == [date(2026, 1, nth) for nth in range(1, 32)]
    for mart, column in {
        "fct_return_daily": "activity_date", "fct_order": "activity_date", "fct_click_daily": "activity_date",
        "fct_post": "published_date", "fct_payout_statement": "month", "fct_account_daily": "snapshot_date",
    }.items():  # fmt: skip
        assert {day for (day,) in rows(world, f"distinct {column}", mart)} - {None} <= set(days), mart


def test_a_rejected_last_day_falls_back_to_what_was_known_before(three_days: Warehouse, tmp_path: Path) -> None:
    """The negative: an account does not keep what a day said that is rejected, nor lose what was known before it."""
    warehouse = three_days.copy(tmp_path / "rejected")
    query = "select account_id, followers, followers_date, last_seen_date from groundswell.marts.fct_account_latest order by 1"
    sixth, fifth = date(2026, 1, 6), date(2026, 1, 5)
    assert warehouse.query(query) == [("a", 1300, sixth, sixth), ("b", 40, sixth, sixth)]
    with ledger.read(warehouse.settings) as connection:
        (batch,) = connection.execute("select batch_id from batches where file like '%day6.csv'").fetchone()
    ledger.reject(warehouse.settings, batch, "a test")
    assert warehouse.build("second").status == "built"
    assert warehouse.query(query) == [("a", 1100, fifth, fifth), ("b", 50, fifth, fifth)]
    assert warehouse.query("select max(snapshot_date) from intermediate.int_creator__accounts_known") == [(fifth,)]
